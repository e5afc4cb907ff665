"""Published catalogs into a repository as reference catalogs: one FITS table a triangle of the sky.

Files are read some rows at a time, and the rows sorted into one temporary file a triangle, so that memory does not grow
with the catalog. The folder gets its name when everything is in it.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError, ObsError, OutputError
from obs.frozen import frozen
from obs.htm import htm_index
from obs.image.catalog import Catalog, Column
from obs.ingest.reference_columns import ReferenceColumns, ReferenceColumnsConfig, find_columns
from obs.ingest.table_chunks import CHUNK, read_chunks, table_columns, text_columns
from obs.os_advice import write_advice
from obs.rendering import render
from obs.repo.atomic import atomic_write, remove_leftovers, temporary_path
from obs.repo.fits_catalog import write_catalog
from obs.repo.folder_exchange import replace_folder
from obs.repo.links_out import check_inside
from obs.repo.reference_catalog import DEPTH, REFERENCE_FOLDER

__all__ = ["IngestedCatalog", "ingest_reference_catalog"]

_LONGEST_NAME = 100
#: A folder, and a text in the Python file that LSST's stack runs.
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.+-]{{0,{_LONGEST_NAME - 1}}}")


@frozen
class IngestedCatalog:
    """What became of a catalog.

    Parameters
    ----------
    folder : Path
        Where it is.
    n_row, n_shard : int
        Objects, and files that they are in.
    n_dropped : int
        Rows that were left out because they have no position.
    n_copy : int
        Rows that were left out because they repeat an earlier row: files may overlap.
    columns : tuple of str
        What is known of each object.
    bands : mapping of str to str
        Bands, and the column of the files that each comes from.
    estimated : tuple of str
        Bands that are estimated from those of Gaia.
    """

    folder: Path
    n_row: int
    n_shard: int
    n_dropped: int
    n_copy: int
    columns: tuple[str, ...]
    bands: Mapping[str, str]
    estimated: tuple[str, ...]


def ingest_reference_catalog(
    root: Path,
    name: str,
    files: Sequence[Path],
    config: ReferenceColumnsConfig,
    *,
    clobber: bool = False,
    chunk: int = CHUNK,
    on_rows: Callable[[int], None] | None = None,
) -> IngestedCatalog:
    """Make a reference catalog of published ones.

    Parameters
    ----------
    root : Path
        The repository.
    name : str
        Name of the catalog.
    files : sequence of Path
        FITS, CSV, Parquet, ECSV or VOTable tables, all with the same columns.
    config : ReferenceColumnsConfig
        Which column is what.
    clobber : bool, default: False
        Replace a catalog of that name.
    chunk : int, optional
        Rows in memory at a time; the largest file of the result must fit too.
    on_rows : callable, optional
        Called with the number of rows that were read.

    Raises
    ------
    OutputError
        If there is a catalog of that name, the name is none for a folder, or it cannot be written.
    ConfigError
        If a column is not there.
    FileFormatError
        If a file cannot be read, or a position is not on the sky.
    """
    target = root / REFERENCE_FOLDER / name
    if not _NAME.fullmatch(name):
        shown = name if len(name) < _LONGEST_NAME else f"{name[:20]}..."
        raise OutputError(
            f"{shown!r} cannot be the name of a reference catalog; take up to {_LONGEST_NAME} letters, digits, '_', "
            "'-', '+' and '.', a letter or digit first"
        )
    there = OutputError(f"there is a reference catalog {target} already; --clobber replaces it", path=target)
    if os.path.lexists(target) and not clobber:
        raise there
    with _staging(root, name) as staging:
        sorter = _Sorter(staging)
        bands: dict[str, str] = {}
        estimated: tuple[str, ...] = ()
        for path in files:
            columns = find_columns(config, table_columns(path), text_columns(path))
            bands, estimated = {**columns.bands, **bands}, columns.estimated
            for rows in read_chunks(path, columns.wanted, chunk):
                sorter.add(columns, rows, path)
                if on_rows is not None:
                    on_rows(len(next(iter(rows.values()))))
        result = sorter.finish(name)
        check_inside(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            replace_folder(staging / "shards", target, clobber=clobber)
        except FileExistsError:
            raise there from None
    return IngestedCatalog(target, *result, bands, estimated)


class _Sorter:
    """Sorts rows into a temporary file for each triangle, and makes the shards of these."""

    def __init__(self, staging: Path) -> None:
        self.rows, self.shards = staging / "rows", staging / "shards"
        self.rows.mkdir()
        self.shards.mkdir()
        self.schema: Catalog | None = None
        self.dtype: np.dtype[Any] = np.dtype([])
        self.n_read = self.n_row = self.n_dropped = 0
        self.numbers: set[int] = set()
        self.numbered = True

    def add(self, columns: ReferenceColumns, rows: dict[str, NDArray[Any]], path: Path) -> None:
        self.numbered = "id" not in columns.sources
        try:
            catalog = columns.convert(rows, first_id=self.n_read + self.n_dropped + 1)
        except FileFormatError as error:
            raise FileFormatError(str(error), path=path) from None
        ra, dec = catalog["coord_ra"], catalog["coord_dec"]
        known = np.isfinite(ra) & np.isfinite(dec)
        if (np.abs(dec[known]) > np.pi / 2 + 1e-9).any():
            worst = np.degrees(dec[known][np.argmax(np.abs(dec[known]))])
            raise FileFormatError(f"a declination of {worst:.6g} deg is not on the sky; is its unit right?", path=path)
        if not known.all():
            catalog = catalog.select(known)
        self.n_dropped += int((~known).sum())
        self.n_read += len(catalog)
        packed = self._pack(catalog, path)
        if not len(packed):
            return  # all rows of a part of the file may be without a position
        degrees = np.degrees(catalog["coord_ra"]), np.degrees(catalog["coord_dec"])
        triangle = htm_index(ra=degrees[0], dec=degrees[1], depth=DEPTH)
        order = np.argsort(triangle, kind="stable")
        numbers, starts = np.unique(triangle[order], return_index=True)
        for number, part in zip(numbers.tolist(), np.split(packed[order], starts[1:]), strict=True):
            self.numbers.add(number)
            with (self.rows / str(number)).open("ab") as file:
                part.tofile(file)

    def _pack(self, catalog: Catalog, path: Path) -> NDArray[Any]:
        """Return the rows as records, whose layout is that of the first file."""
        if self.schema is None:
            self.schema = catalog.select(slice(0, 0))
            self.dtype = np.dtype([(name, column.data.dtype) for name, column in catalog.columns.items()])
        if catalog.schema.names != self.schema.schema.names:
            odd = sorted(set(catalog.columns) ^ set(self.schema.columns))
            raise FileFormatError(
                f"has other columns than the first file: {', '.join(odd) or 'in another order'}", path=path
            )
        packed = np.empty(len(catalog), self.dtype)
        for name in catalog.columns:
            packed[name] = catalog[name]
        return packed

    def finish(self, name: str) -> tuple[int, int, int, int, tuple[str, ...]]:
        """Write the shards, and return the numbers of rows, shards, dropped rows and copies, and the columns."""
        if self.schema is None or not self.n_read:
            raise FileFormatError("no object with a position in the files given")
        for number in sorted(self.numbers):
            packed = np.fromfile(self.rows / str(number), self.dtype)
            packed = _without_copies(packed, numbered=self.numbered)
            self.n_row += len(packed)
            columns = {
                key: Column(packed[key], column.unit, column.description) for key, column in self.schema.columns.items()
            }
            write_catalog(Catalog(columns, self.schema.metadata), self.shards / f"{number}.fits")
            (self.rows / str(number)).unlink()
        write_catalog(self.schema, self.shards / "master_schema.fits")
        with atomic_write(self.shards / "config.py") as file:
            file.write(render("ref_cat_config.py.jinja", name=name, depth=DEPTH).encode())
        return self.n_row, len(self.numbers), self.n_dropped, self.n_read - self.n_row, tuple(self.schema.columns)


def _without_copies(rows: NDArray[Any], *, numbered: bool) -> NDArray[Any]:
    """Return rows without copies of an earlier one: the same position to the bit, and the same id if files have ids."""
    names = ["coord_ra", "coord_dec"] if numbered else ["id", "coord_ra", "coord_dec"]
    places = rows[names]
    _, first = np.unique(places, return_index=True)
    return rows[np.sort(first)]


@contextlib.contextmanager
def _staging(root: Path, name: str) -> Iterator[Path]:
    """Make a folder beside the catalogs' for what is not finished; it is removed in any case."""
    folder = temporary_path(root / REFERENCE_FOLDER)
    remove_leftovers(root)
    check_inside(root / REFERENCE_FOLDER)
    try:
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        if isinstance(error, ObsError):
            raise
        raise OutputError(f"cannot write to {root}: {write_advice(error)}", path=root) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
