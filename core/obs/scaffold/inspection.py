"""Everything that raw files tell of their camera, each with its source and how sure it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from obs.errors import FileFormatError
from obs.scaffold.amplifier_facts import DetectorFacts
from obs.scaffold.cards import Cards
from obs.scaffold.dates import DateRule, find_date, find_night, find_time_scale
from obs.scaffold.exposure import Pointing, find_airmass, find_exposure_time, find_object, find_pointing
from obs.scaffold.filters import find_filter
from obs.scaffold.finding import Finding
from obs.scaffold.image_types import find_image_type
from obs.scaffold.keys import KeyRule, Roles, detector_value, find_detector_key, find_roles, find_visit
from obs.scaffold.layout import find_detector
from obs.scaffold.raw_file import RawFile, RawImage, read_raw_file
from obs.scaffold.sections import Section, find_section
from obs.scaffold.sky_scale import SkyScale, find_pixel_size, find_sky_scale

__all__ = ["DetectorImages", "Findings", "inspect_files"]

_CHIP_CARDS = (
    "CCDNUM",
    "DET-ID",
    "CCDNAME",
    "CHIPID",
    "CCDLOC",
    "DETPOS",
    "CHIPNAME",
    "CCDID",
    "DETECTOR",
    "DETSER",
    "CCDSERN",
)


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
    files = tuple(read_raw_file(path) for path in paths)
    _check_one_camera(files)
    first = files[0]
    cards = first.cards
    warnings = [f"{file.path.name}: {problem}" for file in files for problem in file.problems]
    warnings += _odd_shapes(files)
    number = first.primary.get("NEXTEND")
    if isinstance(number, int) and number > len(first.images):
        warnings.append(
            f"{first.path.name}: NEXTEND says {number} extensions, here are {len(first.images)} with images"
        )
    layout, groups = _group(first, warnings)
    chips = _chips(files, layout, groups)
    detector, rule = find_detector_key([images[0] for images in chips], is_mosaic=len(chips) > 1)
    detectors = tuple(_detector(images, rule, number) for number, images in enumerate(chips))
    date, date_rule = find_date(cards)
    begins = [find_date(file.cards)[0].value for file in files]
    visit, visit_rule = find_visit(files, begins)
    exposure, unit = find_exposure_time(cards)
    glass, filter_cards = find_filter(cards)
    pointing, pointing_rule = find_pointing(cards)
    sky = find_sky_scale(detectors[0].images[0].cards)
    general = [
        _named("telescope", cards, "TELESCOP"),
        _named("instrument", cards, "INSTRUME", "DETECTOR"),
        Finding("layout", _LAYOUTS[layout], "HDUs of the file", "certain" if layout == "image" else "likely"),
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
        sky.scale,
        sky.rotation,
        find_pixel_size(cards),
        detectors[0].facts.binning,
    ]
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


def _named(quantity: str, cards: Cards, *names: str) -> Finding:
    for name in names:
        if cards.find(name) is not None:
            return Finding(quantity, str(cards.get(name)).strip(), name, "certain" if name == names[0] else "guess")
    return Finding.unknown(quantity)


def _check_one_camera(files: Sequence[RawFile]) -> None:
    """Raise FileFormatError if the headers name several cameras."""
    cameras: dict[str, list[str]] = {}
    for file in files:
        name = str(file.cards.get("INSTRUME", "")).strip() or str(file.cards.get("VERSION", "")).strip()
        if not name:
            continue
        telescope = str(file.cards.get("TELESCOP", "")).strip()
        cameras.setdefault(f"{name} ({telescope})" if telescope else name, []).append(file.path.name)
    if len(cameras) > 1:
        which = "; ".join(f"{name}: {', '.join(paths)}" for name, paths in cameras.items())
        raise FileFormatError(f"the files are of {len(cameras)} cameras: {which}; give those of one")


def _odd_shapes(files: Sequence[RawFile]) -> list[str]:
    counts = Counter(file.shapes for file in files)
    usual = files[0].shapes
    return [
        f"{file.path.name}: its images are of another number or size than those of {files[0].path.name}: read out or "
        "binned in another way, or of another camera"
        for file in files
        if file.shapes != usual and len(counts) > 1
    ]


def _group(file: RawFile, warnings: list[str]) -> tuple[str, list[tuple[RawImage, ...]]]:
    """Return how a file is laid out, and its images by detector."""
    images = file.images
    if any(len(image.shape) > 2 for image in images):
        planes = " x ".join(str(length) for length in images[0].shape[:-2])
        warnings.append(
            f"{file.path.name}: a cube of {planes} planes: it is not known what they are; the first was looked at. "
            "The engine reads images of one plane: split the file"
        )
    if len(images) == 1:
        return "image", [images]
    by_chip = _by_chip(images)
    if by_chip is not None:
        return ("detectors" if len(by_chip) > 1 else "amplifiers"), by_chip
    names = " ".join(image.name.lower() for image in images)
    if _tile(images) or "amp" in names or any("AMPNAME" in image.own for image in images):
        return "amplifiers", [images]
    if any(word in names for word in ("ccd", "chip", "det")):
        return "detectors", [(image,) for image in images]
    warnings.append(f"{file.path.name}: no card says whether its {len(images)} images are amplifiers or detectors")
    return ("amplifiers", [images]) if len(images) <= 4 else ("detectors", [(image,) for image in images])


def _by_chip(images: Sequence[RawImage]) -> list[tuple[RawImage, ...]] | None:
    """Return images by the card of their own that names the detector; None if there is none."""
    for name in _CHIP_CARDS:
        values = [image.own.get(name) for image in images]
        if all(value is not None for value in values) and (len(set(values)) > 1 or name == "CCDNAME"):
            groups: dict[str, list[RawImage]] = {}
            for image, value in zip(images, values, strict=True):
                groups.setdefault(str(value), []).append(image)
            return [tuple(group) for group in groups.values()]
    return None


def _tile(images: Sequence[RawImage]) -> bool:
    """Whether the images fill a rectangle of detector coordinates without a gap."""
    for kind in ("ccd", "detector"):
        boxes = [section.box for image in images if (section := find_section(image.own, kind)) is not None]
        if len(boxes) == len(images) and len(set(boxes)) == len(boxes):
            width = max(b.x_max for b in boxes) - min(b.x_min for b in boxes)
            height = max(b.y_max for b in boxes) - min(b.y_min for b in boxes)
            return sum(b.width * b.height for b in boxes) == width * height
    return False


def _chips(files: Sequence[RawFile], layout: str, groups: list[tuple[RawImage, ...]]) -> list[tuple[RawImage, ...]]:
    """Return the images of each detector at hand, also of those that have files of their own."""
    if layout != "image" or len(files) == 1:
        return groups
    for name in (*_CHIP_CARDS, "EXTNAME"):
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
    name = ""
    for keyword in ("DETPOS", "CCDPOS", "CHIPNAME", "EXTNAME"):
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
