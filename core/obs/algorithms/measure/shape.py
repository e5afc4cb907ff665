"""Adaptive Gaussian moments: the elliptical Gaussian that fits the source best, by iteration.

Bernstein & Jarvis (2002, AJ 123, 583) and Hirata & Seljak (2003, MNRAS 343, 459) give the method; errors follow from
the Fisher matrix of the Gaussian's amplitude and moments.
"""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.psf import Psf
from obs.kernels.library import Kernel

__all__ = ["Shapes", "half_maximum_moments", "measure_shape", "psf_elongation", "psf_sigma"]

NARROW = 0.8
"""Variance of the first weight, pixels squared, below which pixels are divided."""

DIVISION, NARROW_ROOM = 3, 9
"""They are divided into this many in x and in y, within this distance of the middle, pixels."""

REACH = 14.0
"""The weight ends where its exponent, twice, exceeds this."""

MAXIMUM_ITERATIONS = 100

ROOMS = (9, 14)
"""Half sizes, pixels, of the windows that sources of about one size share."""

_COMPILED = Kernel(
    "adaptive_moments",
    *("float32", "float32", "int", "int", "float64", "float64"),
    *("float64", "int64", "float64", "float64"),
    *("float", "int64", "int", "int", "float", "float"),
)


@frozen
class Shapes:
    """Second moments of the best-fitting Gaussians.

    Parameters
    ----------
    xx, yy, xy : ndarray of float64, shape (n,)
        Moments, pixels squared; NaN where ``failed``.
    xx_err, yy_err, xy_err : ndarray of float32, shape (n,)
        Standard errors, pixels squared.
    flux : ndarray of float64, shape (n,)
        Flux of the Gaussian, image units.
    flux_err : ndarray of float64, shape (n,)
        Standard error of the flux at fixed moments.
    failed : ndarray of bool, shape (n,)
        The iteration found no positive moments, or did not settle.
    unfinished : ndarray of bool, shape (n,)
        The stamp was too small for the source.
    """

    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]
    xx_err: NDArray[np.float32]
    yy_err: NDArray[np.float32]
    xy_err: NDArray[np.float32]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    failed: NDArray[np.bool_]
    unfinished: NDArray[np.bool_]

    def replace(self, rows: NDArray[np.int64], other: "Shapes") -> None:
        """Put in other results for the given rows.

        Parameters
        ----------
        rows : ndarray of int64, shape (m,)
            Results to overwrite.
        other : Shapes
            ``m`` results.
        """
        for part in fields(self):
            getattr(self, part.name)[rows] = getattr(other, part.name)

    def scaled(self, bin_size: int) -> "Shapes":
        """Return results measured on pixels added up in squares of ``bin_size``, in terms of the original pixels.

        Parameters
        ----------
        bin_size : int
            Side, pixels, of the squares.
        """
        area = float(bin_size**2)
        # adding up pixels widens an image by the variance of a square, which single pixels do not have
        return self._converted(area, (area - 1) / 12)

    def undivided(self, division: int) -> "Shapes":
        """Return results measured on pixels that were divided into squares of equal light, in terms of whole ones.

        Parameters
        ----------
        division : int
            Number of squares along the side of a pixel.
        """
        area = 1.0 / division**2
        # light spread evenly over a pixel has a variance, light at its middle has none
        return self._converted(area, (1 - area) / 12)

    def _converted(self, area: float, widening: float) -> "Shapes":
        xx, yy, xy = self.xx * area - widening, self.yy * area - widening, self.xy * area
        failed = self.failed | ~((xx > 0) & (xx * yy > xy**2))
        known = np.where(failed, np.nan, 1.0)
        errors = self.xx_err, self.yy_err, self.xy_err
        xx_err, yy_err, xy_err = ((error * known * area).astype(np.float32) for error in errors)
        xx, yy, xy, flux, flux_err = (value * known for value in (xx, yy, xy, self.flux, self.flux_err))
        return Shapes(xx, yy, xy, xx_err, yy_err, xy_err, flux, flux_err, failed, self.unfinished)


def measure_shape(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    *,
    start: NDArray[np.float64] | None = None,
    tolerance_ellipticity: float = 1e-5,
    tolerance_size: float = 1e-4,
) -> Shapes:
    """Measure adaptive moments about given centers.

    Where the iteration begins with narrow weights, as in undersampled images, pixels are divided: a Gaussian that falls
    within a pixel has no moments on whole ones.

    Parameters
    ----------
    stamps, variance : ndarray of float32, shape (n, size, size)
        Background-subtracted pixels and variance.
    dx, dy : ndarray of float64, shape (n,)
        Center relative to the middle pixel.
    start : ndarray of float64, shape (n, 3), optional
        Moments xx, yy, xy of the first weights, pixels squared: those of the PSF. If absent, they follow from the area
        above half of the maximum.
    tolerance_ellipticity, tolerance_size : float, optional
        The iteration ends when ellipticities change by less than the first, and the relative size by less than the
        second.

    Returns
    -------
    Shapes
    """
    first = half_maximum_moments(stamps) if start is None else start
    tolerances = tolerance_ellipticity, tolerance_size
    if not len(stamps) or not np.median(first[:, 0] + first[:, 1]) < 2 * NARROW:
        return _iterate(stamps, variance, dx, dy, first, *tolerances)
    half, room = stamps.shape[1] // 2, min(stamps.shape[1] // 2, NARROW_ROOM)
    inner = slice(half - room, half + room + 1)
    image, noise = (np.repeat(np.repeat(a[:, inner, inner], DIVISION, 1), DIVISION, 2) for a in (stamps, variance))
    area = np.float32(DIVISION**2)
    fine = _iterate(image / area, noise / area, dx * DIVISION, dy * DIVISION, _divided(first), *tolerances)
    found = fine.undivided(DIVISION)
    rows = np.flatnonzero(fine.unfinished)
    if len(rows):
        found.replace(rows, _iterate(stamps[rows], variance[rows], dx[rows], dy[rows], first[rows], *tolerances))
    return found


def half_maximum_moments(stamps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return moments xx, yy, xy, shape (n, 3), of round Gaussians with the area that is above half of the maximum.

    Parameters
    ----------
    stamps : ndarray of float32, shape (n, h, w)
        Images of the sources, without background.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Pixels squared; xy is 0, and xx and yy are not below 0.2.
    """
    above = stamps > 0.5 * stamps.max((1, 2), keepdims=True)
    # the area of a Gaussian above half of its maximum is 2 pi ln 2 times its variance
    moment = np.maximum(above.sum((1, 2)) / (2.0 * np.pi * np.log(2.0)), 0.2)
    return np.stack([moment, moment, np.zeros(len(stamps))], axis=1)


def _divided(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return moments in terms of pixels that are divided, the inverse of `Shapes.undivided`."""
    spread = (1.0 - 1.0 / DIVISION**2) / 12.0
    return np.asarray((moments + np.array([spread, spread, 0.0])) * DIVISION**2)


def _iterate(
    stamps: NDArray[np.float32],
    variance: NDArray[np.float32],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    start: NDArray[np.float64],
    tolerance_ellipticity: float,
    tolerance_size: float,
) -> Shapes:
    """Measure moments whose first weights are ``start``, on the pixels as they are."""
    n, half = len(stamps), stamps.shape[1] // 2
    if _COMPILED:
        weight, code, flux, flux_err = np.array(start, np.float64), np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
        planes = (np.ascontiguousarray(plane, np.float32) for plane in (stamps, variance))
        centers = (np.ascontiguousarray(center, np.float64) for center in (dx, dy))
        iteration = MAXIMUM_ITERATIONS, tolerance_ellipticity, tolerance_size
        rooms = np.array(ROOMS, np.int64)
        _COMPILED(*planes, n, half, *centers, weight, code, flux, flux_err, REACH, rooms, len(rooms), *iteration)
        return _results(variance[:, half, half], weight, code, flux, flux_err)
    weight = start.copy()
    state = np.zeros(n, np.int8)  # 0 iterating, 1 settled, 2 failed, 3 needs a larger stamp
    old = np.full((n, 3), 1e6)
    active = np.arange(n)
    offset = np.arange(-half, half + 1, dtype=np.float32)
    for _ in range(MAXIMUM_ITERATIONS):
        if not len(active):
            break
        w = weight[active]
        total, moments = np.empty(len(active)), np.empty((len(active), 3))
        for rows, room in _by_reach(w, half):
            total[rows], moments[rows] = _moments(stamps, active[rows], dx, dy, w[rows], offset, half, room)
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = moments / total[:, None]
        bad = (total <= 0) | (moments[:, 0] <= 0) | (moments[:, 1] <= 0)
        determinant = measured[:, 0] * measured[:, 1] - measured[:, 2] ** 2
        bad |= ~(determinant > 1e-7)
        m = np.where(bad[:, None], [1.0, 1.0, 0.0], measured)
        size = m[:, 0] + m[:, 1]
        now = np.stack([(m[:, 0] - m[:, 1]) / size, 2 * m[:, 2] / size, m[:, 0]], axis=1)
        change = np.abs(now - old[active])
        settled = (
            ~bad
            & (change[:, :2] < tolerance_ellipticity).all(1)
            & (np.abs(now[:, 2] / old[active, 2] - 1) < tolerance_size)
        )
        old[active] = now
        # deconvolve: the product of source and weight is narrower than the source, for Gaussians by exactly this much
        inverse = _inverse(m) - _inverse(w)
        determinant = inverse[:, 0] * inverse[:, 1] - inverse[:, 2] ** 2
        wild = ~settled & ~bad & ~((determinant > 0) & (inverse[:, 0] > 0))
        updated = _inverse(np.where((wild | bad)[:, None], [1.0, 1.0, 0.0], inverse))
        too_large = ~settled & ~bad & (np.sqrt(np.maximum(w[:, 0], w[:, 1])) * 3.0 > half)
        ended = np.where(settled, 1, np.where(bad | wild, 2, np.where(too_large, 3, 0)))
        state[active] = ended
        going = ended == 0
        weight[active[going]] = updated[going]
        active = active[going]
    state[state == 0] = 2
    flux, flux_err = np.empty(n), np.empty(n)
    for rows, room in _by_reach(weight, half):
        inner = slice(half - room, half + room + 1)
        x, y = (offset[inner] - d[rows, None].astype(np.float32) for d in (dx, dy))
        flux[rows], flux_err[rows] = _gaussian_flux(
            _weights(weight[rows], x, y), stamps[rows, inner, inner], variance[rows, inner, inner]
        )
    return _results(variance[:, half, half], weight, state, flux, flux_err)


def _inverse(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert symmetric matrices given as columns xx, yy, xy."""
    determinant = m[:, 0] * m[:, 1] - m[:, 2] ** 2
    return np.stack([m[:, 1], m[:, 0], -m[:, 2]], axis=1) / determinant[:, None]


def _by_reach(w: NDArray[np.float64], half: int) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Sort weights by the size of the window that they need, so that one wide source does not slow down a batch.

    Yields
    ------
    rows : ndarray of int64
        Rows of ``w``.
    room : int
        Half the size of their window, pixels.
    """
    # the center may be half a pixel from the middle
    needed = np.sqrt(REACH * np.maximum(w[:, 0], w[:, 1])) + 1
    sizes = np.array([*(size for size in ROOMS if size < half), half])
    group = np.minimum(np.searchsorted(sizes, needed), len(sizes) - 1)
    for k in np.unique(group):
        yield np.flatnonzero(group == k), int(sizes[k])


def _weights(
    w: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Gaussians of moments ``w`` at offsets x, shape (n, size), and y, shape (n, size)."""
    inverse = _inverse(w).astype(np.float32)
    exponent = (inverse[:, 1, None] * y**2)[:, :, None] + (inverse[:, 0, None] * x**2)[:, None, :]
    exponent += (2 * inverse[:, 2, None] * y)[:, :, None] * x[:, None, :]
    outside = exponent > REACH
    exponent *= -0.5
    gaussian = np.exp(exponent, out=exponent)
    gaussian[outside] = 0.0
    return gaussian


def _moments(
    stamps: NDArray[np.float32],
    active: NDArray[np.int64],
    dx: NDArray[np.float64],
    dy: NDArray[np.float64],
    w: NDArray[np.float64],
    offset: NDArray[np.float32],
    half: int,
    room: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inner = slice(half - room, half + room + 1)
    x = offset[inner] - dx[active, None].astype(np.float32)
    y = offset[inner] - dy[active, None].astype(np.float32)
    light = _weights(w, x, y)
    light *= stamps[active, inner, inner]
    by_row, by_column = light.sum(2, dtype=np.float64), light.sum(1, dtype=np.float64)
    total = by_row.sum(1)
    xx, yy = (by_column * x**2).sum(1), (by_row * y**2).sum(1)
    xy = (np.einsum("nij,nj->ni", light, x) * y).sum(1)
    return total, np.stack([xx, yy, xy], axis=1)


def _results(
    noise: NDArray[np.float32],
    weight: NDArray[np.float64],
    state: NDArray[np.int8] | NDArray[np.int64],
    flux: NDArray[np.float64],
    flux_err: NDArray[np.float64],
) -> Shapes:
    """Results of sources, given the variance of their middle pixels and what the iteration ended with."""
    failed = state != 1
    area = 2 * np.pi * np.sqrt(np.maximum(weight[:, 0] * weight[:, 1] - weight[:, 2] ** 2, 1e-12))
    errors = _moment_errors(weight, flux / area, noise)
    shown = np.where(failed[:, None], np.nan, weight)
    xx_err, yy_err, xy_err = np.where(failed, np.nan, errors.T).astype(np.float32)
    flux, flux_err = np.where(failed, np.nan, flux), np.where(failed, np.nan, flux_err)
    return Shapes(
        shown[:, 0], shown[:, 1], shown[:, 2], xx_err, yy_err, xy_err, flux, flux_err, failed, np.asarray(state == 3)
    )


def _gaussian_flux(
    gaussian: NDArray[np.float32], stamps: NDArray[np.float32], variance: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # a Gaussian of amplitude one adds up to pi sqrt(det) when weighted with itself, and to twice that unweighted
    flux = 2 * np.einsum("nij,nij->n", gaussian, stamps, dtype=np.float64)
    flux_variance = np.einsum("nij,nij,nij->n", gaussian, gaussian, variance, dtype=np.float64)
    # where the variance is not known in the stamp, but all the same where the weight is not zero
    doubtful = np.flatnonzero(~np.isfinite(flux_variance))
    if len(doubtful):
        weight_squared = gaussian[doubtful] ** 2
        under = np.where(weight_squared > 0, variance[doubtful], np.float32(0.0))
        flux_variance[doubtful] = np.einsum("nij,nij->n", weight_squared, under, dtype=np.float64)
    return flux, 2 * np.sqrt(flux_variance)


def _moment_errors(
    w: NDArray[np.float64], amplitude: NDArray[np.float64], variance: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return standard errors of xx, yy, xy from the Fisher matrix of a Gaussian in uniform noise."""
    xx, yy, xy = w.T
    d = np.maximum(xx * yy - xy**2, 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.pi * np.sqrt(d) / variance
        a = amplitude
        fisher = np.empty((len(w), 4, 4))
        first = scale * a / (4 * d)
        second = 3 * scale * a**2 / (16 * d**2)
        fisher[:, 0] = np.c_[scale, first * yy, first * xx, -2 * first * xy]
        fisher[:, 1, 1], fisher[:, 2, 2] = second * yy**2, second * xx**2
        fisher[:, 3, 3] = 4 * second * (xy**2 + d / 3)
        fisher[:, 1, 2] = fisher[:, 3, 3] / 4
        fisher[:, 1, 3], fisher[:, 2, 3] = -2 * second * yy * xy, -2 * second * xx * xy
    upper = np.triu_indices(4, 1)
    fisher[:, upper[1], upper[0]] = fisher[:, upper[0], upper[1]]
    usable = np.isfinite(fisher).all((1, 2)) & (amplitude > 0)
    fisher[~usable] = np.eye(4)
    # each row and column in units of its own diagonal, or float range would decide the inverse
    unit = np.sqrt(np.maximum(np.einsum("nii->ni", fisher), 1e-300))
    inverse = np.linalg.pinv(fisher / (unit[:, :, None] * unit[:, None, :]), hermitian=True)
    variance_of = np.einsum("nii->ni", inverse) / unit**2
    return np.where(usable[:, None], np.sqrt(np.maximum(variance_of[:, 1:], 0.0)), np.nan)


def psf_sigma(psf: Psf, *, x: float, y: float) -> float:
    """Return the size of a PSF at one place: the fourth root of the determinant of its adaptive moments, pixels.

    Parameters
    ----------
    psf : Psf
        Point-spread function.
    x, y : float
        Position on the detector, 0-based pixels.

    Returns
    -------
    float
        Standard deviation, pixels, of a round Gaussian with the same moments.

    Raises
    ------
    MeasurementError
        If the PSF has no moments there.
    """
    stamp = psf.evaluate(x=[x], y=[y])
    shape = measure_shape(stamp, np.ones_like(stamp), np.zeros(1), np.zeros(1))
    if shape.failed[0]:
        raise MeasurementError(f"the PSF at x={x:.0f}, y={y:.0f} has no measurable size; check where it comes from")
    return float((shape.xx[0] * shape.yy[0] - shape.xy[0] ** 2) ** 0.25)


def psf_elongation(psf: Psf, *, x: float, y: float) -> float:
    """Return the long axis of a PSF at one place in units of the mean of both axes; one where it has no moments.

    Parameters
    ----------
    psf : Psf
        Point-spread function.
    x, y : float
        Position on the detector, 0-based pixels.
    """
    stamp = psf.evaluate(x=[x], y=[y])
    shape = measure_shape(stamp, np.ones_like(stamp), np.zeros(1), np.zeros(1))
    if shape.failed[0]:
        return 1.0
    xx, yy, xy = float(shape.xx[0]), float(shape.yy[0]), float(shape.xy[0])
    mean, spread = 0.5 * (xx + yy), float(np.hypot(0.5 * (xx - yy), xy))
    return float(np.sqrt((mean + spread) / np.sqrt(max(mean**2 - spread**2, 1e-12))))
