"""Tables that people write: ECSV, or CSV with a line of names."""

from pathlib import Path
from typing import Any

from obs.errors import FileFormatError, describe_fault
from obs.image.catalog import Catalog
from obs.small_file import read_small_text

__all__ = ["is_text_table", "read_text_table"]


def is_text_table(path: Path | str) -> bool:
    """Return whether a file name is that of a table as text."""
    return Path(path).suffix.lower() in (".ecsv", ".csv")


def read_text_table(path: Path | str) -> Catalog:
    """Read a table, with the metadata of its ECSV header.

    Parameters
    ----------
    path : Path or str
        File in the ECSV format if it begins with ``# %ECSV``, else a table with commas.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a table.
    """
    from astropy.table import Table  # noqa: PLC0415 - slow to import, seldom needed

    text = read_small_text(path, error=FileFormatError)
    try:
        table: Any = Table.read(text, format="ascii.ecsv" if text.startswith("# %ECSV") else "ascii.csv")
        return Catalog.from_table(table)
    except Exception as error:
        raise FileFormatError(describe_fault(error, path, "is not a table"), path=path) from error
