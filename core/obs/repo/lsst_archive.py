"""Objects that the LSST stack attaches to exposure files: an index, and tables with the objects' rows.

The index names for each object its number, class, and the tables and rows that hold it. Of the classes, PSFs of PSFEx
and photometric calibrations are read.

References
----------
The stack's afw (`table/io/InputArchive.cc`, `image/PhotoCalib.cc`) and meas_extensions_psfex (`PsfexPsf.cc`).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT, PhotoCalib
from obs.image.psf import PixelPsf

__all__ = ["Archive", "archived_photo_calib", "archived_psf", "open_archive"]

_LOG = logging.getLogger(__name__)

#: Cards with the number of an attached object, of newer and older files; 0 is none.
_PSF_CARDS = ("ARCHIVE_ID_PSF", "PSF_ID")
_PHOTO_CALIB_CARDS = ("ARCHIVE_ID_PHOTOCALIB", "PHOTOCALIB_ID", "PHOTOCALIBID")
#: Nanojansky of one maggy, which files of before the version 1 count in.
_MAGGY = 10.0 ** (0.4 * NANOJANSKY_ZERO_POINT)


@dataclass(frozen=True)
class Archive:
    """The attached objects of one file.

    Parameters
    ----------
    index : FITS_rec
        One row for each object and table.
    tables : list of HDU
        The tables, in their order.
    """

    index: Any
    tables: list[Any]

    def find(self, number: int) -> tuple[str, list[Any]]:
        """Return class and rows of an object, one array of rows for each of its tables.

        Raises
        ------
        FileFormatError
            If there is no such object, or a table of it is missing.
        """
        entries = self.index[self.index["id"] == number]
        if not len(entries):
            raise FileFormatError(f"the archive has no object {number}")
        order = np.argsort(_column(entries, "cat.persistable"), kind="stable")
        rows = []
        for entry in entries[order]:
            place = int(_column(entry, "cat.archive")) - 1
            if not 0 <= place < len(self.tables):
                raise FileFormatError(f"the archive has {len(self.tables)} tables, none with the number {place + 1}")
            first = int(_column(entry, "row0"))
            rows.append(self.tables[place].data[first : first + int(_column(entry, "nrows"))])
        return str(entries["name"][0]).strip(), rows

    def only(self, name: str) -> int:
        """Return the number of the only object of a class, or 0: that of a file which holds nothing else."""
        numbers = {int(row["id"]) for row in self.index if str(row["name"]).strip() == name}
        return numbers.pop() if len(numbers) == 1 else 0


def _column(row: Any, name: str) -> Any:  # noqa: ANN401 - rows of astropy
    """Return a column, whose name older files write with underscores."""
    names = row.dtype.names if hasattr(row, "dtype") else row.array.dtype.names
    for spelling in (name, name.replace(".", "_")):
        if spelling in names:
            return row[spelling]
    raise FileFormatError(f"the index of the archive has no column {name}")


def open_archive(hdus: fits.HDUList) -> Archive | None:
    """Return the archive of a file, or None if it has none."""
    kinds: dict[str, list[Any]] = {"ARCHIVE_INDEX": [], "ARCHIVE_DATA": []}
    for hdu in hdus[1:]:
        kinds.get(str(hdu.header.get("EXTTYPE", "")).strip(), []).append(hdu)
    if not kinds["ARCHIVE_INDEX"]:
        return None
    tables = sorted(kinds["ARCHIVE_DATA"], key=lambda hdu: int(hdu.header.get("AR_CATN", 0)))
    return Archive(kinds["ARCHIVE_INDEX"][0].data, tables)


def _number(archive: Archive, header: Mapping[str, Any], cards: tuple[str, ...], name: str) -> int:
    """Return the number of an object: as a card tells, or of the only one of a class."""
    values = [header[card] for card in cards if isinstance(header.get(card), int)]
    return next((int(value) for value in values if value > 0), 0) if values else archive.only(name)


def archived_psf(archive: Archive | None, header: Mapping[str, Any]) -> PixelPsf | None:
    """Return the PSF of an archive, or None if it has none.

    Raises
    ------
    FileFormatError
        If it is of a class that is not read.
    """
    number = 0 if archive is None else _number(archive, header, _PSF_CARDS, "PsfexPsf")
    if archive is None or not number:
        return None
    name, rows = archive.find(number)
    if name != "PsfexPsf":
        raise FileFormatError(f"its PSF is of the stack's class {name}, which is not read; PsfexPsf is")
    if len(rows) != 2 or len(rows[0]) != 1 or len(rows[1]) != 1:
        raise FileFormatError("its PsfexPsf is damaged: two tables of one row are wanted")
    scalars, arrays = rows[0][0], rows[1][0]
    if int(scalars["ndim"]) != 2 or int(scalars["ngroup"]) != 1:
        raise FileFormatError("its PsfexPsf varies with more than the position, which is not read")
    zero, scale = np.ravel(arrays["_context_first"]), np.ravel(arrays["_context_second"])
    basis = _basis(np.ravel(arrays["_comp"]), [int(length) for length in np.ravel(arrays["_size"])])
    return PixelPsf(
        basis,
        int(np.ravel(arrays["degree"])[0]),
        x_zero=float(zero[0]),
        x_scale=float(scale[0]),
        y_zero=float(zero[1]),
        y_scale=float(scale[1]),
        sampling=float(scalars["_pixstep"]),
    )


def _basis(values: NDArray[Any], size: list[int]) -> NDArray[np.float32]:
    """Return the images of a PSF, shape (n_term, ny, nx): the stack keeps each by columns."""
    width, height, *count = size
    if len(values) != width * height * (count[0] if count else 1):
        raise FileFormatError(f"its PsfexPsf is damaged: {len(values)} values for a size of {size}")
    return np.ascontiguousarray(values.reshape(-1, height, width).transpose(0, 2, 1), np.float32)


def archived_photo_calib(
    archive: Archive | None, header: Mapping[str, Any], path: Path | str | None = None
) -> PhotoCalib | None:
    """Return the photometric calibration of an archive, or None if it has none.

    Of one that varies over the image the mean is returned, and a line in the log says so.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    number = 0 if archive is None else _number(archive, header, _PHOTO_CALIB_CARDS, "PhotoCalib")
    if archive is None or not number:
        return None
    name, rows = archive.find(number)
    if name != "PhotoCalib" or not rows or len(rows[0]) != 1:
        raise FileFormatError(f"its photometric calibration is of the stack's class {name}, which is not read")
    row = rows[0][0]
    columns = row.array.dtype.names
    if "flags" in columns and not np.ravel(row["flags"])[0]:
        _LOG.warning("%s: its zero point varies over the image; the mean is used", path or "exposure")
    if "instFluxMag0" in columns:
        return PhotoCalib(float(row["instFluxMag0"]), float(row["instFluxMag0Err"]))
    mean, error = float(row["calibrationMean"]), float(row["calibrationErr"])
    unit = 1.0 if "version" in columns and int(row["version"]) >= 1 else _MAGGY
    if not (np.isfinite(mean) and mean > 0):
        return None
    flux = _MAGGY / (mean * unit)
    return PhotoCalib(flux, flux * error / mean)
