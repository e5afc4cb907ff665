"""Everything that raw files tell of their camera, each with its source and how sure it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.inspection.amplifier_facts import DetectorFacts
from obs.inspection.cards import Cards
from obs.inspection.color_mosaic import AS_ONE_FILTER, find_color_mosaic
from obs.inspection.detector_places import place_by_sections, places_by_wcs
from obs.inspection.files.grouping import group_images, set_aside
from obs.inspection.files.masters import as_read_by_camera, type_of_frame, without_masters
from obs.inspection.files.other_files import compare_amplifiers_with_files, compare_with_files
from obs.inspection.files.readout_modes import (
    BINNING,
    files_of_one_mode,
    find_other_settings,
    find_shape_mismatches,
)
from obs.inspection.files.same_camera import files_of_one_camera
from obs.inspection.files.several_files import brightest_file, files_of_detectors, one_exposure
from obs.inspection.finding import CONFIDENCES, Confidence, Finding, lower_confidence
from obs.inspection.frame_facts import FileFacts, FrameFacts, find_frame_facts
from obs.inspection.header.binning import find_binning
from obs.inspection.header.keys import KeyRule, Roles, detector_in_names, detector_value, find_detector_key, find_roles
from obs.inspection.header.processed import find_processing
from obs.inspection.header.sky_scale import SkyScale, find_pixel_size, find_sky_scale
from obs.inspection.layout import find_detector
from obs.inspection.overscan_hdus import join_overscan
from obs.inspection.pair_noise import Exposure, measure_noise
from obs.inspection.raw_file import RawFile, RawImage, read_raw_file
from obs.inspection.sections import Section
from obs.instrument.amplifier_files import AmplifierFiles

__all__ = ["DetectorImages", "Findings", "inspect_files"]


@frozen
class DetectorImages:
    """A detector: its key, its name, its images and what they tell.

    Parameters
    ----------
    key : int or str
        Value of the detector's key in data IDs.
    name : str
        Name of the detector.
    images : tuple of RawImage
        Raw images of its amplifiers.
    facts : DetectorFacts
        What the images tell.
    mosaic : Section or None
        Place of the detector in the focal plane, according to its cards.
    """

    key: int | str
    name: str
    images: tuple[RawImage, ...]
    facts: DetectorFacts
    mosaic: Section | None


@frozen
class Findings:
    """Facts about a camera that its raw files show.

    Parameters
    ----------
    files : tuple of RawFile
        The files.
    findings : tuple of Finding
        All quantities, for the table; those of amplifiers carry their name.
    detectors : tuple of DetectorImages
        The detectors.
    layout : {"image", "amplifiers", "detectors"}
        Whether a file is one image, has an extension for each amplifier, or for each detector.
    frames : FrameFacts
        What the headers tell of exposures, and how that is read.
    detector : KeyRule
        How the detector is read.
    sky : SkyScale
        Scale and orientation.
    roles : Roles or None
        What cards tell apart, of several frames.
    masters : frozenset of str
        Types of calibration frames that are there as stacks, which were left out.
    mosaic : Finding
        Colors of the cell of a color camera, whose detectors' facts are then those of a color; not known for others.
    warnings : tuple of str
        What disagrees or is wrong.
    amplifier_files : AmplifierFiles or None
        How files of single amplifiers are told apart, from which the files were put together.
    """

    files: tuple[RawFile, ...]
    findings: tuple[Finding, ...]
    detectors: tuple[DetectorImages, ...]
    layout: str
    frames: FrameFacts
    detector: KeyRule
    sky: SkyScale
    roles: Roles | None
    masters: frozenset[str]
    mosaic: Finding
    warnings: tuple[str, ...]
    amplifier_files: AmplifierFiles | None = None

    def __getitem__(self, quantity: str) -> Finding:
        """Return the finding of a quantity.

        Raises
        ------
        KeyError
            If it was not looked for.
        """
        for finding in self.findings:
            if finding.quantity == quantity:
                return finding
        raise KeyError(quantity)


def inspect_files(paths: Sequence[Path], amplifier_files: AmplifierFiles | None = None, *, only: str = "") -> Findings:
    """Look at raw files of one camera.

    Parameters
    ----------
    paths : sequence of Path
        FITS files, or the text of headers.
    amplifier_files : AmplifierFiles, optional
        How the files of single amplifiers are told apart, from which these were put together.
    only : str, optional
        Part of the name of the camera, where there are files of several; or a binning, such as ``2 x 2``.

    Raises
    ------
    FileFormatError
        If a file cannot be read or has no image, or they are of several cameras.
    """
    if not paths:
        raise FileFormatError("no file to look at")
    warnings: list[str] = []
    small: dict[str, list[str]] = {}
    files = tuple(_without_small(read_raw_file(path), small) for path in paths)
    for text, names in small.items():
        warnings.append(f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {text}")
    mode = only if BINNING.fullmatch(only) else ""
    files = files_of_one_camera(files, warnings, "" if mode else only)
    files, masters = without_masters(files_of_one_mode(files, warnings, mode), warnings)
    first = files[0]
    cards = first.cards
    warnings += [f"{file.path.name}: {problem}" for file in files for problem in file.problems]
    warnings += find_shape_mismatches(files)
    number = first.primary.get("NEXTEND")
    if isinstance(number, int) and number > first.extensions:
        warnings.append(f"{first.path.name}: NEXTEND says {number} extensions, here are {first.extensions}")
    as_read = as_read_by_camera(files)
    bright = brightest_file(as_read)
    if bright.images[0].is_normalized:
        warnings.append(_NORMALIZED.format(bright.path.name))
    layout, groups, is_told = group_images(bright, warnings)
    frames = find_frame_facts(files)
    of_detectors = layout == "image" or amplifier_files is not None  # files, one a detector
    chips, card = files_of_detectors(files, frames.exposures_of_files) if of_detectors else ([], "")
    key, rule = find_detector_key(chips or groups, card)
    named = detector_in_names(_names(files, frames.exposures_of_files)) if of_detectors and not chips else None
    if named is not None:
        chips = _by_name(files, named)
        value = detector_value(named, chips[0][0].cards)
        key, rule = Finding("detector", value, "name of the file", "guess", "no card names it"), named
    elif not chips and of_detectors and frames.visit.kind != "name":
        key, notes = _doubted(key, files, frames.exposures_of_files)
        warnings += notes
    chips = chips or groups
    others = () if card or named else tuple(i for file in _others(as_read, bright) for i in file.images)
    mosaic, of_mosaic = find_color_mosaic(files, bright, find_binning(chips[0][0].cards).value)
    if mosaic.is_known and len(chips) > 1:
        mosaic = Finding.unknown("color_mosaic", "of several detectors it is not split into its colors")
        of_mosaic = [f"{first.path.name}: a color mosaic of {len(chips)} detectors; {AS_ONE_FILTER}"]
    detectors = tuple(
        _detector(images, rule, number, others, in_colors=mosaic.is_known) for number, images in enumerate(chips)
    )
    step = 2 if mosaic.is_known else 1
    kept = {id(file) for file in as_read}
    of_read = [pair for pair in zip(files, frames.files, strict=True) if id(pair[0]) in kept]
    detectors = tuple(_with_noise(chip, of_read, rule, step, of_detectors=of_detectors) for chip in detectors)
    binning = detectors[0].facts.binning
    detectors = _placed(detectors, files, rule, binning.value, of_detectors=of_detectors)
    sky = _sky_scale(files, detectors[0].images[0], binning)
    general = [
        _named("telescope", cards, "TELESCOP", "TELESC", "TELNAME", "OBSTEL", "SCOPE"),
        _named("instrument", cards, "INSTRUME", "INSTRUM", "INSTR", "INSTNAME", "DETECTOR", "CAMERA", "CAMNAME"),
        _layout(layout, amplifier_files, is_told=is_told),
        frames.findings[0],
        key,
        *frames.findings[1:],
        sky.scale,
        sky.rotation,
        find_pixel_size(cards, binning.value),
        binning,
        *([mosaic] if mosaic.is_known or mosaic.note else []),
        *_place_findings(detectors),
    ]
    settings = find_other_settings(files) if len(detectors) == 1 and amplifier_files is None else ()
    warnings += [*frames.warnings, *of_mosaic, *_processing(files), *settings]
    warnings += [
        f"{chip.name}: {text}" if len(detectors) > 1 else text for chip in detectors for text in chip.facts.warnings
    ]
    return Findings(
        files=files,
        findings=(*general, *_amplifier_findings(detectors)),
        detectors=detectors,
        layout=layout,
        frames=frames,
        detector=rule,
        sky=sky,
        roles=_roles(files, layout, rule, frames.begins),
        masters=masters,
        mosaic=mosaic,
        amplifier_files=amplifier_files,
        warnings=tuple(dict.fromkeys(warnings)),
    )


_NORMALIZED = (
    "{}: the pixels are numbers from 0 to 1, as programs write them that divide counts by 65,535: they are multiplied "
    "by it when a file is read, so that gains are in electrons per count; better are the files that the camera wrote"
)
_MOST_OTHERS = 5
"""Other files against whose pixels overscan is held."""
_LAYOUTS = {
    "image": "one image a file",
    "amplifiers": "one extension an amplifier",
    "detectors": "one extension a detector",
}


def _processing(files: Sequence[RawFile]) -> Iterator[str]:
    """Yield what was done to frames already, once, with the files in which it was."""
    done: dict[str, list[str]] = {}
    for file in files:
        for text in find_processing(file.cards):
            done.setdefault(text, []).append(file.path.name)
    for text, names in done.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {text}"


def _names(files: Sequence[RawFile], exposures: Sequence[object]) -> list[list[str]]:
    """Return the names of the files of each exposure that has several."""
    return [[file.path.name for file in group] for group in one_exposure(files, exposures)]


def _by_name(files: Sequence[RawFile], rule: KeyRule) -> list[tuple[RawImage, ...]]:
    """Return the images of each detector, which the names of files tell apart."""
    chips: dict[object, list[RawFile]] = {}
    for file in files:
        chips.setdefault(detector_value(rule, file.cards), []).append(file)
    return [brightest_file(of_chip).images for of_chip in chips.values()]


def _doubted(key: Finding, files: Sequence[RawFile], exposures: Sequence[object]) -> tuple[Finding, list[str]]:
    """Return the detector, a guess where several files are of one exposure and no card gives their detectors apart."""
    groups = one_exposure(files, exposures)
    if not groups:
        return key, []
    names = ", ".join(file.path.name for file in groups[0][:3])
    text = f"{names} begin at the same time, and no card gives whether they are of different detectors"
    advice = "say in translator.py what names the detector, or numbers the exposures"
    return replace(key, confidence=lower_confidence(key.confidence, "guess"), note=text), [f"{text}: {advice}"]


def _sky_scale(files: Sequence[RawFile], image: RawImage, binning: Finding) -> SkyScale:
    """Return scale and orientation of the file that tells them best: flats, say, have no WCS."""
    found = [(image.path, find_sky_scale(image.cards, binning.value))]
    found += [(file.path, find_sky_scale(file.cards, find_binning(file.cards).value)) for file in files]
    path, best = min(found, key=lambda one: _how_unsure(one[1]))
    surely = [
        (name.name, sky.scale.value)
        for name, sky in found[1:]
        if name != path and sky.scale.confidence in ("certain", "likely")
    ]
    return replace(best, scale=compare_with_files(best.scale, best.scale.value, surely))


def _how_unsure(sky: SkyScale) -> int:
    return CONFIDENCES.index(sky.scale.confidence) + CONFIDENCES.index(sky.rotation.confidence)


def _without_small(file: RawFile, leftovers: dict[str, list[str]]) -> RawFile:
    kept, text = set_aside(join_overscan(file))
    if text:
        leftovers.setdefault(text, []).append(file.path.name)
    return kept


def _layout(layout: str, amplifier_files: AmplifierFiles | None, *, is_told: bool) -> Finding:
    if amplifier_files is not None:
        names = ", ".join(amplifier_files.names)
        return Finding("layout", "one file an amplifier", amplifier_files.keyword, "likely", f"amplifiers {names}")
    sure: Confidence = "certain" if layout == "image" else "likely" if is_told else "guess"
    return Finding("layout", _LAYOUTS[layout], "HDUs of the file", sure)


def _named(quantity: str, cards: Cards, *names: str) -> Finding:
    note = ""
    for name in names:
        if cards.find(name) is None:
            continue
        text = str(cards.get(name)).strip()
        if not _PLACEHOLDER.fullmatch(text):
            return Finding(quantity, text, name, "certain" if name == names[0] else "guess")
        note = note or f"{name} = '{text}' is a placeholder"
    return Finding.unknown(quantity, note)


_PLACEHOLDER = re.compile(
    r"(.)\1+|(the |my )?(telescope|instrument|camera|ccd|detector|mount|device|imager)s?( ?\d)?|none|default|name|test"
    r"|.*\bsimulator\b.*|(ascom|indi|indigo|alpaca)( driver| hub| camera| telescope)?",
    re.I,
)


def _others(files: Sequence[RawFile], bright: RawFile) -> list[RawFile]:
    """Return some other files with images like those of the brightest, of as many kinds as there are."""
    alike = [file for file in files if file is not bright and file.shapes == bright.shapes]
    kinds = {type_of_frame(file.cards): file for file in alike}
    return list(kinds.values())[:_MOST_OTHERS]


def _detector(
    images: tuple[RawImage, ...],
    rule: KeyRule,
    number: int,
    others: tuple[RawImage, ...] = (),
    *,
    in_colors: bool = False,
) -> DetectorImages:
    cards = images[0].cards
    key = detector_value(rule, cards)
    if key is None or rule.kind == "constant":
        key = number
    name = key if isinstance(key, str) else ""
    for keyword in () if name else ("DETPOS", "CCDPOS", "CHIPNAME", "EXTNAME"):
        text = str(cards.get(keyword, "")).strip()
        if text and len(images) == 1 and text.replace("_", "").replace("-", "").isalnum() and not text.isdigit():
            name = text
            break
    facts = find_detector(images, others, in_colors=in_colors)
    for image in images:  # a mosaic's pixels are more than memory may hold
        image.release()
    name = name if name.lower() not in ("sci", "image", "") else f"ccd{key}"
    return DetectorImages(key, name, images, facts, place_by_sections(images))


def _with_noise(
    chip: DetectorImages,
    files: Sequence[tuple[RawFile, FileFacts]],
    rule: KeyRule,
    step: int,
    *,
    of_detectors: bool,
) -> DetectorImages:
    """Return a detector with gains and read noises that pairs of its frames show."""
    hdus = {image.hdu for image in chip.images}
    exposures = []
    for file, facts in files:
        images = tuple(image for image in file.images if of_detectors or image.hdu in hdus)
        if of_detectors and rule.kind != "constant" and detector_value(rule, file.cards) != chip.key:
            continue
        if [image.shape for image in images] == [image.shape for image in chip.images]:
            exposures.append(Exposure(images, facts, step))
    others = [one.images for one in exposures if one.images[0].path != chip.images[0].path]
    return replace(chip, facts=measure_noise(compare_amplifiers_with_files(chip.facts, chip.images, others), exposures))


def _placed(
    detectors: tuple[DetectorImages, ...],
    files: Sequence[RawFile],
    rule: KeyRule,
    binning: tuple[int, int],
    *,
    of_detectors: bool,
) -> tuple[DetectorImages, ...]:
    """Return detectors in the places that the WCS of an exposure gives, where sections give none or know no turns."""
    if len(detectors) == 1 or any(len(chip.images) != 1 for chip in detectors):
        return detectors
    chips = [[chip.images[0].own] for chip in detectors]
    for one, chip in zip(chips, detectors, strict=True):
        for file in files:
            if not of_detectors:
                one += [image.own for image in file.images if image.hdu == chip.images[0].hdu]
            elif rule.kind != "constant" and detector_value(rule, file.cards) == chip.key:
                one.append(file.cards)
    for exposure in zip(*[[cards for cards in one if cards.find("CRVAL1") is not None] for one in chips], strict=False):
        known = [(cards, chip.facts.amplifiers) for cards, chip in zip(exposure, detectors, strict=True)]
        places = places_by_wcs(known, binning)
        if places is None:
            continue
        if any(chip.mosaic is None for chip in detectors) or any(place.quarters % 2 for place in places):
            return tuple(replace(chip, mosaic=place) for chip, place in zip(detectors, places, strict=True))
        break
    return detectors


def _place_findings(detectors: Sequence[DetectorImages]) -> list[Finding]:
    """Return how the places of several detectors are known."""
    if len(detectors) == 1:
        return []
    if all(chip.mosaic is not None and chip.mosaic.keyword == "WCS" for chip in detectors):
        return [
            Finding("detector_places", "by WCS", "CRPIX, CD of each", "likely", "good to the distortion of the optics")
        ]
    if all(chip.mosaic is not None for chip in detectors):
        return [Finding("detector_places", "by section", "DETSEC", "likely", "gaps are those that the card counts")]
    return [Finding("detector_places", "side by side", "", "guess", "no card says where they are: order in the file")]


def _amplifier_findings(detectors: Sequence[DetectorImages]) -> list[Finding]:
    """Return what was found of the amplifiers; once, where it is the same in all detectors."""
    found: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for chip in detectors:
        for amp in chip.facts.amplifiers:
            for quantity, finding in amp.findings.items():
                found.setdefault((amp.name, quantity), []).append((chip.name, finding))
    rows = []
    for (name, quantity), same in found.items():
        if len(same) == len(detectors) > 1 and len({finding for _, finding in same}) == 1:
            same = [("all detectors", same[0][1])]
        for chip_name, finding in same:
            where = f"amplifier {name}" if len(detectors) == 1 else f"{chip_name}, amplifier {name}"
            rows.append(replace(finding, quantity=f"{quantity} of {where}"))
    return rows


def _roles(files: Sequence[RawFile], layout: str, rule: KeyRule, begins: Sequence[object]) -> Roles | None:
    """Return what cards tell apart, if there is more than one frame."""
    frames = [
        (begin, detector_value(rule, image.cards), image.cards)
        for file, begin in zip(files, begins, strict=True)
        for image in (file.images if layout == "detectors" else file.images[:1])
    ]
    return find_roles(frames) if any(a[:2] != b[:2] for a, b in pairwise(frames)) else None
