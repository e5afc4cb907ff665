"""Polygons in the archives of the LSST stack, which enclose the valid part of an image."""

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.repo.lsst_objects.archive import Archive, field

__all__ = ["read_polygon"]


def read_polygon(archive: Archive, number: int) -> NDArray[np.float64]:
    """Return the corners of a polygon, shape (n, 2), as the stack counts pixels.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the polygon in it.

    Raises
    ------
    FileFormatError
        If it is of another class.
    """
    name, rows = archive.find(number)
    if name != "Polygon" or not rows:
        raise FileFormatError(f"the valid part of an exposure is of the stack's class {name}, which is not read")
    ends = (next((column for column in rows[0].dtype.names if column.endswith(axis)), "") for axis in "xy")
    return np.stack([np.array(field(rows[0], column), np.float64) for column in ends], axis=1)
