"""Put the data of the amplifiers where they belong in the detector, and back."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from obs.camera.amplifier import Amplifier

__all__ = ["assemble", "split_amplifiers"]

Pixel = TypeVar("Pixel", bound=np.generic)


def assemble(
    raw: Mapping[int, NDArray[Pixel]], amplifiers: Sequence[Amplifier], shape: tuple[int, int], *, fill: float
) -> NDArray[Pixel]:
    """Return the detector without overscan and prescan, each amplifier turned as its flips say.

    Parameters
    ----------
    raw : mapping of int to ndarray, shape (ny, nx)
        Raw image by the number of its HDU.
    amplifiers : sequence of Amplifier
        Where the data are, and where they go.
    shape : tuple of int
        Shape (height, width) of the detector.
    fill : float
        Value of pixels that no amplifier covers.

    Returns
    -------
    ndarray of the raw images' type, shape (height, width)
    """
    result = np.empty(shape, next(iter(raw.values())).dtype)
    if sum(amp.bbox.width * amp.bbox.height for amp in amplifiers) < result.size:
        result[:] = fill
    for amp in amplifiers:
        result[amp.bbox.slices] = raw[amp.raw_hdu][amp.raw_data_bbox.slices][amp.flip]
    return result


def split_amplifiers(image: NDArray[Pixel], raw: Mapping[int, NDArray[Pixel]], amplifiers: Sequence[Amplifier]) -> None:
    """Copy the pixels of a detector to where the amplifiers have them in the raw images; the inverse of `assemble`.

    Parameters
    ----------
    image : ndarray of any type, shape (height, width)
        Pixels of the detector.
    raw : mapping of int to ndarray, shape (ny, nx)
        Raw image by the number of its HDU; its data sections are filled in place.
    amplifiers : sequence of Amplifier
        Where the data come from, and where they go.
    """
    for amp in amplifiers:
        raw[amp.raw_hdu][amp.raw_data_bbox.slices] = image[amp.bbox.slices][amp.flip]
