"""Sub-pixel shifts by Lanczos interpolation, as matrices that act on rows and columns of many stamps at once."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["LANCZOS_ORDER", "shift_matrices"]

LANCZOS_ORDER = 5

_TAPS = np.arange(-LANCZOS_ORDER, LANCZOS_ORDER + 1)


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    weight = np.sinc(distance) * np.sinc(distance / LANCZOS_ORDER)
    weight[np.abs(distance) >= LANCZOS_ORDER] = 0.0
    # a constant must stay a constant, or interpolation would modulate the flux with the sub-pixel phase
    weight /= weight.sum(-1, keepdims=True)
    return weight


def shift_matrices(
    offset: NDArray[np.float64], size: int, model_size: int, sampling: float = 1.0
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

    Returns
    -------
    ndarray of float32, shape (n, size, model_size)
    """
    n = len(offset)
    if sampling == 1.0:
        # every pixel sees the same sub-pixel phase: one set of weights a row, laid along the diagonal
        whole = np.rint(-offset).astype(np.int64)
        weight = _lanczos((-offset - whole)[:, None] - _TAPS)[:, None, :]
        nearest = np.arange(size) - size // 2 + model_size // 2 + whole[:, None]
    else:
        place = (np.arange(size) - size // 2 - offset[:, None]) / sampling + model_size // 2
        nearest = np.rint(place).astype(np.int64)
        weight = _lanczos((place - nearest)[:, :, None] - _TAPS)
    column = nearest[:, :, None] + _TAPS
    padded = np.zeros((n, size, model_size + 2), np.float32)
    # weights that fall outside the model land in a spare column at either end, and leave with it
    column = np.clip(column + 1, 0, model_size + 1)
    np.put_along_axis(padded, column, np.broadcast_to(weight, column.shape).astype(np.float32), axis=2)
    return padded[:, :, 1:-1]
