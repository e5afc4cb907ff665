"""The FITS cards of a celestial WCS: CD, or PC with CDELT, or CDELT with CROTA2; SIP; the old RADECSYS and EPOCH."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError

__all__ = ["WcsCards", "has_plate_solution", "is_wcs_card", "normalize_wcs_cards", "read_wcs_cards", "unusual_wcs"]

Polynomial = NDArray[np.float64]

_CARD = re.compile(
    r"(WCS(AXES|NAME)|C(TYPE|RVAL|RPIX|UNIT|DELT|RDER|SYER)\d|CROTA\d|CD\d_\d|PC\d_\d|PV\d_\d+|LONPOLE|LATPOLE"
    r"|RADE(C?SYS)|EQUINOX)[A-Z]?|EPOCH|[AB]P?_(ORDER|DMAX|\d+_\d+)|PC00\d00\d|WAT\d_\d{3}|WCSDIM|LTM\d_\d|LTV\d"
    r"|(D2IM|C[PQ])(DIS|ERR)\d|D2IMARR\d?|(D2IM|D[PQ])\d(\..+)?"
    r"|PLT(RA[HMS]|DEC(SN|[DMS])|SCALE)|[XY]PIXELSZ|PPO\d|CNPIX[12]|AMD[XY]\d+"
)
_CELESTIAL = re.compile(r"(RA--|DEC-|[A-Z]LON|[A-Z]LAT)-")
_AXIS = re.compile(r"(RA--|DEC-)-TAN(-SIP)?")
_LOOSE_AXIS = re.compile(r"(RA|DEC)-+([A-Z]{3}(-SIP)?)")
_PLATE = ("PLTRAH", "PLTDECD", "PPO3", "PPO6", "CNPIX1", "CNPIX2", "AMDX1", "AMDY1")
_SCALE_OF_PC = 0.01  # degrees; a PC matrix without CDELT that is larger has no scale
_OLD_PC = re.compile(r"PC00(\d)00(\d)")
_PV = re.compile(r"PV([12])_(\d+)")
_MAX_NATIVE_PV = 4  # up to here PV cards may give the native pole instead of a polynomial
_SIP = re.compile(r"[AB]P?_(ORDER|DMAX|\d+_\d+)")
_PARTNER = {"A": "B", "B": "A", "AP": "BP", "BP": "AP"}
#: Degrees, by the names that FITS and old writers give to units of angle.
_UNITS = {
    "": 1.0,
    "deg": 1.0,
    "degree": 1.0,
    "degrees": 1.0,
    "arcmin": 1.0 / 60.0,
    "arcsec": 1.0 / 3600.0,
    "mas": 1.0 / 3.6e6,
    "rad": 180.0 / np.pi,
}


class WcsCards(NamedTuple):
    """What the cards say, with right ascension first; see `obs.image.wcs.TanSipWcs` for what each field is.

    Parameters
    ----------
    crval : tuple of float
        Right ascension and declination of the tangent point, degrees.
    crpix : tuple of float
        Position (x, y) of the tangent point, 0-based pixels.
    cd : ndarray of float64, shape (2, 2)
        Degrees per pixel.
    a, b : ndarray of float64, shape (order + 1, order + 1), or None
        Distortion in x and in y, pixels.
    ap, bp : ndarray of float64, shape (order + 1, order + 1), or None
        Inverse distortion.
    frame : str
        Celestial frame.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: NDArray[np.float64]
    a: Polynomial | None
    b: Polynomial | None
    ap: Polynomial | None
    bp: Polynomial | None
    frame: str


def is_wcs_card(name: str) -> bool:
    """Return whether a card belongs to a celestial WCS, also an alternate one, so that a new WCS replaces it.

    Parameters
    ----------
    name : str
        Keyword.
    """
    return _CARD.fullmatch(name) is not None


def normalize_wcs_cards(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cards of a header with its WCS as the standard writes it.

    The first celestial WCS is taken, which may be an alternate one (``CTYPE1A``). ``PC001001`` becomes ``PC1_1``,
    ``EQUINOX = 'J2000'`` becomes 2000.0, a ``RADESYS`` that names an equinox becomes one. CTYPE is upper case, with as
    many hyphens as the standard wants. A SIP polynomial that is missing beside its partner is zero. Of SIP and PV
    polynomials the ones that CTYPE does not name are left over from another fit, and dropped. Of a PC and a CD matrix
    the PC matrix counts, as in wcslib, unless it has no scale.

    Parameters
    ----------
    header : mapping
        Card name to value.

    Returns
    -------
    dict
        Card name to value; the cards that do not describe a WCS are unchanged.
    """
    cards = _first_celestial(header)
    _normalize_axes(cards)
    for name in [name for name in cards if _OLD_PC.fullmatch(name)]:
        cards.setdefault(_OLD_PC.sub(r"PC\1_\2", name), cards.pop(name))
    _normalize_frame(cards)
    _choose_matrix(cards)
    _name_tpv(cards)
    return _complete_sip(_choose_distortion(cards))


def has_plate_solution(cards: Mapping[str, Any]) -> bool:
    """Return whether cards describe a plate of the Digitized Sky Survey, which wcslib prefers to any other WCS.

    Parameters
    ----------
    cards : mapping
        Cards by keyword.
    """
    return all(name in cards for name in _PLATE)


def _normalize_axes(cards: dict[str, Any]) -> None:
    """Write CTYPE as the standard does, where it is clear what is meant."""
    for name in ("CTYPE1", "CTYPE2"):
        match = _LOOSE_AXIS.fullmatch(str(cards.get(name, "")).strip().upper())
        if match:
            cards[name] = f"{match[1]:-<4}-{match[2]}"


def _choose_matrix(cards: dict[str, Any]) -> None:
    """Drop one of a CD and a PC matrix, which do not belong together."""
    axes = [(i, j) for i in (1, 2) for j in (1, 2)]
    matrices = {kind: [f"{kind}{i}_{j}" for i, j in axes if f"{kind}{i}_{j}" in cards] for kind in ("CD", "PC")}
    if not all(matrices.values()):
        return
    largest = max(abs(_number(cards, name)) for name in matrices["PC"])
    no_scale = not any(f"CDELT{i}" in cards for i in (1, 2)) and largest > _SCALE_OF_PC
    for name in matrices["PC" if no_scale else "CD"]:
        del cards[name]


def _choose_distortion(cards: dict[str, Any]) -> dict[str, Any]:
    """Drop the distortion polynomials that CTYPE does not name, where both SIP and PV are there."""
    polynomial = any((match := _PV.fullmatch(name)) and int(match[2]) > _MAX_NATIVE_PV for name in cards)
    if not polynomial or not any(map(_SIP.fullmatch, cards)):
        return cards
    drop = _PV if str(cards.get("CTYPE1", "")).strip().endswith("-SIP") else _SIP
    return {name: value for name, value in cards.items() if not drop.fullmatch(name)}


def _complete_sip(cards: dict[str, Any]) -> dict[str, Any]:
    """Add the polynomial that is missing of a pair: forward the order of the other, and none at all backward."""
    for name, partner in (("A_ORDER", "B_ORDER"), ("B_ORDER", "A_ORDER")):
        if partner in cards:
            cards = {name: cards[partner]} | cards
    if ("AP_ORDER" in cards) != ("BP_ORDER" in cards):
        cards.pop("AP_ORDER", None)
        cards.pop("BP_ORDER", None)
    return cards


def _normalize_frame(cards: dict[str, Any]) -> None:
    """Give the equinox as a year under EQUINOX, and the frame under RADESYS; drop blank and impossible ones."""
    if "RADECSYS" in cards:
        cards.setdefault("RADESYS", cards.pop("RADECSYS"))
    for name in ("RADESYS", "EPOCH", "EQUINOX"):
        value = cards.get(name)
        year = _year(value)
        if year is not None:
            cards["EQUINOX" if name == "RADESYS" else name] = year
        if value is not None and (value != value or value == "" or (name == "RADESYS" and year is not None)):
            del cards[name]  # a blank card is NaN
        elif isinstance(cards.get(name), (int, float)) and not 1700 < cards[name] < 2200:
            del cards[name]


def _name_tpv(cards: dict[str, Any]) -> None:
    """Name a TAN projection with PV cards on the latitude axis, where they have no meaning for TAN, TPV."""
    kinds = [str(cards.get(f"CTYPE{i}", "")).strip() for i in (1, 2)]
    if not all(_AXIS.fullmatch(kind) and kind.endswith("TAN") for kind in kinds):
        return
    latitude = 1 if kinds[0].startswith("DEC") else 2
    if any(name.startswith(f"PV{latitude}_") and value for name, value in cards.items()):
        cards |= {f"CTYPE{i + 1}": kind.replace("TAN", "TPV") for i, kind in enumerate(kinds)}


def _first_celestial(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cards with an alternate WCS in the place of the primary one, if only the alternate is celestial."""
    letters = ("", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    found = next((x for x in letters if _CELESTIAL.match(str(header.get(f"CTYPE1{x}", "")).strip())), "")
    if not found:
        return dict(header)
    cards = {name: value for name, value in header.items() if not is_wcs_card(name)}
    for name, value in header.items():
        if name.endswith(found) and is_wcs_card(name) and is_wcs_card(name[:-1]):
            cards[name[:-1]] = value
    return cards


def _year(value: object) -> float | None:
    """Return the year that ``'J2000'``, ``'B1950.0'`` or ``'2000'`` names."""
    match = re.fullmatch(r"\s*[JB]?\s*(\d{4}(\.\d*)?)\s*", value, re.IGNORECASE) if isinstance(value, str) else None
    return float(match[1]) if match else None


def unusual_wcs(cards: Mapping[str, Any]) -> str:
    """Return what makes a WCS another than TAN or TAN-SIP in ICRS or FK5 of equinox 2000; empty if nothing does.

    Parameters
    ----------
    cards : mapping
        Cards from `normalize_wcs_cards`.
    """
    if has_plate_solution(cards):
        return "a plate solution of the Digitized Sky Survey"
    kinds = [str(cards.get(f"CTYPE{i}", "")).strip() for i in (1, 2)]
    axes = [match and match[1] for match in map(_AXIS.fullmatch, kinds)]
    if sorted(axis or "" for axis in axes) != ["DEC-", "RA--"]:
        return f"CTYPE1 = '{kinds[0]}', CTYPE2 = '{kinds[1]}'"
    if any(_PV.fullmatch(name) for name in cards):
        return "TAN with PV cards"
    if any(cards.get(f"{name}{i}") for name in ("CPDIS", "D2IMDIS", "CQDIS") for i in (1, 2)):
        return "a distortion in lookup tables"
    if axes[0] == "DEC-" and ("CROTA1" in cards or "CROTA2" in cards):
        return "declination first, with CROTA"
    frame, equinox = _frame(cards)
    if frame != "ICRS" and (frame != "FK5" or equinox not in (None, 2000.0)):
        return f"RADESYS = '{frame}', EQUINOX = {equinox}"
    return ""


def read_wcs_cards(header: Mapping[str, Any]) -> WcsCards:
    """Read the cards of a TAN projection, with or without SIP.

    Parameters
    ----------
    header : mapping
        Card name to value.

    Returns
    -------
    WcsCards

    Raises
    ------
    FileFormatError
        If the projection is another than TAN, a card is missing, or the coordinates are not of equinox 2000.
    """
    cards = normalize_wcs_cards(header)
    reason = unusual_wcs(cards)
    if reason:
        raise FileFormatError(f"{reason}: only TAN and TAN-SIP in ICRS or FK5 of equinox 2000 are read")
    return _read_tan(cards)


def _read_tan(header: Mapping[str, Any]) -> WcsCards:
    order = [0, 1] if str(header["CTYPE1"]).startswith("RA") else [1, 0]
    units = [_unit(header, f"CUNIT{i + 1}") for i in (0, 1)]
    crval = [_number(header, f"CRVAL{i + 1}") * units[i] for i in order]
    cd = (_cd_matrix(header) * np.array(units)[:, None])[order]
    pole = _number(header, "LONPOLE", 180.0 if crval[1] < 90.0 else 0.0)
    angle = np.deg2rad(pole - 180.0)
    cosine, sine = (np.cos(angle), np.sin(angle)) if angle else (1.0, 0.0)
    a, b, ap, bp = (_polynomial(header, name) for name in ("A", "B", "AP", "BP"))
    crpix = _number(header, "CRPIX1", 0.0) - 1.0, _number(header, "CRPIX2", 0.0) - 1.0
    cd = np.array([[cosine, sine], [-sine, cosine]]) @ cd
    return WcsCards((crval[0], crval[1]), crpix, cd, a, b, ap, bp, _frame(header)[0])


def _unit(header: Mapping[str, Any], name: str) -> float:
    unit = str(header.get(name, "")).strip()
    try:
        return _UNITS[unit.lower()]
    except KeyError:
        raise FileFormatError(f"WCS card {name} = '{unit}' is not a unit of angle") from None


def _number(header: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value: Any = header.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        what = "is missing" if value is None else f"= '{value}' is not a number"
        raise FileFormatError(f"WCS card {name} {what}") from None
    if not np.isfinite(number):
        raise FileFormatError(f"WCS card {name} is not finite")
    return number


def _frame(header: Mapping[str, Any]) -> tuple[str, float | None]:
    """Name of the celestial frame, with the defaults of the FITS standard, and equinox if the header gives one."""
    equinox = next((_number(header, name) for name in ("EQUINOX", "EPOCH") if header.get(name) is not None), None)
    default = "ICRS" if equinox is None else "FK4" if equinox < 1984.0 else "FK5"
    return str(header.get("RADESYS") or default).strip().upper(), equinox


def _cd_matrix(header: Mapping[str, Any]) -> NDArray[np.float64]:
    if any(f"CD{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        return np.array([[_number(header, f"CD{i}_{j}", 0.0) for j in (1, 2)] for i in (1, 2)])
    has_pc = any(f"PC{i}_{j}" in header for i in (1, 2) for j in (1, 2))
    scale = np.array([_number(header, f"CDELT{i}", 1.0 if has_pc else None) for i in (1, 2)])
    if "CROTA2" in header and not has_pc:
        angle = np.deg2rad(_number(header, "CROTA2"))
        cosine, sine = np.cos(angle), np.sin(angle)
        return np.array([[cosine * scale[0], -sine * scale[1]], [sine * scale[0], cosine * scale[1]]])
    return scale[:, None] * [[_number(header, f"PC{i}_{j}", float(i == j)) for j in (1, 2)] for i in (1, 2)]


def _polynomial(header: Mapping[str, Any], name: str) -> Polynomial | None:
    if f"{name}_ORDER" not in header:
        return None
    order = int(_number(header, f"{name}_ORDER"))  # terms above it are left over from another fit
    size = max(order, int(_number(header, f"{_PARTNER[name]}_ORDER"))) + 1
    terms = np.zeros((size, size))
    for p in range(order + 1):
        for q in range(order + 1 - p):
            terms[p, q] = _number(header, f"{name}_{p}_{q}", 0.0)
    return terms
