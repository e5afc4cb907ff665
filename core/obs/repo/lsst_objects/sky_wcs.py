"""WCSs in the archives of the LSST stack: the text of an AST FrameSet, and before 2018 the numbers of TAN and TAN-SIP.

References
----------
The stack's afw (`geom/SkyWcs.cc`, and in older versions `image/Wcs.cc` and `image/TanWcs.cc`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.image.wcs import TanSipWcs
from obs.image.wcs_cards import unusual_wcs
from obs.repo.lsst_objects.archive import Archive, attached_number, field, numbers, point
from obs.repo.lsst_objects.ast_maps import apply_frames
from obs.repo.lsst_objects.ast_text import AstObject, parse_ast
from obs.repo.wcs_refit import AMPLE, SkyMapping, largest_separation, refit_tan_sip, sample_pixels

__all__ = ["archived_wcs", "read_sky_mapping", "read_wcs"]

Floats = NDArray[np.float64]

#: Cards with the number of the WCS, of newer and older files.
_CARDS = ("ARCHIVE_ID_SKYWCS", "SKYWCS_ID", "WCS_ID")
_CLASSES = ("SkyWcs", "TanWcs", "Wcs")
#: Shape over which a WCS without an image is refitted; polynomials up to order 9 are followed outside of it, too.
_NO_IMAGE = (4096, 4096)


def archived_wcs(
    archive: Archive | None,
    header: Mapping[str, Any],
    shape: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
    plain: TanSipWcs | None = None,
) -> TanSipWcs | None:
    """Return the WCS of an exposure from its archive, or None if it has none.

    Parameters
    ----------
    archive : Archive or None
        The archive.
    header : mapping
        Cards of the exposure.
    shape : tuple of int
        Shape (ny, nx) of the image; with 0 pixels, the WCS is refitted over 4096 x 4096.
    origin : tuple of int, optional
        Position (x, y) of the image's first pixel, as the stack counts pixels.
    plain : TanSipWcs, optional
        WCS of the header, which is returned if it is the same within 0.1 mas.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    number = attached_number(archive, header, _CARDS, _CLASSES)
    return None if archive is None or not number else read_wcs(archive, number, shape, origin, plain)


def read_wcs(
    archive: Archive,
    number: int,
    shape: tuple[int, int] = (0, 0),
    origin: tuple[int, int] = (0, 0),
    plain: TanSipWcs | None = None,
) -> TanSipWcs:
    """Return a WCS by its number; see `archived_wcs`.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the WCS in it.
    shape : tuple of int
        Shape (ny, nx) of the image; with 0 pixels, the WCS is refitted over 4096 x 4096.
    origin : tuple of int
        Position (x, y) of the image's first pixel, as the stack counts pixels.
    plain : TanSipWcs, optional
        WCS of the header, which is returned if it is the same within 0.1 mas.
    """
    name, rows = archive.find(number)
    if name in ("TanWcs", "Wcs"):
        return _tan_wcs(rows).shifted(x=origin[0], y=origin[1])
    mapping, frame = _open_sky_wcs(name, rows)
    shape = shape if min(shape) > 0 else _NO_IMAGE
    x, y = sample_pixels(shape)
    sky = mapping(x + origin[0], y + origin[1])
    if plain is not None and largest_separation(plain.pixel_to_sky(x=x, y=y), sky) <= AMPLE:
        return plain
    return refit_tan_sip(sky, shape, f"the stack's {name}", frame)[0]


def read_sky_mapping(archive: Archive, number: int) -> SkyMapping:
    """Return a WCS by its number as a function from pixels to degrees.

    Parameters
    ----------
    archive : Archive
        Archive of the file.
    number : int
        Number of the WCS in it.

    Returns
    -------
    callable
        Takes x and y as the stack counts pixels, and returns right ascension and declination, degrees.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    name, rows = archive.find(number)
    if name in ("TanWcs", "Wcs"):
        wcs = _tan_wcs(rows)
        return lambda x, y: wcs.pixel_to_sky(x=x, y=y)
    return _open_sky_wcs(name, rows)[0]


def _open_sky_wcs(name: str, rows: list[Any]) -> tuple[SkyMapping, str]:
    """Return the function of a SkyWcs, and its celestial frame."""
    if name != "SkyWcs":
        raise FileFormatError(f"its WCS is of the stack's class {name}, which is not read; {', '.join(_CLASSES)} are")
    if len(rows) != 1 or len(rows[0]) != 1:
        raise FileFormatError("its SkyWcs is damaged: it has more than one row")
    frames = parse_ast(bytes(np.asarray(field(rows[0][0], "wcs"), np.uint8)).decode("latin-1"))
    if frames.kind != "FrameSet":
        raise FileFormatError(f"its SkyWcs is damaged: a {frames.kind} of AST instead of a FrameSet")
    sky = frames.part(f"frm{frames.whole('currnt', frames.whole('nframe', 1))}")
    frame, flipped = _celestial_frame(sky)

    def mapping(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        places = np.rad2deg(apply_frames(frames, np.stack([np.ravel(x), np.ravel(y)]).astype(np.float64)))
        ra, dec = places[::-1] if flipped else places
        return ra % 360.0, dec

    return mapping, frame


def _celestial_frame(sky: AstObject) -> tuple[str, bool]:
    """Return the frame of a SkyFrame, and whether declination comes first."""
    system = sky.text("system", "ICRS").upper()
    is_known = system == "ICRS" or (system == "FK5" and sky.number("eqnox", 2000.0) == 2000.0)
    if sky.kind != "SkyFrame" or not is_known:
        raise FileFormatError(f"its SkyWcs leads to {sky.kind} {system}; ICRS and FK5 of equinox 2000 are read")
    return system, sky.whole("prm1", 1) == 2


def _tan_wcs(rows: list[Any]) -> TanSipWcs:
    """Return a WCS that is kept as the numbers of a header."""
    row = rows[0][0]
    # the polynomials have a table of their own
    types = {f"CTYPE{i}": str(field(row, f"ctype{i}")).strip().removesuffix("-SIP") for i in (1, 2)}
    frame = str(field(row, "radesys")).strip() or "ICRS"
    cards: dict[str, Any] = {**types, "RADESYS": frame, "EQUINOX": float(field(row, "equinox"))}
    if reason := unusual_wcs(cards):
        raise FileFormatError(f"its WCS is {reason}, which is not read; TAN and TAN-SIP are")
    cd = numbers(row, "cd").reshape(2, 2).T  # by columns
    plain = TanSipWcs(point(row, "crval"), point(row, "crpix"), cd, frame=frame)
    if len(rows) == 1:
        return plain
    a, b, ap, bp = (_square(numbers(rows[1][0], name)) for name in ("A", "B", "Ap", "Bp"))
    return replace(plain, a=a, b=b, ap=ap, bp=bp)


def _square(values: Floats) -> Floats:
    """Return polynomial coefficients, by the power of x and of y; they are kept by columns."""
    order = int(np.sqrt(len(values) + 0.5))
    if order * order != len(values):
        raise FileFormatError(f"its TanWcs is damaged: a matrix of {len(values)} coefficients")
    return values.reshape(order, order).T
