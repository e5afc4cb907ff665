"""Displays that are figures of matplotlib: in notebooks, in windows, and in files that scripts save."""

import logging
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from obs.compat.lsst.afw.display.images import view_of_image
from obs.compat.lsst.afw.geom.ellipses import Axes, Quadrupole
from obs.display.draw import draw_view, plain_text
from obs.display.look import Look
from obs.image.mask import Mask

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FigureFrame"]

_LOG = logging.getLogger(__name__)
_GREEN = "green"
_MARKERS = ("+", "x", "*")


class FigureFrame:
    """A figure in which images and symbols are drawn.

    Parameters
    ----------
    frame : int or Figure, optional
        Number of a figure of pyplot, which is made if it is not there, or the figure itself; number 1 if absent.
    """

    def __init__(self, frame: "int | Figure | None" = None) -> None:
        self._frame = 1 if frame is None else frame
        self._look: dict[str, Any] = {}
        self._hidden: set[str] = set()
        self._marks: list[Any] = []

    @property
    def figure(self) -> "Figure":
        """The figure, which pyplot makes if it is not there."""
        from matplotlib import pyplot  # noqa: PLC0415 - takes long to import, and looks for a screen

        return pyplot.figure(self._frame) if isinstance(self._frame, int) else self._frame

    def mtv(self, data: Any, title: str = "", wcs: Any = None) -> None:  # noqa: ANN401 - any image; as in the stack
        """Draw an image, planes or an exposure in the place of what is there."""
        view = view_of_image(data, title, wcs)
        self._marks = []
        draw_view(view, Look(planes=self._planes(view.mask), **self._look), figure=self.figure)

    def _planes(self, mask: Mask | None) -> tuple[str, ...] | None:
        """Return the planes that are drawn; None means all."""
        return None if mask is None else tuple(name for name in mask.planes if name not in self._hidden)

    def scale(self, algorithm: str, minval: Any, maxval: Any = None) -> None:  # noqa: ANN401 - words or numbers
        """Set how values become gray in images that come: a curve, and ``zscale``, ``minmax`` or two limits."""
        limits = {"scale": minval} if isinstance(minval, str) else {"limits": (float(minval), float(maxval))}
        kept = {name: value for name, value in self._look.items() if "transparenc" in name}
        self._look = {**kept, "stretch": algorithm, **limits}

    def dot(self, symb: Any, c: float, r: float, size: float = 2, ctype: str | None = None) -> None:  # noqa: ANN401 - words, or moments
        """Draw a symbol at a pixel: ``+``, ``x``, ``*``, ``o``, an ellipse, or words."""
        from matplotlib.patches import Ellipse  # noqa: PLC0415 - takes long to import

        axes, color = self.figure.gca(), ctype or _GREEN
        if isinstance(symb, str) and symb.startswith("@:"):
            xx, xy, yy = map(float, symb[2:].split(","))
            symb = Quadrupole(xx, yy, xy)
        if isinstance(symb, str) and symb in _MARKERS:
            self._marks += axes.plot([c], [r], symb, color=color, markersize=2.0 * size)
        elif isinstance(symb, str) and symb != "o":
            self._marks.append(axes.text(c, r, plain_text(symb), color=color, ha="center", va="center", clip_on=True))
        else:
            shape = Axes(size, size) if symb == "o" else Axes(symb)
            angle = math.degrees(shape.getTheta())
            ring = Ellipse((c, r), 2.0 * shape.getA(), 2.0 * shape.getB(), angle=angle, fill=False, color=color)
            self._marks.append(axes.add_patch(ring))

    def line(self, points: Iterable[tuple[float, float]], ctype: str | None = None) -> None:
        """Draw lines between pixels of the parent image."""
        x, y = zip(*points, strict=True)
        self._marks += self.figure.gca().plot(x, y, "-", color=ctype or _GREEN)

    def erase(self) -> None:
        """Remove the symbols, and leave the image."""
        for mark in self._marks:
            mark.remove()
        self._marks = []

    def zoom(self, zoomfac: Any = None, colc: Any = None, rowc: Any = None) -> None:  # noqa: ANN401 - as in the stack
        """Show a part: so many times larger than the whole width of the image, around a pixel if one is given."""
        axes = self.figure.gca()
        box = axes.images[0].get_extent()
        x = 0.5 * sum(axes.get_xlim()) if colc is None else float(colc)
        y = 0.5 * sum(axes.get_ylim()) if rowc is None else float(rowc)
        factor = 1.0 if zoomfac is None else float(zoomfac)
        width, height = ((high - low) / factor / 2.0 for low, high in (box[:2], box[2:]))
        axes.set_xlim(x - width, x + width)
        axes.set_ylim(y - height, y + height)

    def pan(self, colc: float, rowc: float) -> None:
        """Move to a pixel of the parent image, and keep how large pixels are."""
        axes = self.figure.gca()
        for center, limits, set_limits in (
            (colc, axes.get_xlim(), axes.set_xlim),
            (rowc, axes.get_ylim(), axes.set_ylim),
        ):
            half = 0.5 * (limits[1] - limits[0])
            set_limits(float(center) - half, float(center) + half)

    def set_mask_transparency(self, transparency: float, planes: Iterable[str] = ()) -> None:
        """Set how transparent masks are in images that come, 0 to 100 percent: all planes, or only some."""
        single = self._look.setdefault("plane_transparencies", {})
        if planes:
            single.update(dict.fromkeys(planes, float(transparency)))
        else:
            single.clear()
            self._look["transparency"] = float(transparency)

    def set_mask_plane_color(self, name: str, color: str | None) -> None:
        """Hide a plane in images that come (``ignore``); other colors are those of `obs`, which is said."""
        self._hidden.discard(name)
        if color is None or color == "ignore":
            self._hidden.add(name)
        else:
            _LOG.warning("the mask plane %s keeps its color in figures of matplotlib; 'ignore' hides a plane", name)
