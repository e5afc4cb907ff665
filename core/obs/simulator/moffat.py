"""Elliptical Moffat profiles, integrated over pixels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.frozen import frozen

__all__ = ["MoffatShapes", "moffat_radius", "moffat_stamps"]

Floats = NDArray[np.float64]
Stamps = NDArray[np.float32]

#: Nodes a side of a pixel for Gauss-Legendre integration: in the core, and in the wings, where the profile is smooth.
_CORE_NODES, _WING_NODES = 4, 2
#: The core reaches so many full widths from the center, and at least so many pixels.
_CORE_WIDTHS, _CORE_PIXELS = 1.5, 4
#: Elements of one batch: few enough to stay in the processor's cache.
_BATCH = 1 << 17


@frozen
class MoffatShapes:
    """Profiles ``(1 + r^2 / a^2)^-beta``, one a source, with ellipses of equal area for circles.

    Parameters
    ----------
    fwhm : ndarray of float64, shape (n,)
        Full width at half maximum of the round profile, pixels.
    g1, g2 : ndarray of float64, shape (n,)
        Reduced shear: ``(1 - q) / (1 + q)`` of the axis ratio q, along x and along the diagonal.
    beta : float
        Exponent, above 1.
    """

    fwhm: Floats
    g1: Floats
    g2: Floats
    beta: float

    def select(self, rows: ArrayLike) -> "MoffatShapes":
        """Return some of the profiles.

        Parameters
        ----------
        rows : array_like
            Rows, or a mask over them.
        """
        index = np.asarray(rows)
        return MoffatShapes(self.fwhm[index], self.g1[index], self.g2[index], self.beta)

    @property
    def scale(self) -> Floats:
        """The a of each profile, pixels."""
        scale: Floats = self.fwhm / (2.0 * np.sqrt(2.0 ** (1.0 / self.beta) - 1.0))
        return scale

    @property
    def quadratic(self) -> tuple[Floats, Floats, Floats]:
        """Coefficients of x^2, 2 x y and y^2 in ``r^2 / a^2``."""
        factor = 1.0 / ((1.0 - self.g1**2 - self.g2**2) * self.scale**2)
        square = self.g1**2 + self.g2**2
        return (
            factor * (1.0 - 2.0 * self.g1 + square),
            factor * (-2.0 * self.g2),
            factor * (1.0 + 2.0 * self.g1 + square),
        )


def moffat_radius(shapes: MoffatShapes, flux: Floats, cutoff: float) -> Floats:
    """Return the radius beyond which sources are fainter than a surface brightness.

    Parameters
    ----------
    shapes : MoffatShapes
        Profiles.
    flux : ndarray of float64, shape (n,)
        Total fluxes.
    cutoff : float
        Surface brightness, flux a pixel.

    Returns
    -------
    ndarray of float64, shape (n,)
        Radius along the longer axis, pixels; 0 where the peak is fainter.
    """
    peak = flux * (shapes.beta - 1.0) / (np.pi * shapes.scale**2)
    radius = shapes.scale * np.sqrt(np.maximum((peak / cutoff) ** (1.0 / shapes.beta) - 1.0, 0.0))
    g = np.hypot(shapes.g1, shapes.g2)
    longer: Floats = radius * np.sqrt((1.0 + g) / (1.0 - g))
    return longer


def moffat_stamps(shapes: MoffatShapes, *, x: Floats, y: Floats, half: int, sampling: int = 1) -> Stamps:
    """Return profiles of total flux 1, integrated over each pixel.

    Parameters
    ----------
    shapes : MoffatShapes
        Profiles.
    x, y : ndarray of float64, shape (n,)
        Places of the centers in their central pixel, -0.5 to 0.5.
    half : int
        Pixels from the central one to the border.
    sampling : int
        Samples a pixel; each is still the integral over a whole pixel around it.

    Returns
    -------
    ndarray of float32, shape (n, 2 * half * sampling + 1, 2 * half * sampling + 1)
        The stamps, centered on the central pixel; what is outside of them is lost.
    """
    size = 2 * half * sampling + 1
    stamps = np.empty((len(x), size, size), np.float32)
    core = min(half, max(_CORE_PIXELS, int(np.ceil(_CORE_WIDTHS * shapes.fwhm.max(initial=0.0)))))
    middle = slice((half - core) * sampling, (half + core) * sampling + 1)
    step = max(1, _BATCH // size**2)
    for start in range(0, len(x), step):
        rows = slice(start, start + step)
        part = shapes.select(np.arange(len(x))[rows])
        if core < half:
            stamps[rows] = _integrate(part, x[rows], y[rows], half, sampling, _WING_NODES)
        stamps[rows, middle, middle] = _integrate(part, x[rows], y[rows], core, sampling, _CORE_NODES)
    return stamps


def _integrate(shapes: MoffatShapes, x: Floats, y: Floats, half: int, sampling: int, nodes: int) -> Stamps:
    """Integrate over pixels by Gauss-Legendre quadrature of ``nodes`` points a side."""
    places, weights = np.polynomial.legendre.leggauss(nodes)
    places, weights = places / 2.0, weights / 2.0
    grid = np.arange(-half * sampling, half * sampling + 1) / sampling
    xx, xy, yy = (term.astype(np.float32)[:, None, None] for term in shapes.quadratic)
    across = (grid[None] - x[:, None]).astype(np.float32)[:, None, :]
    up = (grid[None] - y[:, None]).astype(np.float32)[:, :, None]
    total = np.zeros((len(x), len(grid), len(grid)), np.float32)
    for i in range(nodes):
        along = up + np.float32(places[i])
        along_square = yy * along**2 + np.float32(1.0)
        for j in range(nodes):
            aside = across + np.float32(places[j])
            radius = (2.0 * xy * aside) * along
            radius += xx * aside**2
            radius += along_square
            np.log(radius, out=radius)
            radius *= np.float32(-shapes.beta)
            np.exp(radius, out=radius)
            radius *= np.float32(weights[i] * weights[j])
            total += radius
    norm = (shapes.beta - 1.0) / (np.pi * shapes.scale**2)
    total *= norm.astype(np.float32)[:, None, None]
    return total
