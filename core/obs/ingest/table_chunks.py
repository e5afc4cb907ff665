"""Tables of any size, FITS, CSV or Parquet, some rows at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError, FileFormatError
from obs.regular_file import open_regular
from obs.repo.fits_file import open_fits

__all__ = ["CHUNK", "read_chunks", "table_columns"]

#: Rows that are read at a time.
CHUNK = 100_000

_CSV_BLOCK = 8 << 20  # bytes
_CSV_ENDINGS = (".csv", ".csv.gz", ".txt", ".tsv")
_PARQUET_ENDINGS = (".parquet", ".parq")


def table_columns(path: Path) -> dict[str, str]:
    """Return the columns of a table and their units; empty where a unit is not given.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a table.
    """
    if path.name.endswith(_CSV_ENDINGS):
        with _csv(path, None) as reader:
            return dict.fromkeys(_clean(reader.schema.names), "")
    if path.name.endswith(_PARQUET_ENDINGS):
        with _parquet(path) as file:
            return {field.name: _unit(field) for field in file.schema_arrow}
    with open_fits(path) as hdus:
        columns = _table(hdus, path).columns
        return {column.name: str(column.unit or "") for column in columns}


def read_chunks(
    path: Path, columns: Mapping[str, type], rows: int = CHUNK
) -> Iterator[dict[str, NDArray[np.float64] | NDArray[np.int64]]]:
    """Read columns of a table, some rows at a time.

    Parameters
    ----------
    path
        FITS, CSV (``.csv``, ``.tsv``, ``.txt``, also gzipped) or Parquet.
    columns
        Columns wanted, and as what: float or int.
    rows
        Most rows to yield at once; of CSV, about 8 MB are.

    Yields
    ------
    dict
        For each column a float64 or int64 array of shape (n,); a float that is missing is NaN.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a table, or a column holds something else.
    """
    if path.name.endswith(_CSV_ENDINGS):
        chunks = _csv_chunks(path, columns)
    elif path.name.endswith(_PARQUET_ENDINGS):
        chunks = _parquet_chunks(path, list(columns), rows)
    else:
        chunks = _fits_chunks(path, list(columns), rows)
    for chunk in chunks:
        yield {name: _as(kind, chunk[name], name, path) for name, kind in columns.items()}


def _as(kind: type, values: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    """Return a column as float64 or int64, without loss."""
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
        if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)) and not isinstance(hdu, fits.CompImageHDU):
            return hdu
    raise FileFormatError("no table in it", path=path)


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


def _csv_chunks(path: Path, columns: Mapping[str, type]) -> Iterator[dict[str, NDArray[Any]]]:
    with _csv(path, columns) as reader:
        for batch in reader:
            names = _clean(batch.schema.names)
            if twice := [name for name in columns if names.count(name) > 1]:
                raise FileFormatError(f"there are {names.count(twice[0])} columns '{twice[0]}'; rename them", path=path)
            arrays = dict(zip(names, batch.columns, strict=True))
            yield {name: arrays[name].to_numpy(zero_copy_only=False) for name in columns}


@contextmanager
def _csv(path: Path, columns: Mapping[str, type] | None) -> Iterator[Any]:
    import pyarrow  # noqa: PLC0415 - slow to import, seldom needed
    from pyarrow import csv  # noqa: PLC0415

    kinds = {float: pyarrow.float64(), int: pyarrow.int64()}
    delimiter = "\t" if path.name.endswith(".tsv") else ","
    wanted = columns or {}
    types = {spelled: kind for name, kind in wanted.items() for spelled in (name, f"#{name}", f"# {name}")}
    try:
        open_regular(path).close()
        reader = csv.open_csv(
            path,
            csv.ReadOptions(block_size=_CSV_BLOCK),
            csv.ParseOptions(delimiter=delimiter),
            csv.ConvertOptions(
                column_types={name: kinds[kind] for name, kind in types.items()},
                null_values=["", "null", "NULL", "nan", "NaN", "NA", "--", "None"],
                strings_can_be_null=True,
            ),
        )
        with reader:
            yield reader
    except FileNotFoundError:
        raise DatasetNotFoundError(f"{path} does not exist", paths=(path,)) from None
    except UnicodeDecodeError as error:
        raise FileFormatError("cannot be read as CSV: it is not text in UTF-8", path=path) from error
    except (OSError, pyarrow.ArrowException) as error:
        raise FileFormatError(f"cannot be read as CSV: {_first_sentence(error)}", path=path) from error


def _clean(names: Sequence[str]) -> list[str]:
    """Return the names of CSV columns without the mark of a comment before the first."""
    return [name.lstrip("# ").strip() for name in names]


def _first_sentence(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error)).split(". ")[0].split("\n")[0]
