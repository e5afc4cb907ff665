"""Counts to magnitudes and nanojansky."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.facts_text import facts_html, facts_text
from obs.frozen import frozen
from obs.image.flux_correction import FluxCorrection

__all__ = ["INSTRUMENTAL", "NANOJANSKY_ZERO_POINT", "SYSTEM_KEY", "PhotoCalib", "common_system", "describe_magnitude"]

NANOJANSKY_ZERO_POINT = 31.4  # AB magnitude of 1 nJy

SYSTEM_KEY = "MAGSYS"
"""Card with the magnitude system of a zero point; in a reference catalog, with that of each band."""

INSTRUMENTAL = "instrumental"
"""System of magnitudes whose zero point no reference star gave."""


@frozen
class PhotoCalib:
    """A photometric calibration, the same over the whole image or with a smooth correction.

    Parameters
    ----------
    flux_mag0 : float
        Counts of a source of magnitude 0 in this exposure.
    flux_mag0_err : float, optional
        Its standard error, counts; NaN where not known.
    correction : FluxCorrection, optional
        Magnitudes to be added, by position. Calibrations of single exposures have none; those that
        ``obs calibrate-visits`` writes have one.
    system : str, optional
        Magnitude system, that of the reference catalog: "AB" or "Vega"; empty where it is not known.

    Raises
    ------
    ValueError
        If `flux_mag0` is not a positive number.

    Examples
    --------
    >>> from obs import PhotoCalib
    >>> calibration = PhotoCalib.from_zero_point(27.0)
    >>> float(calibration.magnitude(100.0))
    22.0
    """

    flux_mag0: float
    flux_mag0_err: float = float("nan")
    correction: FluxCorrection | None = None
    system: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.flux_mag0) and self.flux_mag0 > 0):
            raise ValueError(f"flux_mag0 is a positive number of counts, got {self.flux_mag0}")

    def __repr__(self) -> str:
        return facts_text("PhotoCalib", self._facts())

    def _repr_html_(self) -> str:
        return facts_html("PhotoCalib", self._facts())

    def _facts(self) -> dict[str, object]:
        error = self.flux_mag0_err / self.flux_mag0 / (0.4 * np.log(10.0))
        known = f" +- {error:.4f}" if np.isfinite(error) else ""
        terms = None if self.correction is None else len(self.correction.terms) - 1
        return {
            "zero point": f"{self.zero_point:.4f}{known} mag for 1 count per exposure",
            "one count": f"{float(self.mean.nanojansky(1.0)):.5g} nJy" if self.system == "AB" else "",
            "magnitudes": describe_magnitude(self.system),
            "over the image": "the same everywhere" if terms is None else f"varies: polynomial of order {terms}",
        }

    @classmethod
    def from_zero_point(cls, zero_point: float, error: float = float("nan"), system: str = "") -> "PhotoCalib":
        """Make a calibration from a zero point.

        Parameters
        ----------
        zero_point : float
            Magnitude of a source of one count per exposure.
        error : float, optional
            Its standard error, mag; unknown if absent.
        system : str, optional
            Magnitude system, "AB" or "Vega"; unknown if absent.
        """
        flux = float(10.0 ** (0.4 * zero_point))
        return cls(flux, float(flux * error * 0.4 * np.log(10.0)), system=system)

    @property
    def zero_point(self) -> float:
        """Magnitude of one count per exposure."""
        return float(2.5 * np.log10(self.flux_mag0))

    @property
    def mean(self) -> "PhotoCalib":
        """The calibration without the correction that depends on the position."""
        return self if self.correction is None else replace(self, correction=None)

    def shifted(self, *, x: float, y: float) -> "PhotoCalib":
        """Return the calibration of an image that is a part of this one.

        Parameters
        ----------
        x, y : float
            Pixel of this image that is pixel (0, 0) of the other.
        """
        return self if self.correction is None else replace(self, correction=self.correction.shifted(x=x, y=y))

    def magnitude(
        self, flux: ArrayLike, *, x: ArrayLike | None = None, y: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return magnitudes of fluxes, in the system of the calibration.

        Parameters
        ----------
        flux : array_like of float
            Counts.
        x, y : array_like of float, optional
            Positions, pixels, 0-based; needed if the calibration has a correction.

        Returns
        -------
        ndarray of float64, shape of the input
            Magnitudes; NaN where the flux is not positive.

        Raises
        ------
        ValueError
            If the calibration varies over the image and no position is given.
        """
        flux = np.asarray(flux, np.float64) * self.factor(x=x, y=y)
        ratio = np.where(flux > 0, flux, np.nan) / self.flux_mag0
        return np.asarray(-2.5 * np.log10(ratio))

    def factor(self, *, x: ArrayLike | None = None, y: ArrayLike | None = None) -> NDArray[np.float64] | float:
        """Return the factor to fluxes at positions; 1 for a calibration without correction.

        Parameters
        ----------
        x, y : array_like of float, optional
            Positions, pixels; needed if the calibration varies over the image.

        Raises
        ------
        ValueError
            If the calibration varies over the image and no position is given.
        """
        if self.correction is None:
            return 1.0
        if x is None or y is None:
            raise ValueError("this calibration varies over the image; give the positions x and y of the fluxes")
        return self.correction.factor(x=x, y=y)

    def nanojansky(
        self, flux: ArrayLike, *, x: ArrayLike | None = None, y: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return flux densities in nanojansky; they are right for AB magnitudes only.

        Parameters
        ----------
        flux : array_like of float
            Counts.
        x, y : array_like of float, optional
            Positions, pixels, 0-based; needed if the calibration has a correction.

        Returns
        -------
        ndarray of float64, shape of the input
            Nanojansky.

        Raises
        ------
        ValueError
            If the calibration varies over the image and no position is given.
        """
        unit = 10.0 ** (0.4 * NANOJANSKY_ZERO_POINT) / self.flux_mag0
        return np.asarray(np.asarray(flux, np.float64) * self.factor(x=x, y=y) * unit)


def common_system(calibs: Iterable[PhotoCalib | None]) -> str:
    """Return the magnitude system of calibrations; empty where they differ or it is not known.

    Parameters
    ----------
    calibs : iterable of PhotoCalib or None
        Calibrations; None counts as a system that is not known.
    """
    systems = {"" if calib is None else calib.system for calib in calibs}
    return systems.pop() if len(systems) == 1 else ""


def describe_magnitude(system: str) -> str:
    """Return what magnitudes are, for descriptions of columns: "AB magnitude" or "Vega magnitude".

    Where the system is not known, it is that of the reference catalog.

    Parameters
    ----------
    system : str
        "AB", "Vega", or empty if the system is not known.
    """
    return f"{system} magnitude" if system else "magnitude in the system of the reference catalog"
