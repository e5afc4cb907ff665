"""Errors of fluxes, positions and moments in noise that neighboring pixels share.

Measurements propagate the variance of each pixel. Here their errors get what the covariance of the sky's pixels adds.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.spread import widen_psf
from obs.algorithms.sky.correlation import LARGEST_LAG, NoiseCorrelation

__all__ = ["ErrorFactors"]

SIZES = np.geomspace(0.6, 12.0, 10)
"""Widths of Gaussians, pixels, for which the noise is looked up."""

RADII = np.geomspace(1.5, 30.0, 10)
"""Radii of circles, pixels, for which the noise is looked up."""

KRON_RADII = 2.5
"""Size of the Kron ellipse in Kron radii."""


class ErrorFactors:
    """What correlation makes of errors in one image.

    Parameters
    ----------
    noise : NoiseCorrelation
        The noise of the sky.
    psf : ndarray of float32, shape (k, k)
        PSF, centered on the middle pixel.
    """

    def __init__(self, noise: NoiseCorrelation, psf: NDArray[np.float32]) -> None:
        self._noise = noise
        self._psf_area = 1.0 / float(np.sum(np.square(psf, dtype=np.float64)))
        self._psf = self._factor(psf)
        self._slope_x, self._slope_y = (self._factor(np.gradient(psf, axis=axis)) for axis in (1, 0))
        fwhm = np.sqrt(8.0 * np.log(2.0) * self._psf_area / (4.0 * np.pi))  # of a Gaussian of this area
        wide = widen_psf(psf[None], np.array([fwhm]))[0]
        self._spread = self._factor(wide - psf * (np.vdot(wide, psf) / np.vdot(psf, psf)))
        offset = np.arange(-2 * LARGEST_LAG, 2 * LARGEST_LAG + 1)
        distance = np.hypot(offset[:, None], offset)
        self._gaussian = np.array([self._factor(np.exp(-0.5 * (distance / size) ** 2)) for size in SIZES])
        self._circle = np.array([self._factor(np.clip(radius + 0.5 - distance, 0.0, 1.0)) for radius in RADII])

    def _factor(self, weight: NDArray[np.float32] | NDArray[np.float64]) -> float:
        return self._noise.excess * self._noise.variance_factor(weight)

    def _widen(
        self, error: NDArray[np.generic], factor: NDArray[np.float64] | float, area: NDArray[np.float64] | float
    ) -> NDArray[np.generic]:
        """Return errors whose part that the sky causes has ``factor`` times the variance.

        ``area`` is the sum of the squares of the weights, so that times the sky's variance it is the sky's part.
        """
        variance = np.square(np.asarray(error, np.float64))
        # light that was resampled with the sky shares its correlation; light that was read out with it does not
        sky = variance if self._noise.resampled else np.minimum(self._noise.sky_variance * area, variance)
        sky = np.where(np.isfinite(variance), sky, 0.0)  # what is not known stays so
        return np.sqrt(variance + (np.maximum(factor, 0.0) - 1.0) * sky).astype(error.dtype)

    def widen(
        self, columns: dict[str, NDArray[np.generic]], radii: dict[str, float], *, fluxes: bool
    ) -> dict[str, NDArray[np.generic]]:
        """Return error columns that include correlated noise.

        Parameters
        ----------
        columns : dict of str to ndarray, shape (n,)
            Measurements, by the names of the catalog.
        radii : dict of str to float
            Name of each circular aperture to its radius, pixels.
        fluxes : bool
            Correct the errors of fluxes too, not only those of positions and moments.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            Those columns that change.
        """
        result = {}
        xx, yy, xy = (np.asarray(columns[f"base_SdssShape_{name}"], np.float64) for name in ("xx", "yy", "xy"))
        width = np.maximum(xx * yy - xy**2, 1e-12) ** 0.25
        gaussian = np.interp(np.log(width), np.log(SIZES), self._gaussian)
        # of quantities that weigh pixels as the PSF does, the sky causes the same part of the variance
        point = np.square(np.asarray(columns["base_PsfFlux_instFluxErr"], np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.minimum(self._psf_area / point, 1.0 / self._noise.sky_variance)
        shaped: dict[str, NDArray[np.float64] | float] = {
            "base_SdssCentroid_xErr": self._slope_x,
            "base_SdssCentroid_yErr": self._slope_y,
            "base_ClassificationSpread_valueErr": self._spread,
            **dict.fromkeys((f"base_SdssShape_{name}Err" for name in ("xx", "yy", "xy")), gaussian),
        }
        for name, factor in shaped.items():
            area = part * np.square(np.asarray(columns[name], np.float64))
            result[name] = self._widen(columns[name], factor, area)
        if not fluxes:
            return result
        areas: dict[str, tuple[NDArray[np.float64] | float, NDArray[np.float64] | float]] = {
            "base_PsfFlux": (self._psf, self._psf_area),
            "base_GaussianFlux": (gaussian, 4 * np.pi * width**2),
        }
        for name, radius in radii.items():
            areas[name] = self._circles(np.array(radius)), np.pi * radius**2
        if "ext_photometryKron_KronFlux_radius" in columns:
            kron = KRON_RADII * np.asarray(columns["ext_photometryKron_KronFlux_radius"], np.float64)
            areas["ext_photometryKron_KronFlux"] = self._circles(kron), np.pi * kron**2
        for name, (factor, sky_area) in areas.items():
            result[f"{name}_instFluxErr"] = self._widen(columns[f"{name}_instFluxErr"], factor, sky_area)
        return result

    def _circles(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(radius, RADII, self._circle), np.float64)
