"""How a text table is laid out: where its names are, what stands between its columns, and what their units are."""

import csv
import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.regular_file import open_regular

__all__ = ["TextLayout", "find_text_layout"]

_START = 1 << 17
"""Bytes in which the names and the first row have to be; VizieR writes a line of comment for each column."""
_GZIP, _BYTE_ORDER_MARK = b"\x1f\x8b", "\ufeff"
_BETWEEN = (",", "\t", ";", "|")
_OF_PROGRAMS = {
    "ascii.sextractor": re.compile(r"#\s*1\s+[A-Z]\w*\b"),
    "ascii.ipac": re.compile(r"[\\|].*(\n[\\|].*)+"),
    "ascii.mrt": re.compile(r"Title:.*\n(.*\n){0,40}Byte-by-byte Description", re.I),
}
"""How tables of SExtractor, of IRSA, and of the journals begin, by astropy's names for them."""
_RULE = re.compile(r"\s*[-=]+\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


@frozen
class TextLayout:
    """Layout of a text table.

    Parameters
    ----------
    between : str
        Character between columns; empty if blanks are.
    first : int
        Lines before the one with the names.
    after : int
        Lines between the names and the first row.
    units : tuple of str
        Units of the columns, as VizieR writes them below the names; empty if there are none.
    decimal_point : str
        ``.``, or ``,`` as spreadsheets write it in much of Europe.
    program : str
        Format with rules of its own, by astropy's name; empty for lines of names and values.
    """

    between: str
    first: int
    after: int = 0
    units: tuple[str, ...] = ()
    decimal_point: str = "."
    program: str = ""


def find_text_layout(path: Path) -> TextLayout | None:
    """Return the layout of a text table; None if a file does not begin as one.

    Parameters
    ----------
    path : Path
        File, perhaps packed by gzip.

    Raises
    ------
    OSError
        If it cannot be read.
    FileFormatError
        If no line names its columns.
    """
    lines = _first_lines(path)
    beginning = "\n".join(lines)
    for program, pattern in _OF_PROGRAMS.items():
        if pattern.match(beginning):
            return TextLayout("", 0, program=program)
    rows = [number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    if not rows:
        return None
    names = rows[0]
    between = _find_between(lines[names], lines[rows[1]] if len(rows) > 1 else "")
    if len(_split(lines[names], between)) == 1:
        return None
    if any(_is_number(field) for field in _split(lines[names], between)):
        # The names are in a comment: the last one that has as many of them as the row has values.
        n_field = len(_split(lines[names], between))
        named = [n for n in range(names) if len(_split(lines[n].lstrip("# "), between)) == n_field]
        if not named:
            raise FileFormatError(
                f"no line names the {n_field} columns; write one above the first row, such as ra,dec,V_mag", path=path
            )
        return TextLayout(between, named[-1])
    fields = [_split(lines[number], between) for number in rows[1:3]]
    rules = [bool(row) and all(_RULE.fullmatch(field) for field in row) for row in fields]
    after = rules.index(True) + 1 if True in rules else 0
    units = tuple(unit.strip() for unit in fields[0]) if after > 1 else ()
    values = _split(lines[rows[1 + after]], between) if len(rows) > 1 + after else []
    comma = between == ";" and any(_DECIMAL_COMMA.fullmatch(value) for value in values)
    return TextLayout(between, names, after, units, "," if comma else ".")


def _first_lines(path: Path) -> list[str]:
    """Return the complete lines at the beginning of a file; none if it is not text."""
    with open_regular(path) as file:
        start = file.read(_START)
    if start.startswith(_GZIP):
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, _START)
        except (zlib.error, gzip.BadGzipFile):
            return []
    if b"\0" in start:
        return []
    text = start.decode("utf-8", errors="replace").removeprefix(_BYTE_ORDER_MARK)
    lines = text.splitlines(keepends=True)
    if len(lines) > 1 and len(start) >= _START:
        lines.pop()  # it may end anywhere
    return [line.rstrip("\r\n") for line in lines]


def _find_between(names: str, row: str) -> str:
    """Return the character that divides names and values into equally many, the most of them; empty if none does."""
    numbers = {mark: len(_split(names, mark)) for mark in _BETWEEN}
    same = [mark for mark in _BETWEEN if numbers[mark] > 1 and numbers[mark] == len(_split(row, mark))]
    usable = same or [mark for mark in _BETWEEN if numbers[mark] > 1]
    return max(usable, key=lambda mark: numbers[mark], default="")


def _split(line: str, between: str) -> Sequence[str]:
    if not between:
        return line.split()
    return next(csv.reader([line], delimiter=between), [])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
