"""Which images of a raw file belong to one detector."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from obs.geom import Box
from obs.inspection.cards import Cards
from obs.inspection.raw_file import RawFile, RawImage
from obs.inspection.sections import amplifier_labels, find_section

__all__ = ["AMPLIFIER_CARDS", "CHIP_CARDS", "JOINED_CARDS", "cover_rectangle", "group_images", "set_aside"]

CHIP_CARDS = (
    "CCDNUM",
    "DET-ID",
    "CCDNAME",
    "CHIPID",
    "CCDCHIP",
    "CCDLOC",
    "DETPOS",
    "CHIPNAME",
    "CCDID",
    "CCD_ID",
    "DETECTOR",
    "DETSER",
    "CCDSERN",
    "OPAMP",
    "CHIP",
    "ESO DET CHIP1 ID",
    "ESO OCS CON QUAD",
)
"""Cards that name a detector."""
JOINED_CARDS = (
    ("RAFTBAY", "CCDSLOT"),
    ("RAFTNAME", "SENSNAME"),
    ("RAFTNAME", "CCDNAME"),
    ("RAFT", "SENSOR"),
    ("RAFT", "SLOT"),
    ("RAFT", "CCD"),
)
"""Cards that name a detector together."""
AMPLIFIER_CARDS = ("AMPNAME", "AMPID", "AMP_ID", "AMPLOC", "AMPNUM")
"""Cards that name an amplifier."""
_A_CHIP = re.compile(r"[a-z]*(ccd|chip|det(ector)?)[ _-]?\d+", re.I)
"""Names of extensions that hold a detector, also where their sections touch as those of amplifiers do."""
_SMALL = 0.25
_FEW = 4


def set_aside(file: RawFile) -> tuple[RawFile, str]:
    """Return a file without images far smaller than the rest, and what to tell of those.

    Guide chips, say, are not detectors of their own.

    Parameters
    ----------
    file : RawFile
        Raw file with several images.

    Returns
    -------
    file : RawFile
        The file with its large images only.
    text : str
        Text for the user; empty if nothing was left out.
    """
    largest = max(image.shape[-1] * image.shape[-2] for image in file.images)
    small = [image for image in file.images if image.shape[-1] * image.shape[-2] < _SMALL * largest]
    if not small:
        return file, ""
    numbers = ", ".join(str(image.hdu) for image in small)
    sizes = Counter(f"{image.shape[-1]} x {image.shape[-2]}" for image in small)
    kept = tuple(image for image in file.images if image not in small)
    text = f"HDU {numbers} have images of only {', '.join(sizes)} pixels: taken for no detector and no overscan"
    return replace(file, images=kept), text


def group_images(file: RawFile, warnings: list[str]) -> tuple[str, list[tuple[RawImage, ...]], bool]:
    """Return how a file is laid out, its images by detector, and whether a card says so.

    Parameters
    ----------
    file : RawFile
        The file.
    warnings : list of str
        Takes what is not known.

    Returns
    -------
    layout : {"image", "amplifiers", "detectors"}
        Whether a file is one image, has an extension for each amplifier, or for each detector.
    groups : list of tuple of RawImage
        The images of each detector.
    is_told : bool
        Whether a card tells.
    """
    images = file.images
    if any(len(image.shape) > 2 for image in images):
        planes = " x ".join(str(length) for length in images[0].shape[:-2])
        if images[0].shape[:-2] == (3,):
            warnings.append(
                f"{file.path.name}: a cube of 3 planes, as programs write pictures whose colors (red, green, blue) "
                "were computed from a color mosaic: they are not raw frames. Save the frames without debayering, or "
                "add --planes colors. If the planes are exposures, add --planes each, or --planes mean if they are "
                "parts of one exposure"
            )
        else:
            warnings.append(
                f"{file.path.name}: a cube of {planes} planes: it is not known what they are; the first was looked at. "
                "Say it: obs new --planes each (an exposure each) or --planes mean (parts of one exposure)"
            )
    if len(images) == 1:
        return "image", [images], True
    if all(len(amplifier_labels(image.own)) > 1 for image in images):  # several amplifiers in each
        return "detectors", [(image,) for image in images], True
    by_chip = _by_chip(images) or _by_place_on_chip(images)
    if by_chip is not None:
        return ("detectors" if len(by_chip) > 1 else "amplifiers"), by_chip, True
    if len({image.name for image in images}) == len(images) and all(_A_CHIP.fullmatch(image.name) for image in images):
        return "detectors", [(image,) for image in images], True
    apart = _by_gaps(images)
    if apart is not None:
        warnings.append(
            f"{file.path.name}: no card names its detectors: images between which DETSEC leaves gaps are taken for "
            f"{len(apart)} detectors"
        )
        return "detectors", apart, False
    names = " ".join(image.name.lower() for image in images)
    is_amplifier = any(name in image.own for image in images for name in AMPLIFIER_CARDS)
    if _tile(images) or "amp" in names or is_amplifier:
        return "amplifiers", [images], True
    if any(word in names for word in ("ccd", "chip", "det")):
        return "detectors", [(image,) for image in images], True
    warnings.append(f"{file.path.name}: no card says whether its {len(images)} images are amplifiers or detectors")
    if len(images) <= _FEW:
        return "amplifiers", [images], False
    return "detectors", [(image,) for image in images], False


def _by_chip(images: Sequence[RawImage]) -> list[tuple[RawImage, ...]] | None:
    """Return images by the card of their own that names the detector; None if there is none."""
    for name in CHIP_CARDS:
        values = [image.own.get(name) for image in images]
        if all(value is not None for value in values) and (len(set(values)) > 1 or name == "CCDNAME"):
            groups: dict[str, list[RawImage]] = {}
            for image, value in zip(images, values, strict=True):
                groups.setdefault(str(value), []).append(image)
            return [tuple(group) for group in groups.values()]
    return None


def _by_place_on_chip(images: Sequence[RawImage]) -> list[tuple[RawImage, ...]] | None:
    """Return images by where they lie on their detector: a place that was there already begins the next detector.

    None if all have places of their own, or not all detectors the same.
    """
    sections = [find_section(image.own, "ccd") for image in images]
    groups: list[list[RawImage]] = []
    there: list[set[object]] = []
    for image, section in zip(images, sections, strict=True):
        if section is None:
            return None
        if not groups or section.box in there[-1]:
            groups.append([])
            there.append(set())
        groups[-1].append(image)
        there[-1].add(section.box)
    if len(groups) < 2 or any(places != there[0] for places in there):
        return None
    return [tuple(group) for group in groups]


def _by_gaps(images: Sequence[RawImage]) -> list[tuple[RawImage, ...]] | None:
    """Return images by the gaps between them in the mosaic: amplifiers of one detector touch.

    None if there is no gap, or what touches does not fill a rectangle, or not all detectors have as many images.
    """
    sections = [find_section(image.own, "detector") for image in images]
    boxes = [section.box for section in sections if section is not None]
    if len(boxes) < len(images) or len(set(boxes)) < len(boxes):
        return None
    groups: list[list[int]] = []
    for number, box in enumerate(boxes):
        wide = Box(box.x_min - 1, box.y_min - 1, box.width + 2, box.height + 2)
        mine = [group for group in groups if any(not wide.intersection(boxes[other]).is_empty for other in group)]
        groups = [group for group in groups if group not in mine] + [[n for group in mine for n in group] + [number]]
    found = [tuple(images[n] for n in sorted(group)) for group in sorted(groups, key=min)]
    are_whole = all(len(group) == 1 or cover_rectangle([i.own for i in group], "detector") for group in found)
    return found if len(found) > 1 and are_whole and len({len(group) for group in found}) == 1 else None


def _tile(images: Sequence[RawImage]) -> bool:
    """Whether the images fill a rectangle of detector coordinates without a gap."""
    return any(cover_rectangle([image.own for image in images], kind) for kind in ("ccd", "detector"))


def cover_rectangle(headers: Sequence[Cards], kind: str) -> bool:
    """Return whether the sections of several headers fill a rectangle without a gap.

    Parameters
    ----------
    headers : sequence of Cards
        The headers.
    kind : {"ccd", "detector"}
        What the sections are in coordinates of; see `obs.inspection.sections.find_section`.
    """
    boxes = [section.box for own in headers if (section := find_section(own, kind)) is not None]
    if len(boxes) < len(headers) or len(set(boxes)) < len(boxes):
        return False
    width = max(b.x_max for b in boxes) - min(b.x_min for b in boxes)
    height = max(b.y_max for b in boxes) - min(b.y_min for b in boxes)
    return sum(b.width * b.height for b in boxes) == width * height
