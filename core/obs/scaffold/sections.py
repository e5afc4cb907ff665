"""Sections of the image in header cards: where data, overscan and prescan lie, and which way they run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from obs.geom import Box
from obs.scaffold.cards import Cards
from obs.scaffold.finding import Finding

__all__ = ["Section", "amplifier_labels", "find_binning", "find_section", "parse_section"]

_SECTION = re.compile(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*")
#: What a section is called, and the keywords for it, without the letter or number of the amplifier.
_NAMES: dict[str, tuple[str, ...]] = {
    "data": ("DATASEC", "DSEC", "TRIMSEC", "TSEC"),
    "trim": ("TRIMSEC", "TSEC", "DATASEC", "DSEC"),
    "bias": ("BIASSEC", "BSEC", "OVRSEC", "OSCNSEC"),
    "prescan": ("PRESEC", "PRESCAN"),
    "detector": ("DETSEC",),
    "ccd": ("CCDSEC", "CSEC"),
    "amplifier": ("AMPSEC",),
    "whole": ("ASEC",),
}
_LABEL = re.compile(r"(?:DATASEC|TRIMSEC|BIASSEC|DSEC|TSEC|BSEC)_?([A-Z]|\d{1,2})")
_MINIMUM = re.compile(r"([A-Z]_)EFMN(\d)1")


@dataclass(frozen=True)
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
    """

    box: Box
    flip_x: bool
    flip_y: bool
    keyword: str


def parse_section(text: object, keyword: str = "") -> Section | None:
    """Return a section; None if the text is none, or one that begins below pixel 1."""
    match = _SECTION.fullmatch(str(text))
    if match is None:
        return None
    x_0, x_1, y_0, y_1 = (int(end) for end in match.groups())
    if min(x_0, x_1, y_0, y_1) < 1:
        return None
    box = Box(min(x_0, x_1) - 1, min(y_0, y_1) - 1, abs(x_1 - x_0) + 1, abs(y_1 - y_0) + 1)
    return Section(box, x_1 < x_0, y_1 < y_0, keyword)


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
    kind : {"data", "trim", "bias", "prescan", "detector", "ccd", "amplifier", "whole"}
        What it is for.
    label : str
        Letter or number of the amplifier.
    """
    for name in _spellings(kind, label):
        section = parse_section(cards.get(name), name)
        if section is not None:
            return section
    return _from_ends(cards, kind, label) if label else None


def _from_ends(cards: Cards, kind: str, label: str) -> Section | None:
    """Return a section of which four cards give the first and last pixels, as Subaru's cameras have it."""
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


_BINNINGS = (
    ("CCDBIN1", "CCDBIN2"),
    ("XBINNING", "YBINNING"),
    ("BINX", "BINY"),
    ("XBIN", "YBIN"),
    ("CCDXBIN", "CCDYBIN"),
    ("BIN-FCT1", "BIN-FCT2"),
    ("COLBIN", "ROWBIN"),
    ("HBIN", "VBIN"),
    ("ESO DET WIN1 BINX", "ESO DET WIN1 BINY"),
)


def find_binning(cards: Cards) -> Finding:
    """Return the binning ``(x, y)``."""
    match = re.fullmatch(r"\s*(\d+)[\s,xX]+(\d+)\s*", str(cards.get("CCDSUM", cards.get("BINNING", ""))))
    if match is not None and "0" not in match.groups():
        return Finding("binning", (int(match[1]), int(match[2])), "CCDSUM" if "CCDSUM" in cards else "BINNING")
    for x_name, y_name in _BINNINGS:
        x, y = cards.get(x_name), cards.get(y_name)
        if isinstance(x, int | float) and isinstance(y, int | float) and min(x, y) >= 1:
            return Finding("binning", (int(x), int(y)), f"{x_name}, {y_name}")
    return Finding("binning", (1, 1), "", "likely", "no card says; taken as unbinned")
