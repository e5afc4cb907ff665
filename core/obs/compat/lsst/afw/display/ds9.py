"""The calls that show images in DS9, with the arguments and defaults of the stack.

Where no DS9 can be reached a script runs to its end, and one line for each kind of call says why nothing is shown.
"""

import logging
from collections.abc import Iterable
from typing import Any, Self

from obs.compat.lsst.afw.display.images import view_of_image
from obs.display.ds9.dots import dot_regions, line_regions
from obs.display.ds9.viewer import Ds9, connect
from obs.display.mask_colors import PLANE_COLORS
from obs.errors import OutputError

__all__ = [
    "BLACK",
    "BLUE",
    "CYAN",
    "GREEN",
    "MAGENTA",
    "ORANGE",
    "RED",
    "WHITE",
    "YELLOW",
    "Buffering",
    "cmdBuffer",
    "dot",
    "ds9Cmd",
    "erase",
    "getMaskPlaneColor",
    "getMaskTransparency",
    "line",
    "mtv",
    "pan",
    "setDefaultFrame",
    "setMaskPlaneColor",
    "setMaskPlaneVisibility",
    "setMaskTransparency",
    "show",
    "zoom",
]

_LOG = logging.getLogger(__name__)

WHITE, BLACK, RED, GREEN, BLUE = "white", "black", "red", "green", "blue"
CYAN, MAGENTA, YELLOW, ORANGE = "cyan", "magenta", "yellow", "orange"
_IGNORE = "ignore"

_said: set[str] = set()


class _State:
    """What calls set for those after them."""

    def __init__(self) -> None:
        self.viewer: Ds9 | None = None
        self.reason = ""
        self.default_frame: int | None = 1
        self.transparency = 60.0
        self.colors: dict[str, str | None] = {}
        self.corners: dict[int, tuple[int, int]] = {}
        self.depth = 0
        self.waiting: dict[int, list[str]] = {}

    def connect(self) -> Ds9 | None:
        """Return the DS9, which is looked for once."""
        if self.viewer is None and not self.reason:
            try:
                self.viewer = connect()
            except OutputError as error:
                self.reason = str(error)
        return self.viewer

    def frame(self, frame: Any) -> int | None:  # noqa: ANN401 - as in the stack
        """Return the number of a frame; None means that nothing is shown."""
        return self.default_frame if frame is None else int(frame)


_STATE = _State()


def _viewer(what: str) -> Ds9 | None:
    """Return the DS9; where there is none, say once for each kind of call that nothing is shown."""
    found = _STATE.connect()
    if found is None and what not in _said:
        _said.add(what)
        _LOG.warning("ds9.%s shows nothing: %s", what, _STATE.reason)
    return found


class Buffering:
    """Gathers symbols, which are sent together at the end of the ``with`` block."""

    def __enter__(self) -> Self:
        _STATE.depth += 1
        return self

    def __exit__(self, *reasons: object) -> None:
        _STATE.depth -= 1
        if _STATE.depth == 0:
            self.flush()

    def flush(self, silent: bool = True) -> None:
        """Send what was gathered, as in the LSST stack."""
        waiting, _STATE.waiting = _STATE.waiting, {}
        for frame, regions in waiting.items():
            viewer = _viewer("dot")
            if viewer is not None:
                viewer.draw(regions, frame=frame)

    def pushSize(self, size: int = -1) -> None:
        """Begin to gather symbols, as in the LSST stack."""
        _STATE.depth += 1

    def popSize(self) -> None:
        """Send the symbols, as at the end of a ``with`` block."""
        _STATE.depth = max(0, _STATE.depth - 1)
        if _STATE.depth == 0:
            self.flush()


cmdBuffer = Buffering()


def _draw(regions: Iterable[str], frame: Any, what: str) -> None:  # noqa: ANN401 - as in the stack
    number = _STATE.frame(frame)
    viewer = _viewer(what) if number is not None else None
    if number is None or viewer is None:
        return
    _STATE.waiting.setdefault(number, []).extend(regions)
    if _STATE.depth == 0:
        cmdBuffer.flush()


def mtv(
    data: Any,  # noqa: ANN401 - any image
    frame: Any = None,  # noqa: ANN401 - as in the stack
    title: str = "",
    wcs: Any = None,  # noqa: ANN401 - as in the stack
    settings: dict[str, Any] | None = None,
    **_: Any,
) -> None:
    """Show an image, planes or an exposure in a frame.

    Parameters
    ----------
    data : ExposureF, MaskedImageF, ImageF or Mask
        What to show.
    frame : int, optional
        Number of the frame; the default one if absent.
    title : str, optional
        Name of the image.
    wcs : Wcs, optional
        Pixel to sky, for an image that has none.
    settings : dict, optional
        Commands of DS9, such as ``{"scale": "zscale", "zoom": "to fit", "mask": "transparency 60"}``.
    """
    number = _STATE.frame(frame)
    viewer = _viewer("mtv") if number is not None else None
    if number is None or viewer is None:
        return
    view = view_of_image(data, title, wcs)
    _STATE.corners[number] = view.x_min, view.y_min
    viewer.show(view, frame=number, transparency=_STATE.transparency, colors=_STATE.colors, settings=settings)


def dot(
    symb: Any,  # noqa: ANN401 - words, or moments
    c: float,
    r: float,
    frame: Any = None,  # noqa: ANN401 - as in the stack
    size: float = 2,
    ctype: str | None = None,
    **_: Any,
) -> None:
    """Draw a symbol at a pixel.

    Parameters
    ----------
    symb : str or Quadrupole
        ``+``, ``x``, ``*``, ``o``, an ellipse ``@:Ixx,Ixy,Iyy``, or words.
    c, r : float
        Column and row, pixels of the parent image.
    frame : int, optional
        Number of the frame; the default one if absent.
    size : float, optional
        Radius, pixels.
    ctype : str, optional
        Color; green if absent.
    """
    if hasattr(symb, "getIxx"):
        symb = f"@:{symb.getIxx()},{symb.getIxy()},{symb.getIyy()}"
    _draw(dot_regions(str(symb), float(c), float(r), size=float(size), color=ctype or GREEN), frame, "dot")


def line(
    points: Iterable[tuple[float, float]],
    frame: Any = None,  # noqa: ANN401 - as in the stack
    origin: Any = None,  # noqa: ANN401 - as in the stack
    symbs: bool = False,
    ctype: str | None = None,
    size: float = 0.5,
) -> None:
    """Draw lines between pixels; with `symbs`, a symbol at each: its letter of that string."""
    if symbs:
        for number, (x, y) in enumerate(points):
            symbol = symbs[number] if isinstance(symbs, str) else str(symbs)
            dot(symbol, x, y, frame=frame, size=size, ctype=ctype)
        return
    _draw(line_regions(points, color=ctype or GREEN), frame, "line")


def _command(text: str, frame: Any, what: str) -> None:  # noqa: ANN401 - as in the stack
    number = _STATE.frame(frame)
    viewer = _viewer(what) if number is not None else None
    if viewer is not None:
        viewer.command(f"frame {number}")
        if text:
            viewer.command(text)


def erase(frame: Any = None, **_: Any) -> None:  # noqa: ANN401 - as in the stack
    """Remove the symbols of a frame."""
    number = _STATE.frame(frame)
    _STATE.waiting.pop(number or 0, None)
    _command("regions delete all", frame, "erase")


def show(frame: Any = None, **_: Any) -> None:  # noqa: ANN401 - as in the stack
    """Bring the window to the front, with a frame."""
    _command("raise", frame, "show")


def zoom(zoomfac: Any = None, colc: Any = None, rowc: Any = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
    """Zoom, and move to a pixel if one is given."""
    if zoomfac is not None:
        _command(f"zoom to {zoomfac}", frame, "zoom")
    if colc is not None and rowc is not None:
        pan(colc, rowc, frame)


def pan(colc: Any = None, rowc: Any = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
    """Move to a pixel of the parent image."""
    if colc is not None and rowc is not None:
        _command(f"pan to {float(colc) + 1:g} {float(rowc) + 1:g} physical", frame, "pan")


def setMaskTransparency(transparency: float | None = None, frame: Any = None, **_: Any) -> None:  # noqa: ANN401 - as in the stack
    """Set how transparent masks are, 0 to 100 percent.

    Raises
    ------
    ValueError
        If it is out of this range.
    """
    if transparency is None:
        return
    if not 0 <= transparency <= 100:
        raise ValueError(f"the transparency of masks is 0 to 100 percent, got {transparency}")
    _STATE.transparency = float(transparency)
    if _STATE.viewer is not None:
        _command(f"mask transparency {transparency:g}", frame, "setMaskTransparency")


def getMaskTransparency() -> float:
    """Return how transparent masks are, percent."""
    return _STATE.transparency


def setMaskPlaneVisibility(name: str, show: bool = True) -> None:
    """Set whether a plane is shown in images that come."""
    if show:
        _STATE.colors.pop(name, None)
    else:
        _STATE.colors[name] = None


def setMaskPlaneColor(name: Any, color: str | None = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
    """Set the color of a plane, or with a dict of several, in images that come; ``ignore`` hides it."""
    if isinstance(name, dict):
        for plane, its_color in name.items():
            setMaskPlaneColor(plane, its_color)
        return
    _STATE.colors[name] = None if color in (None, _IGNORE) else color


def getMaskPlaneColor(name: str) -> str | None:
    """Return the color of a plane."""
    return _STATE.colors.get(name, PLANE_COLORS.get(name))


def setDefaultFrame(frame: int | None = 0) -> None:
    """Set the frame of calls that name none; None shows nothing."""
    _STATE.default_frame = None if frame is None else max(int(frame), 0)


def getDefaultFrame() -> int | None:
    """Return the frame of calls that name none."""
    return _STATE.default_frame


def ds9Cmd(cmd: str | None = None, **_: Any) -> None:
    """Send a command of DS9."""
    viewer = _viewer("ds9Cmd") if cmd else None
    if viewer is not None and cmd:
        viewer.command(cmd)
