"""Resample an image with a separable kernel."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.position_map import PositionMap
from obs.frozen import frozen
from obs.kernels.library import Kernel

__all__ = ["ResamplingKernel", "noise_excess", "resample_rows"]

_PHASES = 1024
_PLANES = ("float32", "float32", "int32")
_COMPILED = Kernel(
    "resample_rows",
    *(*_PLANES, "int", "int"),
    *("float64", "float64", "float64", "int", "int", "int", "int", "int", "int"),
    *("float32", "int", "int", "int"),
    *_PLANES,
)
_WIDTH = 1.6  # standard deviation of the Gaussian whose correlation is assumed, pixels
_LAG = 16  # phases between the lags at which the kernel is multiplied with itself
_LEAST_EXCESS = 0.005
_NO_EXCESS = 0.7  # input pixels; grids as fine as this skip none
_BLOCK = 1 << 16  # pixels that are worked on at once, so that they stay in the processor's cache


@frozen
class ResamplingKernel:
    """Weights of the pixels around a position, the same in x and y.

    Parameters
    ----------
    kind : {"star", "lanczos"}, optional
        "star": weights of least error for images whose correlation is that of a Gaussian of 1.6 pixels. "lanczos":
        those of images without any width.
    reach : int, optional
        Half width, pixels.

    References
    ----------
    G. Rybicki & W. Press (1992), ApJ 398, 169, section 2; C. Duchon (1979), J. Appl. Meteor. 18, 1016.
    """

    kind: Literal["star", "lanczos"] = "star"
    reach: int = 4

    def weights(self) -> NDArray[np.float32]:
        """Return the weights for 1,025 fractions of a pixel from 0 to 1, shape (2 * reach, 1025).

        Rows are the pixels from ``1 - reach`` to ``reach``, relative to the one below the position. Each column adds up
        to one.
        """
        return _weights(self)


@cache
def _weights(kernel: ResamplingKernel) -> NDArray[np.float32]:
    taps = np.arange(1 - kernel.reach, kernel.reach + 1)
    distance = np.arange(_PHASES + 1)[:, None] / _PHASES - taps
    if kernel.kind == "lanczos":
        weights = np.sinc(distance) * np.sinc(distance / kernel.reach)
        return np.asarray((weights / weights.sum(axis=1, keepdims=True)).T, np.float32)
    count = len(taps)
    system = np.ones((count + 1, count + 1))  # the last row and column make the sum one
    system[:count, :count] = _correlation((taps[:, None] - taps).astype(np.float64))
    system[count, count] = 0
    right = np.concatenate([_correlation(distance), np.ones((_PHASES + 1, 1))], axis=1)
    return np.asarray(np.linalg.solve(system, right.T)[:count], np.float32)


def _correlation(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.25 * np.square(distance / _WIDTH)))


def noise_excess(kernel: ResamplingKernel, jacobian: NDArray[np.float64]) -> float:
    """Return the variance of sums over many output pixels over that of the input pixels that they cover.

    It is 1 as long as output pixels are about as large as those of the input, or smaller. Larger ones skip input pixels
    and take others several times, the more so the less their grid is turned: structure finer than they are is folded
    into the sums. An excess below half a percent counts as none.

    Parameters
    ----------
    kernel : ResamplingKernel
        Weights of input pixels.
    jacobian : ndarray of float64, shape (2, 2)
        Change of x and y on the input (rows) from one output pixel to the next along x and y (columns).
    """
    area = float(abs(np.linalg.det(jacobian)))
    if not (np.isfinite(jacobian).all() and area > 0):
        return 1.0
    longest, shortest = np.linalg.svd(jacobian, compute_uv=False)
    if longest < _NO_EXCESS:
        return 1.0
    # the profile over the distance from the position, and the products with itself moved by a lag
    profile = np.concatenate(kernel.weights()[::-1, :_PHASES:_LAG].astype(np.float64))
    step = _LAG / _PHASES
    products = np.correlate(profile, profile, "full") * step
    lags = (np.arange(products.size) - (profile.size - 1)) * step
    numbers = np.arange(-(count := int(np.ceil(3 * kernel.reach / shortest))), count + 1)
    pairs = np.stack(np.meshgrid(numbers, numbers), axis=-1) @ jacobian.T
    along_x, along_y = (np.interp(pairs[..., axis], lags, products, 0, 0) for axis in (0, 1))
    excess = area * float(np.sum(along_x * along_y))
    return excess if excess > 1 + _LEAST_EXCESS else 1.0


def resample_rows(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    mask: NDArray[np.int32],
    positions: PositionMap,
    *,
    outside: int,
    kernel: ResamplingKernel,
) -> Iterator[tuple[int, int, NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]]:
    """Yield blocks of rows of an image on another grid.

    Fluxes are conserved: values are multiplied by the area of an output pixel in input pixels. The variance is that of
    the nearest input pixel times that area and `noise_excess`. It is larger than the scatter of single output pixels,
    which share noise with their neighbors, and equals the noise of sums over many pixels, such as fluxes.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Input; the image must be finite.
    mask : ndarray of int32, shape (ny, nx)
        Bits, which go with the nearest pixel.
    positions : PositionMap
        Where output pixels are on the input.
    outside : int
        Bits of output pixels for which the kernel leaves the input.
    kernel : ResamplingKernel
        Weights of pixels.

    Yields
    ------
    low, high : int
        First output row and the row behind the last.
    image, variance : ndarray of float32, shape (high - low, nx)
        Zero outside.
    mask : ndarray of int32, shape (high - low, nx)
    """
    height, width = positions.shape
    n_row, reach = max(1, _BLOCK // width), kernel.reach
    planes = tuple(np.ascontiguousarray(plane) for plane in (image, variance, mask))
    table = np.ascontiguousarray(kernel.weights().T)
    excess = np.float32(noise_excess(kernel, positions.jacobian()))
    for low in range(0, height, n_row):
        high = min(height, low + n_row)
        shape = high - low, width
        if _COMPILED:
            light, noise, bits = _compiled_rows(planes, positions, low, high, outside, table)
            noise *= excess
            yield low, high, light, noise, bits
            continue
        x, y, area = (plane.ravel() for plane in positions.rows(low, high))
        with np.errstate(invalid="ignore"):
            inside = (x >= reach - 1) & (x < image.shape[1] - reach) & (y >= reach - 1) & (y < image.shape[0] - reach)
        result = np.zeros(x.size, np.float32), np.zeros(x.size, np.float32), np.full(x.size, outside, np.int32)
        chosen = slice(None) if inside.all() else np.flatnonzero(inside)
        x, y, area = x[chosen], y[chosen], area[chosen]
        if x.size:
            result[0][chosen] = _interpolate(image, x, y, kernel) * area
            nearest = np.rint(y).astype(np.int64) * image.shape[1] + np.rint(x).astype(np.int64)
            result[1][chosen] = variance.ravel().take(nearest) * (area * excess)
            result[2][chosen] = mask.ravel().take(nearest)
        yield low, high, result[0].reshape(shape), result[1].reshape(shape), result[2].reshape(shape)


def _compiled_rows(
    planes: tuple[NDArray[Any], ...],
    positions: PositionMap,
    low: int,
    high: int,
    outside: int,
    table: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Return the rows that `resample_rows` yields, from the compiled library."""
    width = positions.shape[1]
    shape = high - low, width
    image, noise, bits = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int32)
    nodes = [np.ascontiguousarray(nodes, np.float64) for nodes in (positions.x, positions.y, positions.area)]
    grid = (*positions.x.shape, positions.step, low, high, width)
    weights = (table, table.shape[1], _PHASES, outside)
    _COMPILED(*planes, *planes[0].shape, *nodes, *grid, *weights, image, noise, bits)
    return image, noise, bits


def _interpolate(
    image: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32], kernel: ResamplingKernel
) -> NDArray[np.float32]:
    """Return the image at positions whose kernels lie inside it."""
    table, order = kernel.weights(), kernel.reach
    left, below = x.astype(np.int64), y.astype(np.int64)
    across = table.take(((x - left) * _PHASES + 0.5).astype(np.int64), axis=1)
    upward = table.take(((y - below) * _PHASES + 0.5).astype(np.int64), axis=1)
    start = (below - (order - 1)) * image.shape[1] + (left - (order - 1))
    flat = image.ravel()
    total, line, value = np.zeros_like(x), np.empty_like(x), np.empty_like(x)
    for row in range(2 * order):
        for column in range(2 * order):
            np.take(flat, start, out=value, mode="clip")
            value *= across[column]
            if column:
                line += value
            else:
                line[:] = value
            start += 1
        start += image.shape[1] - 2 * order
        line *= upward[row]
        total += line
    return total
