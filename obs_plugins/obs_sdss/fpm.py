"""Masks (fpM): which pixels were saturated, interpolated over, hit by a cosmic ray.

One table a mask plane, one row a region, each region a list of spans. The names of the planes are in the last table.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.mask import Mask
from obs_sdss.fits_input import open_fits
from obs_sdss.fpc import FRAME_SHAPE

__all__ = ["PLANES", "paint", "read_fpm", "read_spans"]

PLANES = {"INTERP": "INTRP", "SATUR": "SAT", "CR": "CR"}
"""SDSS mask planes that matter to us, and ours."""

_PREFIX = "S_MASK_"
_SPAN = np.dtype([("y", ">u2"), ("x_first", ">u2"), ("x_last", ">u2")])


def read_spans(path: Path, planes: Iterable[str]) -> tuple[tuple[int, int], dict[str, NDArray[np.int64]]]:
    """Read the spans of mask planes.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.
    planes : iterable of str
        SDSS names of the planes, without ``S_MASK_``.

    Returns
    -------
    shape : tuple of int
        Shape (ny, nx) of the mask, pixels.
    spans : dict of str to ndarray of int64, shape (n, 3)
        For each plane y, first x and, half-open, the x after the last one, pixels.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or does not have a plane.
    """
    spans = {}
    with open_fits(path, "fpM") as hdus:
        header = hdus[0].header
        shape = int(header["MASKROWS"]), int(header["MASKCOLS"])
        count, names = int(header["NPLANE"]), hdus[-1].data
        attributes = (str(name).strip() for name in names["attributeName"])
        numbers = dict(zip(attributes, (int(value) for value in names["Value"]), strict=True))
        for plane in planes:
            number = numbers.get(_PREFIX + plane, count)
            if number >= count:
                raise FileFormatError(f"has no mask plane '{plane}' among its {count}", path=path)
            spans[plane] = _spans_of(hdus[number + 1].data)
    for plane, span in spans.items():
        y, x_first, x_end = span.T
        if len(span) and (y.min() < 0 or y.max() >= shape[0] or x_first.min() < 0 or x_end.max() > shape[1]):
            raise FileFormatError(f"mask plane '{plane}' leaves the frame of {shape[1]} x {shape[0]}", path=path)
    return shape, spans


def _spans_of(table: Any) -> NDArray[np.int64]:  # noqa: ANN401 (FITS_rec is untyped)
    if table is None or not len(table):
        return np.zeros((0, 3), np.int64)
    regions = [np.asarray(region, np.uint8) for region in table["s"]]
    counts = [len(region) // _SPAN.itemsize for region in regions]
    spans = np.concatenate(regions).view(_SPAN)
    y = spans["y"].astype(np.int64) - np.repeat(table["row0"], counts)
    x_0 = np.repeat(table["col0"], counts)
    return np.stack([y, spans["x_first"] - x_0, spans["x_last"].astype(np.int64) + 1 - x_0], axis=1)


def paint(array: NDArray[np.int32], spans: NDArray[np.int64], bits: int) -> None:
    """Set bits in the pixels of spans.

    Parameters
    ----------
    array : ndarray of int32, shape (ny, nx)
        Changed in place; contiguous.
    spans : ndarray of int64, shape (n, 3)
        y, first x and the x after the last one, pixels.
    bits : int
        What to set.
    """
    y, x_first, x_end = spans.T
    lengths = x_end - x_first
    first = np.cumsum(lengths) - lengths
    pixels = np.repeat(y * array.shape[1] + x_first - first, lengths) + np.arange(lengths.sum())
    array.reshape(-1)[pixels] |= np.int32(bits)


def read_fpm(path: Path, data_id: Mapping[str, Any]) -> Mask:
    """Read the planes of `PLANES` as a mask.

    Parameters
    ----------
    path : Path
        The file, gzipped or not.
    data_id : mapping
        Its data ID; not needed.

    Returns
    -------
    Mask
        Shape (1489, 2048), the overlap with the next field included.

    Raises
    ------
    FileFormatError
        If the file cannot be read or the mask has another shape.
    """
    shape, spans = read_spans(path, PLANES)
    if shape != FRAME_SHAPE:
        raise FileFormatError(f"the mask has shape {shape}, expected {FRAME_SHAPE}", path=path)
    mask = Mask.zeros(shape)
    for plane, name in PLANES.items():
        paint(mask.array, spans[plane], mask.bits(name))
    return mask
