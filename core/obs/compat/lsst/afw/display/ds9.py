"""The calls that show images in DS9. They do nothing but say so once: `obs` has no display yet.

`obs` never pretends: a script runs to its end, and one line tells how to see what it wanted to show.
"""

import logging
from typing import Any, Self

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

_said: set[str] = set()


def _say(what: str) -> None:
    """Say once that something is not shown."""
    if what not in _said:
        _said.add(what)
        _LOG.warning(
            "ds9.%s shows nothing: obs has no display yet. Write the image with its writeFits('image.fits') and open "
            "that file in DS9",
            what,
        )


class Buffering:
    """Groups calls; there is nothing to group."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reasons: object) -> None:
        return None


cmdBuffer = Buffering()


def mtv(data: Any, frame: Any = None, title: str = "", **settings: Any) -> None:  # noqa: ANN401 - any image
    """Show an image: not there yet."""
    _say("mtv")


def dot(symbol: Any, c: float, r: float, frame: Any = None, **settings: Any) -> None:  # noqa: ANN401 - as in the stack
    """Draw a symbol at a pixel: not there yet."""
    _say("dot")


def line(points: Any, frame: Any = None, **settings: Any) -> None:  # noqa: ANN401 - a list of pixels
    """Draw lines between pixels: not there yet."""
    _say("line")


def erase(frame: Any = None, **settings: Any) -> None:  # noqa: ANN401 - as in the stack
    """Remove what was drawn: nothing was."""


def show(frame: Any = None, **settings: Any) -> None:  # noqa: ANN401 - as in the stack
    """Bring a frame to the front: not there yet."""
    _say("show")


def zoom(factor: Any = None, c: Any = None, r: Any = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
    """Zoom: not there yet."""
    _say("zoom")


def pan(c: Any = None, r: Any = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
    """Move to a pixel: not there yet."""
    _say("pan")


def setMaskTransparency(transparency: float = 0.0, name: str | None = None, frame: Any = None) -> None:  # noqa: ANN401
    """Set how transparent masks are: not there yet."""
    _say("setMaskTransparency")


def setMaskPlaneVisibility(name: str, show: bool = True) -> None:
    """Set whether a plane of masks is shown: not there yet."""
    _say("setMaskPlaneVisibility")


def setMaskPlaneColor(name: str, color: str | None = None, frame: Any = None) -> None:  # noqa: ANN401 - as in the stack
    """Set the color of a plane of masks: not there yet."""
    _say("setMaskPlaneColor")


def setDefaultFrame(frame: int = 0) -> None:
    """Set the frame of calls that name none: no frame is shown."""


def ds9Cmd(command: str | None = None, **settings: Any) -> None:
    """Send a command: not there yet."""
    _say("ds9Cmd")
