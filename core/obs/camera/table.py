"""Tables of text whose faults name file, line and column."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

from obs.errors import FileFormatError, suggest
from obs.geom import Box
from obs.small_file import read_small_text

__all__ = ["BOX_PARTS", "Row", "check_unique", "read_table"]

BOX_PARTS = ("x_min", "y_min", "width", "height")
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "": False}
_Word = TypeVar("_Word", bound=str)


class Row:
    """One row of a table.

    Parameters
    ----------
    path : Path
        The table.
    line : int
        Line in the file, 1-based.
    cells : dict of str to str
        Column name to text without blanks around it.
    """

    def __init__(self, path: Path, line: int, cells: dict[str, str]) -> None:
        self.path, self.line, self.cells = path, line, cells

    def fault(self, column: str, message: str) -> NoReturn:
        """Refuse a cell of this row.

        Parameters
        ----------
        column : str
            Column at fault.
        message : str
            What is wrong with it.

        Raises
        ------
        FileFormatError
            Always; it names line and column.
        """
        raise FileFormatError(f"line {self.line}, column '{column}': {message}", path=self.path)

    def text(self, column: str, default: str | None = None) -> str:
        """Return a cell; an empty one is at fault if there is no default.

        Parameters
        ----------
        column : str
            Name of the column.
        default : str, optional
            Value of an empty or missing cell.

        Raises
        ------
        FileFormatError
            If the cell is empty and there is no default.
        """
        value = self.cells.get(column, "")
        if not value and default is None:
            self.fault(column, "a value is needed")
        return value or default or ""

    def number(self, column: str, default: float | None = None) -> float:
        """Return a number; where none is optional, it must be finite.

        Parameters
        ----------
        column : str
            Name of the column.
        default : float, optional
            Value of an empty cell; with a default, "nan" and "inf" are allowed as well.

        Raises
        ------
        FileFormatError
            If the cell is empty without a default, or is not a number; names line and column.
        """
        value = self.text(column, None if default is None else str(default))
        try:
            number = float(value)
        except ValueError:
            self.fault(column, f"'{value}' is not a number")
        if default is None and not math.isfinite(number):
            self.fault(column, f"'{value}' is not a finite number")
        return number

    def whole(self, column: str, default: int | None = None) -> int:
        """Return the integer in one cell or value.

        Parameters
        ----------
        column : str
            Name of the column.
        default : int, optional
            Value of an empty cell.

        Raises
        ------
        FileFormatError
            If the cell is empty without a default, or is not an integer; names line and column.
        """
        value = self.text(column, None if default is None else str(default))
        try:
            return int(value)
        except ValueError:
            self.fault(column, f"'{value}' is not a whole number")

    def extent(self, column: str, default: int | None = None) -> int:
        """Return a number of pixels, not negative.

        Parameters
        ----------
        column : str
            Name of the column.
        default : int, optional
            Value of an empty cell.

        Raises
        ------
        FileFormatError
            As `whole`, or if the number is negative.
        """
        value = self.whole(column, default)
        if value < 0:
            self.fault(column, f"{value} is negative")
        return value

    def flag(self, column: str) -> bool:
        """Return 0 or 1, false or true; false where the cell is empty.

        Parameters
        ----------
        column : str
            Name of the column.

        Raises
        ------
        FileFormatError
            If the cell has another word.
        """
        value = self.cells.get(column, "").lower()
        if value not in _FLAGS:
            self.fault(column, f"'{value}' is neither 0 nor 1")
        return _FLAGS[value]

    def choice(self, column: str, allowed: tuple[_Word, ...], default: str | None = None) -> _Word:
        """Return one of the allowed words.

        Parameters
        ----------
        column : str
            Name of the column.
        allowed : tuple of str
            The words.
        default : str, optional
            Word of an empty cell.

        Raises
        ------
        FileFormatError
            If the cell has another word; lists the allowed ones.
        """
        value = self.text(column, default)
        for word in allowed:
            if word == value:
                return word
        self.fault(column, f"'{value}' is none of {', '.join(allowed)}")

    def box(self, name: str, *, optional: bool = False) -> Box:
        """Return the box of four columns; an optional one is empty where its cells are.

        Parameters
        ----------
        name : str
            Beginning of the columns ``NAME_x_min``, ``NAME_y_min``, ``NAME_width`` and ``NAME_height``.
        optional : bool, default: False
            Whether empty cells count as 0.

        Returns
        -------
        Box
            Box in 0-based pixels.
        """
        default = 0 if optional else None
        x_min, y_min = self.whole(f"{name}_x_min", default), self.whole(f"{name}_y_min", default)
        return Box(x_min, y_min, self.extent(f"{name}_width", default), self.extent(f"{name}_height", default))


def _read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = read_small_text(path, error=FileFormatError, encoding="utf-8-sig")
    except FileFormatError:
        if not path.exists():
            raise FileFormatError("the file is missing; a camera folder needs it", path=path) from None
        raise
    for line, content in enumerate(text.splitlines(), 1):
        if content.strip(" \t,") and not content.lstrip(" \t\"'").startswith("#"):
            try:
                cells = next(csv.reader([content], strict=True))
            except csv.Error as error:
                raise FileFormatError(f"line {line}: {error}", path=path) from error
            yield line, [cell.strip() for cell in cells]


def read_table(path: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> list[Row]:
    """Read a table with a header row; lines that begin with ``#`` are comments.

    Parameters
    ----------
    path : Path
        A CSV file.
    required, optional : tuple of str
        The columns that must, and may, be there.

    Returns
    -------
    list of Row
        At least one row.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or its columns are not the wanted ones; names the line.
    """
    lines = _read_lines(path)
    line, header = next(lines, (1, []))
    for column in header:
        if column not in required + optional:
            hint = suggest(column, required + optional)
            raise FileFormatError(f"line {line}: column '{column}' is unknown{hint}", path=path)
        if header.count(column) > 1:
            raise FileFormatError(f"line {line}: column '{column}' is there twice", path=path)
    for column in required:
        if column not in header:
            raise FileFormatError(f"line {line}: column '{column}' is missing", path=path)
    rows = []
    for line, cells in lines:
        if len(cells) != len(header):
            raise FileFormatError(f"line {line}: {len(cells)} cells under {len(header)} column names", path=path)
        rows.append(Row(path, line, dict(zip(header, cells, strict=True))))
    if not rows:
        raise FileFormatError("there is no row under the column names", path=path)
    return rows


def check_unique(rows: list[Row], column: str) -> None:
    """Raise FileFormatError at the second row that has the same value in ``column``.

    Parameters
    ----------
    rows : list of Row
        Rows of one table.
    column : str
        Column with the identifier. Leading zeros do not count, so 7 and 007 are the same.
    """
    seen: dict[str, int] = {}
    for row in rows:
        value = row.text(column).lstrip("0") or "0"  # ids 7 and 007 are one
        if value in seen:
            row.fault(column, f"'{value}' is on line {seen[value]} already")
        seen[value] = row.line
