"""The amplifiers of one image as its header describes them, in the ways that observatories have for it."""

from collections.abc import Sequence
from dataclasses import replace

from obs.frozen import frozen
from obs.geom import Box
from obs.inspection.amplifier_place import EMPTY, Place
from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.inspection.header.amplifier_counts import places_of_outputs, places_of_pre_and_post
from obs.inspection.header.binning import find_binning
from obs.inspection.raw_file import RawImage
from obs.inspection.sections import (
    Section,
    amplifier_labels,
    find_section,
    find_unread,
    parse_section,
    section_scale,
    to_binned,
)

__all__ = ["find_header_places"]

_COUNTS = ("POSTPIX", "COVER", "OVERSCAN", "NOVERSCN", "OVERSCNX", "OVRSCAN", "OSCAN", "NOVERSCA", "BIASCOLS")
"""Cards that say how many columns of overscan there are."""
_SMALLEST = 4
_MOST_OF_IT = 0.5
"""Part of the image that the sections of its only amplifier cover at least."""


@frozen
class _Reader:
    """Reads sections of one image, and tells of those that cannot be."""

    cards: Cards
    frame: Box
    scale: tuple[int, int]
    where: str
    warnings: list[str]

    def find(self, kind: str, label: str = "") -> tuple[Box, Section] | None:
        """Return a section as pixels of the image, and as its card has it; None if there is none that can be."""
        section = find_section(self.cards, kind, label)
        if section is None:
            unread = find_unread(self.cards, kind, label)
            if unread:
                self.warnings.append(f"{self.where}{unread} is not a section of the image: not used")
            return None
        box = section.box if self.scale == (1, 1) else to_binned(section.box, self.scale)
        if kind in ("data", "trim") and self.is_window(section.keyword):
            return self.frame, section
        if not self.frame.contains(box) or box.is_empty:
            size = f"{self.frame.width} x {self.frame.height}"
            self.warnings.append(
                f"{self.where}{section.keyword} = {section.box.to_section()} leaves the image of {size} pixels: "
                "not used"
            )
            return None
        return box, section

    def is_window(self, keyword: str) -> bool:
        """Whether a section has the size of the image, but begins elsewhere: in the detector's own pixels."""
        section = parse_section(self.cards.get(keyword))
        if section is None:
            return False
        box = section.box if self.scale == (1, 1) else to_binned(section.box, self.scale)
        return box.shape == self.frame.shape and box != self.frame

    def finding(self, quantity: str, box: Box, keyword: str) -> Finding:
        if quantity == "data" and self.is_window(keyword):
            return Finding(quantity, box, keyword, "likely", "the card counts pixels of the detector")
        if self.scale == (1, 1):
            return Finding(quantity, box, keyword)
        return Finding(quantity, box, keyword, "likely", "the card counts unbinned pixels")


def find_header_places(image: RawImage, *, own_hdu: bool, warnings: list[str]) -> list[Place]:
    """Return the amplifiers of an image as its header has them: at least one.

    Parameters
    ----------
    image : RawImage
        The image.
    own_hdu : bool
        Whether it is one of several that make up a detector.
    warnings : list of str
        Takes what cannot be.
    """
    cards = image.own if own_hdu else image.cards
    frame = Box(0, 0, image.shape[-1], image.shape[-2])
    where = f"HDU {image.hdu}: " if own_hdu else ""
    scale = section_scale(cards, frame, tuple(find_binning(image.cards).value))
    reader = _Reader(cards, frame, scale, where, warnings)
    hdu = image.hdu if own_hdu else 0
    labels = amplifier_labels(cards)
    if len(labels) > 1:
        found = [place for label in labels if (place := _labelled(reader, label, hdu, image.cards)) is not None]
        if found:
            return _judged(found, len(labels) - len(found), where, warnings)
    found = _far_overscans(reader, hdu, image.cards)
    if not found and not own_hdu:
        found = places_of_outputs(image.cards, frame, warnings) or places_of_pre_and_post(image.cards, frame)
    return found or [_single(reader, image, hdu)]


def _labelled(reader: _Reader, label: str, hdu: int, everything: Cards) -> Place | None:
    data_section = reader.find("data", label)
    if data_section is None:
        reader.warnings.append(f"{reader.where}amplifier {label} has no data section that can be: left out")
        return None
    data, section = data_section
    data_from = reader.finding("data", data, section.keyword)
    place = Place(label, label, hdu, everything, reader.frame, data, data_from=data_from)
    bias, prescan, above, whole = (reader.find(kind, label) for kind in ("bias", "prescan", "postscan", "whole"))
    place = replace(
        place,
        prescan=EMPTY if prescan is None else prescan[0],
        above=EMPTY if above is None else above[0],
        whole=whole[0] if whole is not None and whole[0].contains(data) else EMPTY,
    )
    if bias is None:
        return place
    overscan_from = reader.finding("overscan", bias[0], bias[1].keyword)
    return _apart(replace(place, overscan=bias[0], overscan_from=overscan_from), reader.where, reader.warnings)


def _judged(places: list[Place], missing: int, where: str, warnings: list[str]) -> list[Place]:
    """Return the amplifiers whose data are nobody else's; what contradicts one makes all less sure."""
    kept: list[Place] = []
    for place in places:
        other = next((other for other in kept if not other.data.intersection(place.data).is_empty), None)
        if other is None:
            kept.append(place)
        else:
            warnings.append(
                f"{where}{place.data_from.source} = {place.data.to_section()} overlaps {other.data_from.source} = "
                f"{other.data.to_section()}: amplifier {place.name} is left out"
            )
    stems = sorted({place.data_from.source.removesuffix(place.name).rstrip("_") for place in kept})
    if len(stems) > 1 and all(place.data_from.source.endswith(place.name) for place in kept):
        note = f"the amplifiers have it in different cards: {', '.join(stems)}"
        kept = [replace(p, data_from=replace(p.data_from, confidence="likely", note=note)) for p in kept]
    if missing or len(kept) < len(places):
        kept = [replace(p, data_from=replace(p.data_from, confidence="guess", note=_LEFT_OUT)) for p in kept]
    return [_with_own_overscan(place, kept, where, warnings) for place in kept]


_LEFT_OUT = "an amplifier of this image had to be left out"


def _with_own_overscan(place: Place, places: list[Place], where: str, warnings: list[str]) -> Place:
    """Return an amplifier, its overscan a guess where it has pixels of another's data or overscan."""
    for other in places:
        for box, what in ((other.data, other.data_from), (other.overscan, other.overscan_from)):
            if other is not place and not box.intersection(place.overscan).is_empty:
                text = f"{what.source} = {box.to_section()}"
                warnings.append(f"{where}{place.overscan_from.source} = {place.overscan.to_section()} overlaps {text}")
                doubt = replace(place.overscan_from, confidence="guess", note=f"it overlaps {text}")
                return replace(place, overscan_from=doubt)
    return place


def _far_overscans(reader: _Reader, hdu: int, everything: Cards) -> list[Place]:
    """Return amplifiers side by side whose overscans follow all data, as cards of Lick Observatory describe them."""
    cards, frame = reader.cards, reader.frame
    number, columns = cards.get("AMPSROW"), cards.get("COVER")
    if not (isinstance(number, int) and isinstance(columns, int) and number >= 1 and columns >= 1):
        return []
    section_found = find_section(cards, "data")
    if (
        section_found is None
        or section_found.box.width % number
        or section_found.box.x_max + number * columns != frame.width
    ):
        return []
    section, places = section_found.box, []
    width = section.width // number
    for index in range(number):
        data = Box(section.x_min + index * width, section.y_min, width, section.height)
        overscan = Box(section.x_max + index * columns, section.y_min, columns, section.height)
        if not (frame.contains(data) and frame.contains(overscan)):
            return []
        source = "DATASEC, AMPSROW, COVER"
        name = str(index + 1)
        place = Place(name, name, hdu, everything, frame, data, overscan)
        data_from = Finding("data", data, source, "certain" if number == 1 else "likely")
        places.append(
            replace(place, data_from=data_from, overscan_from=Finding("overscan", overscan, source, "likely"))
        )
    return places


def _single(reader: _Reader, image: RawImage, hdu: int) -> Place:
    """Return the one amplifier of an image."""
    frame, warnings, where = reader.frame, reader.warnings, reader.where
    label = next((label for label in ("", "1", "A") if find_section(reader.cards, "data", label) is not None), "")
    own_data, bias = reader.find("data", label), reader.find("bias", label)
    trim = reader.find("trim", label) or own_data
    name = _amplifier_name(reader.cards) or (str(image.hdu) if hdu else "1")
    place = Place(name, label, hdu, image.cards, frame, frame)
    if own_data is None:
        place = replace(place, data_from=Finding("data", frame, "image size", "guess", "no section is given"))
    else:
        data, section = own_data
        if trim is not None and trim[0] != data and bias is not None:
            is_better = not data.intersection(bias[0]).is_empty and trim[0].intersection(bias[0]).is_empty
            data, section = trim if is_better else own_data  # DATASEC of some cameras holds the overscan, too
        data_from = reader.finding("data", data, section.keyword)
        if bias is None:
            data_from = replace(data_from, confidence="likely", note="no overscan section to hold it against")
        place = replace(place, data=data, data_from=data_from)
    if bias is not None:
        overscan_from = reader.finding("overscan", bias[0], bias[1].keyword)
        place = _apart(replace(place, overscan=bias[0], overscan_from=overscan_from), where, warnings)
    if own_data is not None:
        place = _of_a_part(place, where, warnings)
    if bias is not None:
        return _checked_against_others(place, reader, where, warnings)
    names_it = find_section(reader.cards, "bias", label) is not None or find_unread(reader.cards, "bias", label)
    is_trim = place.data_from.source.startswith(("TRIM", "TSEC"))  # may leave out columns that saw light
    return place if own_data is None or names_it or is_trim else _left_over(place, image.cards)


def _of_a_part(place: Place, where: str, warnings: list[str]) -> Place:
    """Return an amplifier, its data a guess where its sections leave most of the image to nobody."""
    used = sum(box.width * box.height for box in (place.data, place.overscan))
    part = used / (place.frame.width * place.frame.height)
    if part >= _MOST_OF_IT:
        return place
    text = f"{place.data_from.source} = {place.data.to_section()} covers only {part:.0%} of the image"
    warnings.append(f"{where}{text}: there may be other amplifiers, of which no card gives")
    return replace(place, data_from=replace(place.data_from, confidence="guess", note=text))


def _checked_against_others(place: Place, reader: _Reader, where: str, warnings: list[str]) -> Place:
    """Return an amplifier, its boxes guesses where a card that nobody knows has a section across their border."""
    for name in reader.cards:
        section = parse_section(reader.cards.get(name))
        if section is None or "CCD" in name or "DET" in name or "AMP" in name:  # in the detector's own pixels
            continue
        in_both = all(not section.box.intersection(box).is_empty for box in (place.data, place.overscan))
        if in_both and not (section.box.contains(place.data) and section.box.contains(place.overscan)):
            text = f"{name} = {section.box.to_section()} covers parts of data and overscan"
            warnings.append(f"{where}{text}: the image may have amplifiers that no card known here describes")
            data_from = replace(place.data_from, confidence="guess", note=text)
            overscan_from = replace(place.overscan_from, confidence="guess", note=text)
            return replace(place, data_from=data_from, overscan_from=overscan_from)
    return place


def _apart(place: Place, where: str, warnings: list[str]) -> Place:
    """Return an amplifier whose data and overscan have no pixel in common."""
    data, overscan = place.data, place.overscan
    if data.intersection(overscan).is_empty:
        return _beside(place)
    shown = f"{place.data_from.source} = {data.to_section()} and {place.overscan_from.source} = {overscan.to_section()}"
    rest = _cut(data, overscan)
    if rest is None:
        warnings.append(f"{where}{shown} overlap: the overscan is not used")
        unknown = Finding.unknown("overscan", f"{place.overscan_from.source} is inside the data section")
        doubt = replace(place.data_from, confidence="guess", note="the overscan section is inside it")
        return replace(place, overscan=EMPTY, overscan_from=unknown, data_from=doubt)
    warnings.append(f"{where}{shown} overlap: the data are taken to end where the overscan begins")
    source = f"{place.data_from.source}, {place.overscan_from.source}"
    data_from = Finding("data", rest, source, "guess", "what the overscan section leaves of the data section")
    return replace(
        place, data=rest, data_from=data_from, overscan_from=replace(place.overscan_from, confidence="guess")
    )


def _beside(place: Place) -> Place:
    """Return an amplifier, its overscan a guess where it is neither in the rows of the data nor in their columns."""
    data, overscan = place.data, place.overscan
    rows = min(data.y_max, overscan.y_max) - max(data.y_min, overscan.y_min)
    columns = min(data.x_max, overscan.x_max) - max(data.x_min, overscan.x_min)
    if 4 * rows >= data.height or 10 * columns >= 9 * data.width:
        return place
    note = "it is neither beside the data nor above them"
    return replace(place, overscan_from=replace(place.overscan_from, confidence="guess", note=note))


def _cut(data: Box, overscan: Box) -> Box | None:
    """Return what an overscan at one edge leaves of the data; None if it lies at none, or leaves less than half."""
    rest = None
    if overscan.x_max >= data.x_max and overscan.x_min > data.x_min:
        rest = Box(data.x_min, data.y_min, overscan.x_min - data.x_min, data.height)
    elif overscan.x_min <= data.x_min and overscan.x_max < data.x_max:
        rest = Box(overscan.x_max, data.y_min, data.x_max - overscan.x_max, data.height)
    return rest if rest is not None and 2 * rest.width > data.width else None


def _left_over(place: Place, cards: Cards) -> Place:
    """Return an amplifier with the columns that its data section leaves over, taken for overscan."""
    data, frame = place.data, place.frame
    blocks = [Box(data.x_max, data.y_min, frame.x_max - data.x_max, data.height)]
    blocks.append(Box(0, data.y_min, data.x_min, data.height))
    wide = [block for block in blocks if block.width >= _SMALLEST]
    if not wide:
        return place
    named = [(block, name) for name in _COUNTS for block in wide if cards.get(name) == block.width]
    if named:
        overscan, keyword = named[0]
        source, sure, note = f"{place.data_from.source}, {keyword}", "likely", ""
    elif wide[0].width > 2 * _SMALLEST:
        overscan, source, sure, note = wide[0], place.data_from.source, "guess", "the columns that the data leave"
    else:
        return place
    rest = [block for block in wide if block != overscan]
    confidence: Confidence = "likely" if sure == "likely" else "guess"
    return replace(
        place,
        overscan=overscan,
        prescan=rest[0] if rest else EMPTY,
        overscan_from=Finding("overscan", overscan, source, confidence, note),
    )


_AMPLIFIER_NAMES: Sequence[str] = ("AMPNAME", "AMPID", "AMP", "AMPLNAME", "OPAMP")


def _amplifier_name(cards: Cards) -> str:
    for name in _AMPLIFIER_NAMES:
        value = str(cards.get(name, "")).strip()
        if value and len(value) <= 12 and value.replace("_", "").replace("-", "").isalnum():
            return value
    return ""
