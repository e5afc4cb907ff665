"""Where amplifiers lie in the assembled detector, how they are turned, and from which corner they are read."""

from collections.abc import Sequence

from obs.geom import Box
from obs.inspection.amplifier_place import Place
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.inspection.sections import Section, find_section

__all__ = ["Put", "find_corner", "find_detector_boxes"]

Put = tuple[Box, bool, bool, Finding]
"""Place in the detector, whether columns and rows are reversed there, and how that is known."""


def find_detector_boxes(places: Sequence[Place], binning: Finding, warnings: list[str]) -> list[Put]:
    """Return where each amplifier lies in the detector.

    Parameters
    ----------
    places : sequence of Place
        The amplifiers of one detector.
    binning : Finding
        ``(x, y)``.
    warnings : list of str
        Takes what disagrees.
    """
    if len(places) == 1:
        return [_alone(places[0])]
    for kind in ("ccd", "detector"):
        put = _from_sections(places, [find_section(p.cards, kind, p.label) for p in places], binning, warnings)
        if put is not None:
            return put
    return _side_by_side(places, warnings)


def _alone(place: Place) -> Put:
    """Return all of the detector; turned over where cards say that the one amplifier is mirrored."""
    box = Box(0, 0, place.data.width, place.data.height)
    sure = place.data_from.confidence
    for kind in ("ccd", "detector"):
        section = find_section(place.cards, kind, place.label)
        if section is not None and section.flip_x != section.flip_y:
            note = "the card runs backwards in one direction"
            return box, section.flip_x, section.flip_y, Finding("bbox", box, section.keyword, sure, note)
    return box, False, False, Finding("bbox", box, "one amplifier", sure)


def _from_sections(
    places: Sequence[Place], sections: Sequence[Section | None], binning: Finding, warnings: list[str]
) -> list[Put] | None:
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
        shown = f"{known[0].keyword} = {_section_text(known[0])}"
        data = f"the data {places[0].data.to_section()}"
        warnings.append(f"{shown} and {data} differ in size, also with binning: {known[0].keyword} is not used")
        return None
    if any(not a.intersection(b).is_empty for i, a in enumerate(boxes) for b in boxes[:i]):
        warnings.append(f"{known[0].keyword}: the amplifiers overlap: not used")
        return None
    sure: Confidence = "certain"
    note = ""
    if (x_bin, y_bin) != tuple(binning.value):
        sure, note = "likely", f"the sizes mean a binning of {x_bin} x {y_bin}"
    if sum(box.width * box.height for box in boxes) != max(b.x_max for b in boxes) * max(b.y_max for b in boxes):
        sure, note = lower_confidence(sure, "likely"), "there are gaps between the amplifiers"
    sure = lower_confidence(sure, _least_sure(places))
    return [
        (box, s.flip_x, s.flip_y, Finding("bbox", box, s.keyword, sure, note))
        for box, s in zip(boxes, known, strict=True)
    ]


def _section_text(section: Section) -> str:
    x, y = (section.box.x_min + 1, section.box.x_max), (section.box.y_min + 1, section.box.y_max)
    (x_0, x_1), (y_0, y_1) = x[:: -1 if section.flip_x else 1], y[:: -1 if section.flip_y else 1]
    return f"[{x_0}:{x_1},{y_0}:{y_1}]"


def _least_sure(places: Sequence[Place]) -> Confidence:
    worst: Confidence = "certain"
    for place in places:
        worst = lower_confidence(worst, place.data_from.confidence)
    return worst


def _side_by_side(places: Sequence[Place], warnings: list[str]) -> list[Put]:
    """Return boxes of amplifiers in the order of their data in the image, without what is between them."""
    own = len({place.hdu for place in places}) > 1
    if own:
        warnings.append("no card says where the amplifiers are in the detector: put side by side in the file's order")
    columns = sorted({(place.hdu if own else 0, place.data.x_min): place.data.width for place in places}.items())
    rows = sorted({place.data.y_min: place.data.height for place in places}.items()) if not own else []
    put = []
    for place in places:
        x = sum(width for key, width in columns if key < (place.hdu if own else 0, place.data.x_min))
        y = sum(height for start, height in rows if start < place.data.y_min)
        box = Box(x, y, place.data.width, place.data.height)
        sure: Confidence = "guess" if own else lower_confidence("likely", place.data_from.confidence)
        source = "order in the file" if own else "order in the image"
        put.append((box, False, False, Finding("bbox", box, source, sure)))
    return put


def find_corner(place: Place, flip_x: bool, flip_y: bool) -> tuple[str, Finding]:
    """Return the corner of the amplifier, in the detector, that is read first.

    Parameters
    ----------
    place : Place
        Boxes and cards of the amplifier.
    flip_x, flip_y : bool
        Whether the axis is reversed between raw image and detector.

    Returns
    -------
    corner : {"LL", "LR", "UL", "UR"}
        Lower or upper, and left or right.
    finding : Finding
        The same, with its source and how sure it is.
    """
    section = find_section(place.cards, "amplifier", place.label)
    if section is not None:
        corner = ("U" if section.flip_y else "L") + ("R" if section.flip_x else "L")
        return corner, Finding("readout_corner", corner, section.keyword, "likely")
    beside = place.overscan.y_min < place.data.y_max and place.data.y_min < place.overscan.y_max
    from_right = place.overscan_from.is_known and beside and place.overscan.x_max <= place.data.x_min
    from_top = place.overscan_from.is_known and not beside and place.overscan.y_max <= place.data.y_min
    corner = ("U" if flip_y != from_top else "L") + ("R" if flip_x != from_right else "L")
    note = "flips, and the side of the overscan"
    return corner, Finding("readout_corner", corner, note, "likely" if flip_x or flip_y else "guess")
