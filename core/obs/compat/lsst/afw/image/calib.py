"""Zero points and filters."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from obs.compat.lsst.daf.base import PropertySet
from obs.image.photo_calib import NANOJANSKY_ZERO_POINT
from obs.image.photo_calib import PhotoCalib as OwnPhotoCalib
from obs.repo.fits_exposure_header import header_photo_calib

__all__ = ["Calib", "Filter", "FilterLabel", "PhotoCalib"]

_MAG_PER_FRACTION = 2.5 / np.log(10.0)


class PhotoCalib:
    """A photometric calibration.

    Parameters
    ----------
    own : obs.image.photo_calib.PhotoCalib, PropertySet or mapping
        The calibration of `obs`, or a header with FLUXMAG0.

    Raises
    ------
    ValueError
        If the header has no FLUXMAG0.
    """

    def __init__(self, own: OwnPhotoCalib | PropertySet | Mapping[str, Any]) -> None:
        if not isinstance(own, OwnPhotoCalib):
            cards = own.toDict() if isinstance(own, PropertySet) else dict(own)
            found = header_photo_calib(cards)
            if found is None:
                raise ValueError("the header has no positive FLUXMAG0")
            own = found
        #: The calibration of `obs`.
        self.own = own

    def getFluxMag0(self) -> tuple[float, float]:
        """Return the counts of magnitude 0, and their error."""
        return self.own.flux_mag0, self.own.flux_mag0_err

    def getInstFluxAtZeroMagnitude(self) -> float:
        """Return the counts of magnitude 0."""
        return self.own.flux_mag0

    def getCalibrationMean(self) -> float:
        """Return the nanojansky of one count, without a correction that varies over the image."""
        return float(10.0 ** (0.4 * NANOJANSKY_ZERO_POINT) / self.own.flux_mag0)

    def getCalibrationErr(self) -> float:
        """Return the error of `getCalibrationMean`."""
        return self.getCalibrationMean() * self.own.flux_mag0_err / self.own.flux_mag0

    def getMagnitude(self, flux: Any, error: Any = None) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return magnitudes of fluxes; with errors of the fluxes also those of the magnitudes."""
        magnitude = self.own.magnitude(flux)
        plain = magnitude if np.ndim(flux) else float(magnitude)
        return plain if error is None else (plain, _MAG_PER_FRACTION * np.asarray(error) / np.asarray(flux))

    instFluxToMagnitude = getMagnitude

    def instFluxToNanojansky(self, flux: Any) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return flux densities, nanojansky."""
        density = self.own.nanojansky(flux)
        return density if np.ndim(flux) else float(density)

    def magnitudeToInstFlux(self, magnitude: Any) -> Any:  # noqa: ANN401 - numbers or arrays
        """Return the counts of magnitudes."""
        return self.own.flux_mag0 * 10.0 ** (-0.4 * np.asarray(magnitude))

    def __repr__(self) -> str:
        return f"PhotoCalib(zero point {self.own.zero_point:.4f} mag, 1 nJy is {NANOJANSKY_ZERO_POINT} mag)"


Calib = PhotoCalib


class Filter:
    """A filter, by its name.

    Parameters
    ----------
    name : str, PropertySet or mapping
        The name, or a header with FILTER.
    band : str, optional
        Name of the wavelength range.
    """

    def __init__(self, name: str | PropertySet | Mapping[str, Any] = "", band: str = "") -> None:
        self.physicalLabel = name if isinstance(name, str) else str(name.get("FILTER", "")).strip()
        self.bandLabel = band

    def getName(self) -> str:
        """Return the name."""
        return self.physicalLabel

    def __str__(self) -> str:
        return self.physicalLabel

    def __repr__(self) -> str:
        return f"Filter({self.physicalLabel!r})"


FilterLabel = Filter
