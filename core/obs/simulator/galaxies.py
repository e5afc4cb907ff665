"""Galaxies: elliptical sums of Gaussians, convolved with a Moffat PSF and integrated over pixels.

The two profiles are the approximations of D. Hogg & D. Lang (2013), PASP 125, 719: an exponential and a de Vaucouleurs
profile that are cut off smoothly at large radii, as in the SDSS.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.frozen import frozen
from obs.simulator.moffat import MoffatShapes, moffat_stamps

__all__ = ["GalaxyShapes", "galaxy_radius", "galaxy_stamps", "profile_mixture"]

Floats = NDArray[np.float64]
Stamps = NDArray[np.float32]

_EXPONENTIAL = np.array(
    [
        [2.34853813e-03, 3.07995260e-02, 2.23364214e-01, 1.17949102e00, 4.33873750e00, 5.99820770e00],
        [1.20078965e-03, 8.84526493e-03, 3.91463084e-02, 1.39976817e-01, 4.60962500e-01, 1.50159566e00],
    ]
)
_DE_VAUCOULEURS = np.array(
    [
        [
            4.26347652e-02,
            2.40127183e-01,
            6.85907632e-01,
            1.51937350e00,
            2.83627243e00,
            4.46467501e00,
            5.72440830e00,
            5.60989349e00,
        ],
        [
            2.23759216e-04,
            1.00220099e-03,
            4.18731126e-03,
            1.69432589e-02,
            6.84850479e-02,
            2.87207080e-01,
            1.33320254e00,
            8.40215071e00,
        ],
    ]
)
#: A PSF of so many pixels is sampled well enough for a convolution; narrower ones are sampled more finely.
_WELL_SAMPLED = 3.6
_BATCH = 1 << 19


@frozen
class GalaxyShapes:
    """Shapes of galaxies before the PSF.

    Parameters
    ----------
    xx, xy, yy : ndarray of float64, shape (n,)
        Square of the ellipse that holds half of the light, as a matrix, pixels squared.
    is_de_vaucouleurs : ndarray of bool, shape (n,)
        Whether the profile is de Vaucouleurs' rather than exponential.
    """

    xx: Floats
    xy: Floats
    yy: Floats
    is_de_vaucouleurs: NDArray[np.bool_]

    def select(self, rows: ArrayLike) -> "GalaxyShapes":
        """Return some of the shapes.

        Parameters
        ----------
        rows : array_like
            Rows, or a mask over them.
        """
        index = np.asarray(rows)
        return GalaxyShapes(self.xx[index], self.xy[index], self.yy[index], self.is_de_vaucouleurs[index])


def profile_mixture(*, de_vaucouleurs: bool) -> tuple[Floats, Floats]:
    """Return fluxes, which add up to 1, and variances of the Gaussians of a profile of half-light radius 1.

    Parameters
    ----------
    de_vaucouleurs : bool
        De Vaucouleurs profile if true, exponential profile otherwise.

    Returns
    -------
    flux, variance : ndarray of float64, shape (n_gaussian,)
        Variances in units of the squared half-light radius.
    """
    amplitude, variance = _DE_VAUCOULEURS if de_vaucouleurs else _EXPONENTIAL
    return amplitude / amplitude.sum(), variance


def galaxy_radius(shapes: GalaxyShapes, flux: Floats, cutoff: float) -> Floats:
    """Return the radius beyond which galaxies, without PSF, are fainter than a surface brightness.

    Parameters
    ----------
    shapes : GalaxyShapes
        Shapes.
    flux : ndarray of float64, shape (n,)
        Total fluxes.
    cutoff : float
        Surface brightness, flux a pixel.

    Returns
    -------
    ndarray of float64, shape (n,)
        Radius along the longer axis, pixels; 0 where even the center is fainter.
    """
    half, difference = (shapes.xx + shapes.yy) / 2.0, (shapes.xx - shapes.yy) / 2.0
    longer = half + np.hypot(difference, shapes.xy)
    area = np.sqrt(np.maximum(shapes.xx * shapes.yy - shapes.xy**2, 1e-12))
    radius = np.zeros_like(flux)
    for kind in (False, True):
        chosen = shapes.is_de_vaucouleurs == kind
        for amplitude, variance in zip(*profile_mixture(de_vaucouleurs=kind), strict=True):
            peak = flux * amplitude / (2.0 * np.pi * variance * area)
            reach = np.sqrt(2.0 * variance * longer * np.log(np.maximum(peak / cutoff, 1.0)))
            radius = np.where(chosen, np.maximum(radius, reach), radius)
    return radius


def galaxy_stamps(shapes: GalaxyShapes, psf: MoffatShapes, *, x: Floats, y: Floats, half: int) -> Stamps:
    """Return galaxies of total flux 1, seen through the PSF and integrated over each pixel.

    Parameters
    ----------
    shapes : GalaxyShapes
        Shapes.
    psf : MoffatShapes
        PSF at each galaxy.
    x, y : ndarray of float64, shape (n,)
        Places of the centers in their central pixel, -0.5 to 0.5.
    half : int
        Pixels from the central one to the border.

    Returns
    -------
    ndarray of float32, shape (n, 2 * half + 1, 2 * half + 1)
        The stamps. The PSF's light outside of the stamp is lost, the galaxy's is folded back into it.
    """
    from scipy import fft  # noqa: PLC0415 - slow to import, and only frames with galaxies need it

    sampling = max(1, int(np.ceil(_WELL_SAMPLED / psf.fwhm.min(initial=_WELL_SAMPLED))))
    size = fft.next_fast_len(2 * half * sampling + 1, real=True)
    stamps = np.empty((len(x), 2 * half + 1, 2 * half + 1), np.float32)
    step = max(1, _BATCH // size**2)
    for start in range(0, len(x), step):
        rows = np.arange(start, min(start + step, len(x)))
        fine = moffat_stamps(psf.select(rows), x=x[rows], y=y[rows], half=half, sampling=sampling)
        spectrum = fft.rfft2(fine, s=(size, size))
        spectrum *= _transform(shapes.select(rows), size, sampling)
        seen = fft.irfft2(spectrum, s=(size, size))
        stamps[rows] = seen[:, : fine.shape[1] : sampling, : fine.shape[2] : sampling]
    return stamps


def _transform(shapes: GalaxyShapes, size: int, sampling: int) -> Stamps:
    """Return the Fourier transforms of the profiles."""
    u = (np.fft.rfftfreq(size) * sampling).astype(np.float32)[None, None, :]
    v = (np.fft.fftfreq(size) * sampling).astype(np.float32)[None, :, None]
    xx, xy, yy = (term.astype(np.float32)[:, None, None] for term in (shapes.xx, shapes.xy, shapes.yy))
    square = xx * u**2 + (2.0 * xy * u) * v + yy * v**2
    transform = np.zeros(square.shape, np.float32)
    for kind in (False, True):
        chosen = np.flatnonzero(shapes.is_de_vaucouleurs == kind)
        part = square[chosen]
        total = np.zeros_like(part)
        for amplitude, variance in zip(*profile_mixture(de_vaucouleurs=kind), strict=True):
            total += np.float32(amplitude) * np.exp(np.float32(-2.0 * np.pi**2 * variance) * part)
        transform[chosen] = total
    return transform
