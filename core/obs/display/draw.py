"""An image as a picture: pixels, mask, sources, marks, and a legend."""

from collections.abc import Callable
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from obs.display.layout import MOST_ELONGATED, Margins, fit_figure, side_lengths
from obs.display.limits import find_limits
from obs.display.look import Look
from obs.display.mask_colors import RGB, overlay, shown_planes
from obs.display.picture import Picture
from obs.display.sky_marks import draw_sky_marks
from obs.display.symbols import draw_sources
from obs.display.view import View
from obs.errors import ConfigError, suggest
from obs.geom import Box
from obs.image.catalog import Catalog

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

__all__ = ["draw_view", "finish", "new_axes", "pixel_extent", "plain_text"]

_INVALID = "#7a5230"
_LEGEND_COLUMNS = 3
_SOFTENING, _LOG_RANGE = 0.05, 1000.0
"""Of the asinh and log stretch, in units of the range from black to white."""
_MOST_LINES = 4
_BAR_WIDTH, _BAR_GAP = 0.16, 0.1
"""Of the color bar, inches."""


def draw_view(
    view: View, look: Look | None = None, catalog: Catalog | None = None, *, figure: "Figure | None" = None
) -> Picture:
    """Draw an image, with mask and sources if asked for.

    Parameters
    ----------
    view : View
        What is drawn.
    look : Look, optional
        How.
    catalog : Catalog, optional
        Its sources, in pixels as on the axes.
    figure : Figure, optional
        Where it is drawn, in the place of what is there; a new figure if absent.

    Returns
    -------
    Picture

    Raises
    ------
    ConfigError
        If the scale, the color map or a mask plane is unknown.
    """
    look = look or Look()
    figure, axes = new_axes(view, figure)
    small = view.binned(look.largest)
    handles = _draw_pixels(figure, axes, view, small, look)
    handles += _draw_mask(axes, view, small, look)
    handles += _draw_outlines(axes, view)
    wcs = None if view.wcs is None else view.wcs.shifted(x=-view.x_min, y=-view.y_min)
    if catalog is not None and look.sources != "none":
        low = view.x_min - 0.5, view.y_min - 0.5
        high = low[0] + view.full_shape[1], low[1] + view.full_shape[0]
        handles.append(_line(draw_sources(axes, catalog, look.sources, wcs=wcs, low=low, high=high)))
    if view.wcs is not None and axes.get_aspect() == 1.0:
        draw_sky_marks(axes, view.wcs, view.full_shape, (view.x_min, view.y_min))
    margins = finish(figure, axes, view, handles)
    return Picture(figure, view.title or "an image", margins)


def plain_text(text: str) -> str:
    """Return words in which matplotlib finds no formula."""
    return "".join(character if character.isprintable() else " " for character in text).replace("$", r"\$")


def new_axes(view: View, figure: "Figure | None" = None) -> tuple["Figure", "Axes"]:
    """Return a figure of a size that fits the image, and its axes; a given figure is cleared."""
    # Not pyplot, which would look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes long to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    ny, nx = view.full_shape
    elongated = max(nx, ny) > MOST_ELONGATED * min(nx, ny)
    if figure is None:
        figure = Figure()
        FigureCanvasAgg(figure)
    figure.clear()
    axes = figure.add_subplot()
    axes.set_aspect("auto" if elongated else "equal")
    return figure, axes


def pixel_extent(view: View) -> tuple[float, float, float, float]:
    """Return the borders left, right, lower and upper of an image on its axes.

    Parameters
    ----------
    view : View
        The image.

    Returns
    -------
    left, right, lower, upper : float
        Outer edges of the pixels, so that the first one begins at -0.5.
    """
    left, lower = view.x_min - 0.5, view.y_min - 0.5
    return left, left + view.full_shape[1], lower, lower + view.full_shape[0]


def _draw_pixels(figure: "Figure", axes: "Axes", view: View, small: View, look: Look) -> list[Any]:
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    # Means of many pixels have less noise than pixels: with the levels of pixels a large image would be even gray.
    pixels = small.image if small.step > 1 or view.limits_from is None else view.limits_from
    low, high = look.limits or find_limits(pixels, view.scale if look.scale == "auto" else look.scale)
    colors = find_colormap(look.colormap).with_extremes(bad=_INVALID)
    finite = np.isfinite(small.image)
    shown = axes.imshow(
        np.ma.array(small.image, mask=~finite),
        origin="lower",
        cmap=colors,
        norm=_norm(look.stretch, low, high),
        extent=_drawn_extent(small),
        interpolation="nearest",
        aspect=axes.get_aspect(),
    )
    axes.set_autoscale_on(False)
    axes.set_xlim(pixel_extent(view)[:2])
    axes.set_ylim(pixel_extent(view)[2:])
    if not view.quantity:
        return []
    width = side_lengths(*view.full_shape[::-1])[0]
    place = axes.inset_axes((1.0 + _BAR_GAP / width, 0.0, _BAR_WIDTH / width, 1.0))
    bar = figure.colorbar(shown, cax=place)
    bar.ax.ticklabel_format(axis="y", useOffset=False)
    unit = "unit unknown" if not view.unit else view.unit
    bar.set_label(plain_text(f"{view.quantity} ({unit})"))
    if finite.all():
        return []
    lost = 100.0 * float(np.count_nonzero(~np.isfinite(view.image))) / view.image.size
    return [Patch(color=_INVALID, label=f"not a number {percentage(lost)}")]


def _drawn_extent(view: View) -> tuple[float, float, float, float]:
    """Return the borders of the pixels, of which the last may reach over the border of the original."""
    left, _, lower, _ = pixel_extent(view)
    return left, left + view.shape[1] * view.step, lower, lower + view.shape[0] * view.step


def _norm(stretch: str, low: float, high: float) -> "Normalize":
    from matplotlib.colors import FuncNorm, Normalize  # noqa: PLC0415 - as above

    if stretch == "linear":
        return Normalize(low, high)
    curves: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "sqrt": (np.sqrt, np.square),
        "asinh": (lambda part: np.arcsinh(part / _SOFTENING), lambda part: _SOFTENING * np.sinh(part)),
        "log": (lambda part: np.log1p(_LOG_RANGE * part), lambda part: np.expm1(part) / _LOG_RANGE),
    }
    bend, unbend = curves[stretch]
    pair = (
        lambda values: bend(np.clip((values - low) / (high - low), 0.0, None)),
        lambda levels: low + (high - low) * unbend(levels),
    )
    return FuncNorm(pair, vmin=low, vmax=high)


def _draw_mask(axes: "Axes", view: View, small: View, look: Look) -> list[Any]:
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    if view.mask is None or small.mask is None or look.planes == ():
        return []
    planes = shown_planes(view.mask, look.planes)
    counted = view.mask.percentages()
    single = look.plane_transparencies
    found = {name: counted[name] for name in planes if name in counted and single.get(name, look.transparency) < 100.0}
    if not found:
        return []
    there = {name: color for name, color in planes.items() if name in found}
    axes.imshow(
        overlay(small.mask, there, look.transparency, look.plane_transparencies),
        origin="lower",
        extent=_drawn_extent(small),
        interpolation="nearest",
        aspect=axes.get_aspect(),
    )
    return [
        Patch(facecolor=RGB[color], edgecolor="gray", label=plain_text(f"{name} {percentage(found[name])}"))
        for name, color in there.items()
    ]


def percentage(value: float) -> str:
    """Return a percentage of pixels as it is written in a legend."""
    return "< 0.01 %" if 0 < value < 0.01 else f"{value:.2g} %" if value < 99.5 else f"{value:.3g} %"


def _draw_outlines(axes: "Axes", view: View) -> list[Any]:
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - as above

    handles: dict[str, Any] = {}
    left, right, lower, upper = pixel_extent(view)
    shown = Box(view.x_min, view.y_min, view.full_shape[1], view.full_shape[0])
    for outline in view.outlines:
        box = outline.box
        if shown.intersection(box).is_empty:
            continue
        x = [box.x_min - 0.5, box.x_max - 0.5]
        y = [box.y_min - 0.5, box.y_max - 0.5]
        axes.plot([x[0], x[1], x[1], x[0], x[0]], [y[0], y[0], y[1], y[1], y[0]], color=outline.color, linewidth=1.2)
        if outline.label and outline.label not in handles:
            handles[outline.label] = _line(outline.label, outline.color, "-")
        middle = float(np.mean(x)), float(np.mean(y))
        if outline.text and left < middle[0] < right and lower < middle[1] < upper:
            axes.text(
                *middle,
                plain_text(outline.text),
                color=outline.color,
                ha="center",
                va="center",
                path_effects=[withStroke(linewidth=2, foreground="black")],
            )
    return list(handles.values())


def _line(label: str, color: str = "darkorange", style: Literal["", "-"] = "") -> Any:  # noqa: ANN401 - an artist
    from matplotlib.lines import Line2D  # noqa: PLC0415 - as above

    marker = "" if style else "o"
    return Line2D([], [], color=color, linestyle=style, marker=marker, markerfacecolor="none", label=label)


def finish(figure: "Figure", axes: "Axes", view: View, handles: list[Any]) -> Margins:
    """Add the words (title, axes and legend), and make the figure as large as they need.

    Parameters
    ----------
    figure : Figure
        Figure from `new_axes`; changed in place.
    axes : Axes
        Its axes.
    view : View
        The image, with its title and its size in pixels.
    handles : list
        Entries of the legend; without any there is no legend.

    Returns
    -------
    Margins
        Room around the axes, inches.
    """
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - as above

    axes.set_xlabel("x (pixel)")
    axes.set_ylabel("y (pixel)")
    axes.ticklabel_format(useOffset=False, style="plain")
    for axis, size in ((axes.xaxis, view.full_shape[1]), (axes.yaxis, view.full_shape[0])):
        axis.set_major_locator(MaxNLocator(nbins=min(6, size), integer=True, min_n_ticks=1))
    sides = side_lengths(*view.full_shape[::-1])
    if view.title:
        axes.set_title(_wrapped(plain_text(view.title), sides[0]), fontsize="medium")
    if handles:
        columns = max(1, min(_LEGEND_COLUMNS, int(sides[0] / 1.7)))
        figure.legend(
            handles=handles, loc="lower center", ncols=columns, fontsize="small", frameon=False, borderaxespad=0.2
        )
    return fit_figure(figure, axes, sides)


def _wrapped(title: str, width: float) -> str:
    """Return a title in lines that fit a width, inches."""
    return "\n".join(wrap(title, max(24, int(width * 9)))[:_MOST_LINES])


def find_colormap(name: str) -> "Colormap":
    """Return the color map of matplotlib with a name.

    Raises
    ------
    ConfigError
        If matplotlib has no such color map.
    """
    from matplotlib import colormaps  # noqa: PLC0415 - as above

    if name not in colormaps:
        raise ConfigError(f"matplotlib has no color map '{name}'{suggest(name, colormaps)}")
    return colormaps[name]
