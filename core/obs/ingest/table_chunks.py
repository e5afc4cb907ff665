"""Tables of any size, FITS, text or Parquet, some rows at a time; ECSV, VOTable and columns between blanks at once."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError, FileFormatError, describe_fault
from obs.ingest.text_layout import TextLayout, find_text_layout
from obs.regular_file import open_regular
from obs.repo.fits_file import open_fits
from obs.repo.votable_check import check_votable
from obs.small_file import read_small_text

__all__ = ["CHUNK", "read_chunks", "table_columns", "text_columns"]

#: Rows that are read at a time.
CHUNK = 100_000

_CSV_BLOCK = 8 << 20  # bytes
_MISSING = ("", "null", "NULL", "nan", "NaN", "NA", "N/A", "-", "--", "---", "None", "INDEF")
_BLANKS = tuple(" " * number for number in range(1, 33))
"""Values that are missing, as VizieR pads them."""
_PARQUET_ENDINGS = (".parquet", ".parq")
_VOTABLE_ENDINGS = (".vot", ".votable", ".xml")
_FITS_STARTS = (b"SIMPLE", b"\x1f\x8b")
_Format = Literal["parquet", "votable", "ecsv", "delimited", "blanks", "fits"]


def table_columns(path: Path) -> dict[str, str]:
    """Return the columns of a table and their units; empty where a unit is not given.

    Parameters
    ----------
    path : Path
        Table. The endings of Parquet, ECSV and VOTable name the format; of others, the beginning of the file.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a table.
    """
    kind, layout = _find_format(path)
    if layout is not None and kind == "delimited":
        with _csv(path, layout, None) as reader:
            names = _clean(reader.schema.names)
            return dict.fromkeys(names, "") | dict(zip(names, layout.units, strict=False))
    if kind == "parquet":
        with _parquet(path) as file:
            return {field.name: _unit(field) for field in file.schema_arrow}
    if kind != "fits":
        return {name: str(column.unit or "") for name, column in _read_at_once(path, kind, layout).items()}
    with open_fits(path) as hdus:
        columns = _table(hdus, path).columns
        # a column need not have a name; nothing can ask for it then
        return {column.name: str(column.unit or "") for column in columns if column.name}


def text_columns(path: Path) -> set[str]:
    """Return the columns of a table that hold texts; of CSV, as its beginning shows.

    Parameters
    ----------
    path : Path
        The table.
    """
    kind, layout = _find_format(path)
    if layout is not None and kind == "delimited":
        with _csv(path, layout, None) as reader:
            names = _clean(reader.schema.names)
            return {name for name, kind in zip(names, reader.schema.types, strict=True) if _is_text(kind)}
    if kind == "parquet":
        with _parquet(path) as file:
            return {field.name for field in file.schema_arrow if _is_text(field.type)}
    if kind != "fits":
        return {name for name, column in _read_at_once(path, kind, layout).items() if column.dtype.kind in "OSU"}
    with open_fits(path) as hdus:
        return {column.name for column in _table(hdus, path).columns if column.name and "A" in str(column.format)}


def _is_text(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Return whether a column is text; pyarrow takes 12:30:49 for a time."""
    from pyarrow import types  # noqa: PLC0415 - slow to import, seldom needed

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_time(kind))


def read_chunks(path: Path, columns: Mapping[str, type], rows: int = CHUNK) -> Iterator[dict[str, NDArray[Any]]]:
    """Read columns of a table, some rows at a time.

    Parameters
    ----------
    path : Path
        FITS, Parquet, ECSV, VOTable, or a text of columns with a line of names.
    columns : mapping of str to type
        Columns wanted, and as what: float, int or str.
    rows : int, optional
        Most rows to yield at once.

    Yields
    ------
    dict
        For each column a float64 or int64 array of shape (n,), or one of texts; a float that is missing is NaN.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a table, or a column holds something else.
    """
    kind, layout = _find_format(path)
    if layout is not None and kind == "delimited":
        chunks = _csv_chunks(path, layout, columns, rows)
    elif kind == "parquet":
        chunks = _parquet_chunks(path, list(columns), rows)
    elif kind == "fits":
        chunks = _fits_chunks(path, list(columns), rows)
    else:
        chunks = _slices(_read_at_once(path, kind, layout), list(columns), rows)
    for chunk in chunks:
        yield {name: _as(kind, chunk[name], name, path) for name, kind in columns.items()}


def _as(kind: type, values: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    """Return a column as float64 or int64, without loss, or its texts."""
    if kind is str:
        return values
    if values.dtype.kind == "O" or values.dtype.kind in "SU":
        try:
            values = np.array([np.nan if value in (None, "", b"") else float(value) for value in values])
        except (TypeError, ValueError):
            raise FileFormatError(f"column '{name}' does not hold numbers", path=path) from None
    if kind is float:
        return values.astype(np.float64)
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    whole = np.isfinite(values) & (values == np.floor(values))
    if not whole.all():
        raise FileFormatError(f"column '{name}' holds {values[~whole][0]}, expected an integer", path=path)
    return values.astype(np.int64)


def _fits_chunks(path: Path, names: Sequence[str], rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    with open_fits(path) as hdus:
        table = _table(hdus, path)
        for start in range(0, int(table.header["NAXIS2"]), rows):
            part = table.data[start : start + rows]
            yield {name: np.asarray(part.field(name)) for name in names}


def _table(hdus: fits.HDUList, path: Path) -> fits.BinTableHDU:
    for hdu in hdus:
        # In a FITS_LDAC of SExtractor or SCAMP the header of the image comes first, as a table.
        is_table = isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)) and not isinstance(hdu, fits.CompImageHDU)
        if is_table and hdu.name != "LDAC_IMHEAD":
            return hdu
    raise FileFormatError("no table in it", path=path)


def _find_format(path: Path) -> tuple[_Format, TextLayout | None]:
    """Return how a table is to be read, and how it is laid out if it is a text."""
    name = path.name.lower()
    if name.endswith(_PARQUET_ENDINGS):
        return "parquet", None
    if name.endswith(_VOTABLE_ENDINGS):
        return "votable", None
    if name.endswith(".ecsv"):
        return "ecsv", None
    try:
        layout = find_text_layout(path)
    except OSError:
        return "fits", None  # told by who reads it
    if layout is None:
        if not _begins_as_fits(path):
            others = ", ".join((*_PARQUET_ENDINGS, ".ecsv", *_VOTABLE_ENDINGS))
            raise FileFormatError(
                f"is neither FITS nor a text with a line of names and rows below it; other tables end in {others}",
                path=path,
            )
        return "fits", None
    return ("delimited" if layout.between else "blanks"), layout


def _begins_as_fits(path: Path) -> bool:
    with open_regular(path) as file:
        return file.read(6).startswith(_FITS_STARTS)


def _slices(columns: Mapping[str, Any], names: Sequence[str], rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    arrays = {name: _filled(columns[name]) for name in names}
    for start in range(0, len(next(iter(arrays.values()))), rows):
        yield {name: values[start : start + rows] for name, values in arrays.items()}


def _filled(column: Any) -> NDArray[Any]:  # noqa: ANN401 - a column of astropy
    """Return the values of a column; those that are missing become NaN, or empty texts."""
    values: Any = np.ma.asarray(column)
    if not np.ma.getmaskarray(values).any():
        return np.asarray(values.data)
    if values.dtype.kind in "iufb":
        return np.asarray(values.astype(np.float64).filled(np.nan))
    return np.asarray(values.filled(None if values.dtype.kind == "O" else ""))


def _read_at_once(path: Path, kind: _Format, layout: TextLayout | None) -> dict[str, Any]:
    """Return the columns with one value a row of a table that people write or download."""
    from astropy.table import Column, Table  # noqa: PLC0415 - slow to import, seldom needed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of columns that are not wanted
            if kind == "votable":
                check_votable(path)
                table: Any = Table.read(path, format="votable")
            else:
                text = read_small_text(path, error=FileFormatError)
                program = layout.program if layout is not None else "ascii.ecsv"
                if layout is not None and not program:
                    lines = text.splitlines()
                    rows = lines[layout.first + 1 + layout.after :]
                    text, program = "\n".join([lines[layout.first].lstrip("# "), *rows]), "ascii.basic"
                table = Table.read(text, format=program, guess=False)
    except FileFormatError:
        raise
    except Exception as error:
        raise FileFormatError(describe_fault(error, path, "is not a table"), path=path) from error
    return {column.name: column for column in table.itercols() if isinstance(column, Column) and column.ndim == 1}


def _parquet_chunks(path: Path, names: Sequence[str], rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    with _parquet(path) as file:
        for batch in file.iter_batches(rows, columns=list(names)):
            yield {name: batch.column(name).to_numpy(zero_copy_only=False) for name in names}


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    import pyarrow  # noqa: PLC0415 - slow to import, seldom needed
    from pyarrow import parquet  # noqa: PLC0415

    try:
        open_regular(path).close()
        with parquet.ParquetFile(path) as file:
            yield file
    except FileNotFoundError:
        raise DatasetNotFoundError(f"{path} does not exist", paths=(path,)) from None
    except (OSError, pyarrow.ArrowException) as error:
        raise FileFormatError(f"cannot be read as Parquet: {_first_sentence(error)}", path=path) from error


def _unit(field: Any) -> str:  # noqa: ANN401 - pyarrow has no types
    unit: bytes = (field.metadata or {}).get(b"unit", b"")
    return unit.decode()


def _csv_chunks(
    path: Path, layout: TextLayout, columns: Mapping[str, type], rows: int
) -> Iterator[dict[str, NDArray[Any]]]:
    with _csv(path, layout, columns) as reader:
        # 8 MB of short rows are half a million, of which who asked for the rows makes several copies
        for batch in (whole.slice(at, rows) for whole in reader for at in range(0, whole.num_rows, rows)):
            names = _clean(batch.schema.names)
            if twice := [name for name in columns if names.count(name) > 1]:
                raise FileFormatError(f"there are {names.count(twice[0])} columns '{twice[0]}'; rename them", path=path)
            arrays = dict(zip(names, batch.columns, strict=True))
            yield {name: arrays[name].to_numpy(zero_copy_only=False) for name in columns}


@contextmanager
def _csv(path: Path, layout: TextLayout, columns: Mapping[str, type] | None) -> Iterator[Any]:
    import pyarrow  # noqa: PLC0415 - slow to import, seldom needed
    from pyarrow import csv  # noqa: PLC0415

    kinds = {float: pyarrow.float64(), int: pyarrow.int64(), str: pyarrow.string()}
    wanted = columns or {}
    types = {spelled: kind for name, kind in wanted.items() for spelled in (name, f"#{name}", f"# {name}")}
    try:
        open_regular(path).close()
        reader = csv.open_csv(
            path,
            csv.ReadOptions(block_size=_CSV_BLOCK, skip_rows=layout.first, skip_rows_after_names=layout.after),
            csv.ParseOptions(delimiter=layout.between, invalid_row_handler=_skip_comment),
            csv.ConvertOptions(
                column_types={name: kinds[kind] for name, kind in types.items()},
                null_values=[*_MISSING, *_BLANKS],
                strings_can_be_null=True,
                decimal_point=layout.decimal_point,
            ),
        )
        with reader:
            yield reader
    except UnicodeDecodeError as error:
        raise FileFormatError("cannot be read as text: it is not in UTF-8", path=path) from error
    except (OSError, pyarrow.ArrowException) as error:
        raise FileFormatError(f"cannot be read as a table: {_first_sentence(error)}", path=path) from error


def _skip_comment(row: Any) -> str:  # noqa: ANN401 - pyarrow has no types
    """Return what is done with a row of another number of columns: VizieR ends its tables with comments."""
    return "skip" if row.text.lstrip().startswith("#") else "error"


def _clean(names: Sequence[str]) -> list[str]:
    """Return the names of CSV columns without the mark of a comment before the first."""
    return [name.lstrip("# ").strip() for name in names]


def _first_sentence(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error)).split(". ")[0].split("\n")[0]
