"""The matched filter: an image correlated with a Gaussian of the PSF's size.

Separable, and within a per cent of the best signal to noise for any compact PSF (Bosch et al. 2018, section 4.7).
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.row_blocks import row_bands, row_blocks
from obs.frozen import frozen
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["Smoothed", "gaussian_kernel", "smooth"]

Float = NDArray[np.float32]

_COMPILED = Kernel("smooth_image", "float32", "int", "int", "float32", "int", "int", "int", "float32")


@frozen
class Smoothed:
    """An image correlated with a kernel.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Smoothed pixels; zero within ``margin`` of the border.
    margin : int
        Pixels along the border whose value is not known.
    """

    image: Float
    margin: int

    @property
    def inner(self) -> tuple[slice, slice]:
        """Index of the pixels whose value is known."""
        end = -self.margin or None
        return slice(self.margin, end), slice(self.margin, end)


def gaussian_kernel(sigma: float, n_sigma: float = 7.0) -> NDArray[np.float64]:
    """Return a normalized Gaussian of odd length, ``n_sigma`` times sigma (pixels) long.

    Parameters
    ----------
    sigma : float
        Standard deviation, pixels.
    n_sigma : float, default: 7.0
        Full length of the kernel in units of sigma.

    Returns
    -------
    ndarray of float64, shape (n,)
        One-dimensional kernel with a sum of 1.
    """
    half = int(sigma * n_sigma + 0.5) // 2
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.asarray(kernel / kernel.sum())


def smooth(image: Float, sigma: float, n_sigma: float = 7.0, *, to_border: bool = False) -> Smoothed:
    """Correlate an image with a round Gaussian.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels; must be finite.
    sigma : float
        Width of the Gaussian, pixels.
    n_sigma : float, optional
        Full size of the kernel in sigma.
    to_border : bool, optional
        Go on to the border, where part of the kernel leaves the frame: the rest is scaled so that the noise stays the
        same. Else those pixels stay unknown.

    Returns
    -------
    Smoothed
    """
    kernel = gaussian_kernel(sigma, n_sigma).astype(np.float32)
    margin = len(kernel) // 2
    result = np.zeros_like(image)
    if min(image.shape) <= 2 * margin:
        return Smoothed(result, margin)
    if _COMPILED:
        pixels = np.ascontiguousarray(image)

        def smooth_rows(rows: slice) -> None:
            _COMPILED(pixels, *image.shape, kernel, len(kernel), rows.start, rows.stop, result)

        map_threads(smooth_rows, row_bands((image.shape[0], image.shape[1])))
    elif to_border:
        _correlate(np.pad(image, margin), kernel, result)
    else:
        end = -margin or None
        _correlate(image, kernel, result[margin:end, margin:end])
    if not to_border:
        for axis in (result, result.T):
            axis[:margin] = axis[len(axis) - margin :] = 0.0
        return Smoothed(result, margin)
    rows, columns = (_lost_noise(size, kernel) for size in image.shape)
    result *= rows[:, None]
    result *= columns
    return Smoothed(result, 0)


def _lost_noise(size: int, kernel: Float) -> Float:
    """Factor, shape (size,), that gives a sum over the part of the kernel in the frame the noise of the whole."""
    square = np.square(kernel, dtype=np.float64)
    covered = np.convolve(np.ones(size), square, mode="same")
    return np.asarray(np.sqrt(square.sum() / covered), np.float32)


def _correlate(image: Float, kernel: Float, out: Float) -> None:
    """Weighted sums of shifted rows, then columns, block by block in the cache: several times faster than ndimage."""
    margin = len(kernel) // 2
    for rows in row_blocks(out.shape):
        block = image[rows.start : rows.stop + 2 * margin]
        n = rows.stop - rows.start
        total = block[margin : margin + n] * kernel[margin]
        for k in range(margin):
            pair = block[k : k + n] + block[2 * margin - k : 2 * margin - k + n]
            pair *= kernel[k]
            total += pair
        width = out.shape[1]
        target = out[rows]
        np.multiply(total[:, margin : margin + width], kernel[margin], out=target)
        for k in range(margin):
            pair = total[:, k : k + width] + total[:, 2 * margin - k : 2 * margin - k + width]
            pair *= kernel[k]
            target += pair
