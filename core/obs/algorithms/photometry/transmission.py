"""How much light of which wavelength reaches the electrons."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen

__all__ = ["TransmissionCurve", "multiply_curves"]


@frozen
class TransmissionCurve:
    """A transmission sampled in wavelength, zero outside.

    Parameters
    ----------
    wavelength : ndarray of float64, shape (n,)
        Wavelengths, increasing, nm.
    throughput : ndarray of float64, shape (n,)
        Part of the light that passes.

    Raises
    ------
    ValueError
        If the shapes differ, or wavelengths do not increase.
    """

    wavelength: NDArray[np.float64]
    throughput: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.wavelength.shape != self.throughput.shape or self.wavelength.ndim != 1:
            raise ValueError(f"{self.wavelength.shape} wavelengths for {self.throughput.shape} throughputs")
        if not np.all(np.diff(self.wavelength) > 0):
            raise ValueError("wavelengths must increase")

    @property
    def effective_wavelength(self) -> float:
        """Mean wavelength of the photons that pass of a source with flat spectrum, nm; NaN if none do."""
        total = self._integral(self.throughput)
        return self._integral(self.throughput * self.wavelength) / total if total > 0 else np.nan

    def _integral(self, values: NDArray[np.float64]) -> float:
        return float(np.sum(0.5 * (values[1:] + values[:-1]) * np.diff(self.wavelength)))


def multiply_curves(curves: Sequence[TransmissionCurve]) -> TransmissionCurve:
    """Return the product of curves, sampled at all their wavelengths.

    Parameters
    ----------
    curves : sequence of TransmissionCurve
        Curves. Outside its wavelengths a curve counts as 0.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not curves:
        raise ValueError("no transmission curve to multiply")
    wavelength = np.unique(np.concatenate([curve.wavelength for curve in curves]))
    throughput = np.ones(len(wavelength))
    for curve in curves:
        throughput *= np.interp(wavelength, curve.wavelength, curve.throughput, left=0.0, right=0.0)
    return TransmissionCurve(wavelength, throughput)
