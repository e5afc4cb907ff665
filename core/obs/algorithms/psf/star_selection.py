"""Select stars by the narrow locus that they form in size against magnitude, and reserve some of them for tests."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["reserve", "select_stars"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_GRID_STEP = 0.005
_PEAK_WIDTH = 0.025
_PEAK_FRACTION = 0.4
_TREND_MIN_STARS = 12
_ROUNDS = 15
# ellipticities of stars scatter little; galaxies and tracks of cosmic rays have any
_SHAPE_MIN_STARS, _SHAPE_CLIP, _SHAPE_WIDTH = 5, 4.0, 0.02


def select_stars(
    *,
    flux: ArrayLike,
    flux_err: ArrayLike,
    size: ArrayLike,
    bad: ArrayLike,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    e1: ArrayLike | None = None,
    e2: ArrayLike | None = None,
    min_signal_to_noise: float = 50.0,
    max_flux: float = np.inf,
    min_size: float = 0.0,
    clip: float = 2.5,
    min_width: float = 0.01,
    max_width: float = 0.1,
    max_stars: int | None = None,
) -> Bool:
    """Find the stellar locus and return the sources on it.

    Stars of one exposure share a size while galaxies spread over larger ones. The locus is the first pronounced peak,
    from small sizes on, in the distribution of the logarithm of size; its width follows from the sources in it.

    Parameters
    ----------
    flux, flux_err : array-like, shape (n,)
        Fluxes and errors, one unit.
    size : array-like, shape (n,)
        Radius from second moments, pixels; any measure that is proportional to it will do.
    bad : array-like of bool, shape (n,)
        Saturated, interpolated, at the edge, blended, or failed.
    x, y : array-like, shape (n,), optional
        Positions, pixels: if given, the locus may change linearly over the detector.
    e1, e2 : array-like, shape (n,), optional
        Ellipticities: if given, stars share them too, which tracks of cosmic rays and galaxies do not.
    min_signal_to_noise : float
        Fainter sources are not considered.
    max_flux : float
        Brighter sources are not considered.
    min_size : float
        Smaller sources are not considered, unit of ``size``.
    clip : float
        Half width of the locus, standard deviations.
    min_width, max_width : float
        Bounds of the relative standard deviation of the size.
    max_stars : int, optional
        Keep only the stars with the highest signal-to-noise ratio.

    Returns
    -------
    ndarray of bool, shape (n,)
        The stars; none if no source qualifies.
    """
    counts, error, width = (np.asarray(values, np.float64) for values in (flux, flux_err, size))
    with np.errstate(divide="ignore", invalid="ignore"):
        signal = counts / error
        usable = ~np.asarray(bad, bool) & (signal >= min_signal_to_noise) & (counts <= max_flux)
        usable &= np.isfinite(width) & (width > max(min_size, 0.0)) & np.isfinite(signal)
    index = np.flatnonzero(usable)
    stars = np.zeros(len(counts), bool)
    if not len(index):
        return stars
    log_size, noise = np.log(width[index]), 1.0 / signal[index]
    terms = _terms(x, y, index)
    near = _locus(log_size, noise, terms, clip=clip, min_width=min_width, max_width=max_width)
    for shape in (e1, e2):
        if shape is not None:
            near &= _common_shape(np.asarray(shape, np.float64)[index], noise, terms, near)
    chosen = index[near]
    if max_stars is not None and len(chosen) > max_stars:
        chosen = chosen[np.argsort(-signal[chosen], kind="stable")[:max_stars]]
    stars[chosen] = True
    return stars


def reserve(stars: ArrayLike, *, fraction: float, ids: ArrayLike, seed: int = 0) -> Bool:
    """Set aside stars to test a model with that they did not shape.

    Which ones depends on their ids alone, not on their order.

    Parameters
    ----------
    stars : array-like of bool, shape (n,)
        The selected stars.
    fraction : float
        Part of the stars to set aside, 0 to 1; their number is rounded.
    ids : array-like of int, shape (n,)
        One number a source, such as its id or its pixel.
    seed : int
        Another seed sets others aside.

    Returns
    -------
    ndarray of bool, shape (n,)
        The reserved stars, a subset of ``stars``.

    Raises
    ------
    ValueError
        If ``fraction`` is not from 0 to 1.
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"the fraction of reserved stars is from 0 to 1, got {fraction}")
    chosen = np.flatnonzero(np.asarray(stars, bool))
    numbers = np.asarray(ids).astype(np.int64)[chosen]
    order = np.lexsort((numbers, _scramble(numbers, seed)))
    reserved = np.zeros(len(np.asarray(stars)), bool)
    reserved[chosen[order[: round(fraction * len(chosen))]]] = True
    return reserved


def _locus(log_size: Float, noise: Float, terms: Float, *, clip: float, min_width: float, max_width: float) -> Bool:
    """Return which sources lie on the locus, whose place is a linear combination of ``terms``, shape (n, n_term)."""
    center = np.full(len(log_size), _first_peak(log_size, noise))
    # a locus that tilts is wider than its peak at first, and narrows as the tilt is found
    tilts = terms.shape[1] > 1 and len(log_size) >= _TREND_MIN_STARS
    terms = terms if tilts else terms[:, :1]
    width = max_width if tilts else min(2.0 * _PEAK_WIDTH, max_width)
    near = np.abs(log_size - center) <= clip * np.hypot(width, noise)
    for _ in range(_ROUNDS):
        # weights that fade with the distance find the densest place, galaxies on one side or not
        weight = np.exp(-0.5 * (log_size - center) ** 2 / (width**2 + noise**2)) / (width**2 + noise**2)
        normal = (terms * weight[:, None]).T @ terms
        center = terms @ np.linalg.lstsq(normal, terms.T @ (weight * log_size), rcond=None)[0]
        deviation = log_size - center
        # galaxies are larger than stars: the smaller side shows the width
        below = near & (deviation <= 0)
        measured = 1.4826 * float(np.median(-deviation[below])) if below.any() else min_width
        share = float(np.median(noise[near])) if near.any() else 0.0
        # never wider again, lest the locus run off into the galaxies
        width = float(np.clip(np.sqrt(max(measured**2 - share**2, 0.0)), max(min_width, 0.6 * width), width))
        narrowed = np.abs(deviation) <= clip * np.minimum(np.hypot(width, noise), max_width)
        if np.array_equal(narrowed, near):
            break
        near = narrowed
    return np.asarray(near, bool)


def _common_shape(shape: Float, noise: Float, terms: Float, near: Bool) -> Bool:
    """Return which sources have the ellipticity that those near the locus share; it may tilt over the detector."""
    if np.count_nonzero(near) < _SHAPE_MIN_STARS:
        return np.ones(len(shape), bool)
    terms = terms if np.count_nonzero(near) >= _TREND_MIN_STARS else terms[:, :1]
    same = near & np.isfinite(shape)
    limit = np.full(len(shape), np.inf)
    for _ in range(_ROUNDS):
        center = terms @ np.linalg.lstsq(terms[same], shape[same], rcond=None)[0]
        deviation = np.abs(shape - center)
        spread = 1.4826 * float(np.median(deviation[near]))
        limit = _SHAPE_CLIP * np.hypot(max(spread, _SHAPE_WIDTH), 2.0 * noise)
        fresh = near & (deviation <= limit)
        if np.array_equal(fresh, same) or np.count_nonzero(fresh) < _SHAPE_MIN_STARS:
            break
        same = fresh
    return np.asarray(deviation <= limit, bool)


def _first_peak(log_size: Float, noise: Float) -> float:
    """Return the place of the first peak, from small sizes on, that is not much lower than the highest."""
    low, high = float(log_size.min()) - 0.2, float(log_size.max()) + 0.2
    grid = np.arange(low, high + _GRID_STEP, _GRID_STEP)
    if len(grid) > 4000:
        grid = np.linspace(low, high, 4000)
    # bright sources have sharp sizes and define the peak; a kernel of unit area lowers the say of faint ones
    width = np.sqrt(_PEAK_WIDTH**2 + noise**2)
    density = np.zeros(len(grid))
    for part in range(0, len(log_size), 2000):
        scaled = (grid[:, None] - log_size[None, part : part + 2000]) / width[part : part + 2000]
        density += (np.exp(-0.5 * scaled**2) / width[part : part + 2000]).sum(axis=1)
    inner = density[1:-1]
    peaks = 1 + np.flatnonzero((inner >= density[:-2]) & (inner > density[2:]))
    if not len(peaks):
        return float(np.median(log_size))
    return float(grid[peaks[density[peaks] >= _PEAK_FRACTION * density[peaks].max()][0]])


def _terms(x: ArrayLike | None, y: ArrayLike | None, index: NDArray[np.int64]) -> Float:
    """Return 1, and x and y in units of the sources' extent if given, shape (n, 1 or 3)."""
    axes = [np.asarray(axis, np.float64)[index] for axis in (x, y) if axis is not None]
    scaled = [(axis - axis.mean()) / max(float(np.ptp(axis)), 1e-9) for axis in axes]
    return np.stack([np.ones(len(index)), *scaled], axis=1)


def _scramble(numbers: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """Return numbers that look random, the same for the same input (the SplitMix64 finaliser)."""
    value = numbers.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
