"""Cubes of several planes, taken apart to a file for each plane, or to one file of their mean."""

from collections.abc import Iterator
from copy import copy
from datetime import datetime, timedelta
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from astropy.io import fits

from obs.errors import FileFormatError
from obs.instrument.card_values import format_date, parse_date
from obs.instrument.noise_cards import GAIN_CARDS, READ_NOISE_CARDS
from obs.repo.atomic import atomic_write
from obs.repo.color_cubes import to_mosaic
from obs.repo.fits_file import header_to_dict, is_structural, open_fits
from obs.repo.header_times import infer_visit_info

__all__ = ["PLANES", "Planes", "holds_series", "is_cube", "write_planes"]

Planes = Literal["each", "mean", "colors"]
#: What planes can be: an exposure each, parts of one, or red, green and blue computed from a color mosaic.
PLANES: tuple[Planes, ...] = get_args(Planes)

_BEGINS = ("DATE-OBS", "DATE_OBS", "DATEOBS", "DATE-BEG", "DATE-LOC")
_TIMES = ("TIME-OBS", "UTC-OBS", "UTSTART", "UT-START", "UT", "UTC", "TIME-BEG")
_DAYS = ("MJD-OBS", "MJD_OBS", "MJD-BEG", "MJD", "JD", "JD-OBS")
#: Cards that are true of the whole cube only.
_OF_THE_CUBE = ("DATE-END", "DATE-AVG", "MJD-END", "MJD-AVG", "UTEND", "UT-END", "NAXIS3")
_CYCLES = ("KCT", "KINCYC", "KINCYCLE", "CYCLTIME", "CYCTIME")
"""Seconds from the begin of one plane to that of the next, such as the kinetic cycle time of Andor's programs."""
_COUNTS = ("NUMKIN", "NKIN", "NUMFRAMS", "NFRAMES", "NUMFRAME")
"""Numbers of exposures in a series."""
_SECONDS = 86400.0
_LONGEST = 86400.0
"""Seconds of a cycle that can be."""
_LEAST = 1e-3
"""Seconds between planes of none: what numbers exposures by their date tells them apart."""


def is_cube(path: Path) -> bool:
    """Return whether a FITS file holds nothing but one cube of several planes.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    with open_fits(path) as hdus:
        shapes = [hdu.shape for hdu in hdus if hdu.is_image and len(hdu.shape) >= 2]
    return len(shapes) == 1 and len(shapes[0]) > 2 and int(np.prod(shapes[0][:-2])) > 1


def holds_series(path: Path) -> str:
    """Return the card that says that the planes of a cube are so many exposures in a row; empty where none does.

    Parameters
    ----------
    path : Path
        The cube.
    """
    with open_fits(path) as hdus:
        cube = next(hdu for hdu in hdus if hdu.is_image and len(hdu.shape) > 2)
        count = int(np.prod(cube.shape[:-2]))
        for header in (cube.header, hdus[0].header):
            for name in _COUNTS:
                if str(header.get(name)).strip() == str(count):
                    return name
    return ""


def write_planes(path: Path, folder: Path, planes: Planes, most: int | None = None) -> list[Path]:
    """Write the planes of a cube to files of their own; the same cube gives the same bytes.

    Each begins later than the one before by the cycle time that a card gives, or else by an exposure time, as if there
    was no gap; by a millisecond at least. The mean is that of the middle of the cube, with the gain and the read noise
    of so many reads.

    Parameters
    ----------
    path : Path
        The cube.
    folder : Path
        Where the files are made.
    planes : {"each", "mean", "colors"}
        A file for each plane, one of their mean, or one of the color mosaic that they were computed from.
    most : int, optional
        Planes of which a file is made; all if None.

    Returns
    -------
    list of Path

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    OutputError
        If a file cannot be written.
    """
    with open_fits(path) as hdus:
        cube = next(hdu for hdu in hdus if hdu.is_image and len(hdu.shape) > 2)
        header = cube.header.copy()
        if cube is not hdus[0]:
            header.extend(hdus[0].header.cards, unique=True)
        return [
            _write(folder / name, pixels, own) for name, pixels, own in _parts(path, cube.data, header, planes, most)
        ]


def _parts(
    path: Path, data: np.ndarray[tuple[int, ...], np.dtype[Any]], header: fits.Header, planes: Planes, most: int | None
) -> Iterator[tuple[str, np.ndarray[tuple[int, ...], np.dtype[Any]], fits.Header]]:
    """Yield name, pixels and header of each file."""
    stack = data.reshape(-1, *data.shape[-2:])
    info = infer_visit_info(header_to_dict(header))
    seconds = 0.0 if info is None or not isfinite(info.exposure_time) else info.exposure_time
    step = max(seconds, _cycle(header, seconds), _LEAST)
    stem = path.name.removesuffix(".gz").removesuffix(".fz")
    stem, dot, ending = stem.rpartition(".") if "." in stem else (stem, ".", "fits")
    if planes == "colors":
        own = _later(header, 0.0)
        yield f"{stem}{dot}{ending}", to_mosaic(stack, own, path), own
        return
    if planes == "mean":
        total = np.zeros(stack.shape[1:], np.float64)
        for plane in stack:
            total += plane
        own = _later(header, 0.5 * (len(stack) - 1) * max(seconds, _cycle(header, seconds)))
        _scale_noise(own, len(stack))
        yield f"{stem}{dot}{ending}", (total / len(stack)).astype(np.float32), own
        return
    for number, plane in enumerate(stack[:most]):
        yield f"{stem}-plane{number:04d}{dot}{ending}", plane, _later(header, number * step)


def _cycle(header: fits.Header, seconds: float) -> float:
    """Return the seconds from one plane to the next that a card gives; 0 where none does that can be."""
    values = (header.get(name) for name in _CYCLES)
    return next((float(v) for v in values if isinstance(v, int | float) and seconds <= v < _LONGEST), 0.0)


def _write(path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[Any]], header: fits.Header) -> Path:
    with atomic_write(path) as file:
        fits.PrimaryHDU(pixels.copy(), header).writeto(file, output_verify="ignore")
    return path


def _later(header: fits.Header, seconds: float) -> fits.Header:
    """Return the cards of a plane that began later than the cube."""
    own_cards = header_to_dict(header)
    kept = [
        c for c in header.cards if (c.keyword in own_cards and not is_structural(c.keyword)) or c.keyword == "BUNIT"
    ]
    own = fits.Header([copy(card) for card in kept if card.keyword not in _OF_THE_CUBE])
    step = timedelta(seconds=seconds)
    for keyword in (name for name in _BEGINS if name in own):
        text = str(own[keyword])
        if ":" in text:
            if (begin := _date(text)) is not None:
                own[keyword] = format_date(begin + step)
            continue
        time = next((name for name in _TIMES if ":" in str(own.get(name, ""))), None)
        begin = None if time is None else _date(f"{text}T{own[time]}")
        if begin is not None and time is not None:
            own[keyword], own[time] = format_date(begin + step).split("T")
    for keyword in (name for name in _DAYS if isinstance(own.get(name), float)):
        own[keyword] += seconds / _SECONDS
    return own


def _date(text: str) -> datetime | None:
    try:
        return parse_date(text)
    except FileFormatError:
        return None


def _scale_noise(header: fits.Header, count: int) -> None:
    """Make the noise cards those of a mean: so many times the electrons a count, and the noise of so many reads."""
    for names, factor in ((GAIN_CARDS, float(count)), (READ_NOISE_CARDS, sqrt(count))):
        for name in names:
            value = header.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                header[name] = (value * factor, f"of the mean of {count} planes")
