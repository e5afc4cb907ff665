"""Calibration of a field (tsField): one row, an array over the filters for each number."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError
from obs.image.photo_calib import PhotoCalib
from obs_sdss.fits_input import columns, open_fits, position

__all__ = ["EXPOSURE_TIME", "FieldCalibration", "read_tsfield"]

EXPOSURE_TIME = 53.907456
"""Time that a star takes to drift over the 2048 rows of a CCD, seconds."""

_NO_MAGNITUDE = 100.0
"""The survey writes -9999 for what it does not know."""


@dataclass(frozen=True, slots=True)
class FieldCalibration:
    """Calibration of one filter of a field.

    Parameters
    ----------
    gain : float
        Electrons per ADU.
    dark_variance : float
        Variance of a pixel without light: read noise and dark current, ADU^2.
    saturation : float
        Level at which pixels saturate, ADU.
    zero_point : float
        The file's ``aa``: magnitude of one count per second is ``-aa``, without extinction.
    extinction : float
        The file's ``kk``, magnitudes per airmass; recorded, but not part of the calibration, as in the LSST stack.
    airmass : float
        Airmass at the center of the field.
    mjd : float
        When the field's first row was read, TAI, days.
    sky : float
        Sky brightness, maggies/arcsec^2.
    """

    gain: float
    dark_variance: float
    saturation: float
    zero_point: float
    extinction: float
    airmass: float
    mjd: float
    sky: float

    @property
    def photo_calib(self) -> PhotoCalib:
        """Counts of a source of magnitude 0 in one exposure."""
        return PhotoCalib(10.0 ** (-0.4 * self.zero_point) * EXPOSURE_TIME)


def read_tsfield(path: Path, data_id: Mapping[str, Any]) -> FieldCalibration:
    """Read the calibration of one filter.

    Parameters
    ----------
    path : Path
        The file.
    data_id : mapping
        Its data ID, with ``filter`` and ``field``.

    Returns
    -------
    FieldCalibration
        The numbers of the filter.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or does not hold the field, the filter, a gain or a zero point.
    """
    with open_fits(path, "tsField") as hdus:
        index = position(hdus[0].header, "FILTERS", str(data_id["filter"]), path)
        table = columns(hdus[1])
        rows = [row for row, field in enumerate(table["field"]) if int(field) == int(data_id["field"])]
        if not rows:
            raise FileFormatError(f"holds no field {data_id['field']}", path=path)

        def number(column: str) -> float:
            return float(table[column][rows[0], index])

        calibration = FieldCalibration(
            gain=number("gain"),
            dark_variance=number("dark_variance"),
            saturation=number("saturation_level"),
            zero_point=number("aa"),
            extinction=number("kk"),
            airmass=number("airmass"),
            mjd=number("mjd"),
            sky=number("sky"),
        )
    if not calibration.gain > 0:
        raise FileFormatError(f"gain of filter '{data_id['filter']}' is {calibration.gain}", path=path)
    if not abs(calibration.zero_point) < _NO_MAGNITUDE:
        raise FileFormatError(f"aa of filter '{data_id['filter']}' is {calibration.zero_point}", path=path)
    return calibration
