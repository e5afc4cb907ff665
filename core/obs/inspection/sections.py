"""Sections of the image in header cards: where data, overscan and prescan lie, and which way they run."""

import re
from collections.abc import Iterator

from obs.frozen import frozen
from obs.geom import Box
from obs.inspection.cards import Cards

__all__ = ["Section", "amplifier_labels", "find_section", "find_unread", "parse_section", "section_scale", "to_binned"]

_SECTION = re.compile(r"\s*\[?\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]?\s*")
_CORNERS = re.compile(r"\s*\[?\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*\]?\s*")
"""First x and y, last x and y, as Calar Alto's cameras have it."""
#: What a section is called, and the keywords for it, without the letter or number of the amplifier.
_NAMES: dict[str, tuple[str, ...]] = {
    "data": ("DATASEC", "DSEC", "TRIMSEC", "TSEC"),
    "trim": ("TRIMSEC", "TSEC"),
    "bias": ("BIASSEC", "BSEC", "OVRSEC", "OSCNSEC", "OVSCSEC", "OVERSEC"),
    "prescan": ("PRESEC", "PRESCAN"),
    "postscan": ("POSTSEC",),
    "detector": ("DETSEC",),
    "ccd": ("CCDSEC", "CSEC"),
    "amplifier": ("AMPSEC",),
    "whole": ("ASEC",),
}
_IN_THE_IMAGE = ("data", "trim", "bias", "prescan", "postscan", "whole")
_LABEL = re.compile(r"(?:DATASEC|TRIMSEC|BIASSEC|DSEC|TSEC|BSEC)_?([A-Z]|\d{1,2}|[LU][LR])")
_BINNED = re.compile(r"(?<!un)(?<!un-)\bbinned", re.I)
_MINIMUM = re.compile(r"([A-Z]_)EFMN(\d)1")


@frozen
class Section:
    """A section of an image.

    Parameters
    ----------
    box : Box
        Its pixels, 0-based.
    flip_x, flip_y : bool
        Whether the card runs from high to low.
    keyword : str
        The card.
    quarters : int
        Quarter turns, counter-clockwise, by which what lies there is turned.
    """

    box: Box
    flip_x: bool
    flip_y: bool
    keyword: str
    quarters: int = 0


def parse_section(text: object, keyword: str = "") -> Section | None:
    """Return a section; None if the text is none, or one that begins below pixel 1.

    Parameters
    ----------
    text : object
        Value of a card, for example ``[1:512,1:4176]``, in which pixels count from 1 and both ends belong to it.
    keyword : str
        Card of the section, which the result keeps.

    Returns
    -------
    Section or None
        Box in 0-based pixels, and whether an axis is given in falling order.
    """
    ends = _ends(text)
    if ends is None:
        return None
    x_0, x_1, y_0, y_1 = ends
    if min(x_0, x_1, y_0, y_1) < 1:
        return None
    box = Box(min(x_0, x_1) - 1, min(y_0, y_1) - 1, abs(x_1 - x_0) + 1, abs(y_1 - y_0) + 1)
    return Section(box, x_1 < x_0, y_1 < y_0, keyword)


def _ends(text: object) -> tuple[int, int, int, int] | None:
    """Return first and last x, first and last y."""
    match, corners = _SECTION.fullmatch(str(text)), _CORNERS.fullmatch(str(text))
    if match is not None:
        x_0, x_1, y_0, y_1 = (int(end) for end in match.groups())
    elif corners is not None:
        x_0, y_0, x_1, y_1 = (int(end) for end in corners.groups())
    else:
        return None
    return x_0, x_1, y_0, y_1


def amplifier_labels(cards: Cards) -> tuple[str, ...]:
    """Return the letters or numbers by which cards tell amplifiers of one image apart."""
    found: dict[str, None] = {}
    for name in cards:
        match = _LABEL.fullmatch(name)
        if match is not None and parse_section(cards.get(name)) is not None:
            found[match[1]] = None
        match = _MINIMUM.fullmatch(name)
        if match is not None:
            found[match[2]] = None
    return tuple(sorted(found, key=lambda label: (len(label), label)))


def _spellings(kind: str, label: str) -> Iterator[str]:
    for name in _NAMES[kind]:
        yield from (f"{name}{label}", f"{name}_{label}") if label else (name,)


def find_section(cards: Cards, kind: str, label: str = "") -> Section | None:
    """Return a section by what it is for.

    Parameters
    ----------
    cards : Cards
        The header.
    kind : {"data", "trim", "bias", "prescan", "postscan", "detector", "ccd", "amplifier", "whole"}
        What it is for.
    label : str
        Letter or number of the amplifier.
    """
    for name in _spellings(kind, label):
        section = parse_section(cards.get(name), name)
        if section is not None:
            return section
    return _from_ends(cards, kind, label)


def find_unread(cards: Cards, kind: str, label: str = "") -> str:
    """Return the card of a section that cannot be understood, with its value; empty if there is none.

    A section of zeros, along one axis or both, says that there is none, and is understood.

    Parameters
    ----------
    cards : Cards
        Header.
    kind : str
        Kind of the section, for example "data" or "overscan".
    label : str
        Label of the amplifier in its keywords; empty if they have none.
    """
    for name in _spellings(kind, label):
        value = cards.get(name)
        ends = _ends(value)
        if ends is not None and (ends[:2] == (0, 0) or ends[2:] == (0, 0)):
            continue
        if isinstance(value, str) and parse_section(value) is None and re.search(r"[1-9]|[A-Za-z]", value):
            return f"{name} = '{value.strip()}'"
    return ""


def _from_ends(cards: Cards, kind: str, label: str) -> Section | None:
    """Return a section of which four cards give the first and last pixels, as Subaru's cameras have it."""
    if not label:
        return _from_ranges(cards) if kind == "data" else None
    part = {"data": "EF", "bias": "OS"}.get(kind)
    prefix = next((match[1] for name in cards if (match := _MINIMUM.fullmatch(name))), None)
    if part is None or prefix is None:
        return None
    names = [f"{prefix}{part}{end}{label}{axis}" for axis in "12" for end in ("MN", "MX")]
    if part == "OS":  # beside the data: its rows are theirs, the card's are those of the overscan above
        names[2:] = [f"{prefix}EF{end}{label}2" for end in ("MN", "MX")]
    ends = [cards.get(name) for name in names]
    if not all(isinstance(end, int) for end in ends):
        return None
    return parse_section(f"[{ends[0]}:{ends[1]},{ends[2]}:{ends[3]}]", f"{names[0]} .. {names[-1]}")


def _from_ranges(cards: Cards) -> Section | None:
    """Return the effective part of a frame that has one amplifier, as Subaru's cameras have it."""
    names = ["EFP-MIN1", "EFP-RNG1", "EFP-MIN2", "EFP-RNG2"]
    values = [cards.get(name) for name in names]
    if not all(isinstance(value, int) and value > 0 for value in values):
        return None
    x, width, y, height = values
    return parse_section(f"[{x}:{x + width - 1},{y}:{y + height - 1}]", "EFP-MIN1 .. EFP-RNG2")


def section_scale(cards: Cards, frame: Box, binning: tuple[int, int]) -> tuple[int, int]:
    """Return by what sections of the image have to be divided: by the binning, where they are in unbinned pixels.

    Parameters
    ----------
    cards : Cards
        The header.
    frame : Box
        The image.
    binning : tuple of int
        ``(x, y)``.
    """
    if binning == (1, 1):
        return 1, 1
    labels = ("", *amplifier_labels(cards))
    found = [find_section(cards, kind, label) for kind in _IN_THE_IMAGE for label in labels]
    boxes = [section.box for section in found if section is not None]
    comments = " ".join(card.comment for s in found if s is not None and (card := cards.find(s.keyword)) is not None)
    if all(frame.contains(box) for box in boxes) or _BINNED.search(comments):
        return 1, 1
    binned = [to_binned(box, binning) for box in boxes]
    fill = 2 * max(b.x_max for b in binned) > frame.width and 2 * max(b.y_max for b in binned) > frame.height
    return binning if fill and all(frame.contains(box) for box in binned) else (1, 1)


def to_binned(box: Box, scale: tuple[int, int]) -> Box:
    """Return a box in unbinned pixels as one in binned pixels.

    Parameters
    ----------
    box : Box
        Box in 0-based pixels that are not binned.
    scale : tuple of int
        Binning in x and y.

    Returns
    -------
    Box
        Binned pixels that are wholly in the box.
    """
    x, y = -(-box.x_min // scale[0]), -(-box.y_min // scale[1])
    return Box(x, y, max(box.x_max // scale[0] - x, 0), max(box.y_max // scale[1] - y, 0))
