"""Tables of defects: our own, those of the LSST stack as FITS regions, and older ones, all as boxes of pixels."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.catalog import Catalog, Column
from obs.repo.fits_catalog import read_catalog
from obs.repo.fits_exposure_header import image_or_empty
from obs.repo.fits_file import open_fits
from obs.repo.text_table import is_text_table, read_text_table

__all__ = ["read_defect_mask", "read_defects"]

_LOG = logging.getLogger(__name__)

_BOX = ("x0", "y0", "width", "height")
_MEANINGS = ("first column", "first row", "number of columns", "number of rows")
_REGION = ("x", "y", "shape", "r")
#: Turns of a box that leave it a box, degrees.
_QUARTER = 90.0
#: No detector has so many rows or columns.
_LARGEST = 2**31


def read_defects(path: Path | str, *, hdu: int | None = None) -> Catalog:
    """Read a table of defects as boxes of pixels.

    Parameters
    ----------
    path : Path or str
        A FITS table with the columns x0, y0, width, height (0-based), or X, Y, SHAPE, R, ROTANG of FITS regions, whose
        centers count from 1; or the same as text (ECSV or CSV).
    hdu : int, optional
        Number of the HDU of the table; by default that of the first.

    Returns
    -------
    Catalog
        Columns x0, y0, width and height, int, 0-based, with the metadata of the file.

    Raises
    ------
    FileFormatError
        If the table has other columns.
    """
    table = read_text_table(path) if is_text_table(path) else read_catalog(path, hdu=hdu)
    names = {name.lower(): name for name in table.columns}
    if all(name in names for name in _BOX):
        boxes = np.stack([_whole_numbers(table, names[name], path) for name in _BOX], axis=1)
    elif all(name in names for name in _REGION):
        boxes = _region_boxes(table, names, path)
    else:
        found = ", ".join(table.columns) or "no column"
        raise FileFormatError(
            f"is not a table of defects: it has {found}; expected x0, y0, width and height, or X, Y, SHAPE and R",
            path=path,
        )
    columns = {
        name: Column(boxes[:, number], "pix", f"{meaning}, 0-based" if number < 2 else meaning)
        for number, (name, meaning) in enumerate(zip(_BOX, _MEANINGS, strict=True))
    }
    return Catalog(columns, table.metadata)


def _whole_numbers(table: Catalog, name: str, path: Path | str) -> NDArray[np.int64]:
    """Return a column of pixels; one with anything but whole numbers would be other pixels."""
    try:
        values = np.asarray(table[name], np.float64)
    except (TypeError, ValueError):  # a text among them
        values = np.array([float(value) if str(value).isdigit() else np.nan for value in table[name]])
    wrong = ~((values == np.floor(values)) & (np.abs(values) < _LARGEST))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise FileFormatError(
            f"row {row + 1} of the defects: {name} is {str(table[name][row])[:40]}, expected a whole number of pixels",
            path=path,
        )
    return values.astype(np.int64)


def read_defect_mask(path: Path | str) -> NDArray[Any] | None:
    """Read defects that are an image, not 0 where pixels are bad, as those of DECam; None if the file has a table.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    ndarray of the file's type, shape (ny, nx), or None
        The image.
    """
    if is_text_table(path):
        return None
    with open_fits(path) as hdus:
        image = image_or_empty(hdus)
        has_table = any(not hdu.is_image for hdu in hdus)
        return None if image is None or has_table else np.array(image.data)


def _region_boxes(table: Catalog, names: dict[str, str], path: Path | str) -> NDArray[np.int64]:
    """Return boxes, shape (n, 4), of FITS regions; those that are not boxes are left out, with a line in the log."""
    size = np.asarray(table[names["r"]], np.float64).reshape(len(table), -1)
    size = size if size.shape[1] > 1 else np.repeat(size, 2, axis=1)
    shapes = np.array([str(shape).strip().upper() for shape in table[names["shape"]]], np.str_)
    angles = np.asarray(table[names["rotang"]], np.float64) if "rotang" in names else np.zeros(len(table))
    quarters = np.round(angles / _QUARTER)
    straight = np.isclose(angles, quarters * _QUARTER)
    size = np.where((quarters % 2 == 1)[:, None], size[:, ::-1], size)
    size[shapes == "POINT"] = 1.0
    known = (shapes == "POINT") | (((shapes == "BOX") | (shapes == "ROTBOX")) & straight)
    if not known.all():
        others = sorted({str(shape) for shape in shapes[~known]})
        _LOG.warning(
            "%s: %d of %d regions are not boxes along rows and columns (%s) and are not used",
            path,
            int((~known).sum()),
            len(known),
            ", ".join(others),
        )
    center = np.stack([np.asarray(table[names[axis]], np.float64) for axis in "xy"], axis=1) - 1.0
    first = np.round(center - 0.5 * (size[:, :2] - 1.0))
    return np.asarray(np.concatenate([first, np.round(size[:, :2])], axis=1)[known], np.int64)
