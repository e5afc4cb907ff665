"""Footprints of the sources of a catalog of the LSST stack: the pixels that belong to each, and its peaks.

References
----------
The stack's afw (`detection/Footprint.cc`, `detection/HeavyFootprint.cc`, `geom/SpanSet.cc`).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.image.catalog import Catalog, Column
from obs.repo.fits_file import open_fits
from obs.repo.lsst_objects.archive import Archive, field, open_archive

__all__ = ["Footprint", "read_footprint", "read_footprints"]

#: Names of the position of a peak, its pixel and its value, in newer and in older files.
_PEAKS = {"x": ("f_x", "x"), "y": ("f_y", "y"), "value": ("peakValue", "value")}


@frozen
class Footprint:
    """Pixels of one source, counted as the stack counts them.

    Parameters
    ----------
    y, x0, x1 : ndarray of int64, shape (n,)
        Row, first and last column of each run of pixels.
    peaks : Catalog
        Position ``x``, ``y``, pixels, and ``value`` of each peak.
    image, mask, variance : ndarray or None, shape (n_pixel,)
        Values of the pixels, run by run, of a source that was deblended.
    """

    y: NDArray[np.int64]
    x0: NDArray[np.int64]
    x1: NDArray[np.int64]
    peaks: Catalog
    image: NDArray[Any] | None = None
    mask: NDArray[Any] | None = None
    variance: NDArray[Any] | None = None

    @property
    def area(self) -> int:
        """Number of pixels of the source."""
        return int(np.sum(self.x1 - self.x0 + 1))

    def pixels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return row and column of each pixel, run by run, both shape (area,)."""
        length = self.x1 - self.x0 + 1
        first = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
        along = np.arange(int(length.sum())) - np.repeat(first, length)
        return np.repeat(self.y, length), np.repeat(self.x0, length) + along


def read_footprints(path: Path | str, numbers: NDArray[Any]) -> list[Footprint | None]:
    """Read the footprints of a catalog.

    Parameters
    ----------
    path : Path or str
        The file of the catalog.
    numbers : ndarray of int, shape (n,)
        The column ``footprint`` of the sources.

    Returns
    -------
    list of Footprint or None
        One a source; None for a source that has none.

    Raises
    ------
    FileFormatError
        If the file has no such objects.
    """
    with open_fits(path) as hdus:
        archive = open_archive(hdus)
        if archive is None:
            raise FileFormatError("no footprints in it: the catalog was written without them", path=path)
        return [read_footprint(archive, int(number)) if number else None for number in numbers]


def read_footprint(archive: Archive, number: int) -> Footprint:
    """Return a footprint by its number.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the footprint in it.

    Returns
    -------
    Footprint
        Rows and columns as the stack counts pixels; with pixel values if it is a heavy footprint.

    Raises
    ------
    FileFormatError
        If it is of another class, or damaged.
    """
    name, rows = archive.find(number)
    is_heavy = name.startswith("HeavyFootprint")
    if not (is_heavy or name == "Footprint") or len(rows) != (3 if is_heavy else 2):
        raise FileFormatError(f"object {number} is a {name} with {len(rows)} tables; expected a Footprint")
    spans = rows[0]
    if "y" not in spans.dtype.names:  # since 2017 in an object of their own
        spans = archive.find(int(field(spans, "id")[0]))[1][0]
    y, x0, x1 = (np.array(field(spans, column), np.int64) for column in ("y", "x0", "x1"))
    if not is_heavy:
        return Footprint(y, x0, x1, _peaks(rows[1]))
    values = [np.array(np.ravel(field(rows[2], plane)[0])) for plane in ("image", "mask", "variance")]
    made = Footprint(y, x0, x1, _peaks(rows[1]), *(value.astype(value.dtype.newbyteorder("=")) for value in values))
    if any(len(value) != made.area for value in values):
        raise FileFormatError(f"footprint {number} is damaged: {len(values[0])} values for {made.area} pixels")
    return made


def _peaks(rows: Any) -> Catalog:  # noqa: ANN401 - rows of astropy
    names = rows.dtype.names
    columns = {}
    for name, spellings in _PEAKS.items():
        found = next((one for one in spellings if one in names or one.replace("_", ".") in names), None)
        if found is None:
            raise FileFormatError(f"the peaks of a footprint have no {name}; columns: {', '.join(names)}")
        unit = "" if name == "value" else "pix"
        columns[name] = Column(np.array(field(rows, found), np.float64), unit, f"{name} of the peak")
    return Catalog(columns)
