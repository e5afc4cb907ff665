"""The FITS cards of a celestial WCS: CD, or PC with CDELT, or CDELT with CROTA2; SIP; the old RADECSYS and EPOCH."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.errors import FileFormatError

__all__ = ["WcsCards", "is_wcs_card", "read_wcs_cards"]

Polynomial = NDArray[np.float64]

_CARD = re.compile(
    r"(WCS(AXES|NAME)|C(TYPE|RVAL|RPIX|UNIT|DELT|RDER|SYER)\d|CROTA\d|CD\d_\d|PC\d_\d|PV\d_\d+|LONPOLE|LATPOLE"
    r"|RADE(C?SYS)|EQUINOX)[A-Z]?|EPOCH|[AB]P?_(ORDER|DMAX|\d+_\d+)"
)
_AXIS = re.compile(r"(RA--|DEC-)-TAN(-SIP)?")


class WcsCards(NamedTuple):
    """What the cards say, with right ascension first; see `obs.image.wcs.TanSipWcs` for what each field is."""

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: NDArray[np.float64]
    a: Polynomial | None
    b: Polynomial | None
    ap: Polynomial | None
    bp: Polynomial | None
    frame: str


def is_wcs_card(name: str) -> bool:
    """Return whether a card belongs to a celestial WCS, also an alternate one, so that a new WCS replaces it."""
    return _CARD.fullmatch(name) is not None


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
    kinds = [str(header.get(f"CTYPE{i}", "")) for i in (1, 2)]
    axes = [match and match[1] for match in map(_AXIS.fullmatch, kinds)]
    if sorted(axis or "" for axis in axes) != ["DEC-", "RA--"]:
        raise FileFormatError(f"CTYPE1 = '{kinds[0]}', CTYPE2 = '{kinds[1]}': only RA---TAN and DEC--TAN are read")
    if any(re.fullmatch(r"PV\d_([5-9]|\d\d)", name) or name.startswith("PV2_") for name in header):
        raise FileFormatError("PV cards: polynomial distortion is only read in its SIP form")
    frame = _frame(header)
    order = [0, 1] if axes[0] == "RA--" else [1, 0]
    crval = [_number(header, f"CRVAL{i + 1}") for i in order]
    cd = _cd_matrix(header)[order]
    pole = _number(header, "LONPOLE", 180.0 if crval[1] < 90.0 else 0.0)
    angle = np.deg2rad(pole - 180.0)
    cosine, sine = (np.cos(angle), np.sin(angle)) if angle else (1.0, 0.0)
    a, b, ap, bp = (_polynomial(header, name) for name in ("A", "B", "AP", "BP"))
    crpix = _number(header, "CRPIX1", 0.0) - 1.0, _number(header, "CRPIX2", 0.0) - 1.0
    cd = np.array([[cosine, sine], [-sine, cosine]]) @ cd
    return WcsCards((crval[0], crval[1]), crpix, cd, a, b, ap, bp, frame)


def _number(header: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value: Any = header.get(name, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        what = "is missing" if value is None else f"= '{value}' is no number"
        raise FileFormatError(f"WCS card {name} {what}") from None


def _frame(header: Mapping[str, Any]) -> str:
    """Name of the celestial frame, with the defaults of the FITS standard."""
    equinox = next((_number(header, name) for name in ("EQUINOX", "EPOCH") if header.get(name) is not None), None)
    default = "ICRS" if equinox is None else "FK4" if equinox < 1984.0 else "FK5"
    frame = str(header.get("RADESYS") or header.get("RADECSYS") or default).strip().upper()
    if frame == "ICRS":
        return frame
    if frame != "FK5" or equinox not in (None, 2000.0):
        raise FileFormatError(f"RADESYS = '{frame}', EQUINOX = {equinox}: only ICRS and FK5 of equinox 2000 are read")
    return frame


def _cd_matrix(header: Mapping[str, Any]) -> NDArray[np.float64]:
    if any(f"CD{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        return np.array([[_number(header, f"CD{i}_{j}", 0.0) for j in (1, 2)] for i in (1, 2)])
    scale = np.array([_number(header, "CDELT1"), _number(header, "CDELT2")])
    if "CROTA2" in header and not any(f"PC{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        angle = np.deg2rad(_number(header, "CROTA2"))
        cosine, sine = np.cos(angle), np.sin(angle)
        return np.array([[cosine * scale[0], -sine * scale[1]], [sine * scale[0], cosine * scale[1]]])
    return scale[:, None] * [[_number(header, f"PC{i}_{j}", float(i == j)) for j in (1, 2)] for i in (1, 2)]


def _polynomial(header: Mapping[str, Any], name: str) -> Polynomial | None:
    if f"{name}_ORDER" not in header:
        return None
    order = int(_number(header, f"{name}_ORDER"))
    terms = np.zeros((order + 1, order + 1))
    for p in range(order + 1):
        for q in range(order + 1 - p):
            terms[p, q] = _number(header, f"{name}_{p}_{q}", 0.0)
    return terms
