"""Tables in formats that other programs read: FITS, Parquet, VOTable, ECSV and CSV."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from obs.errors import OutputError, suggest
from obs.image.catalog import Catalog
from obs.repo.atomic import atomic_write
from obs.repo.fits_catalog import write_catalog, write_catalog_parts
from obs.repo.parquet_catalog import write_parquet, write_parquet_parts

__all__ = [
    "ENDINGS",
    "FORMATS_BY_ENDING",
    "TABLE_FORMATS",
    "TableFormat",
    "choose_table_format",
    "write_table",
    "write_table_parts",
]

TableFormat = Literal["fits", "parquet", "votable", "ecsv", "csv"]
TABLE_FORMATS: tuple[TableFormat, ...] = get_args(TableFormat)
#: Ending of a file name to its format; the first of a format is what `ENDINGS` writes.
FORMATS_BY_ENDING: dict[str, TableFormat] = {
    ".fits": "fits",
    ".parquet": "parquet",
    ".vot": "votable",
    ".ecsv": "ecsv",
    ".csv": "csv",
    ".fit": "fits",
    ".parq": "parquet",
    ".votable": "votable",
    ".xml": "votable",
}
ENDINGS: dict[TableFormat, str] = {kind: ending for ending, kind in reversed(FORMATS_BY_ENDING.items())}

#: Without it astropy takes TIMESYS for too new.
_VOTABLE_1_4 = {"version_1_4_or_later": True}
#: Column of times: its origin as Julian day, its scale, and the place.
_TIME_SYSTEMS = {"mjd_mid": (2400000.5, "UTC", "TOPOCENTER"), "bjd_tdb": (0.0, "TDB", "BARYCENTER")}


def choose_table_format(path: Path) -> TableFormat:
    """Return the format that the ending of a file name asks for.

    Parameters
    ----------
    path : Path
        File to write.

    Raises
    ------
    OutputError
        If it asks for none.
    """
    ending = path.suffix.lower()
    known = FORMATS_BY_ENDING
    if ending not in known:
        raise OutputError(
            f"{path}: no table format for '{ending}'{suggest(ending, known)}; endings: {', '.join(known)}",
            path=path,
        )
    return FORMATS_BY_ENDING[ending]


def write_table(table: Catalog, path: Path, kind: TableFormat) -> None:
    """Write a table with units and descriptions, whole or not at all.

    Parameters
    ----------
    table : Catalog
        The table.
    path : Path
        The file, replaced if there is one.
    kind : str
        Its format.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if kind == "fits":
        write_catalog(table, path)
    elif kind == "parquet":
        write_parquet(table, path)
    elif kind == "votable":
        _write_votable(table, path)
    else:
        _write_text(table, path, kind)


def write_table_parts(
    like: Catalog, count: int, parts: Iterable[Catalog], path: Path, kind: Literal["fits", "parquet"]
) -> None:
    """Write a table whose rows come in parts, of which one is in memory at a time; whole or not at all.

    Parameters
    ----------
    like : Catalog
        The columns, their types, and the metadata; without rows.
    count : int
        Number of all rows.
    parts : iterable of Catalog
        The rows, with columns of the same types.
    path : Path
        The file, replaced if there is one.
    kind : str
        Its format.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if kind == "fits":
        write_catalog_parts(like, count, parts, path)
    else:
        write_parquet_parts(like, parts, path)


def _write_votable(table: Catalog, path: Path) -> None:
    """Write a VOTable; TIMESYS says what the times mean (IVOA VOTable 1.4)."""
    from astropy.io.votable import from_table  # noqa: PLC0415 - slow to import, seldom needed
    from astropy.io.votable.tree import TimeSys  # noqa: PLC0415

    plain = Catalog(table.columns)
    document = from_table(plain.to_table(), table_id="sources")
    document.version = "1.4"
    resource = document.resources[0]
    fields = {field.name: field for field in resource.tables[0].fields}
    for name, number, scale, place in (
        ("mjd_mid", 2400000.5, "UTC", "TOPOCENTER"),
        ("bjd_tdb", 0.0, "TDB", "BARYCENTER"),
    ):
        if name in fields:
            system = TimeSys(
                ID=f"time_{name}", timeorigin=number, timescale=scale, refposition=place, config=_VOTABLE_1_4
            )
            resource.time_systems.append(system)
            fields[name].ref = system.ID
    with atomic_write(path) as file:
        document.to_xml(file, tabledata_format="binary2")


def _write_text(table: Catalog, path: Path, kind: Literal["ecsv", "csv"]) -> None:
    if kind == "csv" and (wide := [name for name, column in table.columns.items() if np.ndim(column.data) > 1]):
        raise OutputError(f"{path}: '{wide[0]}' has several values a row, which CSV cannot hold; take ECSV", path=path)
    plain = Catalog(table.columns, {name: _plain(value) for name, value in table.metadata.items()})
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        plain.to_table().write(text, format=f"ascii.{kind}")
        text.detach()


def _plain(value: Any) -> Any:  # noqa: ANN401 - values of cards
    return value.item() if isinstance(value, np.generic) else value
