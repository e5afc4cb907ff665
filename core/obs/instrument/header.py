"""A FITS header as translators see it, in any of the ways that they are used to ask."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from obs.instrument.comment_units import unit_card

__all__ = [
    "COLOR",
    "EDITED",
    "FILE_NAME",
    "FOLDER",
    "MOSAIC_CARDS",
    "POINTING_CARDS",
    "TRUTH",
    "Header",
    "merge_headers",
    "name_cards",
]

FILE_NAME = "(file)"
"""Keyword, which no card can have, of the name of the file that is ingested."""

FOLDER = "(folder)"
"""Keyword, which no card can have, of the names of the two folders that the file is in, the outer one first."""

COLOR = "(color)"
"""Keyword, which no card can have, of the color of a mosaic filter that is looked at."""

TRUTH = "OBSTRUTH"
"""Card of images that say what a simulated exposure was made from."""

EDITED = "(edited)"
"""Keyword, which no card can have, that a header has whose cards do not agree with their CHECKSUM."""

MOSAIC_CARDS = ("BAYERPAT", "COLORTYP", "CFA-PAT", "CFAPAT", "CFA_PAT", "CFATYPE", "CFA", "BAYER", "BAYERIND", "BAYPAT")
"""Cards of the colors of the pixels of a color camera, in the order in which they count."""

POINTING_CARDS = (
    ("RA", "DEC"),
    ("RA2000", "DEC2000"),
    ("TELRA", "TELDEC"),
    ("TEL-RA", "TEL-DEC"),
    ("TELERA", "TELEDEC"),
    ("RA_OBS", "DEC_OBS"),
    ("RA-OBS", "DEC-OBS"),
    ("RA-TEL", "DEC-TEL"),
    ("RA_TEL", "DEC_TEL"),
    ("RA-MNT", "DEC-MNT"),
    ("RA_MNT", "DEC_MNT"),
    ("MOUNTRA", "MOUNTDEC"),
    ("RAMOUNT", "DECMOUNT"),
    ("RA_DEG", "DEC_DEG"),
    ("FOVRA", "FOVDEC"),
    ("RADEG", "DECDEG"),
    ("OBJCTRA", "OBJCTDEC"),
    ("OBJRA", "OBJDEC"),
    ("OBJ-RA", "OBJ-DEC"),
    ("RA_OBJ", "DEC_OBJ"),
    ("RA-D", "DEC-D"),
    ("CENTRA", "CENTDEC"),
    ("RA_TARG", "DEC_TARG"),
    ("TARGRA", "TARGDEC"),
    ("TARG-RA", "TARG-DEC"),
    ("RAJ2000", "DEJ2000"),
    ("MEANRA", "MEANDEC"),
    ("RA_PNT", "DEC_PNT"),
    ("TCSRA", "TCSDEC"),
)
"""Cards of right ascension and declination, in the order in which they count."""


def name_cards(path: Path) -> dict[str, str]:
    """Return the name of a file, and those of its folders, as cards.

    Parameters
    ----------
    path : Path
        Path of a file.

    Returns
    -------
    dict of str to str
        Name of the file, and names of the two inner folders separated by "/".
    """
    return {FILE_NAME: path.name, FOLDER: "/".join(path.absolute().parent.parts[1:][-2:])}


def merge_headers(primary: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cards of an extension above those of the primary header.

    A card without a value, be it blank or NaN, hides none that has one. Of the pointing of the telescope the primary
    header's counts: an extension's is that of its detector.

    Parameters
    ----------
    primary : mapping
        Cards of the primary header.
    own : mapping
        Cards of the extension.
    """
    pairs = [pair for pair in POINTING_CARDS if all(_has_value(primary.get(name)) for name in pair)]
    of_telescope = {name for pair in pairs for name in pair}
    hidden = {name for name, value in own.items() if name in primary and not _has_value(value)} | of_telescope
    units = {unit_card(name) for name in own if name not in hidden}
    below = {name: value for name, value in primary.items() if name not in units}
    return {**below, **{name: value for name, value in own.items() if name not in hidden}}


def _has_value(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None and value == value


class Header(Mapping[str, Any]):
    """Cards by keyword: ``md["KEY"]``, ``md.get("KEY")`` and, as in LSST's translators, ``md.getScalar("KEY")``.

    Texts come without blanks at their end.

    Parameters
    ----------
    cards : mapping of str to Any
        Upper-case keyword to number, bool or text. A value that comes with its comment, as a tuple, loses it.

    Attributes
    ----------
    asked : dict of str to bool
        Keywords that were asked for, in their order, and whether they are there; clear it to begin anew.
    """

    def __init__(self, cards: Mapping[str, Any]) -> None:
        self._cards = {key: value[0] if isinstance(value, tuple) else value for key, value in cards.items()}
        self.asked: dict[str, bool] = {}

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - header values are of any type
        self.asked[key] = key in self._cards
        value = self._cards[key]
        return value.rstrip() if isinstance(value, str) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def exists(self, key: str) -> bool:
        """Return whether there is such a card."""
        return key in self

    def getScalar(self, key: str) -> Any:  # noqa: ANN401 - header values are of any type
        """Return a value, as ``md[key]`` does; LSST's spelling.

        Raises
        ------
        KeyError
            If there is no such card.
        """
        return self[key]

    def changed(self, cards: Mapping[str, Any], without: Iterable[str] = ()) -> "Header":
        """Return a header with some cards in place of those here, and without others.

        Parameters
        ----------
        cards : mapping
            Keyword to value, for new cards as well.
        without : iterable of str, optional
            Keywords to leave out. A keyword that is also in ``cards`` stays.
        """
        left = {key: value for key, value in self._cards.items() if key not in set(without)}
        return Header({**left, **cards})
