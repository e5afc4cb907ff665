"""Reference catalogs: folders of FITS tables, one a triangle of the sky, as LSST's stack makes them.

``ref_cats/NAME/188516.fits`` holds the objects in triangle 188516 of the hierarchical triangular mesh at depth 7.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError, FileFormatError, suggest
from obs.htm import cover_circle
from obs.image.catalog import Catalog, Column
from obs.repo.fits_catalog import read_catalog
from obs.repo.input_files import note_input
from obs.sky_vectors import sky_vectors

__all__ = ["DEPTH", "find_reference_catalog", "load_reference_catalog"]

#: Depth of the mesh.
DEPTH = 7

#: Folder of the reference catalogs in a repository.
REFERENCE_FOLDER = "ref_cats"
_WHOLE_SKY = 180.0  # degrees
#: Most files, and bytes of them, of a catalog that is read as a whole: a deep one of 100 square degrees, or a sparse
#: one of an eighth of the sky.
_MOST_FILES, _MOST_BYTES = 16384, 1 << 29
#: Files of sparse catalogs that stay in memory, and the bytes up to which a file is one: a field of many degrees, of
#: which each exposure wants thousands of files, is read once by a process. Some 100 MB at most.
_KEPT_FILES, _SMALL_FILE = 8192, 20160
_COORDINATES = ("coord_ra", "coord_dec")
#: From this version of the format on, fluxes are in nanojansky; before, in jansky.
_VERSION = "REFCAT_FORMAT_VERSION"
_NANOJANSKY = 1e9


def find_reference_catalog(roots: Sequence[Path], name: str) -> Path:
    """Return the folder of a reference catalog.

    Parameters
    ----------
    roots : sequence of Path
        Repositories to look in, the first that has it wins.
    name : str
        Name of the catalog.

    Raises
    ------
    DatasetNotFoundError
        If none has it; the message lists those that there are.
    """
    for root in roots:
        folder = root / REFERENCE_FOLDER / name
        if name and Path(name).name == name and folder.is_dir():
            return folder
    raise _missing([root / REFERENCE_FOLDER for root in roots], name)


def load_reference_catalog(folder: Path, *, ra: float, dec: float, radius: float) -> Catalog:
    """Read the objects within a circle; only files that it touches are opened.

    Parameters
    ----------
    folder : Path
        Folder of the catalog.
    ra, dec : float
        Center, degrees.
    radius : float
        Radius, degrees; 180 reads all of the catalog.

    Returns
    -------
    Catalog
        ``coord_ra`` and ``coord_dec`` in degrees, fluxes in nanojansky, and whatever else the files have; the name of
        the catalog is in the metadata as ``REFERENCE_NAME``. Empty, and then perhaps without columns, where the catalog
        does not reach.

    Raises
    ------
    DatasetNotFoundError
        If the folder is missing or is not a reference catalog, or all of a catalog is wanted that has too many files.
    FileFormatError
        If a file is not part of a reference catalog.
    """
    if not folder.is_dir():
        raise _missing([folder.parent], folder.name)
    parts = list(_read_parts(folder, _numbers(folder, ra, dec, radius)))
    if not parts:
        _check_shards(folder)
        return Catalog()
    names = [name for name in parts[0].columns if all(name in part for part in parts)]
    first = parts[0]
    columns = {
        name: Column(
            np.concatenate([part[name] for part in parts]), first.columns[name].unit, first.columns[name].description
        )
        for name in names
    }
    catalog = Catalog(columns, {**first.metadata, "REFERENCE_NAME": folder.name})
    vectors = sky_vectors(catalog["coord_ra"], catalog["coord_dec"])
    # The chord, unlike the cosine, is exact for small angles.
    chord = np.linalg.norm(vectors - sky_vectors(ra, dec), axis=1)
    return catalog.select(chord <= 2 * np.sin(np.radians(min(radius, 180.0)) / 2))


def _missing(folders: Sequence[Path], name: str) -> DatasetNotFoundError:
    known = sorted({entry.name for folder in folders for entry in folder.glob("*") if entry.is_dir()})
    looked = ", ".join(map(str, folders))
    return DatasetNotFoundError(
        f"no reference catalog '{name}' in {looked}{suggest(name, known)}; there are: {', '.join(known) or 'none'}",
        dataset_type="ref_cat",
        paths=[folder / name for folder in folders],
    )


def _check_shards(folder: Path) -> None:
    """Refuse a folder that is not a reference catalog at all, rather than one that does not reach so far.

    Raises
    ------
    DatasetNotFoundError
        If it has no file of a triangle of the sky.
    """
    if any(path.name.split(".")[0].isdigit() for path in folder.glob("*.fits*")):
        return
    catalogs = sorted({path.parent for path in folder.glob("*/[0-9]*.fits*")} | set(folder.glob("ref_cats/*/")))
    advice = (
        f"did you mean {catalogs[0]}?" if catalogs else "name the folder of one catalog, such as DATA/ref_cats/gaia"
    )
    raise DatasetNotFoundError(
        f"{folder} is not a reference catalog: it has no files such as 231866.fits; {advice}",
        dataset_type="ref_cat",
        paths=[folder],
    )


def _numbers(folder: Path, ra: float, dec: float, radius: float) -> NDArray[np.int64]:
    """Return the numbers of the triangles that a circle touches; for the whole sky, of those that the folder has."""
    if radius < _WHOLE_SKY:
        return cover_circle(ra=ra, dec=dec, radius=radius, depth=DEPTH)
    names = {path.name.split(".")[0] for path in folder.glob("*.fits*")}
    numbers = sorted(int(name) for name in names if name.isdigit())
    size = sum(path.stat().st_size for path in folder.glob("*.fits*"))
    if len(numbers) > _MOST_FILES or size > _MOST_BYTES:
        raise DatasetNotFoundError(
            f"the reference catalog {folder.name} has {len(numbers)} files of {size >> 20} MB, more than the "
            f"{_MOST_FILES} files or {_MOST_BYTES >> 20} MB that can be searched without a pointing; give the exposure "
            "a WCS that is right to a few frames",
            dataset_type="ref_cat",
            paths=[folder],
        )
    return np.array(numbers, np.int64)


def _read_parts(folder: Path, numbers: NDArray[np.int64]) -> Iterator[Catalog]:
    for number in numbers:
        for path in (folder / f"{number}.fits", folder / f"{number}.fits.gz"):
            if path.is_file():
                note_input("ref_cat", path)
                status = path.stat()
                small = status.st_size <= _SMALL_FILE
                yield _kept_part(path, status.st_mtime_ns, status.st_size) if small else _read_part(path)
                break


def _read_part(path: Path) -> Catalog:
    return _in_our_units(read_catalog(path), path)


@lru_cache(_KEPT_FILES)
def _kept_part(path: Path, _modified: int, _size: int) -> Catalog:
    """Return a part as it was read before, as long as its file is the same."""
    return _read_part(path)


def _in_our_units(catalog: Catalog, path: Path) -> Catalog:
    for name in _COORDINATES:
        if name not in catalog:
            raise FileFormatError(f"no reference catalog: it has no column '{name}'", path=path)
    columns = {}
    for name, column in catalog.columns.items():
        data, unit = column.data, column.unit
        if unit == "rad" or (name in _COORDINATES and unit not in ("deg", "degree")):
            data, unit = np.degrees(data), "deg"
        elif (name.endswith("_flux") or name.endswith("_fluxErr")) and unit != "nJy":
            is_jansky = unit == "Jy" or not catalog.metadata.get(_VERSION)
            data, unit = (data * _NANOJANSKY if is_jansky else data), "nJy"
        columns[name] = Column(data, unit, column.description)
    return Catalog(columns, catalog.metadata)
