"""Cubes of red, green and blue that a program computed from a color mosaic, turned back into the mosaic.

Programs that compute the colors fill in, for each pixel, the two colors that it did not see; the third is left as it
was. The pixels that were seen are whole counts, or noisier than those filled in, and so show which cell of 2 x 2 the
mosaic repeats.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.repo.fits_file import open_fits
from obs.repo.normalized_pixels import are_normalized

__all__ = ["holds_colors", "to_mosaic"]

_PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
_SURE, _ERRORS = 0.04, 6.0
"""Part, and standard errors, by which the pixels seen are noisier than all, and than those of another pattern, where a
pattern is believed; filled in from neighbors pixels have half of the noise, by programs that follow edges 0.9 of it."""
_WHOLE, _NEAR = 0.99, 0.02
"""Part of the pixels that are whole counts where they were seen, not computed, and how near to one they are."""
_FULL = 2.0
"""Largest pixel of cubes whose counts were divided by 65,535."""
_KEPT = 0.99
"""Part of the differences between pixels that count as noise, not as stars."""
_PROGRAMS = re.compile(r"siril|pixinsight|deep ?sky ?stacker|astap|seestar", re.I)
_PROGRAM_CARDS = ("PROGRAM", "SWCREATE", "SWMODIFY", "CREATOR")


def holds_colors(path: Path) -> bool:
    """Return whether a FITS file is a cube of red, green and blue in which the color mosaic still shows.

    Three planes alone do not say so; pixels from 0 to 1, the name of such a program, or an axis of colors do.

    Parameters
    ----------
    path : Path
        FITS file.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    with open_fits(path) as hdus:
        images = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) >= 2]
        if len(images) != 1 or images[0].shape[:-2] != (3,):
            return False
        header = images[0].header
        said = any(_PROGRAMS.search(str(header.get(card, ""))) for card in _PROGRAM_CARDS)
        said = said or str(header.get("CTYPE3", "")).strip().upper() == "RGB" or are_normalized(images[0].data)
        return said and bool(_find_pattern(images[0].data))


def to_mosaic(cube: NDArray[Any], header: fits.Header, path: Path) -> NDArray[Any]:
    """Return the pixels that the mosaic had, and name its cell in the header.

    Parameters
    ----------
    cube : ndarray of any type, shape (3, ny, nx)
        Red, green and blue.
    header : `astropy.io.fits.Header`
        Cards of the cube; those of the mosaic are replaced.
    path : Path
        The file, for messages.

    Raises
    ------
    FileFormatError
        If the planes are not three, or the pixels do not show the mosaic.
    """
    if len(cube) != len("RGB"):
        raise FileFormatError(f"a cube of {len(cube)} planes, not of red, green and blue", path=path)
    pattern = _find_pattern(cube)
    if not pattern:
        raise FileFormatError(
            "a cube of red, green and blue whose noise does not show the color mosaic that it was computed from "
            "(resampled, smoothed, or of half the size): save the frames without debayering",
            path=path,
        )
    mosaic = np.empty(cube.shape[1:], cube.dtype)
    for number, color in enumerate(pattern):
        pixels = slice(number // 2, None, 2), slice(number % 2, None, 2)
        mosaic[pixels] = cube["RGB".index(color)][pixels]
    for card in ("ROWORDER", "XBAYROFF", "YBAYROFF"):
        header.remove(card, ignore_missing=True)
    header["BAYERPAT"] = (pattern, "as stored, by the noise of the pixels")
    return mosaic


def _find_pattern(cube: NDArray[Any]) -> str:
    """Return the cell of the mosaic; empty if the noise of the pixels does not show it."""
    rows, columns = (length // 2 * 2 for length in cube.shape[1:])
    cells = cube[:, :rows, :columns].reshape(3, rows // 2, 2, columns // 2, 2)
    if np.ptp(cells, axis=(2, 4)).max() == 0.0:
        return _PATTERNS[0]  # each pixel of a cell is that which was seen
    whole = _whole_numbers(cube)
    told = [
        pattern
        for pattern in _PATTERNS
        if min(whole["RGB".index(color), number] for number, color in enumerate(pattern)) > _WHOLE
    ]
    if len(told) == 1:
        return told[0]
    noise = np.array([[_noise(plane[y::2, x::2]) for y in (0, 1) for x in (0, 1)] for plane in cube])
    noise /= np.maximum(noise.mean(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    seen = {
        pattern: np.mean([noise["RGB".index(color), number] for number, color in enumerate(pattern)])
        for pattern in _PATTERNS
    }
    second, best = sorted(seen, key=seen.__getitem__)[-2:]
    least = max(_SURE, _ERRORS * 0.75 / np.sqrt(rows * columns))  # of the mean of a cell's four pixels
    return best if seen[best] > 1.0 + least and seen[best] - seen[second] > least else ""


def _whole_numbers(cube: NDArray[Any]) -> NDArray[np.float64]:
    """Return the part of the pixels at each place of the cell that are whole counts, as those seen; shape (3, 4)."""
    # pixels computed along edges may be a little below 0 or above 1
    counts = cube * (65535.0 if np.nanmax(np.abs(cube)) < _FULL else 1.0)
    is_whole = np.abs(counts - np.rint(counts)) < _NEAR
    return np.array([[is_whole[plane, y::2, x::2].mean() for y in (0, 1) for x in (0, 1)] for plane in range(3)])


def _noise(pixels: NDArray[Any]) -> float:
    """Return the mean difference of neighbors, without the largest ones."""
    steps = np.abs(np.diff(pixels.astype(np.float32), axis=1)).ravel()
    return float(np.sort(steps)[: max(int(_KEPT * steps.size), 1)].mean())
