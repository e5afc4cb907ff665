"""Sub-pixel shifts by interpolation, as matrices that act on rows and columns of many stamps at once.

The value between samples is the linear combination of the samples nearby that is best for profiles as wide as stars
are: the expectation of a Gaussian process whose correlation is that of a Gaussian (Rybicki & Press 1992, ApJ 398, 169,
section 2). PSFs of a full width of 2.5 samples and more are moved to within 0.0003 samples, and their flux changes by
0.003 % at most. The Lanczos kernel of the same reach, which is best for profiles without any width, moves them to
within 0.003 samples and changes their flux by 0.3 %.

A PSF model is moved with the weights that it was fitted with: models of PSFEx and of SDSS with those of Lanczos, whose
errors are in their images with the opposite sign.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from obs.kernels.library import Kernel

__all__ = ["REACH", "Interpolation", "shift_matrices", "shift_slopes"]

Interpolation = Literal["star", "lanczos"]
"""Weights that are best for stars, and those of Lanczos."""

REACH = 5
"""Samples on either side of the nearest one that count."""

STEP = 1e-4
"""Samples. The slopes of weights are differences over this distance."""

WIDTH = 1.2
"""Standard deviation of the Gaussian whose correlation is assumed, samples: hardly more than that of narrow PSFs."""

_TAPS = np.arange(-REACH, REACH + 1)

_COMPILED = Kernel("lay_weights", "float32", "int64", "int", "int", "int", "int", "int", "float32")


def _correlation(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.25 * np.square(distance / WIDTH)))


def _solution() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return matrix and vector that give weights from correlations: those of least error whose sum is one.

    A constant must stay a constant, or interpolation would modulate the flux with the sub-pixel phase.
    """
    n = len(_TAPS)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = _correlation((_TAPS[:, None] - _TAPS).astype(np.float64))
    system[n, n] = 0.0
    inverse = np.asarray(np.linalg.inv(system), np.float64)
    return inverse[:n, :n], inverse[n, :n]


_MATRIX, _VECTOR = _solution()


def _star(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of samples at distances, shape (..., 2 * REACH + 1), from the place that is wanted."""
    return np.asarray(_correlation(distance) @ _MATRIX + _VECTOR)


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of Lanczos, whose sum is made one; arguments as of `_star`."""
    weight = np.sinc(distance) * np.sinc(distance / REACH)
    weight[np.abs(distance) >= REACH] = 0.0
    return np.asarray(weight / weight.sum(-1, keepdims=True))


_WEIGHTS: dict[Interpolation, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "star": _star,
    "lanczos": _lanczos,
}


def _slopes(interpolation: Interpolation) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function that gives by how much weights grow as distances shrink."""
    weigh = _WEIGHTS[interpolation]
    return lambda distance: (weigh(distance - STEP) - weigh(distance + STEP)) / (2.0 * STEP)


def shift_matrices(
    offset: NDArray[np.float64],
    size: int,
    model_size: int,
    sampling: float = 1.0,
    interpolation: Interpolation = "star",
) -> NDArray[np.float32]:
    """Return matrices that sample a model whose middle lies ``offset`` pixels beyond the middle of a row.

    Parameters
    ----------
    offset : ndarray of float64, shape (n,)
        Shift of the model, pixels.
    size : int
        Number of pixels in the row.
    model_size : int
        Number of samples of the model; beyond them the model is zero.
    sampling : float, optional
        Step between samples of the model, pixels.
    interpolation : {"star", "lanczos"}, optional
        Weights of the samples.

    Returns
    -------
    ndarray of float32, shape (n, size, model_size)
    """
    return _matrices(offset, size, model_size, sampling, _WEIGHTS[interpolation])


def shift_slopes(
    offset: NDArray[np.float64],
    size: int,
    model_size: int,
    sampling: float = 1.0,
    interpolation: Interpolation = "star",
) -> NDArray[np.float32]:
    """Return the derivatives of `shift_matrices` by ``offset``, 1/pixel; arguments and shape are the same.

    Parameters
    ----------
    offset : ndarray of float64, shape (n,)
        Shift of the model, pixels.
    size : int
        Number of pixels in the row.
    model_size : int
        Number of samples of the model; beyond them the model is zero.
    sampling : float, default: 1.0
        Step between samples of the model, pixels.
    interpolation : {"star", "lanczos"}, default: "star"
        Weights of the samples.

    Returns
    -------
    ndarray of float32, shape (n, size, model_size)
        Change for each pixel of ``offset``.
    """
    matrices = _matrices(offset, size, model_size, sampling, _slopes(interpolation))
    return matrices if sampling == 1.0 else np.asarray(matrices / np.float32(sampling))


def _matrices(
    offset: NDArray[np.float64],
    size: int,
    model_size: int,
    sampling: float,
    weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float32]:
    """Lay weights that depend on the distances of samples along the rows of matrices."""
    n = len(offset)
    if sampling == 1.0:
        # every pixel sees the same sub-pixel phase: one set of weights a row, laid along the diagonal
        whole = np.rint(-offset).astype(np.int64)
        weight = weigh((-offset - whole)[:, None] - _TAPS)[:, None, :]
        nearest = np.arange(size) - size // 2 + model_size // 2 + whole[:, None]
    else:
        place = (np.arange(size) - size // 2 - offset[:, None]) / sampling + model_size // 2
        nearest = np.rint(place).astype(np.int64)
        weight = weigh((place - nearest)[:, :, None] - _TAPS)
    if _COMPILED:
        matrices = np.empty((n, size, model_size), np.float32)
        weights = np.ascontiguousarray(weight, np.float32)
        _COMPILED(weights, nearest, n, weights.shape[1], size, model_size, len(_TAPS), matrices)
        return matrices
    column = nearest[:, :, None] + _TAPS
    padded = np.zeros((n, size, model_size + 2), np.float32)
    # weights that fall outside the model land in a spare column at either end, and leave with it
    column = np.clip(column + 1, 0, model_size + 1)
    np.put_along_axis(padded, column, np.broadcast_to(weight, column.shape).astype(np.float32), axis=2)
    return padded[:, :, 1:-1]
