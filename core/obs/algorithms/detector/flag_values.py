"""Tell the flags of a mask from counts by the values of the pixels."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["are_flags"]

_MOST_ZERO, _MOST_FLAGS = 0.5, 0.9  # least share of zeros, and of powers of two among the others
_FREQUENT = 10  # pixels with a value that counts
_MOST_BITS = 31


def are_flags(image: NDArray[np.floating]) -> bool:
    """Return whether the values of an image are flags, as those of a data-quality mask.

    Flags are zero in most pixels and powers of two in the others, and leave out numbers: 4 and 16, but neither 8 nor
    12. Few photons have every number below their largest frequent one.

    Parameters
    ----------
    image : ndarray of float, shape (ny, nx)
        Pixels as they were read.
    """
    values = image[image != 0]
    if not values.size or values.size > (1 - _MOST_ZERO) * image.size:
        return False
    if not (values > 0).all() or values.max() >= 2.0**_MOST_BITS or (values != np.floor(values)).any():
        return False  # NaN is not above 0
    numbers, counts = np.unique(values.astype(np.int64), return_counts=True)
    powers = numbers & (numbers - 1) == 0
    frequent = numbers[powers & (counts >= _FREQUENT)]
    if counts[powers].sum() < _MOST_FLAGS * counts.sum() or len(frequent) < 2:
        return False
    between = numbers[(numbers >= frequent[0]) & (numbers <= frequent[-1]) & (numbers % frequent[0] == 0)]
    return len(between) < int(frequent[-1] // frequent[0])
