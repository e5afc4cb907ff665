"""Cards of how a detector was read out: binned, or a window of it."""

from obs.errors import FileFormatError
from obs.instrument.card_values import read_number
from obs.instrument.date_rules import CardReader

__all__ = ["BINNINGS", "BINNING_CARDS", "BINNING_PAIRS", "WINDOW_CARDS", "read_window"]

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
WINDOW_CARDS = (("XORGSUBF", "YORGSUBF"),)
"""Cards of the first column and row of a window, counted from 0, in pixels of the file (SBFITSEXT)."""


def read_window(cards: CardReader) -> tuple[int, int] | None:
    """Return the first column and row of a window, from 0; None where no cards give them.

    Parameters
    ----------
    cards : CardReader
        The header.
    """
    for names in WINDOW_CARDS:
        try:
            x, y = (read_number(cards.get(name)) for name in names)
        except FileFormatError:
            continue
        if x >= 0 and y >= 0 and x.is_integer() and y.is_integer():
            return int(x), int(y)
    return None
