"""Images, masks and symbols in the frames of DS9."""

import shutil
import subprocess
import time
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.display.ds9.transport import Transport, Xpa, find_transport
from obs.display.mask_colors import shown_planes
from obs.display.picture import has_screen
from obs.display.regions import region_file
from obs.display.view import View
from obs.errors import OutputError
from obs.image.mask import Mask
from obs.repo.scratch_folder import make_scratch_folder

__all__ = ["Ds9", "connect"]

_START_SECONDS = 60.0
_WAIT = 0.3


class Ds9:
    """A running DS9, to which images are sent.

    Parameters
    ----------
    transport : Transport
        The way to it.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        # DS9 maps the files into memory, so they stay as long as this process
        self._folder = make_scratch_folder("ds9")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._count = 0

    def command(self, text: str) -> None:
        """Send one command of DS9, such as ``zoom to fit``."""
        self.transport.send(text)

    def ask(self, text: str) -> str:
        """Return the answer to a command of DS9, such as ``frame``."""
        return self.transport.ask(text)

    def show(
        self,
        view: View,
        *,
        frame: int = 1,
        transparency: float = 60.0,
        planes: tuple[str, ...] | None = None,
        colors: Mapping[str, str | None] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Show an image with its mask.

        Parameters
        ----------
        view : View
            The image; positions on its axes are "physical" coordinates of DS9, counted from 1.
        frame : int, optional
            Number of the frame; what it shows is replaced.
        transparency : float, optional
            Of the mask, 0 to 100.
        planes : tuple of str, optional
            Planes of the mask; all by default.
        colors : mapping of str to str or None, optional
            Other colors of planes; a plane with None is not shown.
        settings : mapping of str to object, optional
            Commands of DS9 and their values, such as ``{"scale": "zscale", "zoom": "to fit"}``.

        Raises
        ------
        OutputError
            If DS9 refuses or does not answer.
        """
        self.command(f"frame {frame}")
        self.command("mask clear")
        self.command("regions delete all")
        self.command(f"fits {self._write(view.image, view)}")
        self.command(f"mask transparency {transparency:g}")
        if settings and "mask" in settings:
            self.command(f"mask {settings['mask']}")
        if view.mask is not None:
            self._show_mask(view.mask, {**shown_planes(view.mask, planes), **(colors or {})}, view)
        self.command("mask close")  # the dialog that the commands open
        for name, value in {"scale": "mode zscale", **(settings or {})}.items():
            if name != "mask":
                self.command(f"{name} {value}")

    def _show_mask(self, mask: Mask, colors: Mapping[str, str | None], view: View) -> None:
        for name, color in colors.items():
            if color is None or not mask.known_bits([name]):
                continue
            where = mask.any(name)
            if where.any():
                self.command(f"mask color {color}")
                self.command(f"fits mask {self._write(where.astype(np.uint8), view)}")

    def draw(self, regions: Iterable[str], *, frame: int = 1) -> None:
        """Draw regions, in "physical" coordinates counted from 1; see `obs.display.regions`.

        Parameters
        ----------
        regions : iterable of str
            Regions, as of `obs.display.regions`.
        frame : int, default: 1
            Frame of DS9.
        """
        text = region_file(regions, system="physical")
        path = self._path("reg")
        path.write_text(text, encoding="utf-8")
        self.command(f"frame {frame}")
        self.command(f"regions load {_quoted(path)}")

    def erase(self, *, frame: int = 1) -> None:
        """Remove all regions of a frame.

        Parameters
        ----------
        frame : int, default: 1
            Frame of DS9.
        """
        self.command(f"frame {frame}")
        self.command("regions delete all")

    def _path(self, ending: str) -> Path:
        self._count += 1
        return self._folder / f"{self._count:04d}.{ending}"

    def _write(self, pixels: NDArray[Any], view: View) -> str:
        """Write pixels to a file, and return its name as commands have it."""
        hdu = fits.PrimaryHDU(pixels)
        if view.wcs is not None:
            hdu.header.update(view.wcs.to_header())
        title = "".join(character if 32 <= ord(character) < 127 else " " for character in view.title)
        hdu.header["OBJECT"] = title[:60]
        if view.unit and view.unit.isascii():
            hdu.header["BUNIT"] = view.unit
        # of physical coordinates, which count as the axes do
        hdu.header["LTV1"], hdu.header["LTV2"] = float(-view.x_min), float(-view.y_min)
        hdu.header["LTM1_1"], hdu.header["LTM2_2"] = 1.0, 1.0
        path = self._path("fits")
        hdu.writeto(path)
        return _quoted(path)


def _quoted(path: Path) -> str:
    """Return the name of a file as one word of a command."""
    return "{" + str(path) + "}"


def connect(name: str = "ds9", *, start: bool = True) -> Ds9:
    """Return a DS9 that runs, or one that is started.

    Parameters
    ----------
    name : str, optional
        Title of its window, for XPA.
    start : bool, optional
        Start one where none runs, and a screen and the program are there.

    Raises
    ------
    OutputError
        If there is none; says what to do.
    """
    transport = find_transport(name)
    if transport is None and Xpa.is_installed() and Xpa(name).addresses():
        raise OutputError(
            f"a DS9 called '{name}' runs and does not answer: close the windows with messages that it shows, or end it"
        )
    if transport is None and start:
        transport = _start(name)
    if transport is None:
        raise OutputError("no DS9 runs here: start ds9 first")
    return Ds9(transport)


def _start(name: str) -> Transport | None:
    program = shutil.which("ds9")
    if program is None:
        raise OutputError("no DS9 runs here, and the program ds9 is not installed; obs display -o FILE.png needs none")
    if not has_screen():
        raise OutputError("no DS9 runs here, and there is no screen to start one; obs display -o FILE.png needs none")
    words = [program, "-title", name]
    process = subprocess.Popen(  # noqa: S603
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        transport = find_transport(name)
        if transport is not None:
            return transport
        if process.poll() is not None:
            raise OutputError(f"ds9 ended at once, with status {process.returncode}; start it by hand to see why")
        time.sleep(_WAIT)
    missing = "" if Xpa.is_installed() else "; install xpa-tools, or start a SAMP hub before DS9"
    raise OutputError(f"ds9 was started but does not answer within {_START_SECONDS:g} s{missing}")
