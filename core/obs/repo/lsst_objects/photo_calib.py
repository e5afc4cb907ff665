"""Photometric calibrations in the archives of the LSST stack.

References
----------
The stack's afw (`image/PhotoCalib.cc`).
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.flux_correction import FluxCorrection
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT, PhotoCalib
from obs.repo.lsst_objects.archive import Archive, attached_number, field
from obs.repo.lsst_objects.bounded_field import BoundedField, read_bounded_field

__all__ = ["archived_photo_calib", "read_photo_calib"]

_LOG = logging.getLogger(__name__)

#: Cards with the number of the calibration, of newer and older files.
_CARDS = ("ARCHIVE_ID_PHOTOCALIB", "PHOTOCALIB_ID", "PHOTOCALIBID")
#: Nanojansky of one maggy, which files of before the version 1 count in.
_MAGGY = 10.0 ** (0.4 * NANOJANSKY_ZERO_POINT)
#: The polynomial that represents a field: orders tried, error that is ample, and the one above which a warning is due.
_ORDERS, _AMPLE, _TOLERANCE = (2, 4, 6, 8, 12, 16), 1e-6, 1e-3
_GRID = 40

Floats = NDArray[np.float64]


def archived_photo_calib(
    archive: Archive | None,
    header: Mapping[str, Any],
    path: Path | str | None = None,
    origin: tuple[int, int] = (0, 0),
) -> PhotoCalib | None:
    """Return the photometric calibration of an archive, or None if it has none.

    One that varies over the image becomes a zero point and a polynomial correction, mag, which follows it within a
    millionth of a magnitude where it is smooth. One of a class that is not read is its mean, and the log says so.

    Parameters
    ----------
    archive : Archive or None
        The archive.
    header : mapping
        Cards of the exposure.
    path : Path or str, optional
        The file, for the log.
    origin : tuple of int, optional
        Position (x, y) of the image's first pixel, as the stack counts pixels.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    number = attached_number(archive, header, _CARDS, ("PhotoCalib",))
    return None if archive is None or not number else read_photo_calib(archive, number, path, origin)


def read_photo_calib(
    archive: Archive, number: int, path: Path | str | None = None, origin: tuple[int, int] = (0, 0)
) -> PhotoCalib | None:
    """Return a photometric calibration by its number; see `archived_photo_calib`.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the calibration in it.
    path : Path or str, optional
        File, for the log.
    origin : tuple of int
        Position (x, y) of the image's first pixel, as the stack counts pixels.

    Raises
    ------
    FileFormatError
        If its class is not read, or it is damaged.
    """
    name, rows = archive.find(number)
    if name not in ("PhotoCalib", "Calib") or not rows or len(rows[0]) != 1:
        raise FileFormatError(f"its photometric calibration is of the stack's class {name}, which is not read")
    if name == "Calib":  # before 2018
        row = rows[0][0]
        known = {name.lower().replace(".", "_"): name for name in row.array.dtype.names}
        if "fluxmag0" not in known:
            raise FileFormatError(f"its Calib is damaged: it has no fluxMag0; columns: {', '.join(known.values())}")
        flux = float(row[known["fluxmag0"]])
        error = next((float(row[known[one]]) for one in ("fluxmag0_err", "fluxmag0err") if one in known), np.nan)
        return PhotoCalib(flux, error) if flux > 0 else None
    row = rows[0][0]
    columns = row.array.dtype.names
    if "instFluxMag0" in columns:
        return PhotoCalib(float(row["instFluxMag0"]), float(row["instFluxMag0Err"]))
    mean, error = float(row["calibrationMean"]), float(row["calibrationErr"])
    unit = 1.0 if "version" in columns and int(row["version"]) >= 1 else _MAGGY
    if not (np.isfinite(mean) and mean > 0):
        return None
    correction = None
    if "flags" in columns and not np.ravel(row["flags"])[0]:
        try:
            varying = read_bounded_field(archive, int(field(row, "field")))
            correction, misfit = _correction(varying, mean, origin)
        except FileFormatError as problem:
            _LOG.warning("%s: its zero point varies over the image; the mean is used: %s", path or "exposure", problem)
        else:
            if misfit > _TOLERANCE:
                _LOG.warning("%s: its zero point is followed within %.1f mmag only", path or "exposure", 1e3 * misfit)
    flux = _MAGGY / (mean * unit)
    return PhotoCalib(flux, flux * error / mean, correction)


def _correction(varying: BoundedField, mean: float, origin: tuple[int, int]) -> tuple[FluxCorrection, float]:
    """Return what is to be added to magnitudes of the mean calibration, and the largest error of that, mag."""
    width, height = (int(b - a) + 1 for a, b in zip(varying.low, varying.high, strict=True))
    if min(width, height) < 1:
        raise FileFormatError("the field of its calibration has no pixels")
    x, y = (part.ravel() for part in np.meshgrid(_nodes(width), _nodes(height)))
    value = varying.evaluate(x + varying.low[0], y + varying.low[1])
    if not (np.isfinite(value) & (value > 0)).all():
        raise FileFormatError("the field of its calibration is not positive everywhere")
    magnitude = -2.5 * np.log10(value / mean)
    best, misfit = _fit(x, y, magnitude, (height, width), _ORDERS[0])
    for order in _ORDERS[1:]:
        if misfit <= _AMPLE:
            break
        fitted, now = _fit(x, y, magnitude, (height, width), order)
        if now < misfit:
            best, misfit = fitted, now
    return best.shifted(x=origin[0] - varying.low[0], y=origin[1] - varying.low[1]), misfit


def _fit(x: Floats, y: Floats, magnitude: Floats, shape: tuple[int, int], order: int) -> tuple[FluxCorrection, float]:
    """Fit a polynomial, and return its largest error, mag, too."""
    fitted = FluxCorrection.fit(x=x, y=y, magnitude=magnitude, shape=shape, order=order)
    return fitted, float(np.abs(fitted.magnitude(x=x, y=y) - magnitude).max())


def _nodes(size: int) -> Floats:
    """Return positions along an axis, denser at its ends, where polynomials need them."""
    return np.asarray(0.5 * (size - 1) * (1.0 - np.cos(np.pi * (np.arange(_GRID) + 0.5) / _GRID)), np.float64)
