"""Walk over an image in blocks of rows that stay in the processor's cache."""

from collections.abc import Iterator

__all__ = ["row_bands", "row_blocks"]

_PIXELS = 1 << 16
"""Pixels of one block: a few planes of float32 of this size fit into the second-level cache."""
_BANDS = 16
"""Bands of an image for several threads: a few for each, so that they end together."""


def row_bands(shape: tuple[int, int]) -> list[slice]:
    """Return slices of rows that divide an image of shape (ny, nx) among threads.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the image.
    """
    return list(row_blocks(shape, max(-(-shape[0] // _BANDS), 1) * shape[1]))


def row_blocks(shape: tuple[int, int], pixels: int = _PIXELS) -> Iterator[slice]:
    """Yield slices of rows that together cover an image.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the image.
    pixels : int, optional
        About as many pixels as a block should have.

    Yields
    ------
    slice
        Rows; at least one.
    """
    step = max(1, pixels // max(shape[1], 1))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))
