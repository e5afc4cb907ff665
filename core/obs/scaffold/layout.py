"""The amplifiers of a detector, from sections in the header and from the pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from obs.geom import Box
from obs.scaffold.cards import Cards
from obs.scaffold.finding import Confidence, Finding, less_sure
from obs.scaffold.gains import find_gain, find_read_noise, find_saturation
from obs.scaffold.overscan_statistics import DarkColumns, find_dark_columns, is_dark
from obs.scaffold.raw_file import RawImage
from obs.scaffold.sections import Section, amplifier_labels, find_binning, find_section

__all__ = ["AmplifierFacts", "DetectorFacts", "find_detector"]

_EMPTY = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class AmplifierFacts:
    """An amplifier as it was found.

    Parameters
    ----------
    name : str
        Its name.
    raw_hdu : int
        HDU of its pixels, where it has one of its own; else 0.
    raw_bbox, data, overscan, parallel_overscan, prescan : Box
        Its pixels in the raw image.
    bbox : Box
        Its place in the detector.
    flip_x, flip_y : bool
        Whether its columns and rows are reversed in the detector.
    corner : str
        Which corner is read first.
    findings : dict of str to Finding
        ``data``, ``overscan``, ``prescan``, ``bbox``, ``readout_corner``, ``gain``, ``read_noise``, ``saturation``.
    """

    name: str
    raw_hdu: int
    raw_bbox: Box
    data: Box
    overscan: Box
    parallel_overscan: Box
    prescan: Box
    bbox: Box
    flip_x: bool = False
    flip_y: bool = False
    corner: str = "LL"
    findings: dict[str, Finding] = field(default_factory=dict)


@dataclass(frozen=True)
class DetectorFacts:
    """A detector as it was found.

    Parameters
    ----------
    raw_shape : tuple of int
        Shape (ny, nx) of a raw image.
    amplifiers : tuple of AmplifierFacts
        Its amplifiers.
    binning : Finding
        ``(x, y)``.
    warnings : tuple of str
        Where header and pixels, or two cards, disagree.
    """

    raw_shape: tuple[int, int]
    amplifiers: tuple[AmplifierFacts, ...]
    binning: Finding
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the assembled detector, pixels."""
        return max(amp.bbox.x_max for amp in self.amplifiers), max(amp.bbox.y_max for amp in self.amplifiers)


@dataclass(frozen=True)
class _Place:
    """Where an amplifier's pixels are in the raw image, and how that is known."""

    name: str
    label: str
    hdu: int
    cards: Cards
    frame: Box
    data: Box
    overscan: Box = _EMPTY
    prescan: Box = _EMPTY
    data_from: Finding = field(default_factory=lambda: Finding.unknown("data"))
    overscan_from: Finding = field(default_factory=lambda: Finding.unknown("overscan"))
    above: Box = _EMPTY


def find_detector(images: Sequence[RawImage]) -> DetectorFacts:
    """Return the amplifiers of a detector.

    Parameters
    ----------
    images : sequence of RawImage
        The images that the detector fills: one, or one an amplifier.
    """
    warnings: list[str] = []
    places = [place for image in images for place in _places(image, len(images) > 1, warnings)]
    binning = find_binning(images[0].cards)
    boxes = _detector_boxes(places, binning, warnings)
    amplifiers = []
    for place, (bbox, flip_x, flip_y, bbox_from) in zip(places, boxes, strict=True):
        corner, corner_from = _corner(place, flip_x, flip_y)
        findings = {
            "data": place.data_from,
            "overscan": place.overscan_from,
            "bbox": bbox_from,
            "readout_corner": corner_from,
            "gain": find_gain(place.cards, place.label),
            "read_noise": find_read_noise(place.cards, place.label),
            "saturation": find_saturation(place.cards, place.label),
        }
        amplifiers.append(
            AmplifierFacts(
                place.name,
                place.hdu,
                _raw_box(place, places),
                place.data,
                place.overscan,
                place.above,
                place.prescan,
                bbox,
                flip_x,
                flip_y,
                corner,
                findings,
            )
        )
    height = max(image.shape[-2] for image in images)
    width = max(image.shape[-1] for image in images)
    return DetectorFacts((height, width), tuple(amplifiers), binning, tuple(dict.fromkeys(warnings)))


def _raw_box(place: _Place, places: Sequence[_Place]) -> Box:
    """Return what the amplifier read: all of its image, or its data and the overscan that touches them."""
    if len([other for other in places if other.hdu == place.hdu]) == 1:
        return place.frame
    whole = find_section(place.cards, "whole", place.label)
    if whole is not None and place.frame.contains(whole.box) and whole.box.contains(place.data):
        return whole.box
    box = place.data
    for part in (place.overscan, place.prescan):
        if not part.is_empty and (part.x_max in (box.x_min, box.x_max) or part.x_min in (box.x_min, box.x_max)):
            box = _around(box, part)
    others = [other.data for other in places if other is not place and other.hdu == place.hdu]
    return place.data if any(not box.intersection(other).is_empty for other in others) else box


def _around(first: Box, second: Box) -> Box:
    x_min, y_min = min(first.x_min, second.x_min), min(first.y_min, second.y_min)
    return Box(x_min, y_min, max(first.x_max, second.x_max) - x_min, max(first.y_max, second.y_max) - y_min)


def _places(image: RawImage, own_hdu: bool, warnings: list[str]) -> Iterator[_Place]:
    """Yield the amplifiers of one image."""
    cards = image.own if own_hdu else image.cards
    frame = Box(0, 0, image.shape[-1], image.shape[-2])
    seen = None if image.pixels is None else find_dark_columns(image.pixels)
    labels = amplifier_labels(cards)
    hdu = image.hdu if own_hdu else 0
    where = f"HDU {image.hdu}: " if own_hdu else ""
    everything = image.cards
    if len(labels) > 1:
        plain = [_labelled(label, hdu, everything, frame, where, warnings) for label in labels]
        found = [place for place in plain if place is not None]
    else:
        found = _far_overscans(cards, hdu, everything, frame) or [_single(image, hdu, cards, frame, where, warnings)]
    for place in found:
        for compared in _compared(place, seen, frame, where, warnings, alone=len(found) == 1):
            above = _EMPTY if image.pixels is None else _rows_above(image.pixels, compared)
            yield replace(compared, above=above)


def _rows_above(pixels: NDArray[np.float32], place: _Place) -> Box:
    """Return the rows behind the data that are as dark as the overscan; empty if there are none."""
    data, rest = place.data, place.frame.y_max - place.data.y_max
    if place.overscan.is_empty or rest < 2 or place.overscan.intersection(place.frame).is_empty:
        return _EMPTY
    dark = pixels[place.overscan.slices]
    level = float(np.median(dark))
    noise = float(1.4826 * np.median(np.abs(dark - level))) or 1.0
    rows = Box(data.x_min, data.y_max, data.width, rest)
    is_dark_too = abs(float(np.median(pixels[rows.slices])) - level) < 3.0 * noise
    return rows if is_dark_too and float(np.median(pixels[data.slices])) - level > 5.0 * noise else _EMPTY


def _inside(section: Section | None, frame: Box, where: str, warnings: list[str]) -> Box | None:
    if section is None:
        return None
    if not frame.contains(section.box):
        size = f"{frame.width} x {frame.height}"
        warnings.append(
            f"{where}{section.keyword} = {section.box.to_section()} leaves the image of {size} pixels: not used"
        )
        return None
    return section.box


def _labelled(label: str, hdu: int, cards: Cards, frame: Box, where: str, warnings: list[str]) -> _Place | None:
    section = find_section(cards, "data", label)
    data = _inside(section, frame, where, warnings)
    if data is None or section is None:
        warnings.append(f"{where}amplifier {label} has no data section that can be: left out")
        return None
    bias = find_section(cards, "bias", label)
    overscan = _inside(bias, frame, where, warnings)
    prescan = _inside(find_section(cards, "prescan", label), frame, where, warnings)
    return _Place(
        label,
        label,
        hdu,
        cards,
        frame,
        data,
        overscan or _EMPTY,
        prescan or _EMPTY,
        Finding("data", data, section.keyword),
        Finding.unknown("overscan")
        if overscan is None or bias is None
        else Finding("overscan", overscan, bias.keyword),
    )


def _far_overscans(cards: Cards, hdu: int, everything: Cards, frame: Box) -> list[_Place]:
    """Return amplifiers side by side whose overscans follow all data, as cards of Lick Observatory describe them."""
    number, columns, section = cards.get("AMPSROW"), cards.get("COVER"), find_section(cards, "data")
    if not (isinstance(number, int) and isinstance(columns, int) and number >= 1 and columns >= 1):
        return []
    if section is None or section.box.width % number or section.box.x_max + number * columns != frame.width:
        return []
    width, places = section.box.width // number, []
    for index in range(number):
        data = Box(section.box.x_min + index * width, section.box.y_min, width, section.box.height)
        overscan = Box(section.box.x_max + index * columns, section.box.y_min, columns, section.box.height)
        source = "DATASEC, AMPSROW, COVER"
        places.append(
            _Place(
                str(index + 1),
                str(index + 1),
                hdu,
                everything,
                frame,
                data,
                overscan,
                _EMPTY,
                Finding("data", data, source),
                Finding("overscan", overscan, source, "likely"),
            )
        )
    return places


def _single(image: RawImage, hdu: int, cards: Cards, frame: Box, where: str, warnings: list[str]) -> _Place:
    label = _amplifier_name(cards)
    data = bias = overscan = None
    for kind in ("data", "trim"):
        section = find_section(cards, kind) or find_section(cards, kind, "1") or find_section(cards, kind, "A")
        data = data or _inside(section, frame, where, warnings)
        if data is not None:
            break
    bias = find_section(cards, "bias") or find_section(cards, "bias", "1") or find_section(cards, "bias", "A")
    overscan = _inside(bias, frame, where, warnings)
    trim = _inside(find_section(cards, "trim"), frame, where, warnings)
    keyword = section.keyword if section is not None else ""
    overlaps = data is not None and overscan is not None and not data.intersection(overscan).is_empty
    if overlaps and trim is not None and overscan is not None and trim.intersection(overscan).is_empty:
        data, keyword = trim, "TRIMSEC"  # DATASEC of some cameras holds the overscan, too
    if data is not None and overscan is not None and not data.intersection(overscan).is_empty:
        warnings.append(f"{where}data section {data.to_section()} and overscan {overscan.to_section()} overlap")
        overscan = None
    name = label or (str(image.hdu) if hdu else "1")
    return _Place(
        name,
        "",
        hdu,
        image.cards,
        frame,
        data or frame,
        overscan or _EMPTY,
        _EMPTY,
        Finding("data", data, keyword)
        if data
        else Finding("data", frame, "image size", "guess", "no section is given"),
        Finding.unknown("overscan")
        if overscan is None or bias is None
        else Finding("overscan", overscan, bias.keyword),
    )


def _amplifier_name(cards: Cards) -> str:
    for name in ("AMPNAME", "AMPID", "AMP"):
        value = str(cards.get(name, "")).strip()
        if value and len(value) <= 12 and value.replace("_", "").replace("-", "").isalnum():
            return value
    return ""


def _compared(
    place: _Place, seen: DarkColumns | None, frame: Box, where: str, warnings: list[str], *, alone: bool
) -> Iterator[_Place]:
    """Yield an amplifier after its boxes were compared with the pixels."""
    if seen is None or seen.contrast < 3.0:
        yield place
        return
    data_dark = any(
        not is_dark(seen, place.data.x_min, place.data.x_max)
        and (first < place.data.x_max - 2 and last > place.data.x_min + 2)
        for first, last in seen.blocks
    )
    told = place.overscan_from.is_known
    bright = told and not is_dark(seen, place.overscan.x_min, place.overscan.x_max)
    if not data_dark and not bright and told:
        agreed = replace(place.overscan_from, note="the pixels agree", confidence="certain")
        yield replace(place, overscan_from=agreed)
        return
    if not alone:
        if bright:
            warnings.append(f"{where}{place.overscan_from.source}: overscan of amplifier {place.name} has light in it")
            doubt = replace(place.overscan_from, confidence="guess", note="the pixels have light there")
            place = replace(place, overscan_from=doubt)
        yield place
        return
    yield from _from_pixels(place, seen, frame, where, warnings)


def _from_pixels(place: _Place, seen: DarkColumns, frame: Box, where: str, warnings: list[str]) -> Iterator[_Place]:
    """Yield the amplifiers that the pixels show, where the header is silent or wrong."""
    columns = ", ".join(f"{first + 1}:{last}" for first, last in seen.blocks)
    if place.data_from.source != "image size" or place.overscan_from.is_known:
        told = place.data.to_section()
        warnings.append(
            f"{where}the header has data in {told}"
            f"{f' and overscan in {place.overscan.to_section()}' if place.overscan_from.is_known else ''}, but the "
            f"pixels have no light in columns {columns}: the pixels count"
        )
    y_min, height = place.data.y_min, place.data.height
    first, last = max(seen.data[0], place.data.x_min), min(seen.data[1], place.data.x_max)
    note = "columns without light" if place.data_from.source == "image size" else "the header says otherwise"
    sure: Confidence = "likely" if seen.contrast > 10 and note == "columns without light" else "guess"
    number = len(seen.blocks)
    same_side = number == 2 and (seen.blocks[0][0] >= last or seen.blocks[1][1] <= first)
    if number == 2 and (last - first) % 2 == 0 and (same_side or seen.has_middle_step):
        half = (last - first) // 2
        for index, (start, stop) in enumerate(seen.blocks):
            data = Box(first + index * half, y_min, half, height)
            overscan = Box(start, y_min, stop - start, height)
            yield replace(
                place,
                name=str(index + 1),
                label=str(index + 1),
                data=data,
                overscan=overscan,
                data_from=Finding("data", data, "pixels", "guess", "two overscans: two amplifiers of equal width"),
                overscan_from=Finding("overscan", overscan, "pixels", sure if same_side else "guess", note),
            )
        return
    # Of columns at either side, those read last are the overscan; the wider ones if they differ.
    start, stop = max(seen.blocks, key=lambda block: (block[1] - block[0], block[0]))
    data, overscan = Box(first, y_min, last - first, height), Box(start, y_min, stop - start, height)
    others = [block for block in seen.blocks if block != (start, stop)]
    prescan = Box(others[0][0], y_min, others[0][1] - others[0][0], height) if len(others) == 1 else _EMPTY
    if others:
        sure, note = "guess", "columns without light at either side: one amplifier with prescan, or two"
    yield replace(
        place,
        data=data,
        overscan=overscan,
        prescan=prescan,
        data_from=Finding("data", data, "pixels", sure, note),
        overscan_from=Finding("overscan", overscan, "pixels", sure, note),
    )


_Put = tuple[Box, bool, bool, Finding]


def _detector_boxes(places: Sequence[_Place], binning: Finding, warnings: list[str]) -> list[_Put]:
    """Return where each amplifier lies in the detector."""
    if len(places) == 1:
        box = Box(0, 0, places[0].data.width, places[0].data.height)
        sure = places[0].data_from.confidence
        return [(box, False, False, Finding("bbox", box, "one amplifier", sure))]
    for kind in ("ccd", "detector"):
        sections = [find_section(place.cards, kind, place.label) for place in places]
        if places[0].label == "" or any(section is None for section in sections):
            sections = [find_section(place.cards, kind) for place in places] if places[0].label == "" else sections
        put = _from_sections(places, sections, binning, warnings)
        if put is not None:
            return put
    return _side_by_side(places, warnings)


def _from_sections(
    places: Sequence[_Place], sections: Sequence[Section | None], binning: Finding, warnings: list[str]
) -> list[_Put] | None:
    """Return boxes from sections in detector coordinates; None if they do not fit the data."""
    known = [section for section in sections if section is not None]
    if len(known) < len(places) or len({section.box for section in known}) < len(places):
        return None
    x_zero, y_zero = min(s.box.x_min for s in known), min(s.box.y_min for s in known)
    for x_bin, y_bin in dict.fromkeys([tuple(binning.value), (1, 1), (2, 2), (1, 2), (2, 1), (4, 4)]):
        boxes = [
            Box(
                (s.box.x_min - x_zero) // x_bin,
                (s.box.y_min - y_zero) // y_bin,
                s.box.width // x_bin,
                s.box.height // y_bin,
            )
            for s in known
        ]
        if all(box.shape == place.data.shape for box, place in zip(boxes, places, strict=True)):
            break
    else:
        warnings.append(f"{known[0].keyword} and the data section differ in size, also with binning: not used")
        return None
    if any(not a.intersection(b).is_empty for i, a in enumerate(boxes) for b in boxes[:i]):
        warnings.append(f"{known[0].keyword}: the amplifiers overlap: not used")
        return None
    sure: Confidence = "certain"
    note = ""
    if (x_bin, y_bin) != tuple(binning.value):
        sure, note = "likely", f"the sizes tell a binning of {x_bin} x {y_bin}"
    if sum(box.width * box.height for box in boxes) != max(b.x_max for b in boxes) * max(b.y_max for b in boxes):
        sure, note = less_sure(sure, "likely"), "there are gaps between the amplifiers"
    return [
        (box, s.flip_x, s.flip_y, Finding("bbox", box, s.keyword, sure, note))
        for box, s in zip(boxes, known, strict=True)
    ]


def _side_by_side(places: Sequence[_Place], warnings: list[str]) -> list[_Put]:
    """Return boxes of amplifiers in the order of their data in the image, without what is between them."""
    own = len({place.hdu for place in places}) > 1
    if own:
        warnings.append("no card says where the amplifiers lie in the detector: put side by side in the file's order")
    columns = sorted({(place.hdu if own else 0, place.data.x_min): place.data.width for place in places}.items())
    rows = sorted({place.data.y_min: place.data.height for place in places}.items()) if not own else []
    put = []
    for place in places:
        x = sum(width for key, width in columns if key < (place.hdu if own else 0, place.data.x_min))
        y = sum(height for start, height in rows if start < place.data.y_min)
        box = Box(x, y, place.data.width, place.data.height)
        sure: Confidence = "guess" if own else "likely"
        source = "order in the file" if own else "order in the image"
        put.append((box, False, False, Finding("bbox", box, source, sure)))
    return put


def _corner(place: _Place, flip_x: bool, flip_y: bool) -> tuple[str, Finding]:
    """Return the corner of the amplifier, in the detector, that is read first."""
    section = find_section(place.cards, "amplifier", place.label)
    if section is not None:
        corner = ("U" if section.flip_y else "L") + ("R" if section.flip_x else "L")
        return corner, Finding("readout_corner", corner, section.keyword, "likely")
    from_right = place.overscan_from.is_known and place.overscan.x_max <= place.data.x_min
    right = flip_x != from_right
    corner = ("U" if flip_y else "L") + ("R" if right else "L")
    note = "flips, and the side of the overscan"
    return corner, Finding("readout_corner", corner, note, "likely" if flip_x or flip_y else "guess")
