"""Cards of how a detector was read out: binned, or a window of it."""

import re

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.geom import Box
from obs.instrument.card_values import read_number
from obs.instrument.date_rules import CardReader

__all__ = ["BINNINGS", "BINNING_CARDS", "BINNING_PAIRS", "Window", "read_window"]

_SECTION = re.compile(r"\s*\[?\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]?")

BINNINGS = ("CCDSUM", "BINNING", "CCDBIN", "BIN", "BINMODE", "CCDBINNG", "BIN-FCT", "BINFCT", "DETBIN")
"""Cards that hold the binning of columns and rows, or one for both."""
BINNING_PAIRS = (
    ("CCDBIN1", "CCDBIN2"),
    ("XBINNING", "YBINNING"),
    ("BINX", "BINY"),
    ("XBIN", "YBIN"),
    ("BINNINGX", "BINNINGY"),
    ("CCDXBIN", "CCDYBIN"),
    ("CCDBINX", "CCDBINY"),
    ("BIN-FCT1", "BIN-FCT2"),
    ("BINNING1", "BINNING2"),
    ("COLBIN", "ROWBIN"),
    ("HBIN", "VBIN"),
    ("BIN_X", "BIN_Y"),
    ("BINXY_X", "BINXY_Y"),
    ("XBINNG", "YBINNG"),
    ("XFACTOR", "YFACTOR"),
    ("DETXBIN", "DETYBIN"),
    ("ESO DET WIN1 BINX", "ESO DET WIN1 BINY"),
)
"""Cards of the binning of columns, and of rows."""
BINNING_CARDS = frozenset((*BINNINGS, *(name for pair in BINNING_PAIRS for name in pair)))
_CORNERS = (("XORGSUBF", "YORGSUBF", 1.0), ("LTV1", "LTV2", -1.0))
"""Cards of the first column and row of a window, from 0 in pixels of the raw image, and their sign: SBFITSEXT, IRAF."""
_PLACES = ("CCDSEC", "DETSEC", "DETWIN1", "WINSEC1")
"""Cards of the section of the detector that a file shows, overscan not counted."""


@frozen
class Window:
    """A part of a detector that was read out alone.

    Parameters
    ----------
    data : Box
        Pixels of the file that are put in their place; all of them, where the place counts overscan as well.
    place : Box
        Where they belong on the detector.
    overscan : Box
        Pixels of the file that are overscan beside those; empty where the place counts overscan, and where there is
        none.
    counts_overscan : bool
        Whether the place is one in the raw image of the whole detector, not in the assembled one.
    keywords : str
        The cards.
    """

    data: Box
    place: Box
    overscan: Box
    counts_overscan: bool
    keywords: str


def read_window(cards: CardReader, shape: tuple[int, int]) -> Window | None:
    """Return the part of a detector that a file shows; None where no cards place it.

    Parameters
    ----------
    cards : CardReader
        The header.
    shape : tuple of int
        Rows and columns of the image.
    """
    height, width = shape
    whole, none = Box(0, 0, width, height), Box(0, 0, 0, 0)
    for x_card, y_card, sign in _CORNERS:
        try:
            x, y = (sign * read_number(cards.get(name)) for name in (x_card, y_card))
        except FileFormatError:
            continue
        if x >= 0 and y >= 0 and x.is_integer() and y.is_integer():
            return Window(whole, Box(int(x), int(y), width, height), none, True, f"{x_card}, {y_card}")
    data = next((box for name in ("DATASEC", "TRIMSEC") if (box := _section(cards, name)) is not None), whole)
    overscan = _section(cards, "BIASSEC") or none
    if not (whole.contains(data) and whole.contains(overscan)):
        return None
    for name in _PLACES:
        place = _section(cards, name)
        if place is None:
            continue
        step = place.width // max(data.width, 1)  # sections of the detector may count unbinned pixels
        if step and (place.width, place.height) == (step * data.width, step * data.height):
            corner = place.x_min // step, place.y_min // step
            return Window(data, Box(*corner, data.width, data.height), overscan, False, name)
    return None


def _section(cards: CardReader, name: str) -> Box | None:
    """Return the box of a section; None where it is none, or counts down: such an image is stored mirrored."""
    match = _SECTION.match(str(cards.get(name)))
    if match is None:
        return None
    x_0, x_1, y_0, y_1 = (int(number) for number in match.groups())
    return Box(x_0 - 1, y_0 - 1, x_1 - x_0 + 1, y_1 - y_0 + 1) if 1 <= x_0 <= x_1 and 1 <= y_0 <= y_1 else None
