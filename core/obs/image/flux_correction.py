"""A smooth correction of fluxes over one detector, in the form that meas_mosaic of the LSST stack writes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebval2d, chebvander2d
from numpy.polynomial.polynomial import polyval2d
from numpy.typing import ArrayLike, NDArray

from obs.frozen import frozen

__all__ = ["FluxCorrection", "is_correction"]

Floats = NDArray[np.float64]


def is_correction(cards: Mapping[str, Any]) -> bool:
    """Return whether a header has the cards of `FluxCorrection.to_header`.

    Parameters
    ----------
    cards : mapping
        Cards of a header.
    """
    return cards.keys() >= {"ORDER", "CHEBYSHEV", "U_MAX", "C_0_0"}


@frozen(eq=False)
class FluxCorrection:
    """Magnitudes to be added to those of sources, as a polynomial of the position on a detector.

    Parameters
    ----------
    terms : ndarray of float64, shape (order + 1, order + 1)
        Coefficients, mag; element ``[i, j]`` belongs to order i in x and j in y. Terms with ``i + j > order`` are 0.
    x_zero, y_zero : float
        Added to the pixel position (0-based) before it is scaled.
    x_scale, y_scale : float
        Position, in pixels after that, at which the scaled position is 1.
    is_chebyshev : bool, optional
        Whether the terms are Chebyshev polynomials; else they are powers.

    Examples
    --------
    >>> import numpy as np
    >>> from obs.image.flux_correction import FluxCorrection
    >>> tilt = FluxCorrection(np.array([[0.0, 0.0], [0.02, 0.0]]), x_zero=-50, y_zero=-50, x_scale=50, y_scale=50)
    >>> float(tilt.magnitude(x=100.0, y=0.0))
    0.02
    """

    terms: Floats
    x_zero: float
    y_zero: float
    x_scale: float
    y_scale: float
    is_chebyshev: bool = True

    def magnitude(self, *, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the magnitudes to be added at positions (array_like of float, pixels, 0-based).

        Parameters
        ----------
        x, y : array_like of float
            Positions on the detector, 0-based pixels.
        """
        u = (np.asarray(x, np.float64) + self.x_zero) / self.x_scale
        v = (np.asarray(y, np.float64) + self.y_zero) / self.y_scale
        return np.asarray((chebval2d if self.is_chebyshev else polyval2d)(u, v, self.terms), np.float64)

    def factor(self, *, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the factor to fluxes, and to pixels, at positions (array_like of float, pixels, 0-based).

        Parameters
        ----------
        x, y : array_like of float
            Positions on the detector, 0-based pixels.

        Returns
        -------
        ndarray of float64
            The magnitude ``m`` as the factor ``10 ** (-0.4 * m)``.
        """
        return np.asarray(10.0 ** (-0.4 * self.magnitude(x=x, y=y)))

    def factor_image(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return the factor for each pixel of a detector of ``shape`` (ny, nx).

        Parameters
        ----------
        shape : tuple of int
            Shape (ny, nx) of the detector.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            As `factor` at the middle of each pixel.
        """
        x, y = np.arange(shape[1], dtype=np.float64), np.arange(shape[0], dtype=np.float64)
        # A sum of products of rows and columns, so that no polynomial is evaluated for each pixel.
        powers = np.polynomial.chebyshev.chebvander if self.is_chebyshev else np.polynomial.polynomial.polyvander
        order = len(self.terms) - 1
        across = powers((x + self.x_zero) / self.x_scale, order)
        up = powers((y + self.y_zero) / self.y_scale, order)
        magnitude = (up @ self.terms.T @ across.T).astype(np.float32)
        return np.asarray(np.exp(np.float32(-0.4 * np.log(10.0)) * magnitude))

    def shifted(self, *, x: float, y: float) -> "FluxCorrection":
        """Return the correction of an image whose first pixel is pixel (x, y) of this one.

        Parameters
        ----------
        x, y : float
            Position of the other image's first pixel, 0-based pixels.
        """
        return replace(self, x_zero=self.x_zero + x, y_zero=self.y_zero + y)

    def to_header(self) -> dict[str, Any]:
        """Return the cards that meas_mosaic writes for such a correction."""
        order = len(self.terms) - 1
        cards: dict[str, Any] = {
            "ORDER": (order, "order of the flux correction"),
            "ABSOLUTE": (True, "zero point held to a reference catalog"),
            "CHEBYSHEV": (self.is_chebyshev, "terms are Chebyshev polynomials"),
            "NCOEFF": ((order + 1) * (order + 2) // 2, "number of terms"),
            "U_MAX": (float(self.x_scale), "[pix] scale of x"),
            "V_MAX": (float(self.y_scale), "[pix] scale of y"),
            "X0": (float(self.x_zero), "[pix] added to x, 0-based"),
            "Y0": (float(self.y_zero), "[pix] added to y, 0-based"),
        }
        pairs = [(i, total - i) for total in range(order + 1) for i in range(total + 1)]
        return cards | {f"C_{i}_{j}": (float(self.terms[i, j]), "[mag]") for i, j in pairs}

    @classmethod
    def from_header(cls, cards: Mapping[str, Any]) -> "FluxCorrection":
        """Read the cards of `to_header`.

        Parameters
        ----------
        cards : mapping
            Cards of `to_header`, by keyword.

        Raises
        ------
        KeyError
            If a card is missing.
        """
        order = int(cards["ORDER"])
        terms = np.zeros((order + 1, order + 1))
        for i in range(order + 1):
            for j in range(order + 1 - i):
                terms[i, j] = float(cards[f"C_{i}_{j}"])
        return cls(
            terms,
            x_zero=float(cards["X0"]),
            y_zero=float(cards["Y0"]),
            x_scale=float(cards["U_MAX"]),
            y_scale=float(cards["V_MAX"]),
            is_chebyshev=bool(cards["CHEBYSHEV"]),
        )

    @classmethod
    def fit(cls, *, x: Floats, y: Floats, magnitude: Floats, shape: tuple[int, int], order: int) -> "FluxCorrection":
        """Fit a Chebyshev polynomial to magnitudes at positions of a detector.

        Parameters
        ----------
        x, y, magnitude : ndarray of float64, shape (n,)
            Positions, pixels, 0-based, and what is to be added there.
        shape : tuple of int
            Shape (ny, nx) of the detector, whose corners are at scaled positions of 1.
        order : int
            Total order of the polynomial.
        """
        half_x, half_y = max(0.5 * (shape[1] - 1), 1.0), max(0.5 * (shape[0] - 1), 1.0)
        design = chebvander2d((x - half_x) / half_x, (y - half_y) / half_y, [order, order])
        i, j = (part.ravel() for part in np.indices((order + 1, order + 1)))
        kept = i + j <= order
        terms = np.zeros((order + 1) ** 2)
        terms[kept] = np.linalg.lstsq(design[:, kept], magnitude, rcond=None)[0]
        return cls(terms.reshape(order + 1, order + 1), x_zero=-half_x, y_zero=-half_y, x_scale=half_x, y_scale=half_y)
