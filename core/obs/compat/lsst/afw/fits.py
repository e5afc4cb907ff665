"""Headers of FITS files, in the stack's words."""

from pathlib import Path

from obs.compat.lsst.daf.base import PropertyList
from obs.repo.fits_exposure_header import read_exposure_header

__all__ = ["readMetadata"]


def readMetadata(path: str | Path, hdu: int | None = None) -> PropertyList:
    """Return the cards of a FITS file, without its pixels.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : int, optional
        The HDU, counted from 0; the first image if absent. Cards of the primary one are there in any case.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If it is not a FITS file.
    """
    return PropertyList(read_exposure_header(path, hdu))
