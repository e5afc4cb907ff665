"""Which part of an image is shown."""

import re

import numpy as np

from obs.errors import DataIdError, DatasetNotFoundError
from obs.frozen import frozen
from obs.geom import Box
from obs.image.wcs import TanSipWcs

__all__ = ["Zoom", "parse_zoom", "sky_box"]

_UNITS = {"": 1.0, '"': 1.0, "arcsec": 1.0, "'": 60.0, "arcmin": 60.0, "deg": 3600.0}
_SIZE = re.compile(r"""([0-9.eE+-]+)\s*("|'|arcsec|arcmin|deg|px|pix|pixel)?""")
_SEXAGESIMAL = re.compile(r"([+-]?)(\d+)[:hd](\d+)[:m'](\d+(?:\.\d*)?)[s\"]?")


@frozen
class Zoom:
    """A square part of an image.

    Parameters
    ----------
    x, y : float
        Its middle: right ascension and declination, degrees; or column and row, pixels.
    size : float
        Its side: arcsec, or pixels.
    in_pixels : bool
        Whether it is given in pixels.
    """

    x: float
    y: float
    size: float
    in_pixels: bool = False

    def box(self, wcs: TanSipWcs | None) -> Box:
        """Return the box of pixels of this part.

        Parameters
        ----------
        wcs : TanSipWcs or None
            WCS of the image; needed for a part that is given on the sky.

        Returns
        -------
        Box
            Box in 0-based pixels.

        Raises
        ------
        DatasetNotFoundError
            If it is given on the sky and the image has no WCS, or the place is not in front of the tangent plane.
        """
        if self.in_pixels:
            return _square(self.x, self.y, self.size)
        return sky_box(wcs, self.x, self.y, self.size)


def parse_zoom(text: str) -> Zoom:
    """Return the part of an image that words like ``150.1,2.2,60`` ask for.

    Parameters
    ----------
    text : str
        RA,DEC,SIZE in degrees (or as 10:00:24,+02:12:00) and arcsec (or with a unit: arcsec, arcmin, deg); with a SIZE
        such as ``200px`` column, row and size in pixels.

    Raises
    ------
    DataIdError
        If the words are something else.
    """
    parts = [part.strip() for part in text.split(",")]
    match = _SIZE.fullmatch(parts[-1]) if len(parts) == 3 else None
    try:
        if match is None:
            raise ValueError
        unit = match[2] or ""
        in_pixels = unit.startswith("pi") or unit == "px"
        x = float(parts[0]) if in_pixels else _angle(parts[0], 15.0)
        y = float(parts[1]) if in_pixels else _angle(parts[1], 1.0)
        size = float(match[1]) * (1.0 if in_pixels else _UNITS[unit])
        if not (size > 0 and np.isfinite([x, y, size]).all() and (in_pixels or abs(y) <= 90.0)):
            raise ValueError
    except ValueError:
        raise DataIdError(
            f"zoom: expected RA,DEC,SIZE such as 150.1,2.2,60 (degrees, arcsec) or X,Y,SIZEpx such as 1000,500,200px, "
            f"got '{text}'"
        ) from None
    return Zoom(x, y, size, in_pixels)


def _angle(text: str, factor: float) -> float:
    """Return degrees; a sexagesimal angle is multiplied with a factor."""
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None:
        return float(text)
    value = factor * (int(match[2]) + int(match[3]) / 60.0 + float(match[4]) / 3600.0)
    return -value if match[1] == "-" else value


def sky_box(wcs: TanSipWcs | None, ra: float, dec: float, size: float) -> Box:
    """Return the square of pixels around a place on the sky.

    Parameters
    ----------
    wcs : TanSipWcs or None
        Pixel to sky.
    ra, dec : float
        Degrees.
    size : float
        Side, arcsec.

    Raises
    ------
    DatasetNotFoundError
        If there is no WCS, or the place cannot be projected.
    """
    if wcs is None:
        raise DatasetNotFoundError("the image has no WCS: name the part in pixels, such as --zoom 1000,500,200px")
    x, y = (float(value) for value in wcs.sky_to_pixel(ra=ra, dec=dec))
    if not (np.isfinite(x) and np.isfinite(y)):
        raise DatasetNotFoundError(f"ra {ra:.5f}, dec {dec:.5f} is outside of the image")
    return _square(x, y, size / wcs.pixel_scale)


def _square(x: float, y: float, side: float) -> Box:
    pixels = max(1, round(side))
    return Box(round(x - (pixels - 1) / 2.0), round(y - (pixels - 1) / 2.0), pixels, pixels)
