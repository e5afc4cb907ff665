"""Whether the PSF has two peaks, as where the telescope jumped by little more than its width."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["measure_dip"]

#: Part of the peak below which pixels do not say along which axis the PSF is long.
_FAINT = 0.1
_STEP = 0.25  # pixels


def measure_dip(stamp: NDArray[np.floating]) -> float:
    """Return how deep a PSF dips between two peaks along its long axis, as a part of the higher peak.

    Parameters
    ----------
    stamp : ndarray of float, shape (ny, nx)
        The PSF.

    Returns
    -------
    float
        0 for one peak, up to 1 for two separate ones. Trails have less than 0.1, rings more.
    """
    image = np.where(stamp > _FAINT * stamp.max(), stamp, 0.0).astype(np.float64)
    y, x = np.indices(image.shape)
    total = image.sum()
    if not total > 0:
        return 0.0
    center_x, center_y = float((x * image).sum() / total), float((y * image).sum() / total)
    dx, dy = x - center_x, y - center_y
    xx, yy, xy = ((product * image).sum() for product in (dx * dx, dy * dy, dx * dy))
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    along = np.arange(-0.5 * min(image.shape), 0.5 * min(image.shape), _STEP)
    profile = _look_up(stamp, center_y + along * np.sin(angle), center_x + along * np.cos(angle))
    peak = int(np.argmax(profile))
    # on both sides: how far the profile rises again above its lowest value so far
    rises = [float((side - np.minimum.accumulate(side)).max()) for side in (profile[peak:], profile[peak::-1])]
    return max(rises) / float(profile[peak])


def _look_up(image: NDArray[np.floating], y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values between pixels by linear interpolation; 0 beyond the middles of the outermost ones."""
    height, width = image.shape
    inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
    row, column = (np.clip(np.floor(at).astype(np.int64), 0, max(n - 2, 0)) for at, n in ((y, height), (x, width)))
    up, right = np.minimum(row + 1, height - 1), np.minimum(column + 1, width - 1)
    lower, upper = (image[r, column] * (column + 1 - x) + image[r, right] * (x - column) for r in (row, up))
    return np.where(inside, lower * (row + 1 - y) + upper * (y - row), 0.0)
