"""Catalogs as Parquet files; units and descriptions are metadata of the fields."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError, FileFormatError
from obs.image.catalog import Catalog, Column
from obs.regular_file import open_regular
from obs.repo.atomic import atomic_write

__all__ = [
    "parquet_length",
    "parquet_schema",
    "read_parquet",
    "write_parquet",
    "write_parquet_parts",
    "write_parquet_to",
]

_KEY = b"obs"


def write_parquet(catalog: Catalog, path: Path | str) -> None:
    """Write a catalog to a Parquet file.

    Parameters
    ----------
    catalog : Catalog
        Catalog; units and descriptions of the columns are kept.
    path : Path or str
        File; it is written whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path) as file:
        write_parquet_to(catalog, file)


def write_parquet_to(catalog: Catalog, file: BinaryIO) -> None:
    """Write a catalog to an open file, which may be a pipe.

    Parameters
    ----------
    catalog : Catalog
        Catalog to write.
    file : binary file
        Open file.
    """
    from pyarrow import parquet  # noqa: PLC0415 - slow to import, seldom needed

    parquet.write_table(_table(catalog), file, write_page_checksum=True)


def write_parquet_parts(like: Catalog, parts: Iterable[Catalog], path: Path | str) -> None:
    """Write a catalog whose rows come in parts, of which one is in memory at a time.

    Parameters
    ----------
    like : Catalog
        The columns, their types, and the metadata of all; without rows.
    parts : iterable of Catalog
        The rows, with columns of the same types.
    path : Path or str
        The file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from pyarrow import parquet  # noqa: PLC0415 - slow to import, seldom needed

    schema = _table(like).schema
    with atomic_write(path) as file, parquet.ParquetWriter(file, schema, write_page_checksum=True) as writer:
        for part in parts:
            writer.write_table(_table(part).replace_schema_metadata(schema.metadata).cast(schema))


def _table(catalog: Catalog) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow  # noqa: PLC0415 - slow to import, seldom needed

    arrays, fields = [], []
    for name, column in catalog.columns.items():
        array = pyarrow.array(column.data.reshape(-1))
        for size in column.data.shape[:0:-1]:
            array = pyarrow.FixedSizeListArray.from_arrays(array, size)
        arrays.append(array)
        fields.append(
            pyarrow.field(name, array.type, metadata={"unit": column.unit, "description": column.description})
        )
    metadata = {_KEY: json.dumps(catalog.metadata, default=_plain)}
    return pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields, metadata))


def read_parquet(path: Path | str) -> Catalog:
    """Read a catalog from a Parquet file.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a Parquet file, is truncated, or has changed since it was written.
    """
    with _opened(path) as file:
        return _catalog(file.read())


def parquet_schema(path: Path | str) -> Catalog:
    """Read the columns and metadata without the rows; errors as of `read_parquet`.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    Catalog
        A catalog without rows.
    """
    with _opened(path) as file:
        return _catalog(file.schema_arrow.empty_table())


def parquet_length(path: Path | str) -> int:
    """Read the number of rows; errors as of `read_parquet`."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


@contextlib.contextmanager
def _opened(path: Path | str) -> Iterator[Any]:
    from pyarrow import parquet  # noqa: PLC0415 - slow to import, seldom needed

    try:
        open_regular(path).close()
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path} does not exist", paths=(path,)) from error
    except Exception as error:  # a footer that has changed fails in ways of every kind, also in what reads it here
        raise FileFormatError(f"cannot be read as Parquet: {_reason(error)}", path=path) from error


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    if "CRC checksum" in text:
        return "its data do not agree with their checksum; they have changed since the file was written: make it again"
    return " ".join(text.split(". ")[0].split()) or type(error).__name__


def _catalog(table: Any) -> Catalog:  # noqa: ANN401 - pyarrow has no types
    columns = {}
    for field in table.schema:
        meaning = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        data = _array(table.column(field.name).combine_chunks())
        columns[field.name] = Column(data, meaning.get("unit", ""), meaning.get("description", ""))
    metadata = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    return Catalog(columns, metadata)


def _array(column: Any) -> NDArray[Any]:  # noqa: ANN401 - pyarrow has no types
    import pyarrow  # noqa: PLC0415 - slow to import, seldom needed

    shape = [len(column)]
    while pyarrow.types.is_fixed_size_list(column.type):
        shape.append(column.type.list_size)
        column = column.flatten()
    data = column.to_numpy(zero_copy_only=False)
    if data.dtype == object and pyarrow.types.is_string(column.type):
        data = np.array(["" if value is None else value for value in data], np.str_)
    return np.array(data.reshape(shape))


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)
