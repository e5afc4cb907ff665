"""Displays as objects, as the stack has them since 2015: frames of DS9, or figures of matplotlib."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from obs.compat.lsst.afw.display import ds9
from obs.compat.lsst.afw.display.figures import FigureFrame

__all__ = [
    "Display",
    "getDefaultBackend",
    "getDisplay",
    "setDefaultBackend",
    "setDefaultMaskPlaneColor",
    "setDefaultMaskTransparency",
]

_LOG = logging.getLogger(__name__)
_BACKENDS = ("ds9", "matplotlib")


class _Default:
    """The program that shows images where a display does not name one."""

    backend = "ds9"
    mask_transparency: ClassVar[float | None] = None
    mask_colors: ClassVar[dict[str, str]] = {}


class Display:
    """A frame of DS9 or a figure of matplotlib, which shows images and symbols.

    Parameters
    ----------
    frame : int or Figure, optional
        Number of the frame or figure; the default one if absent. For matplotlib also the figure itself.
    backend : str, optional
        ``ds9`` or ``matplotlib``; that of `setDefaultBackend` if absent.
    """

    def __init__(self, frame: Any = None, backend: str | None = None, **_: Any) -> None:  # noqa: ANN401 - as above
        name = _checked(backend or _Default.backend)
        self.frame = frame
        self._figure = FigureFrame(frame) if name == "matplotlib" else None
        self._scale: list[str] = []
        if _Default.mask_transparency is not None:
            self.setMaskTransparency(_Default.mask_transparency)
        if _Default.mask_colors:
            self.setMaskPlaneColor(_Default.mask_colors)

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *reasons: object) -> None:
        """Leave the images on the screen."""

    def mtv(self, data: Any, title: str = "", wcs: Any = None) -> None:  # noqa: ANN401 - any image; as in the stack
        """Show an image, planes or an exposure; see `obs.compat.lsst.afw.display.ds9.mtv`."""
        if self._figure is not None:
            self._figure.mtv(data, title, wcs)
            return
        ds9.mtv(data, frame=self.frame, title=title, wcs=wcs)
        for command in self._scale:
            ds9.ds9Cmd(command)

    image = property(fset=mtv, doc="What is shown; it can only be set.")

    def scale(self, algorithm: str, minval: Any, maxval: Any = None, **_: Any) -> None:  # noqa: ANN401 - words or numbers
        """Set how values become gray in images that come: ``asinh``, and ``zscale``, ``minmax`` or two limits."""
        if self._figure is not None:
            self._figure.scale(algorithm, minval, maxval)
            return
        limits = f"scale mode {minval}" if isinstance(minval, str) else f"scale limits {minval} {maxval}"
        self._scale = [f"scale {algorithm}", limits]

    def dot(self, symb: Any, c: float, r: float, size: float = 2, ctype: str | None = None, **_: Any) -> None:  # noqa: ANN401 - words, or moments
        """Draw a symbol at a pixel; see `obs.compat.lsst.afw.display.ds9.dot`."""
        if self._figure is not None:
            self._figure.dot(symb, c, r, size, ctype)
        else:
            ds9.dot(symb, c, r, frame=self.frame, size=size, ctype=ctype)

    def line(self, points: Iterable[tuple[float, float]], ctype: str | None = None, **_: Any) -> None:
        """Draw lines between pixels of the parent image."""
        if self._figure is not None:
            self._figure.line(points, ctype)
        else:
            ds9.line(points, frame=self.frame, ctype=ctype)

    def erase(self) -> None:
        """Remove the symbols of the frame."""
        if self._figure is not None:
            self._figure.erase()
        else:
            ds9.erase(self.frame)

    def show(self) -> None:
        """Bring the window to the front; figures are where matplotlib puts them."""
        if self._figure is None:
            ds9.show(self.frame)

    def close(self) -> None:
        """Take note that the display is not used any more; what it shows stays."""

    def zoom(self, zoomfac: Any = None, colc: Any = None, rowc: Any = None) -> None:  # noqa: ANN401 - as in the stack
        """Zoom, and move to a pixel if one is given."""
        if self._figure is not None:
            self._figure.zoom(zoomfac, colc, rowc)
        else:
            ds9.zoom(zoomfac, colc, rowc, frame=self.frame)

    def pan(self, colc: float, rowc: float) -> None:
        """Move to a pixel of the parent image."""
        if self._figure is not None:
            self._figure.pan(colc, rowc)
        else:
            ds9.pan(colc, rowc, frame=self.frame)

    def setMaskTransparency(self, transparency: float | None = None, name: Any = None, **_: Any) -> None:  # noqa: ANN401 - a name, or several
        """Set how transparent masks are in images that come, 0 to 100 percent: all planes, or those that are named.

        DS9 has one value for all planes, so that there single ones are only hidden, with 100 percent.
        """
        planes = [name] if isinstance(name, str) else list(name or ())
        if transparency is None:
            return
        if self._figure is not None:
            self._figure.set_mask_transparency(transparency, planes)
        elif planes and transparency == 100:
            for plane in planes:
                self.setMaskPlaneColor(plane, "ignore")
        elif planes:
            _LOG.warning("%s: DS9 has one transparency for all planes, which is kept; 100 hides a plane", planes)
        else:
            ds9.setMaskTransparency(transparency, frame=self.frame)

    def setMaskPlaneColor(self, name: Any, color: str | None = None) -> None:  # noqa: ANN401 - a name, or a dict of them
        """Set the color of a plane, or with a dict of several, in images that come."""
        if self._figure is None:
            ds9.setMaskPlaneColor(name, color)
            return
        for plane, its_color in (name if isinstance(name, Mapping) else {name: color}).items():
            self._figure.set_mask_plane_color(plane, its_color)

    def Buffering(self) -> ds9.Buffering:
        """Return what gathers symbols in a ``with`` block."""
        return ds9.Buffering()

    def flush(self) -> None:
        """Take note that symbols are to be drawn now, which they are at once."""


def getDisplay(frame: Any = None, backend: str | None = None, **_: Any) -> Display:  # noqa: ANN401 - as `Display`
    """Return the display that is a frame of DS9, or a figure of matplotlib."""
    return Display(frame, backend)


def setDefaultBackend(backend: str) -> None:
    """Name the program that shows images.

    Raises
    ------
    ValueError
        If it is neither DS9 nor matplotlib.
    """
    _Default.backend = _checked(backend)


def setDefaultMaskTransparency(transparency: float | None) -> None:
    """Set how transparent masks are in displays that come, 0 to 100 percent; with None leave it to them."""
    _Default.mask_transparency = transparency


def setDefaultMaskPlaneColor(name: Any = None, color: str | None = None) -> None:  # noqa: ANN401 - a name, or a dict of them
    """Set the color of a plane, or with a dict of several, in displays that come; without a name forget all."""
    if name is None:
        _Default.mask_colors.clear()
    else:
        _Default.mask_colors.update(name if isinstance(name, Mapping) else {name: color})


def getDefaultBackend() -> str:
    """Return the name of the program that shows images where a display names none."""
    return _Default.backend


def _checked(backend: str) -> str:
    name = str(backend).rpartition(".")[2]
    if name not in _BACKENDS:
        raise ValueError(
            f"images are shown with {' or '.join(_BACKENDS)} here, not with '{backend}'; for pictures in notebooks and "
            "files also use obs.display, or obs display on the command line"
        )
    return name
