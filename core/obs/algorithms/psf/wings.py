"""How much of a PSF's light lies beyond a circle, out to where no star can be followed.

Outside its core a PSF falls as a Moffat profile does (Moffat 1969, A&A 3, 455; Trujillo et al. 2001, MNRAS 328, 977),
or as turbulence has it (`obs.algorithms.psf.kolmogorov`), or, where telescope and detector add to the core, as a blend
of both: whichever fits the PSF model near the core, and further out the light between circles about bright stars, where
neighbors too faint to be known leave a pedestal, which is flat.
"""

from itertools import pairwise

import numpy as np
import sep
from numpy.typing import NDArray

from obs.algorithms.psf.kolmogorov import kolmogorov_beyond, kolmogorov_profile
from obs.algorithms.psf.profile import stamp_radius
from obs.frozen import frozen

__all__ = ["Rings", "enclosed_light", "fit_flux_beyond_radius", "fit_pedestal"]

CORE = 0.7
"""Radius, in FWHM, from which the profile is fitted: inside, pixels blur it."""

OVERLAP = 0.75
"""Where there are rings about stars, the model of the PSF is followed to this part of the circle's radius."""

LEAST_RINGS = 6
"""Fewer rings, each a pixel wide, do not show a profile."""

BETAS = np.linspace(1.4, 6.0, 93)
WIDTHS = np.linspace(0.5, 1.5, 81)
"""Grid of exponents, and of widths in FWHM, among which the profile is sought."""

BLENDS = (0.2, 0.4, 0.6, 0.8)
"""Parts that turbulence has in blends."""

BLEND_COST = 5.0
"""Chi-squared by which a blend must fit better than what it blends, lest it follow noise."""

ERROR = 0.02
"""Relative error of the profile that is granted in every ring."""

FLOOR = 2e-6
"""Error of the PSF model, light of the whole PSF per pixel, where hardly any is left."""

LARGEST_CHI2 = 10.0
"""Chi-squared of each ring above which no profile fits: defocused or trailed stars, or neighbors that were left."""


@frozen
class Rings:
    """Light between circles about bright stars.

    Parameters
    ----------
    low, high : ndarray of float64, shape (n,)
        Radii of the circles, pixels.
    brightness, error : ndarray of float64, shape (n,)
        Light in a pixel and its error, in units of the light within the reference circle.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    brightness: NDArray[np.float64]
    error: NDArray[np.float64]


def enclosed_light(psf: NDArray[np.float32], radius: float) -> NDArray[np.float64]:
    """Return the part of PSF stamps that is within a circle.

    Parameters
    ----------
    psf : ndarray of float32, shape (n, k, k)
        PSFs centered on the middle pixel.
    radius : float
        Radius, pixels.

    Returns
    -------
    ndarray of float64, shape (n,)
        At most one; one where the circle holds the whole stamp.
    """
    n, size = len(psf), psf.shape[1]
    y = size // 2 + np.arange(n) * size
    # a circle wider than the stamp would reach into the next one
    if radius >= size // 2 + 0.5:
        return np.ones(n)
    inside, _, _ = sep.sum_circle(psf.reshape(-1, psf.shape[2]), np.full(n, size // 2), y, radius, subpix=0)
    return np.asarray(np.minimum(inside / psf.sum((1, 2), dtype=np.float64), 1.0))


def fit_flux_beyond_radius(
    psf: NDArray[np.float32],
    fwhm: float,
    radius: float,
    rings: Rings | None = None,
    *,
    largest_chi2: float = float("inf"),
) -> float:
    """Fit profiles to a PSF and return its light beyond a circle.

    Parameters
    ----------
    psf : ndarray of float32, shape (k, k)
        PSF centered on the middle pixel.
    fwhm : float
        Its full width at half maximum, pixels.
    radius : float
        Radius of the reference circle, pixels.
    rings : Rings, optional
        Light further out; without it the stamp alone tells, and what neighbors leave in it counts as the PSF's.
    largest_chi2 : float, optional
        Chi-squared of each ring above which no profile fits.

    Returns
    -------
    float
        Light beyond, in units of that within; what the stamp holds where it has too few rings to tell a profile; NaN
        if no profile fits.
    """
    within = float(enclosed_light(psf[None], radius)[0])
    distance = stamp_radius((psf.shape[0], psf.shape[1]))
    furthest = min(psf.shape) // 2 + 1.0 if rings is None else OVERLAP * radius
    steps = np.arange(CORE * fwhm, furthest)
    inner = [ring for low, high in pairwise(steps) if (ring := (distance >= low) & (distance < high)).any()]
    if len(inner) + (0 if rings is None else len(rings.low)) < LEAST_RINGS:
        return 1.0 / within - 1.0
    scale = within * psf.sum(dtype=np.float64)
    profile = np.array([psf[ring].mean(dtype=np.float64) for ring in inner]) / scale
    error = ERROR * np.abs(profile) + FLOOR
    if rings is not None:
        profile = np.concatenate([profile, rings.brightness])
        error = np.concatenate([error, np.hypot(rings.error, ERROR * np.abs(rings.brightness))])
    place = np.array([distance[ring].mean() for ring in inner])
    moffat, turbulence = _moffat(place, rings, fwhm, radius), _turbulence(place, rings, WIDTHS * fwhm, radius)
    same_width = _turbulence(place, rings, np.array([fwhm]), radius)
    families = [moffat, turbulence, *(moffat.blended(same_width, part) for part in BLENDS)]
    fits = np.array([family.fit(profile, 1.0 / error, flat=rings is not None) for family in families])
    if fits[:, 1].min() > largest_chi2 * len(profile):
        return float("nan")
    fits[2:, 1] += BLEND_COST
    fits = np.vstack([fits[:2], fits[2:][np.argmin(fits[2:, 1])]])
    # families that fit equally well count equally
    likelihood = np.exp(-0.5 * (fits[:, 1] - fits[:, 1].min()))
    return float(fits[:, 0] @ likelihood / likelihood.sum())


def fit_pedestal(psf: NDArray[np.float64], fwhm: float, step: float = 1.0) -> float:
    """Fit profiles and a constant to an image of a PSF, and return the constant.

    Parameters
    ----------
    psf : ndarray of float64, shape (k, m)
        PSF centered on the middle pixel, light per pixel, of about one in all.
    fwhm : float
        Its full width at half maximum, pixels.
    step : float, default: 1.0
        Step of the image, pixels.

    Returns
    -------
    float
        Light per pixel that is not the PSF's. Where no profile fits, the mean along the border, as if the PSF ended
        there.
    """
    shape = (psf.shape[0], psf.shape[1])
    distance = stamp_radius(shape, step)
    border = np.ones(shape, bool)
    border[1:-1, 1:-1] = False
    end = float(psf[border].mean())
    width = max(step, 1.0)
    steps = np.arange(CORE * fwhm, min(shape) // 2 * step + width, width)
    rings = [ring for low, high in pairwise(steps) if (ring := (distance >= low) & (distance < high)).any()]
    if len(rings) < LEAST_RINGS:
        return end
    profile, place = (np.array([values[ring].mean(dtype=np.float64) for ring in rings]) for values in (psf, distance))
    weight = 1.0 / (ERROR * np.abs(profile - end) + FLOOR)
    families = _moffat(place, None, fwhm, np.inf), _turbulence(place, None, WIDTHS * fwhm, np.inf)
    fits = [_fit_linear(family.shape, profile, weight, flat=True) for family in families]
    pedestal, chi2 = (np.concatenate([fit[k] for fit in fits]) for k in (1, 2))
    if chi2.min() > LARGEST_CHI2 * len(rings):
        return end
    likelihood = np.exp(-0.5 * (chi2 - chi2.min()))
    # the PSF is nowhere negative
    return min(float(pedestal @ likelihood / likelihood.sum()), end)


@frozen
class _Family:
    """Profiles of a whole of one: the light per pixel where it is measured, and that beyond the reference circle."""

    shape: NDArray[np.float64]
    beyond: NDArray[np.float64]

    def blended(self, other: "_Family", part: float) -> "_Family":
        """Return blends of which ``other`` is a part."""
        return _Family((1.0 - part) * self.shape + part * other.shape, (1.0 - part) * self.beyond + part * other.beyond)

    def fit(self, profile: NDArray[np.float64], weight: NDArray[np.float64], *, flat: bool) -> tuple[float, float]:
        """Return the light beyond the circle of the profile that fits best, and its chi-squared."""
        light, _, chi2 = _fit_linear(self.shape, profile, weight, flat=flat)
        best = int(np.argmin(chi2))
        return float(light[best] * self.beyond[best]), float(chi2[best])


def _moffat(place: NDArray[np.float64], rings: Rings | None, fwhm: float, radius: float) -> _Family:
    """Moffat profiles of all exponents and widths."""
    beta, width = (grid.ravel()[:, None] for grid in np.meshgrid(BETAS, WIDTHS * fwhm))
    scale = 0.5 * width / np.sqrt(2.0 ** (1.0 / beta) - 1.0)
    shape = (beta - 1.0) / (np.pi * scale**2) * (1.0 + (place / scale) ** 2) ** -beta
    if rings is not None:
        shape = np.hstack([shape, (_beyond(rings.low, scale, beta) - _beyond(rings.high, scale, beta)) / _area(rings)])
    return _Family(shape, _beyond(np.array(radius), scale, beta)[:, 0])


def _turbulence(place: NDArray[np.float64], rings: Rings | None, widths: NDArray[np.float64], radius: float) -> _Family:
    """Profiles of Kolmogorov turbulence of some widths, pixels."""
    width = widths[:, None]
    shape = kolmogorov_profile(place, width)
    if rings is not None:
        between = kolmogorov_beyond(rings.low, width) - kolmogorov_beyond(rings.high, width)
        shape = np.hstack([shape, between / _area(rings)])
    return _Family(shape, kolmogorov_beyond(np.array(radius), widths))


def _area(rings: Rings) -> NDArray[np.float64]:
    """Areas of rings, pixels."""
    return np.asarray(np.pi * (rings.high**2 - rings.low**2))


def _beyond(radius: NDArray[np.float64], scale: NDArray[np.float64], beta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light of Moffat profiles beyond circles."""
    return np.asarray((1.0 + (radius / scale) ** 2) ** (1.0 - beta))


def _fit_linear(
    shape: NDArray[np.float64], profile: NDArray[np.float64], weight: NDArray[np.float64], *, flat: bool
) -> tuple[NDArray[np.float64], ...]:
    """Fit ``light * shape``, and a pedestal if ``flat``, for every row of ``shape``: light, pedestal, chi-squared."""
    a, one, target = shape * weight, weight, profile * weight
    aa, ab, bb = (a * a).sum(1), a @ one, float(one @ one)
    at, bt = a @ target, float(one @ target)
    pedestal = (aa * bt - ab * at) / np.maximum(aa * bb - ab**2, 1e-300) if flat else np.zeros(len(a))
    light = (at - pedestal * ab) / aa
    chi2 = np.square(light[:, None] * a + pedestal[:, None] * one - target).sum(1)
    return light, pedestal, chi2
