"""Displays as objects, as the stack has them since 2015; each is a frame of DS9."""

from collections.abc import Iterable
from typing import Any

from obs.compat.lsst.afw.display import ds9

__all__ = ["Display", "getDisplay", "setDefaultBackend"]


class Display:
    """A frame of DS9, which shows images and symbols.

    Parameters
    ----------
    frame : int, optional
        Number of the frame; the default one if absent.
    backend : str, optional
        Name of the program that shows images, which is DS9 whatever is given.
    """

    def __init__(self, frame: int | None = None, backend: str | None = None, **_: Any) -> None:
        setDefaultBackend(backend or "ds9")
        self.frame = frame
        self._scale: list[str] = []

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *reasons: object) -> None:
        """Leave the images on the screen."""

    def mtv(self, data: Any, title: str = "", wcs: Any = None) -> None:  # noqa: ANN401 - any image; as in the stack
        """Show an image, planes or an exposure; see `obs.compat.lsst.afw.display.ds9.mtv`."""
        ds9.mtv(data, frame=self.frame, title=title, wcs=wcs)
        for command in self._scale:
            ds9.ds9Cmd(command)

    def scale(self, algorithm: str, minval: Any, maxval: Any = None, **_: Any) -> None:  # noqa: ANN401 - words or numbers
        """Set how values become gray in images that come: ``asinh``, and ``zscale``, ``minmax`` or two limits."""
        limits = f"scale mode {minval}" if isinstance(minval, str) else f"scale limits {minval} {maxval}"
        self._scale = [f"scale {algorithm}", limits]

    def dot(self, symb: Any, c: float, r: float, size: float = 2, ctype: str | None = None, **_: Any) -> None:  # noqa: ANN401 - words, or moments
        """Draw a symbol at a pixel; see `obs.compat.lsst.afw.display.ds9.dot`."""
        ds9.dot(symb, c, r, frame=self.frame, size=size, ctype=ctype)

    def line(self, points: Iterable[tuple[float, float]], ctype: str | None = None, **_: Any) -> None:
        """Draw lines between pixels of the parent image."""
        ds9.line(points, frame=self.frame, ctype=ctype)

    def erase(self) -> None:
        """Remove the symbols of the frame."""
        ds9.erase(self.frame)

    def zoom(self, zoomfac: Any = None, colc: Any = None, rowc: Any = None) -> None:  # noqa: ANN401 - as in the stack
        """Zoom, and move to a pixel if one is given."""
        ds9.zoom(zoomfac, colc, rowc, frame=self.frame)

    def pan(self, colc: float, rowc: float) -> None:
        """Move to a pixel of the parent image."""
        ds9.pan(colc, rowc, frame=self.frame)

    def setMaskTransparency(self, transparency: float | None = None, **_: Any) -> None:
        """Set how transparent masks are, 0 to 100 percent."""
        ds9.setMaskTransparency(transparency, frame=self.frame)

    def setMaskPlaneColor(self, name: Any, color: str | None = None) -> None:  # noqa: ANN401 - a name, or a dict of them
        """Set the color of a plane, or with a dict of several, in images that come."""
        ds9.setMaskPlaneColor(name, color)

    def Buffering(self) -> ds9.Buffering:
        """Return what gathers symbols in a ``with`` block."""
        return ds9.Buffering()


def getDisplay(frame: int | None = None, backend: str | None = None, **_: Any) -> Display:
    """Return the display that is a frame of DS9."""
    return Display(frame, backend)


def setDefaultBackend(backend: str) -> None:
    """Name the program that shows images.

    Raises
    ------
    ValueError
        If it is not DS9.
    """
    if str(backend).rpartition(".")[2] != "ds9":
        raise ValueError(
            f"images are shown in DS9 here, not with '{backend}'; for pictures in notebooks and files use "
            "obs.display, or obs display on the command line"
        )
