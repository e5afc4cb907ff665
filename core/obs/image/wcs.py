"""Pixel to sky and back: the tangent-plane projection with polynomial distortion that FITS calls TAN-SIP."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import ArrayLike, NDArray

from obs.errors import FileFormatError
from obs.facts_text import facts_html, facts_text
from obs.frozen import frozen
from obs.image.tangent_plane import from_plane, to_plane
from obs.image.wcs_cards import read_wcs_cards

__all__ = ["TanSipWcs"]

Polynomial = NDArray[np.float64]
Positions = NDArray[np.float64]

_TOLERANCE = 1e-9  # pixels
_MAX_ITERATIONS = 50


@frozen(eq=False)
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

    Examples
    --------
    >>> import numpy as np
    >>> from obs import Wcs
    >>> wcs = Wcs(crval=(150.0, 2.0), crpix=(99.0, 49.0), cd=np.diag([-1e-4, 1e-4]))
    >>> ra, dec = wcs.pixel_to_sky(x=99.0, y=49.0)
    >>> float(ra), float(dec)
    (150.0, 2.0)
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

    def summary(self, shape: tuple[int, int] | None = None) -> str:
        """Return the middle of an image of a shape (ny, nx), or else the tangent point, and the scale in words.

        Parameters
        ----------
        shape : tuple of int, optional
            Shape (ny, nx) of the image.
        """
        ra, dec = self.crval
        if shape is not None:
            ra, dec = (float(value) for value in self.pixel_to_sky(x=(shape[1] - 1) / 2.0, y=(shape[0] - 1) / 2.0))
        place = "tangent point" if shape is None else "middle"
        return f"{place} at ra {ra:.5f}, dec {dec:+.5f} deg, {self.pixel_scale:.4g} arcsec/pixel"

    def __repr__(self) -> str:
        return facts_text("TanSipWcs", self._facts())

    def _repr_html_(self) -> str:
        return facts_html("TanSipWcs", self._facts())

    def _facts(self) -> dict[str, str]:
        north = np.linalg.inv(self.cd) @ (0.0, 1.0)
        east = np.linalg.inv(self.cd) @ (1.0, 0.0)
        left = east[0] * north[1] - east[1] * north[0] < 0.0
        return {
            "tangent point": f"ra {self.crval[0]:.6f}, dec {self.crval[1]:+.6f} deg ({self.frame})",
            "at pixel": f"x {self.crpix[0]:.2f}, y {self.crpix[1]:.2f}",
            "scale": f"{self.pixel_scale:.5g} arcsec/pixel",
            "north": f"{np.degrees(np.arctan2(north[1], north[0])):.2f} deg from x to y",
            "east": "left of north" if left else "right of north",
            "distortion": "none" if self.a is None else f"SIP of order {len(self.a) - 1}",
        }

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
        return from_plane(self.crval, xi, eta)

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
        xi, eta = to_plane(self.crval, np.asarray(ra, np.float64), np.asarray(dec, np.float64))
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
        """Return the WCS of an image that is a part of this one.

        Parameters
        ----------
        x, y : float
            Pixel of this image that is pixel (0, 0) of the other.
        """
        return replace(self, crpix=(self.crpix[0] - x, self.crpix[1] - y))

    def sampled(self, step: int, *, x: float, y: float) -> "TanSipWcs":
        """Return the WCS of an image with larger pixels.

        Parameters
        ----------
        step : int
            Pixels of this image along the side of one of the other.
        x, y : float
            Position in this image of the center of pixel (0, 0) of the other.
        """

        def scaled(terms: Polynomial | None) -> Polynomial | None:
            if terms is None:
                return None
            p, q = np.indices(terms.shape)
            return terms * float(step) ** (p + q - 1)

        return replace(
            self,
            crpix=((self.crpix[0] - x) / step, (self.crpix[1] - y) / step),
            cd=self.cd * step,
            a=scaled(self.a),
            b=scaled(self.b),
            ap=scaled(self.ap),
            bp=scaled(self.bp),
        )

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
        cards = read_wcs_cards(header)
        try:
            return cls(*cards)
        except ValueError as error:
            raise FileFormatError(f"WCS cards: {error}") from None
