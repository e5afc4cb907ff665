"""Calibrations of one detector image in files of their own: a header without pixels."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import SYSTEM_KEY, PhotoCalib
from obs.image.wcs import TanSipWcs
from obs.repo.exposure_parts import read_photo_calib, read_wcs
from obs.repo.fits_exposure_header import read_exposure_header
from obs.repo.fits_file import set_cards, write_hdus

__all__ = ["photo_calib_cards", "read_calibration", "write_photo_calib", "write_wcs"]


def write_wcs(wcs: TanSipWcs, path: Path | str) -> None:
    """Write a WCS, as meas_mosaic of the LSST stack does (its dataset type ``wcs``).

    Parameters
    ----------
    wcs : TanSipWcs
        WCS for 0-based pixels; the cards count from 1.
    path : Path or str
        File; it is written whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    _write(wcs.to_header(), path)


def write_photo_calib(calib: PhotoCalib, path: Path | str) -> None:
    """Write a photometric calibration, as meas_mosaic of the LSST stack does (its dataset type ``fcr``).

    Parameters
    ----------
    calib : PhotoCalib
        Photometric calibration.
    path : Path or str
        File; it is written whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    _write(photo_calib_cards(calib), path)


def photo_calib_cards(calib: PhotoCalib) -> dict[str, Any]:
    """Return the cards of a photometric calibration.

    Parameters
    ----------
    calib : PhotoCalib
        Photometric calibration.

    Returns
    -------
    dict of str to object
        Keyword to value and comment. FLUXMAG0 and FLUXMAG0ERR are in ADU.
    """
    cards: dict[str, Any] = {
        "FLUXMAG0": (float(calib.flux_mag0), "[adu] counts of magnitude 0"),
        "FLUXMAG0ERR": (float(calib.flux_mag0_err), "[adu] error of FLUXMAG0"),
    }
    cards |= {SYSTEM_KEY: (calib.system, "magnitude system")} if calib.system else {}
    return cards if calib.correction is None else cards | calib.correction.to_header()


def _write(cards: dict[str, Any], path: Path | str) -> None:
    primary = fits.PrimaryHDU()
    set_cards(primary.header, cards)
    write_hdus(path, [primary])


def read_calibration(path: Path | str) -> Exposure | None:
    """Read a file that has a WCS or a photometric calibration and no pixels.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    Exposure or None
        An exposure of 0 x 0 pixels, as the LSST stack gives it; None if the file has neither.

    Raises
    ------
    FileFormatError
        If the file is not a FITS file.
    """
    header = read_exposure_header(path)
    wcs, calib = read_wcs(path), read_photo_calib(path)
    if wcs is None and calib is None:
        return None
    return Exposure(MaskedImage(np.zeros((0, 0), np.float32)), wcs=wcs, photo_calib=calib, metadata=header)
