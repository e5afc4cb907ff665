"""Everything that raw files tell of their camera, each with its source and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from obs.errors import FileFormatError
from obs.scaffold.amplifier_facts import DetectorFacts
from obs.scaffold.cameras import check_one_camera, odd_shapes
from obs.scaffold.cards import Cards
from obs.scaffold.dates import DateRule, find_date, find_night, find_time_scale
from obs.scaffold.exposure_time import find_exposure_time
from obs.scaffold.filters import find_colour_mosaic, find_filter
from obs.scaffold.finding import Confidence, Finding
from obs.scaffold.grouping import CHIP_CARDS, group_images, set_aside
from obs.scaffold.image_types import find_image_type
from obs.scaffold.keys import KeyRule, Roles, detector_value, find_detector_key, find_roles, find_visit
from obs.scaffold.layout import find_detector
from obs.scaffold.pointing import Pointing, find_airmass, find_object, find_pointing
from obs.scaffold.raw_file import RawFile, RawImage, read_raw_file
from obs.scaffold.sections import Section, find_section
from obs.scaffold.site import find_site
from obs.scaffold.sky_scale import SkyScale, find_pixel_size, find_sky_scale

__all__ = ["DetectorImages", "Findings", "inspect_files"]


@dataclass(frozen=True)
class DetectorImages:
    """A detector: its key, its name, its images and what they tell."""

    key: int | str
    name: str
    images: tuple[RawImage, ...]
    facts: DetectorFacts
    mosaic: Section | None


@dataclass(frozen=True)
class Findings:
    """What was found.

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
    filters : tuple of str
        The filters in the files.
    filter_cards : tuple of str
        Cards that name it.
    date : DateRule or None
        How to read when the exposure began.
    exposure_unit : str
        Unit of the exposure time's card.
    pointing : Pointing or None
        Where the pointing is.
    visit, detector : KeyRule
        How the keys are read.
    sky : SkyScale
        Scale and orientation.
    roles : Roles or None
        What cards tell apart, of several frames.
    warnings : tuple of str
        What disagrees or is wrong.
    """

    files: tuple[RawFile, ...]
    findings: tuple[Finding, ...]
    detectors: tuple[DetectorImages, ...]
    layout: str
    filters: tuple[str, ...]
    filter_cards: tuple[str, ...]
    date: DateRule | None
    exposure_unit: str
    pointing: Pointing | None
    visit: KeyRule
    detector: KeyRule
    sky: SkyScale
    roles: Roles | None
    warnings: tuple[str, ...]

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


def inspect_files(paths: Sequence[Path]) -> Findings:
    """Look at raw files of one camera.

    Parameters
    ----------
    paths : sequence of Path
        FITS files, or the text of headers.

    Raises
    ------
    FileFormatError
        If a file cannot be read or has no image, or they are of several cameras.
    """
    if not paths:
        raise FileFormatError("no file to look at")
    warnings: list[str] = []
    files = tuple(_without_small(read_raw_file(path), warnings) for path in paths)
    check_one_camera(files)
    first = files[0]
    cards = first.cards
    warnings += [f"{file.path.name}: {problem}" for file in files for problem in file.problems]
    warnings += odd_shapes(files)
    number = first.primary.get("NEXTEND")
    if isinstance(number, int) and number > len(first.images):
        warnings.append(
            f"{first.path.name}: NEXTEND says {number} extensions, here are {len(first.images)} with images"
        )
    layout, groups, is_told = group_images(first, warnings)
    chips = _chips(files, layout, groups)
    detector, rule = find_detector_key(chips)
    detectors = tuple(_detector(images, rule, number) for number, images in enumerate(chips))
    date, date_rule = find_date(cards)
    begins = [find_date(file.cards)[0].value for file in files]
    has_time = date_rule is None or date_rule.kind != "layout" or bool(date_rule.time)
    visit, visit_rule = find_visit(files, begins, to_the_second=has_time)
    if not has_time and visit_rule.kind == "date":
        warnings.append(visit.note)
    exposure, unit = find_exposure_time(cards)
    glass, filter_cards = find_filter(cards)
    pointing, pointing_rule = find_pointing(cards)
    binning = detectors[0].facts.binning
    sky = find_sky_scale(detectors[0].images[0].cards, binning.value)
    general = [
        _named("telescope", cards, "TELESCOP"),
        _named("instrument", cards, "INSTRUME", "DETECTOR", "CAMERA"),
        Finding("layout", _LAYOUTS[layout], "HDUs of the file", _sure_of_layout(layout, is_told)),
        visit,
        detector,
        date,
        find_night(cards, date),
        find_time_scale(cards),
        exposure,
        glass,
        find_object(cards),
        find_image_type(cards, exposure),
        *pointing,
        find_airmass(cards),
        *find_site(cards, date),
        sky.scale,
        sky.rotation,
        find_pixel_size(cards, binning.value),
        binning,
    ]
    warnings += find_colour_mosaic(cards, first.path.name)
    warnings += [
        f"{chip.name}: {text}" if len(detectors) > 1 else text for chip in detectors for text in chip.facts.warnings
    ]
    return Findings(
        files=files,
        findings=(*general, *_amplifier_findings(detectors)),
        detectors=detectors,
        layout=layout,
        filters=tuple(dict.fromkeys(f.value for file in files if (f := find_filter(file.cards)[0]).is_known)),
        filter_cards=filter_cards,
        date=date_rule,
        exposure_unit=unit,
        pointing=pointing_rule,
        visit=visit_rule,
        detector=rule,
        sky=sky,
        roles=_roles(files, layout, rule, begins),
        warnings=tuple(dict.fromkeys(warnings)),
    )


_LAYOUTS = {
    "image": "one image a file",
    "amplifiers": "one extension an amplifier",
    "detectors": "one extension a detector",
}


def _without_small(file: RawFile, warnings: list[str]) -> RawFile:
    kept, told = set_aside(file)
    warnings += told
    return kept


def _sure_of_layout(layout: str, is_told: bool) -> Confidence:
    if layout == "image":
        return "certain"
    return "likely" if is_told else "guess"


def _named(quantity: str, cards: Cards, *names: str) -> Finding:
    for name in names:
        if cards.find(name) is not None:
            return Finding(quantity, str(cards.get(name)).strip(), name, "certain" if name == names[0] else "guess")
    return Finding.unknown(quantity)


def _chips(files: Sequence[RawFile], layout: str, groups: list[tuple[RawImage, ...]]) -> list[tuple[RawImage, ...]]:
    """Return the images of each detector at hand, also of those that have files of their own."""
    if layout != "image" or len(files) == 1:
        return groups
    for name in (*CHIP_CARDS, "EXTNAME"):
        chips: dict[str, tuple[RawImage, ...]] = {}
        for file in files:
            value = file.cards.get(name)
            if value is not None:
                chips.setdefault(str(value), file.images)
        if len(chips) > 1:
            return list(chips.values())
    return groups


def _detector(images: tuple[RawImage, ...], rule: KeyRule, number: int) -> DetectorImages:
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
    mosaic = find_section(images[0].own, "detector") if len(images) == 1 else None
    return DetectorImages(
        key, name if name.lower() not in ("sci", "image", "") else f"ccd{key}", images, find_detector(images), mosaic
    )


def _amplifier_findings(detectors: Sequence[DetectorImages]) -> list[Finding]:
    found = []
    for chip in detectors:
        for amp in chip.facts.amplifiers:
            where = f"amplifier {amp.name}" if len(detectors) == 1 else f"{chip.name}, amplifier {amp.name}"
            for quantity, finding in amp.findings.items():
                found.append(
                    Finding(f"{quantity} of {where}", finding.value, finding.source, finding.confidence, finding.note)
                )
    return found


def _roles(files: Sequence[RawFile], layout: str, rule: KeyRule, begins: Sequence[object]) -> Roles | None:
    """Return what cards tell apart, if there is more than one frame."""
    frames = [
        (begin, detector_value(rule, image.cards), image.cards)
        for file, begin in zip(files, begins, strict=True)
        for image in (file.images if layout == "detectors" else file.images[:1])
    ]
    return find_roles(frames) if any(a[:2] != b[:2] for a, b in pairwise(frames)) else None
