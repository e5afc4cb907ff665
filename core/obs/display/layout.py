"""Room for words around an image of a fixed size, so that nothing is cut off."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_ELONGATED", "NO_MARGINS", "Margins", "fit_figure", "side_lengths"]

_SIDE = 7.5  # inches of the longer side of the image
_NARROWEST = 3.4  # inches of the shorter side where pixels are not squares
MOST_ELONGATED = 8.0
"""Ratio of the sides beyond which pixels are no longer drawn as squares."""
_PAD = 0.08


class Margins(NamedTuple):
    """Room around the axes, inches.

    Parameters
    ----------
    left, right, lower, upper : float, default: 0.0
        Room on each side, inches.
    """

    left: float = 0.0
    right: float = 0.0
    lower: float = 0.0
    upper: float = 0.0


NO_MARGINS = Margins()


def side_lengths(nx: int, ny: int) -> tuple[float, float]:
    """Return the width and height of the axes of an image, inches.

    Parameters
    ----------
    nx, ny : int
        Size of the image, pixels.
    """
    longer = max(nx, ny)
    least = _NARROWEST if longer > MOST_ELONGATED * min(nx, ny) else 0.0
    return max(_SIDE * nx / longer, least), max(_SIDE * ny / longer, least)


def fit_figure(figure: "Figure", axes: "Axes", sides: tuple[float, float], least: Margins = NO_MARGINS) -> Margins:
    """Give a figure the size that its axes and all words around them need.

    Parameters
    ----------
    figure : Figure
        The figure, with one axes, insets of these, and perhaps a legend.
    axes : Axes
        The axes.
    sides : tuple of float
        Width and height of the axes, inches.
    least : Margins, optional
        Room that is kept in any case.

    Returns
    -------
    Margins
        The room around the axes.
    """
    _place(figure, axes, sides, Margins(1.5, 1.5, 1.5, 1.0))
    figure.draw_without_rendering()
    words, frame = axes.get_tightbbox(), axes.get_window_extent()
    dpi = figure.dpi
    legend = sum(one.get_window_extent().height / dpi + _PAD for one in figure.legends)
    wide = max((one.get_window_extent().width / dpi for one in figure.legends), default=0.0)
    if words is None:
        return least
    found = Margins(
        left=(frame.x0 - words.x0) / dpi + _PAD,
        right=(words.x1 - frame.x1) / dpi + _PAD,
        lower=(frame.y0 - words.y0) / dpi + _PAD + legend,
        upper=(words.y1 - frame.y1) / dpi + _PAD,
    )
    missing = max(0.0, wide + 2.0 * _PAD - sides[0] - found.left - found.right) / 2.0
    found = found._replace(left=found.left + missing, right=found.right + missing)
    margins = Margins(*(max(pair) for pair in zip(found, least, strict=True)))
    _place(figure, axes, sides, margins)
    return margins


def _place(figure: "Figure", axes: "Axes", sides: tuple[float, float], margins: Margins) -> None:
    width, height = sides[0] + margins.left + margins.right, sides[1] + margins.lower + margins.upper
    figure.set_size_inches(width, height)
    axes.set_position((margins.left / width, margins.lower / height, sides[0] / width, sides[1] / height))
