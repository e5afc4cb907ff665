"""Background files: the control points of one background or of several that were subtracted one after the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.background import Background
from obs.repo.fits_file import header_to_dict, open_fits, set_cards, write_hdus
from obs.repo.lsst_background import read_lsst_background

__all__ = ["read_background", "write_background"]

_LEVEL, _ERROR = "BACKGROUND", "ERROR"


def write_background(backgrounds: Background | Sequence[Background], path: Path | str) -> None:
    """Write backgrounds: an image of levels and one of errors each, with the places of the points as cards.

    Parameters
    ----------
    backgrounds : Background or sequence of Background
        In the order in which they were subtracted.
    path : Path or str
        The file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    several = [backgrounds] if isinstance(backgrounds, Background) else backgrounds
    hdus: list[Any] = [fits.PrimaryHDU()]
    for version, background in enumerate(several, start=1):
        cards: dict[str, Any] = {
            "BUNIT": "adu",
            "FULL_NX": (background.shape[1], "[pix] width of the image"),
            "FULL_NY": (background.shape[0], "[pix] height of the image"),
            "STYLE": (background.style, "how the image follows from the points"),
            "ORDER": (background.order, "order of the Chebyshev polynomial"),
        }
        for axis, places in (("X", background.x), ("Y", background.y)):
            cards |= {f"{axis}CEN{i}": float(place) for i, place in enumerate(places, start=1)}
        hdus.append(_image(_LEVEL, version, background.level, cards))
        hdus.append(_image(_ERROR, version, background.error, {"BUNIT": "adu"}))
    write_hdus(path, hdus)


def _image(name: str, version: int, pixels: NDArray[np.float32], cards: dict[str, Any]) -> fits.ImageHDU:
    hdu = fits.ImageHDU(pixels.astype(">f4"), name=name, ver=version)
    set_cards(hdu.header, cards)
    return hdu


def read_background(path: Path | str) -> list[Background]:
    """Read backgrounds; the light that was subtracted is the sum of their images.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    list of Background
        In the order in which they were subtracted.

    Raises
    ------
    DatasetNotFoundError
        If there is no such file.
    FileFormatError
        If the file is neither one of `write_background` nor one of the LSST stack.
    """
    with open_fits(path, is_whole=True) as hdus:
        levels = [hdu for hdu in hdus if hdu.name == _LEVEL]
        if not levels:
            others = read_lsst_background(hdus)
            if others is None:
                raise FileFormatError("no background in it: neither one of obs nor one of the LSST stack")
            return others
        return [_background(level, hdus[_ERROR, level.ver]) for level in levels]


def _background(level: fits.ImageHDU, error: fits.ImageHDU) -> Background:
    cards = header_to_dict(level.header)
    height, width = level.shape
    try:
        return Background(
            np.array(level.data, np.float32),
            np.array(error.data, np.float32),
            np.array([cards[f"XCEN{i + 1}"] for i in range(width)], np.float64),
            np.array([cards[f"YCEN{i + 1}"] for i in range(height)], np.float64),
            shape=(cards["FULL_NY"], cards["FULL_NX"]),
            style=cards["STYLE"],
            order=cards["ORDER"],
        )
    except KeyError as missing:
        raise FileFormatError(f"{_LEVEL} image without card {missing.args[0]}") from None
