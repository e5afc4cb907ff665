"""North, east and a scale bar, drawn into an image."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from obs.image.wcs import TanSipWcs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_sky_marks", "sky_directions"]

_ARROW = 0.09  # part of the shorter side
_MARGIN = 0.04
_BAR = 0.25
_NICE = (1.0, 2.0, 5.0)
_COLOR = "yellow"


def sky_directions(wcs: TanSipWcs, x: float, y: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return unit vectors (x, y) in the image that point north and east, at a pixel.

    Parameters
    ----------
    wcs : TanSipWcs
        WCS of the image.
    x, y : float
        Position, 0-based pixels.

    Returns
    -------
    north, east : ndarray of float64, shape (2,)
        Unit vectors.
    """
    ra, dec = (float(value) for value in wcs.pixel_to_sky(x=x, y=y))
    step = wcs.pixel_scale / 3600.0
    north = np.array(wcs.sky_to_pixel(ra=ra, dec=min(dec + step, 90.0)), float) - (x, y)
    if dec + step > 90.0:  # beyond the pole
        north = np.array([x, y]) - np.array(wcs.sky_to_pixel(ra=ra, dec=dec - step), float)
    east = np.array(wcs.sky_to_pixel(ra=ra + step / max(np.cos(np.radians(dec)), 1e-6), dec=dec), float) - (x, y)
    return north / np.hypot(*north), east / np.hypot(*east)


def draw_sky_marks(axes: "Axes", wcs: TanSipWcs, shape: tuple[int, int], corner: tuple[float, float]) -> None:
    """Draw arrows to the north and east and a scale bar.

    Parameters
    ----------
    axes : Axes
        Axes in pixels, of equal scale.
    wcs : TanSipWcs
        Pixel to sky, for pixels counted from the first one of the image.
    shape : tuple of int
        Shape (ny, nx) of the image.
    corner : tuple of float
        Position (x, y) of the first pixel on the axes.
    """
    middle = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0
    try:
        north, east = sky_directions(wcs, *middle)
    except (ValueError, ZeroDivisionError):
        return
    if not (np.isfinite(north).all() and np.isfinite(east).all()):
        return
    _draw_arrows(axes, {"N": north, "E": east}, shape, corner)
    _draw_bar(axes, wcs.pixel_scale, shape, corner)


def _outlined() -> dict[str, Any]:
    """Return the style of words that can be read on black and white."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - matplotlib takes long to import

    return {
        "color": _COLOR,
        "fontsize": "small",
        "weight": "bold",
        "path_effects": [withStroke(linewidth=2, foreground="black")],
    }


def _draw_arrows(
    axes: "Axes", arrows: dict[str, NDArray[np.float64]], shape: tuple[int, int], corner: tuple[float, float]
) -> None:
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - as above

    length, margin = _ARROW * min(shape), _MARGIN * min(shape)
    tips = np.array([(0.0, 0.0), *(1.45 * length * arrow for arrow in arrows.values())])
    # the arrows and their letters fill the upper left corner, whatever way they point
    start = np.array([margin - tips[:, 0].min(), shape[0] - margin - tips[:, 1].max()]) + corner - 0.5
    for name, arrow in arrows.items():
        axes.annotate(
            "",
            xy=tuple(start + length * arrow),
            xytext=tuple(start),
            arrowprops={
                "arrowstyle": "-|>",
                "color": _COLOR,
                "linewidth": 1.5,
                "shrinkA": 0,
                "shrinkB": 0,
                "path_effects": [withStroke(linewidth=3, foreground="black")],
            },
        )
        x, y = (float(value) for value in start + 1.3 * length * arrow)
        axes.text(x, y, name, ha="center", va="center", **_outlined())


def _draw_bar(axes: "Axes", pixel_scale: float, shape: tuple[int, int], corner: tuple[float, float]) -> None:
    seconds, words = nice_angle(_BAR * shape[1] * pixel_scale)
    length, margin = seconds / pixel_scale, 2.0 * _MARGIN * min(shape)
    right, y = corner[0] + shape[1] - margin, corner[1] + margin
    for width, color in ((4.0, "black"), (2.0, _COLOR)):
        axes.plot([right - length, right], [y, y], color=color, linewidth=width, solid_capstyle="butt")
    axes.annotate(
        words,
        (right - length / 2.0, y),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        annotation_clip=True,
        **_outlined(),
    )


def nice_angle(seconds: float) -> tuple[float, str]:
    """Return the largest of 1, 2, 5, 10, ... arcsec, arcmin or degrees that is not above an angle, and its words."""
    unit, name = next(
        (unit, name) for unit, name in ((3600.0, "deg"), (60.0, "arcmin"), (0.0, "arcsec")) if seconds >= unit
    )
    unit = unit or 1.0
    power = 10.0 ** np.floor(np.log10(seconds / unit))
    number = max(factor * power for factor in _NICE if factor * power <= 1.0000001 * seconds / unit)
    return number * unit, f"{number:g} {name}"
