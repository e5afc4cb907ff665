"""Where on a patch exposures are."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["covered_middle"]

_SAMPLES = 2000


def covered_middle(covered: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return x and y of a covered pixel near the middle of all of them; None if there is none.

    A PSF model is not known where no exposure is: its polynomials mean nothing in the middle of a patch of which only a
    corner is covered.

    Parameters
    ----------
    covered : ndarray of bool, shape (ny, nx)
        Pixels with data.
    """
    rows, columns = np.nonzero(covered)
    if not rows.size:
        return None
    step = max(1, rows.size // _SAMPLES)
    x, y = columns[::step].astype(float), rows[::step].astype(float)
    nearest = np.argmin(np.hypot(x - np.median(x), y - np.median(y)))
    return float(x[nearest]), float(y[nearest])
