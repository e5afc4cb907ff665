"""A raw frame of one detector, as read from its file."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Raw"]


class Raw:
    """Pixels as the camera wrote them, overscan and all.

    Parameters
    ----------
    pixels : ndarray, shape (ny, nx), or mapping of int to such
        The raw image, ADU, of any number type; or one image for each HDU that holds an amplifier, by its number.
    metadata : mapping, optional
        The header: upper-case name to number, bool or text; copied.
    highest : float, optional
        The highest number that the file can hold, ADU, where the images are not of the file's own type of integers.

    Raises
    ------
    ValueError
        If an image is not two-dimensional, or there is none.
    """

    def __init__(
        self,
        pixels: NDArray[Any] | Mapping[int, NDArray[Any]],
        metadata: Mapping[str, Any] | None = None,
        *,
        highest: float = float("nan"),
    ) -> None:
        self.images: dict[int, NDArray[Any]] = dict(pixels) if isinstance(pixels, Mapping) else {0: np.asarray(pixels)}
        self.metadata = dict(metadata or {})
        if not self.images:
            raise ValueError("a raw frame needs at least one image")
        for hdu, image in self.images.items():
            if image.ndim != 2:
                raise ValueError(f"a raw image has two dimensions, that of HDU {hdu} has {image.ndim}")
        self.highest = highest
