"""Fit the level of the overscan: what the electronics add to every pixel, read where no light fell."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.polynomial.legendre import legvander
from numpy.polynomial.polynomial import polyvander
from numpy.typing import NDArray

from obs.algorithms.detector.overscan_noise import OverscanNoise, describe_noise
from obs.algorithms.numeric.special import normal_quantile
from obs.algorithms.pixels.statistics import IQR_TO_SIGMA
from obs.errors import MeasurementError
from obs.image.akima import akima_spline

__all__ = ["FitType", "OverscanFit", "fit_overscan"]

FitType = Literal[
    "MEAN",
    "MEANCLIP",
    "MEDIAN",
    "MEDIAN_PER_ROW",
    "POLY",
    "CHEB",
    "LEG",
    "NATURAL_SPLINE",
    "CUBIC_SPLINE",
    "AKIMA_SPLINE",
]

_BASES: dict[str, Callable[..., Any]] = {"POLY": polyvander, "CHEB": chebvander, "LEG": legvander}
_MEDIAN_VARIANCE = 0.5 * np.pi  # of a median, relative to that of a mean, for Gaussian noise


class OverscanFit(NamedTuple):
    """Levels of an amplifier, fitted to its overscan.

    Parameters
    ----------
    level : ndarray of float32, shape (n,)
        Level of each line of data, ADU.
    sigma : float
        Standard deviation of one overscan pixel about the level: the read noise, ADU.
    variance : float
        Variance of the level, ADU^2.
    noise : OverscanNoise
        Whether the scatter is that of an amplifier.
    """

    level: NDArray[np.float32]
    sigma: float
    variance: float
    noise: OverscanNoise = OverscanNoise(float("nan"), float("nan"))


class _Level(NamedTuple):
    """Level at the lines of data and at those of the overscan, and its variance per variance of a pixel."""

    at_data: NDArray[np.float64]
    at_overscan: NDArray[np.float64]
    variance: float


def fit_overscan(
    pixels: NDArray[np.number],
    *,
    lines: NDArray[np.int64],
    at: NDArray[np.int64],
    fit_type: FitType = "MEDIAN",
    order: int = 1,
    clip: float = 3.0,
    maximum_deviation: float = 1000.0,
    is_integer: bool = True,
    split: int | None = None,
) -> OverscanFit:
    """Fit the level of the overscan along its lines.

    Parameters
    ----------
    pixels : ndarray of any number type, shape (m, k)
        Overscan pixels, one line (a row, for a serial overscan) after the other, ADU.
    lines : ndarray of int64, shape (m,)
        Coordinate of each line, pixels, increasing.
    at : ndarray of int64, shape (n,)
        Coordinates of the lines of data, pixels, increasing.
    fit_type : str, optional
        ``MEAN``, ``MEANCLIP`` and ``MEDIAN`` give one level; ``MEDIAN_PER_ROW`` one a line; the others follow the lines
        with a polynomial or with a spline.
    order : int, optional
        Degree of the polynomial, or number of bins that the spline goes through.
    clip : float, optional
        Pixels further than this many standard deviations from their line's median do not count, except for medians.
    maximum_deviation : float, optional
        Nor do pixels further than this from the median of all, ADU.
    is_integer : bool, optional
        Whether pixels are whole numbers, of which a plain median is wrong by up to half of one; it is then interpolated
        within its step.
    split : int, optional
        Coordinate where the level jumps: the lines before it and from it on are fitted apart.

    Returns
    -------
    OverscanFit

    Raises
    ------
    MeasurementError
        If no pixel counts.
    """
    if split is not None and lines[0] < split <= lines[-1] and at[0] < split <= at[-1]:
        first, second = lines < split, at < split
        parts = [
            fit_overscan(
                pixels[rows],
                lines=lines[rows],
                at=at[data],
                fit_type=fit_type,
                order=order,
                clip=clip,
                maximum_deviation=maximum_deviation,
                is_integer=is_integer,
            )
            for rows, data in ((first, second), (~first, ~second))
        ]
        sigma, variance = (float(np.mean([part[index] for part in parts])) for index in (1, 2))
        shape = max((part.noise.shape for part in parts), key=lambda value: abs(value - 1.0))
        noise = OverscanNoise(shape, max(part.noise.pattern for part in parts))
        return OverscanFit(np.concatenate([part.level for part in parts]), sigma, variance, noise)
    values = _without_outliers(pixels, maximum_deviation)
    level = _level(values, lines, at, fit_type, order, clip, is_integer)
    residual = values - level.at_overscan[:, None].astype(np.float32)
    sigma = _clipped(residual[np.isfinite(residual)], max(clip, 3.0), _step(values)).sigma
    # the level follows the pixels that it was fitted to: of a median less than of a mean
    share = _MEDIAN_VARIANCE if fit_type in ("MEDIAN", "MEDIAN_PER_ROW") else 1.0
    sigma /= np.sqrt(max(1.0 + (share - 2.0) * level.variance / share, 0.1))
    noise = describe_noise(residual, _step(values))
    return OverscanFit(level.at_data.astype(np.float32), float(sigma), float(level.variance * sigma**2), noise)


def _without_outliers(pixels: NDArray[np.number], maximum_deviation: float) -> NDArray[np.float32]:
    values = pixels.astype(np.float32)
    finite = values[np.isfinite(values)]
    if finite.size:
        values[~(np.abs(values - np.median(finite)) <= maximum_deviation)] = np.nan
    if not np.isfinite(values).any():
        raise MeasurementError("no overscan pixel has a finite value near the others")
    return values


def _level(
    values: NDArray[np.float32],
    lines: NDArray[np.int64],
    at: NDArray[np.int64],
    fit_type: FitType,
    order: int,
    clip: float,
    is_integer: bool,
) -> _Level:
    if fit_type in ("MEAN", "MEANCLIP", "MEDIAN"):
        sample = values[np.isfinite(values)]
        if fit_type == "MEDIAN":
            level = float(_medians(sample[None], is_integer)[0])
        else:
            kept = sample if fit_type == "MEAN" else _clipped(sample, clip, _step(values)).kept
            level = float(kept.mean(dtype=float))
        variance = (_MEDIAN_VARIANCE if fit_type == "MEDIAN" else 1.0) / sample.size
        return _Level(np.full(len(at), level), np.full(len(lines), level), variance)
    if fit_type == "MEDIAN_PER_ROW":
        medians = _medians(values, is_integer)
        known = np.isfinite(medians)
        share = _MEDIAN_VARIANCE * known.sum() / np.isfinite(values).sum()
        at_data, at_overscan = (np.interp(x, lines[known], medians[known]) for x in (at, lines))
        return _Level(at_data, at_overscan, share)
    mean, number = _clipped_line_means(values, clip)
    known = number > 0
    x, mean, number = lines[known].astype(float), mean[known], number[known]
    if fit_type in _BASES:
        return _polynomial(x, mean, number, lines, at, fit_type, min(order, len(x) - 1))
    return _spline(x, mean, number, lines, at, fit_type, order)


class _Clipped(NamedTuple):
    """Values that survived clipping, and their standard deviation."""

    kept: NDArray[np.float32]
    sigma: float


def _clipped(sample: NDArray[np.float32], clip: float, step: float) -> _Clipped:
    """Clip a sample, never closer than a step: with little noise most whole numbers are the same, and more is noise."""
    low, center, high = (float(q) for q in np.percentile(sample, (25, 50, 75)))
    sigma = IQR_TO_SIGMA * (high - low)
    for _ in range(3):
        sample = sample[np.abs(sample - np.float32(center)) <= clip * max(sigma, step)]
        center, sigma = float(sample.mean(dtype=float)), float(sample.std(dtype=float))
    return _Clipped(sample, sigma)


def _step(values: NDArray[np.float32]) -> float:
    """Distance of possible values: 1 where all finite values are whole numbers, 16 for 12 bits in 16, else 0."""
    finite = values[np.isfinite(values)]
    whole = finite.astype(np.int64)
    if not finite.size or np.any(finite != whole):
        return 0.0
    return float(max(np.gcd.reduce(np.unique(whole - whole[0])), 1))


def _medians(values: NDArray[np.float32], is_integer: bool) -> NDArray[np.float64]:
    """Median of the finite values of each row; NaN where there is none."""
    ordered = np.sort(values, axis=1)  # NaN last
    number = np.isfinite(ordered).sum(1)
    rows = np.arange(len(ordered))
    low, high = (ordered[rows, np.maximum(index, 0)].astype(float) for index in ((number - 1) // 2, number // 2))
    middle = np.where(number > 0, 0.5 * (low + high), np.nan)
    whole = ordered[rows, np.maximum(number - 1, 0) // 2][:, None]
    step = _step(ordered)
    if not is_integer or step == 0.0:
        return middle
    # where between its borders a Gaussian would have its middle, by the parts below either border
    low, high = (
        normal_quantile((count.sum(1) + 0.3) / (number + 0.6)) for count in (ordered < whole, ordered <= whole)
    )
    return np.where(number > 0, whole[:, 0] - step * (0.5 + low / np.where(high > low, high - low, 1.0)), np.nan)


def _clipped_line_means(values: NDArray[np.float32], clip: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the values of each line that are near its median, and their number."""
    deviation = values - _medians(values, is_integer=False)[:, None].astype(np.float32)
    step = _step(values)
    sigma = _clipped(deviation[np.isfinite(deviation)], clip, step).sigma
    good = np.abs(deviation) <= max(clip * sigma, step, 1e-6)
    number = good.sum(1)
    total = np.where(good, values, 0.0).sum(1, dtype=np.float64)
    return total / np.maximum(number, 1), number


def _polynomial(
    x: NDArray[np.float64],
    mean: NDArray[np.float64],
    number: NDArray[np.int64],
    lines: NDArray[np.int64],
    at: NDArray[np.int64],
    fit_type: FitType,
    order: int,
) -> _Level:
    low, high = min(lines[0], at[0]), max(lines[-1], at[-1])
    center, half = 0.5 * (low + high), max(0.5 * (high - low), 0.5)
    vander = _BASES[fit_type]
    weight = np.sqrt(number)
    design = vander((x - center) / half, order)
    coefficients = np.linalg.lstsq(design * weight[:, None], mean * weight, rcond=None)[0]
    at_data, at_overscan = (vander((place - center) / half, order) @ coefficients for place in (at, lines))
    return _Level(at_data, at_overscan, (order + 1) / number.sum())


def _spline(
    x: NDArray[np.float64],
    mean: NDArray[np.float64],
    number: NDArray[np.int64],
    lines: NDArray[np.int64],
    at: NDArray[np.int64],
    fit_type: FitType,
    order: int,
) -> _Level:
    n_bin = int(np.clip(order, 1, max(len(x) // 2, 1)))
    index = np.minimum(((x - x[0]) * n_bin / max(x[-1] - x[0] + 1, 1)).astype(np.int64), n_bin - 1)
    weight = np.bincount(index, number, n_bin)
    filled = weight > 0
    center, level = (np.bincount(index, number * v, n_bin)[filled] / weight[filled] for v in (x, mean))
    if len(center) > 1:  # straight on from the outermost bins to the first and last line
        first, last = min(lines[0], at[0]) - 0.5, max(lines[-1], at[-1]) + 0.5
        slope = np.diff(level) / np.diff(center)
        level = np.concatenate(
            ([level[0] + slope[0] * (first - center[0])], level, [level[-1] + slope[-1] * (last - center[-1])])
        )
        center = np.concatenate(([first], center, [last]))
    curve = _curve(center, level, fit_type)
    return _Level(curve(at), curve(lines), int(filled.sum()) / number.sum())


def _curve(x: NDArray[np.float64], y: NDArray[np.float64], fit_type: FitType) -> Callable[[NDArray[np.int64]], Any]:
    if len(x) == 1:
        return lambda place: np.full(len(place), y[0])
    if fit_type == "AKIMA_SPLINE":
        return lambda place: akima_spline(x, y[:, None], place.astype(np.float64))[:, 0]
    from scipy.interpolate import CubicSpline  # noqa: PLC0415 - slow to import, seldom needed

    curve: Callable[[NDArray[np.int64]], Any] = CubicSpline(
        x, y, bc_type="natural" if fit_type == "NATURAL_SPLINE" or len(x) < 4 else "not-a-knot"
    )
    return curve
