"""A picture: a figure that knows how to be saved, opened, and shown in a notebook."""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obs.display.layout import NO_MARGINS, Margins
from obs.errors import OutputError
from obs.repo.atomic import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Animation", "Picture", "has_screen"]

_DPI = 120
_ENDINGS = ("png", "jpg", "jpeg", "pdf", "svg", "webp")
_ANIMATED = ("png", "gif", "webp")


class Picture:
    """A figure of matplotlib that notebooks can show.

    In a notebook the picture shows itself.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it may be changed before the picture is saved.
    title : str
        What it shows.
    margins : Margins, optional
        Room around the axes.
    """

    def __init__(self, figure: "Figure", title: str, margins: Margins = NO_MARGINS) -> None:
        self.figure, self.title, self.margins = figure, title, margins

    def save(self, path: Path | str) -> Path:
        """Write the picture to a file, whose ending names the format, and return its path.

        Parameters
        ----------
        path : Path or str
            File; it is written whole or not at all.

        Raises
        ------
        OutputError
            If the format is unknown, or the file cannot be written.
        """
        path = Path(path)
        kind = _kind(path, _ENDINGS)
        with atomic_write(path) as file:
            self.figure.savefig(file, format=kind, dpi=_DPI)
        return path

    def png(self) -> bytes:
        """Return the picture as the content of a PNG file."""
        content = io.BytesIO()
        self.figure.savefig(content, format="png", dpi=_DPI)
        return content.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        return f"<picture of {self.title}: save('file.png') writes it>"


class Animation:
    """Several pictures that take turns, as an animation.

    Parameters
    ----------
    frames : sequence of bytes
        PNG files of the same size.
    title : str
        What they show.
    seconds : float, optional
        For how long each is shown.
    """

    def __init__(self, frames: list[bytes], title: str, seconds: float = 0.7) -> None:
        self.frames, self.title, self.seconds = frames, title, seconds

    def save(self, path: Path | str) -> Path:
        """Write an animated GIF, PNG or WebP file, and return its path.

        Parameters
        ----------
        path : Path or str
            File; it is written whole or not at all.

        Raises
        ------
        OutputError
            If the format is another one, or the file cannot be written.
        """
        path = Path(path)
        kind = _kind(path, _ANIMATED)
        with atomic_write(path) as file:
            file.write(self._content(kind))
        return path

    def _content(self, kind: str) -> bytes:
        from PIL import Image  # noqa: PLC0415 - only for animations

        # shades of gray need no dithering, which blinks
        images = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in self.frames]
        if kind == "gif":
            images = [image.quantize(255, dither=Image.Dither.NONE) for image in images]
        content = io.BytesIO()
        first, *others = images
        first.save(
            content,
            format="webp" if kind == "webp" else kind,
            save_all=True,
            append_images=others,
            duration=round(1000 * self.seconds),
            loop=0,
        )
        return content.getvalue()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, bytes]:
        return {"image/gif": self._content("gif")}

    def __repr__(self) -> str:
        return f"<animation of {self.title}: save('file.gif') writes it>"


def has_screen() -> bool:
    """Return whether a window can be opened here."""
    if sys.platform in ("darwin", "win32"):
        return not os.environ.get("SSH_CONNECTION")
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _kind(path: Path, known: tuple[str, ...]) -> str:
    kind = path.suffix.lstrip(".").lower()
    if kind not in known:
        raise OutputError(f"{path}: expected a name that ends in .{', .'.join(known)}, got '{path.name}'", path=path)
    return kind
