"""A page with what each command draws, made from the sample night by the commands themselves."""

import contextlib
import io
import shlex
from dataclasses import dataclass
from pathlib import Path

from obs.cli.main import main

__all__ = ["draw_gallery"]

_FOLDER = "gallery"
_CALEXP = "display night/processed calexp --id visit=12 ccd=1"


@dataclass(frozen=True)
class _Picture:
    """A picture of the gallery: name of its file, heading, command, and words."""

    name: str
    title: str
    command: str
    text: str


_PICTURES = (
    _Picture(
        "calexp.png",
        "A calibrated image",
        _CALEXP,
        "Mask planes have the colors of the LSST stack. The legend says how many pixels each has.",
    ),
    _Picture(
        "ellipses.png",
        "Sources as ellipses of their moments",
        f"{_CALEXP} --zoom 512,512,300px --sources ellipses --planes CR,SAT,BAD",
        "`--zoom` takes a position on the sky and a size, or pixels. `--sources symbols` draws circles.",
    ),
    _Picture(
        "raw.png",
        "A raw file",
        "display night/data raw --id visit=12 ccd=1",
        "Boxes show the data, the overscan and the prescan of each amplifier.",
    ),
    _Picture(
        "flat.png", "A flat", "display night/data flat --id visit=12 ccd=1", "Any calibration frame can be drawn."
    ),
    _Picture(
        "background.png",
        "The background that was subtracted",
        "display night/processed calexpBackground --id visit=12 ccd=1",
        "",
    ),
    _Picture(
        "psf.png",
        "The PSF",
        "display night/processed calexp_psf --id visit=12 ccd=1 --stretch asinh",
        "A suffix such as `_psf` asks for a part of a dataset.",
    ),
    _Picture(
        "difference.png",
        "The difference of two exposures",
        f"{_CALEXP} --compare visit=12 visit=16 --how difference",
        "The second image is put on the pixels of the first, and brought to its zero point.",
    ),
    _Picture(
        "blink.gif",
        "Two exposures that blink",
        f"{_CALEXP} --zoom 512,512,400px --compare visit=12 visit=16",
        "Stars that vary, asteroids and cosmic rays stand out.",
    ),
    _Picture(
        "color.png",
        "Three images in color",
        "display night/processed calexp --id visit=12^14^16 --rgb --zoom 512,512,500px",
        "Here three exposures in one filter are red, green and blue, so stars that vary are colored. Of three filters "
        "the one with the longest wavelength is red.",
    ),
    _Picture("camera.png", "A focal plane", "camera show hsc", "Detectors, their amplifiers and corners of readout."),
)


def draw_gallery(folder: Path, night: Path) -> None:
    """Draw all pictures and write the page, which shows them.

    Parameters
    ----------
    folder : Path
        The guide's folder.
    night : Path
        Folder of the sample night; pictures that are newer than it are kept.

    Raises
    ------
    RuntimeError
        If a command fails.
    """
    place = folder / _FOLDER
    place.mkdir(exist_ok=True)
    made = (night / "made-by.txt").stat().st_mtime
    parts = [
        "# Gallery\n",
        "What commands draw. Every picture was made when this page was built, by the command above it, from the "
        "results of `obs demo` with a small detector.\n",
    ]
    with contextlib.chdir(night):
        for picture in _PICTURES:
            path = place / picture.name
            if not path.is_file() or path.stat().st_mtime < max(made, Path(__file__).stat().st_mtime):
                path.unlink(missing_ok=True)
                _run([*shlex.split(picture.command), "--output", str(path)])
            parts += [
                f"## {picture.title}\n",
                f"{picture.text}\n" if picture.text else "",
                f"```sh\nobs {picture.command} --output {picture.name}\n```\n",
                f"![{picture.title}]({picture.name})\n",
            ]
    page = place / "index.md"
    text = "\n".join(part for part in parts if part)
    if not page.is_file() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def _run(words: list[str]) -> None:
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        if main(words):
            raise RuntimeError(f"obs {shlex.join(words)}: {errors.getvalue()}")
