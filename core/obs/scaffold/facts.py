"""What was found out about a camera, in the form that the project template takes."""

import math
import re
from dataclasses import asdict, fields
from typing import Any

from obs.camera.color_plane import COLORS
from obs.geom import Box
from obs.inspection.amplifier_facts import AmplifierFacts
from obs.inspection.cards import Cards
from obs.inspection.header.bands import guess_bands
from obs.inspection.header.exposure_time import ExposureRule
from obs.inspection.header.keys import KeyRule
from obs.inspection.header.processed import find_corrected
from obs.inspection.inspect import DetectorImages, Findings
from obs.inspection.pair_noise import SHORT_DARK
from obs.inspection.raw_file import RawFile
from obs.instrument.comment_units import find_time_unit, unit_card
from obs.instrument.date_rules import DateRule
from obs.instrument.filter_wheels import color_filter
from obs.instrument.header import COLOR, FILE_NAME, FOLDER
from obs.instrument.image_types import IMAGE_TYPE_CARDS
from obs.instrument.pointing_rules import PointingRule
from obs.instrument.readout_cards import BINNING_CARDS
from obs.scaffold.color_facts import color_amplifiers, color_detectors, color_filters
from obs.scaffold.safe_text import is_safe

__all__ = ["absent_calibrations", "corrected_already", "template_facts"]

_PIXEL_SIZE = 0.015  # mm, where no card gives
_PATTERNS = {"digits": r"(\d+)$", "name": r"(?<!\d)(\d{3,6})(?!\d)"}  # of a number that is not all of the card
_NAMED_KINDS = ("text", "words", "joined", "file", "letters", "color")  # of detector keys, those that are names
_SCALE = 0.5  # arcsec per pixel, likewise
_MILLISECONDS = 1000  # in a second


def template_facts(findings: Findings, *, visit_key: str, detector_key: str, planes: str = "") -> dict[str, Any]:
    """Return the variable ``_facts`` of the template.

    Parameters
    ----------
    findings : Findings
        What `obs.inspection.inspect.inspect_files` found.
    visit_key, detector_key : str
        What the camera's data IDs call exposure and detector.
    planes : {"", "each", "mean", "colors"}, optional
        What the planes of its cubes are.
    """
    x_bin, y_bin = findings["binning"].value
    size = findings["pixel_size"]
    unbinned = size.value if size.is_known else _PIXEL_SIZE
    pixel = (unbinned * x_bin, unbinned * y_bin)
    scale = findings.sky.scale
    orientation = findings.sky.rotation
    rules = _translator(findings) | {"planes": planes}
    has_colors = findings.mosaic.is_known
    detectors = [
        _detector_row(chip, findings.detectors, number, pixel, (x_bin, y_bin))
        for number, chip in enumerate(findings.detectors)
    ]
    amplifiers = [_amplifier_row(chip.name, amp) for chip in findings.detectors for amp in chip.facts.amplifiers]
    return {
        "files": [file.path.name for file in findings.files],
        "report": [[f.quantity, _shown(f.value), f.source, f.confidence, f.note] for f in findings.findings],
        "warnings": list(findings.warnings),
        "detectors": detectors if not has_colors else color_detectors(detectors[0], findings.mosaic.value),
        "overscan_hdus": any(amp.overscan_hdu for chip in findings.detectors for amp in chip.facts.amplifiers),
        "amplifiers": amplifiers if not has_colors else color_amplifiers(amplifiers),
        "filters": _filters(findings),
        "plate_scale": f"{(scale.value if scale.is_known else _SCALE) / pixel[0]:.6g}",
        "plate_scale_note": (
            f"from {scale.source}, {scale.confidence}"
            if scale.is_known
            else f"not known: {_SCALE} arcsec a pixel are assumed"
        ),
        "rotation": orientation.value if orientation.is_known else 0.0,
        "flip_x": findings.sky.flip_x,
        "absent": absent_calibrations(findings),
        **_darks_for_bias(findings),
        "corrected": corrected_already(findings),
        "headers": [_header(file.path.name, file.cards, findings, visit_key, detector_key) for file in findings.files],
        "detector_type": "str" if rules["detector"]["kind"] in _NAMED_KINDS else "int",
        "translator": rules,
    }


def _filters(findings: Findings) -> list[dict[str, str]]:
    """Return the filters: name in the headers, and band."""
    names = findings.frames.filters or ("none",)
    if findings.mosaic.is_known:
        return color_filters(names)
    bands = dict.fromkeys(names, "color_mosaic") if findings.mosaic.note else guess_bands(names)
    return [{"physical_filter": name, "band": band} for name, band in bands.items()]


def absent_calibrations(findings: Findings) -> list[str]:
    """Return the calibration frames that a night lacks of which there are the others.

    Of files that hold science frames and flats, no dark means that none are taken; no bias, that overscan stands in.
    Telescopes that take and keep their calibration frames inside give nothing but science frames.
    """
    kinds = {one.image_type[0].value for one in findings.frames.files} | findings.masters
    if kinds == {"science"} and any(map(_keeps_calibrations, findings.files)):
        return ["bias", "dark", "flat"]
    if not {"science", "flat"} <= kinds:
        return []
    has_overscan = all(not amp.overscan.is_empty for chip in findings.detectors for amp in chip.facts.amplifiers)
    return [kind for kind in ("bias", "dark") if kind not in kinds and (kind == "dark" or has_overscan)]


_SMART = re.compile(r"seestar|\bdwarf|stellina|vespera|vaonis|e-?vscope|unistellar|celestron origin", re.I)
_MAKERS = ("INSTRUME", "TELESCOP", "CREATOR", "SWCREATE", "CAMERA", "ORIGIN", "SOFTVER", "PRODUCER", "PROGRAM")


def _keeps_calibrations(file: RawFile) -> bool:
    """Return whether a file is of a telescope with camera and program in one, whose users get no calibration frames."""
    return any(_SMART.search(str(file.cards.get(name, ""))) for name in _MAKERS)


def _darks_for_bias(findings: Findings) -> dict[str, str]:
    """Return the seconds of the darks that can stand in for biases, as data IDs have them; empty if none has to.

    Short ones are called ``short_dark``. Of long ones, ``long_dark``, those as long as an exposure are best: they hold
    its dark current, too.
    """
    kinds = [one.image_type[0].value for one in findings.frames.files]
    if "bias" in (*kinds, *findings.masters, *absent_calibrations(findings), *corrected_already(findings)):
        return {}
    times: dict[str, set[float]] = {"dark": set(), "science": set()}
    for kind, one in zip(kinds, findings.frames.files, strict=True):
        if kind in times and one.exposure[0].is_known:
            times[kind].add(one.exposure[0].value)
    shortest = min(times["dark"], default=math.inf)
    if shortest <= SHORT_DARK:
        return {"short_dark": f"{shortest:g}"}
    if not {"science", "flat"} <= set(kinds):  # too few kinds for a whole night: there may be biases elsewhere
        return {}
    if not times["dark"]:
        return {"no_bias": "true"}
    return {"long_dark": f"{min(times['dark'] & times['science'] or times['dark']):g}"}


def corrected_already(findings: Findings) -> list[str]:
    """Return what is out of all science frames already, or of all frames where none is one of science."""
    pairs = zip(findings.files, findings.frames.files, strict=True)
    done = [(one.image_type[0].value, find_corrected(file.cards)) for file, one in pairs]
    chosen = [found for kind, found in done if kind == "science"] or [found for _, found in done]
    return sorted(frozenset.intersection(*chosen))


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Box):
        return value.to_section() if not value.is_empty else ""
    if isinstance(value, tuple):
        return " x ".join(str(part) for part in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _detector_row(
    chip: DetectorImages,
    chips: tuple[DetectorImages, ...],
    number: int,
    pixel: tuple[float, float],
    binning: tuple[int, int],
) -> dict[str, Any]:
    width, height = chip.facts.size
    x, y, yaw = _place(chip, chips, number, binning)
    return {
        "id": chip.key if isinstance(chip.key, int) else number,
        "name": chip.name,
        "serial": "",
        "width": width,
        "height": height,
        "raw_width": chip.facts.raw_shape[1],
        "raw_height": chip.facts.raw_shape[0],
        "pixel_size_x": f"{pixel[0]:.6g}",
        "pixel_size_y": f"{pixel[1]:.6g}",
        "offset_x": f"{x * pixel[0]:.6g}",
        "offset_y": f"{y * pixel[1]:.6g}",
        "yaw": yaw,
    }


def _place(
    chip: DetectorImages, chips: tuple[DetectorImages, ...], number: int, binning: tuple[int, int]
) -> tuple[float, float, float]:
    """Return where a detector's center lies in the mosaic, pixels, and its rotation, degrees."""
    if len(chips) == 1:
        return 0.0, 0.0, 0.0
    sections = [other.mosaic for other in chips]
    if chip.mosaic is None or any(section is None for section in sections):
        width = max(other.facts.size[0] for other in chips) + 100
        return (number - (len(chips) - 1) / 2) * width, 0.0, 0.0
    boxes = [section.box for section in sections if section is not None]
    x_middle = (min(b.x_min for b in boxes) + max(b.x_max for b in boxes)) / 2
    y_middle = (min(b.y_min for b in boxes) + max(b.y_max for b in boxes)) / 2
    box = chip.mosaic.box
    yaw = 180.0 if chip.mosaic.flip_x and chip.mosaic.flip_y else 90.0 * chip.mosaic.quarters
    x, y = (box.x_min + box.x_max) / 2 - x_middle, (box.y_min + box.y_max) / 2 - y_middle
    return x / binning[0], y / binning[1], yaw


def _amplifier_row(detector: str, amp: AmplifierFacts) -> list[Any]:
    boxes = (amp.bbox, amp.raw_bbox, amp.data, amp.overscan, amp.parallel_overscan, amp.prescan)
    numbers = [number for box in boxes for number in (box.x_min, box.y_min, box.width, box.height)]
    nominal = [_shown(amp.findings[name].value) for name in ("gain", "read_noise", "saturation")]
    apart = [amp.overscan_hdu] if amp.overscan_hdu else []
    return [detector, amp.name, amp.raw_hdu, *numbers, amp.corner, int(amp.flip_x), int(amp.flip_y), *nominal, *apart]


def _key(rule: KeyRule) -> dict[str, Any]:
    return {"kind": rule.kind, "keyword": rule.keyword, "first": rule.first, "size": rule.size}


def _translator(findings: Findings) -> dict[str, Any]:
    """Return how the translator reads each column."""
    frames = findings.frames
    visit = _key(frames.visit) | {"per_second": _MILLISECONDS if _has_own_time(findings) else 1}
    if findings["visit"].confidence == "guess" and frames.dates:
        visit |= {"kind": "nightly", "pattern": _PATTERNS.get(frames.visit.kind, "")}
    exposures = frames.exposures or (ExposureRule("EXPTIME"),)
    is_free = not any(name in file.cards for file in findings.files for name in ("RA", "DEC"))
    nowhere = PointingRule("RA", "DEC") if is_free else PointingRule("SIMRA", "SIMDEC")
    return {
        "visit": visit,
        "detector": {"kind": "color", "keyword": COLOR} if findings.mosaic.is_known else _key(findings.detector),
        "filter": [list(cards) for cards in frames.filter_cards] or [["FILTER"]],
        "exposure_time": [asdict(rule) for rule in exposures],
        "object": list(frames.targets) or ["OBJECT"],
        "image_type": _type_cards(findings),
        "untyped": frames.is_untyped,
        "sky_flats": frames.has_sky_flats,
        "named_types": frames.are_named,
        "dates": [_options(rule, "date") for rule in frames.dates or (DateRule("DATE-OBS"),)],
        "date_known": bool(frames.dates),
        "pointings": [_options(rule, "ra", "dec") for rule in frames.pointings or (nowhere,)],
        "pointing_known": bool(frames.pointings),
        "airmass": list(frames.airmasses),
        "amplifier_files": None if findings.amplifier_files is None else asdict(findings.amplifier_files),
        "known_by": _known_by(findings),
        "site": _site(findings),
        "time_scale": findings["time_scale"].value,
    }


def _type_cards(findings: Findings) -> list[str]:
    """Return the cards of the type; before names of files a card that later files may have."""
    names = list(findings.frames.image_types)
    is_said = any(name not in (FILE_NAME, FOLDER) for name in names)
    return names if is_said else [_type_card(findings), *names]


def _type_card(findings: Findings) -> str:
    """Return the card of the type where no file has one that is understood: one that holds nothing else in them."""
    free = [name for name in IMAGE_TYPE_CARDS if not any(name in file.cards for file in findings.files)]
    return free[0] if findings.frames.is_untyped and free else "IMAGETYP"


def _options(rule: DateRule | PointingRule, *names: str) -> dict[str, Any]:
    """Return the arguments of a rule: those that have to be there, and those that are not the default."""
    values = asdict(rule)
    defaults = {field.name: field.default for field in fields(rule)}
    options = {name: value for name, value in values.items() if name not in names and value != defaults[name]}
    return {name: values[name] for name in names} | {"options": options}


def _has_own_time(findings: Findings) -> bool:
    """Whether milliseconds tell exposures apart: the detectors of a mosaic may begin some milliseconds apart."""
    return findings.frames.visit.kind == "date" and len(findings.detectors) == 1


def _known_by(findings: Findings) -> dict[str, list[str]]:
    """Return the card by which files of the camera are known, and its values; nothing where some files lack it."""
    found = findings["instrument"]
    values = dict.fromkeys(str(file.cards.get(found.source, "")).strip() for file in findings.files)
    if found.source != "INSTRUME" or found.confidence != "certain" or not all(map(is_safe, values)):
        return {}
    return {found.source: list(values)} | _binning_cards(findings)


def _binning_cards(findings: Findings) -> dict[str, list[str]]:
    """Return the cards of the binning, and their values, where all files have them."""
    binning = findings["binning"]
    if binning.confidence != "certain":
        return {}
    names = [name for name in binning.source.split(", ") if name in BINNING_CARDS]
    found = {name: {str(file.cards.get(name, "")).strip() for file in findings.files} for name in names}
    return {name: list(values) for name, values in found.items() if len(values) == 1 and all(map(is_safe, values))}


def _site(findings: Findings) -> dict[str, Any]:
    """Return where the observatory is, as far as it is more than a guess."""
    known = [findings[name] for name in ("longitude", "latitude", "elevation")]
    return {finding.quantity: finding.value for finding in known if finding.confidence in ("certain", "likely")}


def _header(name: str, cards: Cards, findings: Findings, visit_key: str, detector_key: str) -> dict[str, Any]:
    """Return a header for the package's own tests, with what must come out."""
    kept = {key: cards.get(key) for key in cards if cards.find(key) is not None}
    if findings.mosaic.is_known:
        kept[COLOR] = COLORS[0]
    for rule in findings.frames.exposures:
        stated = cards.find(rule.keyword) if rule.by_comment else None
        if stated is not None and (unit := find_time_unit(stated.comment)):
            kept[unit_card(rule.keyword)] = unit
    expected: dict[str, Any] = {}
    if name == findings.files[0].path.name:
        for column, quantity in (("expTime", "exposure_time"), ("field", "object"), ("filter", "filter")):
            if findings[quantity].is_known and quantity not in findings.frames.borrowed:
                expected[column] = findings[quantity].value
        if findings["date_begin"].is_known and "date_begin" not in findings.frames.borrowed:
            expected["dateObs"] = str(findings["date_begin"].value)[:10]
        if findings.mosaic.is_known:
            expected[detector_key] = COLORS[0]
            expected["filter"] = color_filter(str(expected.get("filter", "none")), COLORS[0])
        elif findings["detector"].is_known:
            expected[detector_key] = findings["detector"].value
        if findings["visit"].confidence in ("certain", "likely"):
            expected[visit_key] = findings["visit"].value
    return {"file": name, "cards": kept, "expected": expected}
