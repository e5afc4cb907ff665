"""The kernel that turns the PSF of one image into that of another."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from obs.algorithms.pixels.statistics import weighted_median
from obs.frozen import frozen
from obs.image.psf import polynomial_terms

__all__ = ["KernelBasis", "MatchingKernel", "fit_matching_kernel"]

Floats = NDArray[np.float64]

_REACH = 3.5  # standard deviations of the widest Gaussian
_ROUNDS = 6
_ODD, _SIGNIFICANT = 3.0, 5.0
_LEAST_MISFIT = 0.003  # share of its light by which a star may always be missed
_SMALLEST = 1e-9
#: Noise of the sources counts as light that the kernel should make vanish, which keeps the kernel quiet, but makes it
#: too wide and draws the ratio of fluxes to zero. This share of it is enough.
_KEPT_NOISE = 0.2


@frozen
class KernelBasis:
    """Gaussians times powers of x and y, of which kernels are sums.

    All but the first have the sum zero, so that it alone is the ratio of fluxes.

    Parameters
    ----------
    widths : tuple of float
        Standard deviations of the Gaussians, pixels.
    degrees : tuple of int
        Largest sum of both powers for each Gaussian.

    References
    ----------
    C. Alard & R. Lupton (1998), ApJ 503, 325; C. Alard (2000), A&AS 144, 363.
    """

    widths: tuple[float, ...]
    degrees: tuple[int, ...]

    def __len__(self) -> int:
        return sum((degree + 1) * (degree + 2) // 2 for degree in self.degrees)

    @property
    def half(self) -> int:
        """Pixels from the middle of the kernel to its border."""
        return int(np.ceil(_REACH * max(self.widths)))

    def sums(self) -> Floats:
        """Return the sum of each product before the first is subtracted from it, shape (n,)."""
        return np.array([x.sum() * y.sum() for x, y in self._products()])

    def convolve(self, image: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield the image convolved with each product, before the first is subtracted from it.

        Parameters
        ----------
        image : ndarray of float32, shape (..., ny, nx)
            Zero beyond its borders.
        """
        last, wide = None, image
        for x, y in self._products():
            if x is not last:
                wide, last = convolve1d(image, x, axis=-1, mode="constant"), x
            yield convolve1d(wide, y, axis=-2, mode="constant")

    def _products(self) -> Iterator[tuple[Floats, Floats]]:
        """Yield profiles in x and y; the same object where x is the same."""
        place = np.arange(-self.half, self.half + 1, dtype=np.float64)
        for width, degree in zip(self.widths, self.degrees, strict=True):
            scaled = place / width
            profiles = [np.exp(-0.5 * scaled**2) * scaled**power for power in range(degree + 1)]
            profiles = [profile / np.abs(profile).sum() for profile in profiles]
            for power, x in enumerate(profiles):
                for y in profiles[: degree + 1 - power]:
                    yield x, y


@frozen
class MatchingKernel:
    """A kernel that varies over an image.

    Parameters
    ----------
    basis : KernelBasis
        What it is a sum of.
    coefficients : ndarray of float64, shape (n_basis, n_term)
        Polynomial of each member over the image, whose coordinates run from -1 to 1.
    order : int
        Degree of the polynomials.
    used : ndarray of bool, shape (n,)
        Stars that were not rejected.
    misfit : float
        Share of the light of a star, root mean square, that the kernel misses beyond noise; median of all
        stars, each with the weight of its light.
    """

    basis: KernelBasis
    coefficients: Floats
    order: int
    used: NDArray[np.bool_]
    misfit: float

    @property
    def flux_ratio(self) -> float:
        """Sum of the kernel: flux on the target over flux on the source."""
        return float(self.coefficients[0, 0])

    def stamp(self) -> Floats:
        """Return the kernel in the middle of the image, shape (2 half + 1, 2 half + 1)."""
        size = 2 * self.basis.half + 1
        point = np.zeros((size, size), np.float32)
        point[size // 2, size // 2] = 1
        fixed = MatchingKernel(self.basis, self.coefficients[:, :1], 0, self.used, self.misfit)
        return fixed.convolve(point).astype(np.float64)

    def convolve(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return an image convolved with the kernel of each place.

        Parameters
        ----------
        image : ndarray of float32, shape (ny, nx)
            The source, finite.
        """
        height, width = image.shape
        u, v = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
        powers = [(j, i) for j in range(self.order + 1) for i in range(self.order + 1 - j)]
        sums = self.basis.sums()
        own = self.coefficients.copy()
        own[0] -= sums[1:] @ self.coefficients[1:]
        result = np.zeros(image.shape, np.float32)
        for coefficient, part in zip(own, self.basis.convolve(image), strict=True):
            grid = np.zeros((self.order + 1, self.order + 1))
            grid[tuple(zip(*powers, strict=True))] = coefficient
            field = np.polynomial.polynomial.polygrid2d(v, u, grid).astype(np.float32)
            result += field * part
        return result


def fit_matching_kernel(
    sources: NDArray[np.float32],
    targets: NDArray[np.float32],
    variances: tuple[Floats, Floats],
    u: Floats,
    v: Floats,
    basis: KernelBasis,
    *,
    order: int,
    damping: float = 0.0,
) -> MatchingKernel:
    """Fit the kernel that turns stars of one image into those of another.

    Stars that change, which miss more of their light than others do and than noise explains, are rejected. A level of
    the sky is not fitted: it could not be told from the wings of the kernel.

    Parameters
    ----------
    sources : ndarray of float32, shape (n, my + 2 half, mx + 2 half)
        Stamps of the image that is convolved, without sky; ``half`` is that of the basis.
    targets : ndarray of float32, shape (n, my, mx)
        Stamps of the same pixels of the other.
    variances : tuple of ndarray of float64, shape (n,)
        Mean variance of the pixels of each source and target.
    u, v : ndarray of float64, shape (n,)
        Positions, -1 to 1 over the image.
    basis : KernelBasis
        What the kernel is a sum of.
    order : int
        Degree of its variation over the image.
    damping : float, optional
        Noise of the sources for which the kernel is made, as a share of the root of the sum of the squares of a target.
        Stamps without noise need some: finer structure than they have costs nothing, and would amplify the noise of the
        image that is convolved.
    """
    half = basis.half
    inner = np.s_[:, half : sources.shape[1] - half, half : sources.shape[2] - half]
    parts = np.stack([_rows(part[inner]) for part in basis.convolve(sources)], axis=1)
    parts[:, 1:] -= basis.sums()[1:, None] * parts[:, :1]
    wanted = _rows(targets)
    weight = 1.0 / (variances[0] + variances[1])
    gram = np.einsum("skp,slp->skl", parts, parts, optimize=True) * weight[:, None, None]
    right = np.einsum("skp,sp->sk", parts, wanted) * weight[:, None]
    power = np.sum(wanted**2, axis=1) * weight
    products, count = _products(basis), wanted.shape[1]
    noise = count * variances[0] * weight
    damped = _KEPT_NOISE * noise + damping**2 * power
    quiet = gram + (damped - noise)[:, None, None] * products
    terms = polynomial_terms(u, v, order)
    used = np.ones(len(sources), bool)
    for _ in range(_ROUNDS):
        kernel = MatchingKernel(basis, _solve(quiet[used], right[used], terms[used]), order, used, 0.0)
        here = terms @ kernel.coefficients.T
        chi2 = power - 2 * np.sum(right * here, axis=1) + np.einsum("sk,skl,sl->s", here, gram, here)
        expected = count * (variances[1] + variances[0] * np.sum(kernel.stamp() ** 2)) * weight
        excess = chi2 - expected
        share = excess / np.maximum(power, _SMALLEST)
        typical = weighted_median(share, np.sqrt(power))
        good = (excess < _SIGNIFICANT * np.sqrt(2.0 / count) * expected) | (
            share < _ODD**2 * max(typical, _LEAST_MISFIT**2)
        )
        if (good == used).all() or np.count_nonzero(good) < len(good) / 2:
            break
        used = good
    kernel = _without_attenuation(kernel, quiet[used], right[used], damped[used], products, here[used])
    return replace(kernel, misfit=float(np.sqrt(max(typical, 0.0))))


def _without_attenuation(
    kernel: MatchingKernel, gram: Floats, right: Floats, noise: Floats, products: Floats, here: Floats
) -> MatchingKernel:
    """Return a kernel with the ratio of fluxes that it has without the noise of the sources."""
    light = np.einsum("sk,skl,sl->", here, gram, here)
    own = np.einsum("s,sk,kl,sl->", noise, here, products, here)
    return replace(kernel, coefficients=kernel.coefficients * (np.sum(right * here) / (light - own)))


def _products(basis: KernelBasis) -> Floats:
    """Return the sums of the products of all members of a kernel's basis, shape (n, n)."""
    size = 2 * basis.half + 1
    point = np.zeros((1, size, size), np.float32)
    point[0, size // 2, size // 2] = 1
    parts = np.stack([_rows(part)[0] for part in basis.convolve(point)])
    parts[1:] -= basis.sums()[1:, None] * parts[0]
    return np.asarray(parts @ parts.T)


def _rows(stamps: NDArray[Any]) -> Floats:
    """Return stamps as rows of pixels."""
    return stamps.reshape(len(stamps), -1).astype(np.float64)


def _solve(gram: Floats, right: Floats, terms: Floats) -> Floats:
    """Return coefficients, shape (n_basis, n_term); the first member does not vary."""
    n_basis, n_term = right.shape[1], terms.shape[1]
    matrix = np.einsum("sj,sm,skl->kjlm", terms, terms, gram, optimize=True).reshape((n_basis * n_term,) * 2)
    vector = np.einsum("sj,sk->kj", terms, right).ravel()
    free = np.ones(n_basis * n_term, bool)
    free[1:n_term] = False
    matrix = matrix[np.ix_(free, free)]
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(matrix), _SMALLEST))
    result = np.zeros(n_basis * n_term)
    result[free] = scale * np.linalg.lstsq(matrix * scale * scale[:, None], vector[free] * scale, rcond=1e-8)[0]
    return result.reshape(n_basis, n_term)
