"""Pixel to sky and back: the tangent-plane projection with polynomial distortion that FITS calls TAN-SIP."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import ArrayLike, NDArray

from obs.errors import FileFormatError, MeasurementError

__all__ = ["TanSipWcs", "fit_tan_sip", "is_wcs_card"]

Polynomial = NDArray[np.float64]
Positions = NDArray[np.float64]

_CARD = re.compile(
    r"(WCS(AXES|NAME)|C(TYPE|RVAL|RPIX|UNIT|DELT|RDER|SYER)\d|CROTA\d|CD\d_\d|PC\d_\d|PV\d_\d+|LONPOLE|LATPOLE"
    r"|RADE(C?SYS)|EQUINOX)[A-Z]?|EPOCH|[AB]P?_(ORDER|DMAX|\d+_\d+)"
)
_AXIS = re.compile(r"(RA--|DEC-)-TAN(-SIP)?")
_TOLERANCE = 1e-9  # pixels
_MAX_ITERATIONS = 50
_MAX_ORDER = 9  # A_ORDER of the SIP convention


@dataclass(frozen=True, eq=False)
class TanSipWcs:
    """A gnomonic projection with SIP distortion.

    With u, v the pixel offsets from `crpix`, the tangent-plane coordinates are ``cd @ (u + A(u, v), v + B(u, v))``
    degrees east and north of `crval`. `ap` and `bp` are the approximate inverse that other programs read; here they
    only start an iteration.

    Parameters
    ----------
    crval : tuple of float
        Right ascension and declination of the tangent point, degrees.
    crpix : tuple of float
        Position (x, y) of the tangent point, pixels, 0-based.
    cd : ndarray of float64, shape (2, 2)
        Degrees per pixel.
    a, b : ndarray of float64, shape (order + 1, order + 1), optional
        Distortion in x and in y, pixels; element ``[p, q]`` multiplies ``u**p * v**q``. No distortion if absent.
    ap, bp : ndarray of float64, shape (order + 1, order + 1), optional
        Inverse distortion, of the same form.
    frame : str, optional
        Celestial frame, ICRS or FK5 at equinox 2000.

    Raises
    ------
    ValueError
        If `cd` cannot be inverted or only one polynomial of a pair is given.

    References
    ----------
    M. Calabretta & E. Greisen (2002), A&A 395, 1077; D. Shupe et al. (2005), ADASS XIV, 491.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: NDArray[np.float64]
    a: Polynomial | None = None
    b: Polynomial | None = None
    ap: Polynomial | None = None
    bp: Polynomial | None = None
    frame: str = "ICRS"

    def __post_init__(self) -> None:
        if self.cd.shape != (2, 2) or not np.isfinite(self.cd).all() or np.linalg.det(self.cd) == 0:
            raise ValueError(f"cd is an invertible 2 x 2 matrix, got {self.cd.tolist()}")
        for first, second in (("a", "b"), ("ap", "bp")):
            if (getattr(self, first) is None) != (getattr(self, second) is None):
                raise ValueError(f"{first} and {second} come together, got only one of them")

    @property
    def pixel_scale(self) -> float:
        """Side of a square with the area of the central pixel, arcsec."""
        return float(np.sqrt(abs(np.linalg.det(self.cd)))) * 3600.0

    def pixel_to_sky(self, *, x: ArrayLike, y: ArrayLike) -> tuple[Positions, Positions]:
        """Return the sky coordinates of pixels.

        Parameters
        ----------
        x, y : array_like of float
            Positions, pixels, 0-based.

        Returns
        -------
        ra, dec : ndarray of float64, shape of the input
            Degrees, right ascension from 0 to 360.
        """
        u, v = np.asarray(x, np.float64) - self.crpix[0], np.asarray(y, np.float64) - self.crpix[1]
        if self.a is not None and self.b is not None:
            u, v = u + polyval2d(u, v, self.a), v + polyval2d(u, v, self.b)
        xi = self.cd[0, 0] * u + self.cd[0, 1] * v
        eta = self.cd[1, 0] * u + self.cd[1, 1] * v
        return _from_plane(self.crval, xi, eta)

    def sky_to_pixel(self, *, ra: ArrayLike, dec: ArrayLike) -> tuple[Positions, Positions]:
        """Return the pixels of sky coordinates.

        Parameters
        ----------
        ra, dec : array_like of float
            Degrees.

        Returns
        -------
        x, y : ndarray of float64, shape of the input
            Positions, pixels, 0-based; NaN on the half of the sky that does not project, and where the distortion
            polynomials, far outside the detector, have no inverse.
        """
        xi, eta = _to_plane(self.crval, np.asarray(ra, np.float64), np.asarray(dec, np.float64))
        inverse = np.linalg.inv(self.cd)
        u, v = inverse[0, 0] * xi + inverse[0, 1] * eta, inverse[1, 0] * xi + inverse[1, 1] * eta
        if self.a is not None and self.b is not None:
            u, v = self._undistort(u, v, self.a, self.b)
        return u + self.crpix[0], v + self.crpix[1]

    def _undistort(self, u: Positions, v: Positions, a: Polynomial, b: Polynomial) -> tuple[Positions, Positions]:
        """Solve ``p + A(p, q) = u, q + B(p, q) = v``."""
        p, q = u, v
        with np.errstate(over="ignore", invalid="ignore"):
            if self.ap is not None and self.bp is not None:
                p, q = u + polyval2d(u, v, self.ap), v + polyval2d(u, v, self.bp)
            for _ in range(_MAX_ITERATIONS):
                last = p, q
                p, q = u - polyval2d(p, q, a), v - polyval2d(p, q, b)
                step = np.hypot(p - last[0], q - last[1])
                if not np.any(step > _TOLERANCE):
                    break
            lost = ~(step <= 1e3 * _TOLERANCE)
        return np.where(lost, np.nan, p), np.where(lost, np.nan, q)

    def shifted(self, *, x: float, y: float) -> "TanSipWcs":
        """Return the WCS of an image whose first pixel is pixel (x, y) of this one."""
        return replace(self, crpix=(self.crpix[0] - x, self.crpix[1] - y))

    def mirrored(self, *, axis: int, size: int) -> "TanSipWcs":
        """Return the WCS of an image with its pixels in the opposite order.

        Parameters
        ----------
        axis : int
            0 for x, 1 for y.
        size : int
            Number of pixels along that axis.
        """
        crpix, cd = list(self.crpix), self.cd.copy()
        crpix[axis] = size - 1 - crpix[axis]
        cd[:, axis] *= -1

        def turned(terms: Polynomial | None, own: bool) -> Polynomial | None:
            if terms is None:
                return None
            sign = (-1.0) ** np.arange(len(terms))
            result = terms * (sign[:, None] if axis == 0 else sign[None, :])
            return -result if own else result

        x, y = axis == 0, axis == 1
        return replace(
            self,
            crpix=(crpix[0], crpix[1]),
            cd=cd,
            a=turned(self.a, x),
            b=turned(self.b, y),
            ap=turned(self.ap, x),
            bp=turned(self.bp, y),
        )

    def to_header(self) -> dict[str, str | int | float]:
        """Return FITS cards; pixels are 1-based there."""
        suffix = "-SIP" if self.a is not None else ""
        cards: dict[str, str | int | float] = {
            "WCSAXES": 2,
            "CTYPE1": "RA---TAN" + suffix,
            "CTYPE2": "DEC--TAN" + suffix,
        }
        for i in (0, 1):
            cards[f"CRVAL{i + 1}"], cards[f"CRPIX{i + 1}"] = float(self.crval[i]), float(self.crpix[i]) + 1.0
            cards[f"CUNIT{i + 1}"] = "deg"
            cards |= {f"CD{i + 1}_{j + 1}": float(self.cd[i, j]) for j in (0, 1)}
        cards |= {"LONPOLE": 180.0, "RADESYS": self.frame}
        if self.frame == "FK5":
            cards["EQUINOX"] = 2000.0
        for name, terms in (("A", self.a), ("B", self.b), ("AP", self.ap), ("BP", self.bp)):
            if terms is not None:
                cards[f"{name}_ORDER"] = len(terms) - 1
                cards |= {f"{name}_{p}_{q}": float(terms[p, q]) for p, q in np.argwhere(terms).tolist()}
        return cards

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> "TanSipWcs":
        """Read FITS cards: CD, or PC with CDELT, or CDELT with CROTA2; SIP; also the old RADECSYS and EPOCH.

        Parameters
        ----------
        header : mapping
            Card name to value.

        Returns
        -------
        TanSipWcs

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
        try:
            return cls((crval[0], crval[1]), crpix, cd, a, b, ap, bp, frame)
        except ValueError as error:
            raise FileFormatError(f"WCS cards: {error}") from None


def is_wcs_card(name: str) -> bool:
    """Return whether a card belongs to a celestial WCS, also an alternate one, so that a new WCS replaces it."""
    return _CARD.fullmatch(name) is not None


def _from_plane(crval: tuple[float, float], xi: Positions, eta: Positions) -> tuple[Positions, Positions]:
    """Deproject tangent-plane coordinates, degrees."""
    dec_0 = np.deg2rad(crval[1])
    xi, eta = np.deg2rad(xi), np.deg2rad(eta)
    forward = np.cos(dec_0) - eta * np.sin(dec_0)
    ra = np.rad2deg(np.arctan2(xi, forward)) + crval[0]
    dec = np.rad2deg(np.arctan2(np.sin(dec_0) + eta * np.cos(dec_0), np.hypot(xi, forward)))
    ra = np.mod(ra, 360.0)
    return np.where(ra == 360.0, 0.0, ra), dec


def _to_plane(crval: tuple[float, float], ra: Positions, dec: Positions) -> tuple[Positions, Positions]:
    """Project onto the tangent plane, degrees; NaN for the far half of the sky."""
    dec_0, delta, dec = np.deg2rad(crval[1]), np.deg2rad(ra - crval[0]), np.deg2rad(dec)
    depth = np.sin(dec) * np.sin(dec_0) + np.cos(dec) * np.cos(dec_0) * np.cos(delta)
    depth = np.where(depth > 0, depth, np.nan)
    xi = np.cos(dec) * np.sin(delta) / depth
    eta = (np.sin(dec) * np.cos(dec_0) - np.cos(dec) * np.sin(dec_0) * np.cos(delta)) / depth
    return np.rad2deg(xi), np.rad2deg(eta)


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


def fit_tan_sip(
    *,
    x: ArrayLike,
    y: ArrayLike,
    ra: ArrayLike,
    dec: ArrayLike,
    order: int,
    crpix: tuple[float, float],
    weights: ArrayLike | None = None,
) -> TanSipWcs:
    """Fit a WCS to stars by linear least squares.

    The tangent point moves until the polynomial vanishes at `crpix`; the inverse polynomials are fitted to the forward
    ones on a grid over the stars, one order higher.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Positions, pixels, 0-based.
    ra, dec : array_like of float, shape (n,)
        Sky coordinates, degrees.
    order : int
        Total order of the polynomials, 1 (no distortion) to 9.
    crpix : tuple of float
        Pixel (x, y) that becomes the tangent point, 0-based.
    weights : array_like of float, shape (n,), optional
        Inverse variances, in any unit; equal if absent.

    Returns
    -------
    TanSipWcs

    Raises
    ------
    ValueError
        If the order is not from 1 to 9.
    MeasurementError
        If the stars are too few, or lie so that they do not fix the polynomials.
    """
    if not 1 <= order <= _MAX_ORDER:
        raise ValueError(f"order is from 1 to {_MAX_ORDER}, got {order}")
    u, v = np.asarray(x, np.float64) - crpix[0], np.asarray(y, np.float64) - crpix[1]
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    root = np.sqrt(np.ones_like(u) if weights is None else np.asarray(weights, np.float64))
    powers = _powers(order)
    if np.count_nonzero(root) < len(powers):
        raise MeasurementError(f"a WCS of order {order} needs {len(powers)} stars, got {np.count_nonzero(root)}")
    scale = max(float(np.abs([u, v]).max()), 1.0)
    design = _design(u / scale, v / scale, powers)
    crval = _mean_direction(ra, dec)
    for _ in range(_MAX_ITERATIONS):
        plane = np.stack(_to_plane(crval, ra, dec), axis=1)
        if not np.isfinite(plane).all():
            raise MeasurementError("a WCS cannot be fitted to stars more than 90 degrees apart, or without coordinates")
        solution, _, rank, _ = np.linalg.lstsq(design * root[:, None], plane * root[:, None], rcond=None)
        if rank < len(powers):
            raise MeasurementError(f"{len(u)} stars do not fix a WCS of order {order}: they lie on a curve")
        east, north = solution[0]
        moved = _from_plane(crval, east, north)
        crval = float(moved[0]), float(moved[1])
        if np.hypot(east, north) < 1e-13:
            break
    solution /= scale ** powers.sum(axis=1)[:, None]
    cd = np.stack([solution[_row(powers, 1, 0)], solution[_row(powers, 0, 1)]], axis=1)
    wcs = TanSipWcs(crval, crpix, cd)
    if order == 1:
        return wcs
    distortion = np.linalg.solve(cd, solution.T)
    distortion[:, powers.sum(axis=1) < 2] = 0.0
    a, b = (_square(terms, powers, order) for terms in distortion)
    ap, bp = _invert(a, b, u, v, min(order + 1, _MAX_ORDER))
    return replace(wcs, a=a, b=b, ap=ap, bp=bp)


def _mean_direction(ra: Positions, dec: Positions) -> tuple[float, float]:
    alpha, delta = np.deg2rad(ra), np.deg2rad(dec)
    vector = [np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)]
    east, north, up = (float(np.mean(part)) for part in vector)
    return float(np.rad2deg(np.arctan2(north, east))) % 360.0, float(np.rad2deg(np.arctan2(up, np.hypot(east, north))))


def _powers(order: int, lowest: int = 0) -> NDArray[np.int64]:
    """Exponents (p, q), shape (n_term, 2), with ``lowest <= p + q <= order``."""
    pairs = [(total - q, q) for total in range(lowest, order + 1) for q in range(total + 1)]
    return np.array(pairs)


def _row(powers: NDArray[np.int64], p: int, q: int) -> int:
    return int(np.flatnonzero((powers == (p, q)).all(axis=1))[0])


def _design(u: Positions, v: Positions, powers: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(u[:, None] ** powers[:, 0] * v[:, None] ** powers[:, 1])


def _square(terms: NDArray[np.float64], powers: NDArray[np.int64], order: int) -> Polynomial:
    square = np.zeros((order + 1, order + 1))
    square[powers[:, 0], powers[:, 1]] = terms
    return square


def _invert(a: Polynomial, b: Polynomial, u: Positions, v: Positions, order: int) -> tuple[Polynomial, Polynomial]:
    """Fit the inverse of a distortion on a grid over the pixel offsets ``u``, ``v``."""
    sides = (np.linspace(min(side.min(), 0.0), max(side.max(), 0.0), 24) for side in (u, v))
    p, q = (part.ravel() for part in np.meshgrid(*sides))
    far_p, far_q = p + polyval2d(p, q, a), q + polyval2d(p, q, b)
    scale = max(float(np.abs([far_p, far_q]).max()), 1.0)
    powers = _powers(order, lowest=1)
    design = _design(far_p / scale, far_q / scale, powers)
    solution = np.linalg.lstsq(design, np.stack([p - far_p, q - far_q], axis=1), rcond=None)[0]
    solution /= scale ** powers.sum(axis=1)[:, None]
    return _square(solution[:, 0], powers, order), _square(solution[:, 1], powers, order)
