"""What an a-priori WCS misses, as polynomials over the detector, fitted to matched stars.

A cascade of linear least-squares fits of rising order (Shupe et al. 2005), clipped, of which the order that predicts
left-out stars best is kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.astrometry.match import Matches
from obs.errors import MeasurementError
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip

__all__ = ["DistortionFit", "MatchedPlane", "rms"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_ROUNDS = 10
_WORTH = 0.98  # a higher order must predict better by this factor
_SPARE_STARS = 3  # stars a coefficient


@dataclass(frozen=True, slots=True, eq=False)
class DistortionFit:
    """Coefficients (n_term, 2) that take detector pixels to those of the a-priori WCS; ``scatter`` in pixels."""

    order: int
    coefficients: Float
    keep: Bool
    scatter: float
    predicted: float


class MatchedPlane:
    """Sources in detector pixels, and reference stars in the pixels in which the a-priori WCS sees them."""

    def __init__(self, x: Float, y: Float, ref_x: Float, ref_y: Float, shape: tuple[int, int]) -> None:
        self.x, self.y, self.ref_x, self.ref_y, self.shape = x, y, ref_x, ref_y, shape
        self.x_middle, self.y_middle, self.unit = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0, max(shape) / 2.0

    def design(self, x: Float, y: Float, order: int) -> Float:
        """Return the terms of a polynomial, shape (n, n_term): 1, then x, y, then the higher ones."""
        u, v = (x - self.x_middle) / self.unit, (y - self.y_middle) / self.unit
        return np.stack([u ** (total - j) * v**j for total in range(order + 1) for j in range(total + 1)], axis=1)

    def apply(self, solution: DistortionFit, x: Float, y: Float) -> tuple[Float, Float]:
        """Return where the a-priori WCS would have to see pixels for their sky coordinates to be right."""
        moved = self.design(x, y, solution.order) @ solution.coefficients
        return x + moved[:, 0], y + moved[:, 1]

    def middle(self, solution: DistortionFit) -> tuple[complex, Float]:
        """Return the shift in the middle of the detector, pixels, and the Jacobian there."""
        zero, gradient = solution.coefficients[0], solution.coefficients[1:3] / self.unit
        return complex(zero[0], zero[1]), np.eye(2) + gradient.T

    def fit(self, pairs: Matches, order: int, keep: Bool) -> tuple[DistortionFit, Float]:
        """Fit one order to the kept pairs; return also the distances of all pairs from the fit, pixels."""
        x, y = self.x[pairs.first], self.y[pairs.first]
        terms = self.design(x, y, order)
        target = np.stack([self.ref_x[pairs.second] - x, self.ref_y[pairs.second] - y], axis=1)
        solution = np.asarray(np.linalg.lstsq(terms[keep], target[keep], rcond=None)[0], np.float64)
        residual = target - terms @ solution
        # what a fit without the star would have missed it by
        leverage = np.sum(np.linalg.qr(terms[keep])[0] ** 2, axis=1)
        left_out = residual[keep] / np.maximum(1.0 - leverage, 1e-3)[:, None]
        fitted = DistortionFit(order, solution, keep, rms(residual[keep]), rms(left_out))
        return fitted, np.hypot(residual[:, 0], residual[:, 1])

    def fit_clipped(self, pairs: Matches, order: int, clip: float) -> DistortionFit:
        """Fit one order, dropping pairs that do not follow."""
        keep = np.ones(len(pairs), bool)
        for _ in range(_ROUNDS):
            fitted, distance = self.fit(pairs, order, keep)
            # the median distance of a two-dimensional Gaussian is 1.1774 of its standard deviation per axis
            narrowed = distance <= np.sqrt(2.0) * clip * np.median(distance[keep]) / 1.1774
            if np.array_equal(narrowed, keep) or narrowed.sum() < _SPARE_STARS * fitted.coefficients.shape[0]:
                break
            keep = narrowed
        return fitted

    def fit_cascade(self, pairs: Matches, max_order: int, clip: float, max_error: float) -> DistortionFit:
        """Raise the order as long as stars left out are predicted better for it.

        A higher order is not taken if somewhere on the detector, far from its stars, it may be wrong by ``max_error``
        pixels.
        """
        if len(pairs) < 2 * _SPARE_STARS:
            raise MeasurementError(
                f"no astrometry: only {len(pairs)} sources are near a reference star; "
                "check the a-priori WCS and the reference catalog"
            )
        best = self.fit_clipped(pairs, 1, clip)
        for order in range(2, max_order + 1):
            if len(pairs) < _SPARE_STARS * (order + 1) * (order + 2) // 2:
                break
            fitted = self.fit_clipped(pairs, order, clip)
            # each order clips the stars that it cannot follow, so only stars that both kept compare them
            common = fitted.keep & best.keep
            higher, lower = (self.fit(pairs, each, common)[0] for each in (order, best.order))
            if higher.predicted < _WORTH * lower.predicted and self.error(pairs, fitted) <= max_error:
                best = fitted
        return best

    def error(self, pairs: Matches, solution: DistortionFit) -> float:
        """Return the largest error on the detector, pixels: five times what the stars' scatter makes of it there."""
        kept = pairs.first[solution.keep]
        triangular = np.linalg.qr(self.design(self.x[kept], self.y[kept], solution.order))[1]
        terms = self.design(*self.grid(), solution.order)
        leverage = np.sum(np.linalg.lstsq(triangular.T, terms.T, rcond=None)[0] ** 2, axis=0)
        return 5.0 * solution.scatter * float(np.sqrt(leverage.max()))

    def grid(self) -> tuple[Float, Float]:
        """Return positions over the detector, pixels."""
        x, y = np.meshgrid(np.linspace(0, self.shape[1] - 1, 20), np.linspace(0, self.shape[0] - 1, 20))
        return x.ravel(), y.ravel()

    def to_wcs(self, solution: DistortionFit, wcs: TanSipWcs) -> TanSipWcs:
        """Join the correction and the a-priori WCS; the distortion that the latter knows is kept."""
        x, y = self.grid()
        moved_x, moved_y = self.apply(solution, x, y)
        ra, dec = wcs.pixel_to_sky(x=moved_x, y=moved_y)
        order = max(solution.order, 1 if wcs.a is None else len(wcs.a) - 1)
        crpix = wcs.crpix
        inside = 0 <= crpix[0] < self.shape[1] and 0 <= crpix[1] < self.shape[0]
        if solution.order > 1 and not inside:
            # far outside the stars the polynomial means nothing, and the tangent point must lie on it
            crpix, order = (self.x_middle, self.y_middle), max(order, 3)
        return fit_tan_sip(x=x, y=y, ra=ra, dec=dec, order=order, crpix=crpix)


def rms(values: Float) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")
