"""The WCS of any FITS header as TAN-SIP: read as it is, or refitted to what astropy makes of the header."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from obs.errors import FileFormatError
from obs.filtered_warnings import filtered_warnings
from obs.frozen import frozen
from obs.image.fk5 import icrs_from_fk5, icrs_wcs
from obs.image.wcs import TanSipWcs
from obs.image.wcs_cards import has_plate_solution, is_wcs_card, normalize_wcs_cards, unusual_wcs
from obs.repo.wcs_refit import refit_tan_sip, sample_pixels

if TYPE_CHECKING:
    from astropy.wcs import WCS  # slow to import, and only unusual headers need it

__all__ = ["HeaderWcs", "read_header_wcs"]

_TOLERANCE = 1.0  # mas
_POLE = 90.0  # degrees
_WAT_LENGTH = 68  # characters of a WAT card, whose trailing spaces count
_WAT = re.compile(r"WAT\d_\d{3}")
_LOW_ORDER = re.compile(r"[AB]P?_(ORDER|\d_\d)")
_FRAMES = {"GLON": "galactic", "SLON": "supergalactic", "ELON": "barycentricmeanecliptic"}


@frozen
class HeaderWcs:
    """The WCS of a header, and how it was read.

    Parameters
    ----------
    wcs : TanSipWcs
        In ICRS.
    kind : str
        Projection and distortion of the header, in words.
    error : float
        Largest distance between `wcs` and the WCS of the header over the image, mas; 0 if it was not refitted.
    low_order : str, optional
        Polynomial of the header that was left out as astropy does, in words.
    """

    wcs: TanSipWcs
    kind: str
    error: float = 0.0
    low_order: str = ""

    @property
    def warning(self) -> str:
        """What the user should know, or empty."""
        if abs(self.wcs.crval[1]) > _POLE:
            return (
                f"the declination of the WCS is {self.wcs.crval[1]:.6g} degrees, which does not exist: perhaps "
                "right ascension and declination are in each other's place"
            )
        if self.low_order:
            return (
                f"{self.low_order} is left out, as astropy does; some programs apply it: compare positions with a "
                "reference catalog"
            )
        if self.error <= _TOLERANCE:
            return ""
        return (
            f"the WCS ({self.kind}) cannot be written as TAN-SIP within {_TOLERANCE:.0f} mas: positions are off by up "
            f"to {self.error:.3g} mas"
        )


_PLACE = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")
"""Cards that say where on the sky the image is."""


def read_header_wcs(
    header: Mapping[str, Any], shape: tuple[int, int], hdus: fits.HDUList | None = None
) -> HeaderWcs | None:
    """Read the celestial WCS of a header.

    TAN and TAN-SIP are read as they are, turned to ICRS if the header says FK5 by name or by its equinox. Any other
    projection, distortion or frame that `astropy.wcs` reads is refitted to TAN-SIP over the image, with the lowest
    order that follows it within 1 mas.

    Parameters
    ----------
    header : mapping
        Card name to value.
    shape : tuple of int
        Shape (ny, nx) of the image, over which the WCS is refitted.
    hdus : HDUList, optional
        The file, for the lookup tables of a distortion; without it they are not applied.

    Returns
    -------
    HeaderWcs or None
        None if the header does not have a celestial WCS.

    Raises
    ------
    FileFormatError
        If the WCS cannot be read or refitted.
    """
    cards = normalize_wcs_cards(header)
    kinds = [str(cards.get(f"CTYPE{i}", "")).strip() for i in (1, 2)]
    if has_plate_solution(cards):
        return _refit(cards, shape, hdus)
    if not any(kinds) or all(kind.upper() in ("LINEAR", "PIXEL", "X", "Y", "") for kind in kinds):
        return None
    if not any(name in cards for name in _PLACE):
        return None  # a program names the projection before it knows where the frame is
    reason = unusual_wcs(cards)
    cards, low_order = _without_low_order(cards)
    if not reason:
        wcs = TanSipWcs.from_header(cards)
        sip = "" if wcs.a is None else f"-SIP of order {_orders(cards)}"
        frame = "ICRS" if wcs.frame == "ICRS" else f"{wcs.frame} turned to ICRS"
        return HeaderWcs(icrs_wcs(wcs), f"TAN{sip}, {frame}{_other_matrix(header, cards)}", low_order=low_order)
    if min(shape) < 1:
        raise FileFormatError(f"{reason}: only TAN and TAN-SIP in ICRS or FK5 of equinox 2000 are read here")
    return replace(_refit(cards, shape, hdus), low_order=low_order)


def _orders(cards: Mapping[str, Any]) -> str:
    """Give the order of the SIP polynomials, of each axis where they differ."""
    x, y = (f"{float(cards[f'{axis}_ORDER']):g}" for axis in "AB")
    return x if x == y else f"{x} in x and {y} in y"


def _without_low_order(cards: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Leave out SIP polynomials that astropy does not apply, with y below order 2, and say so if they do anything."""
    values = {axis: cards.get(f"{axis}_ORDER") for axis in "AB"}
    orders = {axis: order for axis, order in values.items() if isinstance(order, int | float) and np.isfinite(order)}
    if len(orders) < 2 or orders["B"] > 1:
        return cards, ""
    terms = {name: value for name, value in cards.items() if _LOW_ORDER.fullmatch(name)}
    kept = {name: value for name, value in cards.items() if name not in terms}
    active = any(
        value and name[0] == axis and name[1:2] == "_" and name[2].isdigit() and int(name[2]) + int(name[4]) <= order
        for name, value in terms.items()
        for axis, order in orders.items()
    )
    return kept, f"a SIP polynomial of order {_orders(cards)}" if active else ""


def _other_matrix(header: Mapping[str, Any], cards: Mapping[str, Any]) -> str:
    """Say which of a CD and a PC matrix is not used, where a header has both."""
    dropped = [kind for kind in ("CD", "PC") if f"{kind}1_1" in header and f"{kind}1_1" not in cards]
    return f", {dropped[0]} matrix not used" if dropped else ""


def _refit(cards: dict[str, Any], shape: tuple[int, int], hdus: fits.HDUList | None) -> HeaderWcs:
    kind = _kind(cards)
    scale = any(re.fullmatch(r"(CD|PC)\d_\d|CDELT[12]", name) for name in cards)
    missing = [name for name in ("CRVAL1", "CRVAL2") if name not in cards] + ["CD1_1"] * (not scale)
    if missing and not has_plate_solution(cards):
        raise FileFormatError(f"WCS ({kind}): card {missing[0]} is missing")
    theirs = _open(_without_empty_wat(cards), hdus)
    x, y = sample_pixels(shape)
    wcs, error = refit_tan_sip(_sky(theirs, x, y, cards), shape, kind)
    order = 1 if wcs.a is None else len(wcs.a) - 1
    return HeaderWcs(wcs, f"{kind}, refitted to TAN-SIP of order {order} within {max(error, 0.001):.3g} mas", error)


def _without_empty_wat(cards: dict[str, Any]) -> dict[str, Any]:
    """Name IRAF's TNX and ZPX without correction surfaces, which wcslib does not parse, TAN and ZPN."""
    projection = str(cards.get("CTYPE1", "")).strip()[-3:]
    if projection not in ("TNX", "ZPX"):
        return cards
    words = "".join(str(cards[name]).ljust(_WAT_LENGTH) for name in sorted(cards) if _WAT.fullmatch(name))
    if "cor" in words:
        return cards
    kept = {name: value for name, value in cards.items() if not _WAT.fullmatch(name)}
    ours = {"TNX": "TAN", "ZPX": "ZPN"}[projection]
    for i in (1, 2):
        kept[f"CTYPE{i}"] = str(cards[f"CTYPE{i}"]).replace(projection, ours)
    latitude = 1 if str(cards["CTYPE1"]).startswith("DEC") else 2
    kept |= {f"PV{latitude}_{n}": float(value) for n, value in re.findall(r"projp(\d)\s*=\s*(\S+)", words)}
    return kept


def _kind(cards: Mapping[str, Any]) -> str:
    """Name projection, distortion and frame as the header does."""
    if has_plate_solution(cards):
        return "plate solution of the Digitized Sky Survey"
    kind = " ".join(f"{cards.get(f'CTYPE{i}', '')}".strip() for i in (1, 2))
    frame = "".join(f", {name} {cards[name]}" for name in ("RADESYS", "EQUINOX") if name in cards)
    return kind + frame


def _ignore_all() -> None:
    warnings.simplefilter("ignore")


def _open(cards: dict[str, Any], hdus: fits.HDUList | None) -> "WCS":
    """Return the celestial WCS that astropy reads."""
    from astropy.wcs import WCS, WcsError  # noqa: PLC0415 - slow to import, and only unusual headers need it

    kind = _kind(cards)
    if "-TAB" in kind:
        raise FileFormatError(f"WCS ({kind}): coordinates in a lookup table (-TAB) are not supported")
    if hdus is None:
        cards = _without_tables(cards)
    with filtered_warnings(_ignore_all):
        try:
            everything = WCS(_to_header(cards), fobj=hdus)
            celestial = everything.celestial
        except (ValueError, TypeError, KeyError, IndexError, AssertionError, MemoryError, WcsError) as error:
            raise FileFormatError(f"WCS ({kind}) cannot be read: {_reason(error)}") from None
    if sorted((everything.wcs.lng, everything.wcs.lat)) != [0, 1]:
        raise FileFormatError(f"WCS ({kind}): the two axes of the image are not celestial longitude and latitude")
    return celestial


def _reason(error: Exception) -> str:
    """Return the last line of an error, without the places in the source of wcslib that lead to it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^(ERROR \d+ in )?\S+\(\).*?: ", "", lines[-1]) if lines else type(error).__name__


def _without_tables(cards: dict[str, Any]) -> dict[str, Any]:
    """Leave out the distortions that are lookup tables in other HDUs; polynomials (TPD) are complete in the cards."""
    table = re.compile(r"D2IM|[CD]P(DIS|ERR)?\d")
    return {name: value for name, value in cards.items() if not table.match(name)}


def _to_header(cards: Mapping[str, Any]) -> fits.Header:
    """Return the cards that bear on a WCS as a FITS header."""
    header = fits.Header()
    for name, value in cards.items():
        if not (is_wcs_card(name) or name.startswith(("DATE", "MJD", "TIMESYS", "OBSGEO"))):
            continue
        if isinstance(value, float) and not np.isfinite(value):
            continue
        root, _, field = name.partition(".")
        if field:  # of a record: DP1.EXTVER
            header.append(fits.Card(root, f"{field}: {value}"))
        else:
            header[name] = value.ljust(_WAT_LENGTH) if name.startswith("WAT") else value
    return header


def _sky(
    theirs: "WCS", x: NDArray[np.float64], y: NDArray[np.float64], cards: Mapping[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return right ascension and declination, degrees, ICRS."""
    from astropy.coordinates import SkyCoord  # noqa: PLC0415 - slow to import, and only unusual headers need it
    from astropy.wcs.utils import wcs_to_celestial_frame  # noqa: PLC0415 - as above

    with filtered_warnings(_ignore_all):
        places = theirs.all_pix2world(x, y, 0)
        longitude, latitude = places[theirs.wcs.lng], places[theirs.wcs.lat]
        kind = str(theirs.wcs.ctype[theirs.wcs.lng])[:4]
        equinox = cards.get("EQUINOX", cards.get("EPOCH"))
        try:
            if kind in _FRAMES:
                extra = {"equinox": f"J{equinox}"} if kind == "ELON" and equinox else {}
                frame: Any = _FRAMES[kind]
            else:
                frame, extra = wcs_to_celestial_frame(theirs), {}
            if getattr(frame, "name", "") == "icrs":
                return longitude, latitude
            if getattr(frame, "name", "") == "fk5" and frame.equinox.jyear == 2000.0:
                return icrs_from_fk5(longitude, latitude)
            sky = SkyCoord(longitude, latitude, unit="deg", frame=frame, **extra).icrs
        except (ValueError, TypeError) as error:
            reason = str(error)
            if "celestial frame" in reason:
                reason = "coordinates of this frame cannot be converted to ICRS"
            raise FileFormatError(f"WCS ({_kind(cards)}): {reason}") from None
    return np.asarray(sky.ra.deg), np.asarray(sky.dec.deg)
