"""Backgrounds as the LSST stack writes them: three images each, of levels, mask and variance."""

import logging
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.background import Background, Style
from obs.repo.fits_file import header_to_dict

__all__ = ["read_lsst_background"]

_LOG = logging.getLogger(__name__)

_PLANES = 3
#: Values of INTERPSTYLE: no interpolation, splines of Akima, and the others, which our splines stand in for.
_CONSTANT, _AKIMA = 0, (5, 6)
_CHEBYSHEV = 0  # APPROXSTYLE


def read_lsst_background(hdus: fits.HDUList) -> list[Background] | None:
    """Return the backgrounds of a file of the stack's BackgroundList, or None if it is none.

    Parameters
    ----------
    hdus : fits.HDUList
        Open file.

    Raises
    ------
    FileFormatError
        If a card or a plane is missing.
    """
    images = [hdu for hdu in hdus if hdu.is_image and hdu.header.get("NAXIS") == 2]
    if not images or "BKGD_WIDTH" not in images[0].header:
        return None
    if len(images) % _PLANES:
        raise FileFormatError(f"a background of the stack has three images, here are {len(images)}")
    return [_background(*images[first : first + _PLANES]) for first in range(0, len(images), _PLANES)]


def _background(level: Any, mask: Any, variance: Any) -> Background:  # noqa: ANN401 - images of astropy
    cards = header_to_dict(level.header)
    try:
        shape = int(cards["BKGD_HEIGHT"]), int(cards["BKGD_WIDTH"])
        style, order = _style(cards)
    except KeyError as missing:
        raise FileFormatError(f"background of the stack without the card {missing.args[0]}") from None
    levels = np.array(level.data, np.float32)
    return Background(
        levels,
        np.sqrt(np.maximum(np.array(variance.data, np.float32), 0)),
        _centers(levels.shape[1], shape[1]),
        _centers(levels.shape[0], shape[0]),
        shape=shape,
        style=style,
        order=order,
    )


def _style(cards: dict[str, Any]) -> tuple[Style, int]:
    """Return how the image follows from the cells."""
    order = int(cards.get("APPROXORDERX", cards.get("APPROXORDER", 0)))
    if int(cards.get("APPROXSTYLE", -1)) == _CHEBYSHEV and order > 0:
        return "chebyshev", order
    interpolation = int(cards["INTERPSTYLE"])
    if interpolation == _CONSTANT:
        return "constant", 0
    if interpolation not in _AKIMA:
        _LOG.warning("the stack went between cells of this background in another way; splines of Akima are used")
    return "akima", 0


def _centers(n_cell: int, size: int) -> NDArray[np.float64]:
    """Return the centers of cells that divide an axis, pixels."""
    ends = np.minimum((np.arange(1, n_cell + 1) * size + n_cell // 2) // n_cell, size)
    starts = np.concatenate([[0], ends[:-1]])
    return np.asarray(0.5 * (starts + ends) - 0.5, np.float64)
