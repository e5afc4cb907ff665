"""Write values into cells of a camera's tables, and leave everything else as its owner wrote it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from obs.errors import FileFormatError, OutputError
from obs.frozen import frozen
from obs.repo.atomic import atomic_write
from obs.small_file import read_small_text

__all__ = ["Cell", "write_cells"]


@frozen
class Cell:
    """A value for a cell.

    Parameters
    ----------
    row : mapping of str to str
        Columns by which the row is found, for example ``detector`` and ``name``.
    column : str
        Column of the cell.
    value : str
        The new text, without commas and line breaks.
    """

    row: Mapping[str, str]
    column: str
    value: str


def write_cells(path: Path, cells: Sequence[Cell]) -> None:
    """Replace cells of a CSV table with a header row; comments, other cells and spaces stay.

    Parameters
    ----------
    path : Path
        The table.
    cells : sequence of Cell
        What to write.

    Raises
    ------
    FileFormatError
        If the table cannot be read, or has no such row or column.
    OutputError
        If it cannot be written.
    """
    text = read_small_text(path, error=FileFormatError)
    lines = text.splitlines(keepends=True)
    rows = [n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    header = _split(lines[rows[0]]) if rows else []
    for cell in cells:
        if "," in cell.value or not cell.value.isprintable():
            raise FileFormatError(f"{cell.value!r} cannot be a cell of a table", path=path)
        found = [n for n in rows[1:] if cell.row.items() <= dict(zip(header, _split(lines[n]), strict=False)).items()]
        if cell.column not in header or len(found) != 1:
            where = " ".join(f"{column}={value}" for column, value in cell.row.items())
            what = f"no column {cell.column}" if cell.column not in header else f"{len(found)} rows with {where}"
            raise FileFormatError(f"has {what}: nothing was written", path=path)
        lines[found[0]] = _with_cell(lines[found[0]], header.index(cell.column), cell.value)
    try:
        with atomic_write(path) as file:
            file.write("".join(lines).encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", path=path) from error


def _split(line: str) -> list[str]:
    return [cell.strip().lstrip("\ufeff") for cell in line.split(",")]


def _with_cell(line: str, number: int, value: str) -> str:
    """Return a line of which one cell has another value; its spaces and the end of the line stay."""
    body = line.rstrip("\r\n")
    cells = body.split(",")
    cells += [""] * (number + 1 - len(cells))
    old = cells[number]
    before, after = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :] if old.strip() else ""
    cells[number] = f"{before}{value}{after}"
    return ",".join(cells) + line[len(body) :]
