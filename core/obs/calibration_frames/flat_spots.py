"""Warn of stars that all flats have at the same place."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.combine.bright_spots import find_bright_spots
from obs.image.mask import Mask

__all__ = ["warn_of_spots"]

_FEWEST = 4
"""Fewest bright spots that are not chance."""
_RATIO = 3.0
"""Least ratio of bright spots to dim ones, which dust and dead pixels make."""


def warn_of_spots(image: NDArray[np.float32], mask: Mask) -> list[str]:
    """Return a warning if a combined flat has bright spots of the shape of stars.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        The flat; NaN where it has no value.
    mask : Mask
        Planes that its pixels have in every exposure.
    """
    bad = ~np.isfinite(image) | mask.any_known(("BAD", "SAT", "NO_DATA"))
    spots = find_bright_spots(image, bad)
    if spots.n_bright < _FEWEST or spots.n_bright < _RATIO * spots.n_dim:
        return []
    return [
        f"the flat has {spots.n_bright} bright spots of the shape of stars, the highest {100 * spots.highest:.2g} % "
        f"above its level at ({spots.x}, {spots.y}): stars on the same pixels of all flats, which dim what falls "
        "there. Take twilight flats with the telescope moved between them by more than a star's size"
    ]
