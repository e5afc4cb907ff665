"""Fit a WCS to reference stars, starting from one that may be off by half an arcminute, a degree and a percent.

First the pattern: pairs of bright sources are compared with pairs of reference stars of nearly the same length and
direction, each agreement votes for a shift, rotation and scale, and the best voted ones are tried on all stars (in the
spirit of Tabur 2007). Then a cascade of linear least-squares fits of rising order (Shupe et al. 2005), clipped, of
which the order that predicts left-out stars best is kept. What does not hold up fails, and says why.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.special import pdtrc

from obs.algorithms.match import Matches, match_pixels
from obs.errors import MeasurementError
from obs.image.wcs import TanSipWcs, fit_tan_sip

__all__ = ["AstrometryFit", "fit_astrometry"]

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Bool = NDArray[np.bool_]
Index = NDArray[np.int64]

_DEPTHS = ((30, 60), (60, 120), (120, 240))  # so many bright sources and reference stars have their pairs vote
_TRIED = 12
_TRIALS = 1e5  # patterns that chance could have offered
_FALSE_ALARM = 1e-3
_VERIFIED = 500
_ROUNDS = 10
_WORTH = 0.98  # a higher order must predict better by this factor
_SPARE_STARS = 3  # stars a coefficient


@dataclass(frozen=True, slots=True, eq=False)
class AstrometryFit:
    """A WCS and the stars that it rests on.

    Parameters
    ----------
    wcs : TanSipWcs
        The fitted WCS.
    matches : Matches
        Sources (first) and reference stars (second) within the final match radius; separation in arcsec.
    used : ndarray of bool, shape (n_match,)
        Matches that were not clipped.
    scatter : float
        Root mean square of the used residuals, per axis, arcsec.
    predicted_scatter : float
        The same for stars left out of the fit one at a time, arcsec.
    order : int
        Order of the distortion polynomial; 1 is none.
    offset : float
        How far the a-priori WCS was off in the middle of the detector, arcsec.
    rotation : float
        By how much it was rotated, degrees.
    scale : float
        Pixel scale over the a-priori pixel scale.
    """

    wcs: TanSipWcs
    matches: Matches
    used: Bool
    scatter: float
    predicted_scatter: float
    order: int
    offset: float
    rotation: float
    scale: float

    @property
    def n_star(self) -> int:
        """Number of stars in the fit."""
        return int(self.used.sum())


def fit_astrometry(
    *,
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    ref_ra: ArrayLike,
    ref_dec: ArrayLike,
    ref_flux: ArrayLike,
    wcs: TanSipWcs,
    shape: tuple[int, int],
    max_order: int = 3,
    max_offset: float = 250.0,
    max_rotation: float = 1.5,
    max_scale_change: float = 0.02,
    max_shear: float = 0.01,
    match_radius: float = 3.0,
    clip: float = 3.0,
    min_stars: int = 8,
    max_scatter: float = 0.5,
) -> AstrometryFit:
    """Match sources to reference stars and fit a TAN-SIP WCS.

    Parameters
    ----------
    x, y, flux : array-like, shape (n,)
        Positions, pixels, and fluxes, any unit; those that are not finite or not positive are left out.
    ref_ra, ref_dec, ref_flux : array-like, shape (m,)
        Reference stars, degrees, and fluxes, any unit; those without a finite flux come last.
    wcs : TanSipWcs
        What the telescope says.
    shape : tuple of int
        Shape (ny, nx) of the detector.
    max_order : int
        Largest order of the distortion.
    max_offset : float
        Largest error of ``wcs`` in the middle of the detector, pixels.
    max_rotation : float
        Largest error of its rotation, degrees.
    max_scale_change : float
        Largest relative error of its scale.
    max_shear : float
        Largest difference between the axes' scales, or of their angle from that in ``wcs`` (radians).
    match_radius : float
        Radius of the pattern match, pixels: the distortion that ``wcs`` does not know must be less over most of the
        detector.
    clip : float
        Standard deviations at which pairs are dropped.
    min_stars : int
        Fewest stars to accept.
    max_scatter : float
        Largest scatter to accept, per axis, arcsec.

    Returns
    -------
    AstrometryFit
        WCS, matches and what changed.

    Raises
    ------
    MeasurementError
        If there are too few stars, no pattern stands out, or the fit is implausible.
    """
    px, py, counts = (np.asarray(values, np.float64) for values in (x, y, flux))
    ra, dec, ref_counts = (np.asarray(values, np.float64) for values in (ref_ra, ref_dec, ref_flux))
    sources = _brightest_first(counts, np.isfinite(px) & np.isfinite(py) & (counts > 0))
    apriori_x, apriori_y = wcs.sky_to_pixel(ra=ra, dec=dec) if len(ra) else (np.zeros(0), np.zeros(0))
    near = (np.abs(apriori_x - shape[1] / 2) < shape[1] / 2 + max_offset) & (
        np.abs(apriori_y - shape[0] / 2) < shape[0] / 2 + max_offset
    )
    stars = _brightest_first(ref_counts, near)
    if len(sources) < min_stars or len(stars) < min_stars:
        raise MeasurementError(
            f"no astrometry: {len(sources)} sources and {len(stars)} reference stars on the detector, "
            f"{min_stars} of each are needed"
        )
    middle = complex((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    factor, shift = _find_pattern(
        px[sources] + 1j * py[sources] - middle,
        apriori_x[stars] + 1j * apriori_y[stars] - middle,
        max_offset=max_offset,
        max_rotation=np.radians(max_rotation),
        max_scale_change=max_scale_change,
        radius=match_radius,
    )
    plane = _Plane(px, py, apriori_x, apriori_y, shape)
    # sources move to where the a-priori WCS expects the reference stars
    moved = factor * (px + 1j * py - middle) + shift + middle
    moved_x, moved_y = moved.real, moved.imag
    n_pair = 0
    for _ in range(_ROUNDS):  # each round's distortion brings stars nearer that the one before had too far
        pairs = match_pixels(moved_x, moved_y, apriori_x, apriori_y, radius=match_radius)
        if len(pairs) <= n_pair:
            break
        n_pair = len(pairs)
        chosen = plane.fit_cascade(pairs, max_order, clip, match_radius)
        moved_x, moved_y = plane.apply(chosen, px, py)
    radius = float(np.clip(5.0 * chosen.scatter, 1.0, match_radius))
    pairs = match_pixels(moved_x, moved_y, apriori_x, apriori_y, radius=radius)
    chosen = plane.fit_cascade(pairs, max_order, clip, match_radius)

    arcsec = wcs.pixel_scale
    offset, jacobian = plane.middle(chosen)
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    rotation = float(np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1]))
    stretch = np.linalg.svd(jacobian, compute_uv=False)
    n = int(chosen.keep.sum())
    _require(n >= min_stars, f"{n} stars agree, {min_stars} are needed")
    _require(
        chosen.scatter * arcsec <= max_scatter,
        f"the {n} stars scatter by {chosen.scatter * arcsec:.3f} arcsec, more than {max_scatter:g}",
    )
    _require(abs(offset) <= max_offset, f"it is {abs(offset):.1f} pixels off, more than {max_offset:g}")
    _require(
        abs(np.degrees(rotation)) <= max_rotation,
        f"it is rotated by {np.degrees(rotation):.2f} degrees, more than {max_rotation:g}",
    )
    _require(abs(scale - 1.0) <= max_scale_change, f"its scale changes by {scale:.4f}, more than {max_scale_change:g}")
    shear = float(stretch[0] / stretch[1] - 1.0)
    _require(shear <= max_shear, f"its axes are sheared by {shear:.4f}, more than {max_shear:g}")

    fitted = plane.to_wcs(chosen, wcs)
    ra_fit, dec_fit = fitted.pixel_to_sky(x=px[pairs.first], y=py[pairs.first])
    east = (np.mod(ra_fit - ra[pairs.second] + 180.0, 360.0) - 180.0) * np.cos(np.radians(dec_fit)) * 3600.0
    north = (dec_fit - dec[pairs.second]) * 3600.0
    return AstrometryFit(
        wcs=fitted,
        matches=Matches(pairs.first, pairs.second, np.hypot(east, north)),
        used=chosen.keep,
        scatter=_rms(np.stack([east, north], axis=1)[chosen.keep]),
        predicted_scatter=chosen.predicted * arcsec,
        order=chosen.order,
        offset=abs(offset) * arcsec,
        rotation=float(np.degrees(rotation)),
        scale=scale,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    """Coefficients (n_term, 2) that take detector pixels to those of the a-priori WCS; ``scatter`` in pixels."""

    order: int
    coefficients: Float
    keep: Bool
    scatter: float
    predicted: float


class _Plane:
    """Sources in detector pixels, and reference stars in the pixels in which the a-priori WCS sees them."""

    def __init__(self, x: Float, y: Float, ref_x: Float, ref_y: Float, shape: tuple[int, int]) -> None:
        self.x, self.y, self.ref_x, self.ref_y, self.shape = x, y, ref_x, ref_y, shape
        self.x_middle, self.y_middle, self.unit = (shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0, max(shape) / 2.0

    def design(self, x: Float, y: Float, order: int) -> Float:
        """Return the terms of a polynomial, shape (n, n_term): 1, then x, y, then the higher ones."""
        u, v = (x - self.x_middle) / self.unit, (y - self.y_middle) / self.unit
        return np.stack([u ** (total - j) * v**j for total in range(order + 1) for j in range(total + 1)], axis=1)

    def apply(self, solution: _Solution, x: Float, y: Float) -> tuple[Float, Float]:
        """Return where the a-priori WCS would have to see pixels for their sky coordinates to be right."""
        moved = self.design(x, y, solution.order) @ solution.coefficients
        return x + moved[:, 0], y + moved[:, 1]

    def middle(self, solution: _Solution) -> tuple[complex, Float]:
        """Return the shift in the middle of the detector, pixels, and the Jacobian there."""
        zero, gradient = solution.coefficients[0], solution.coefficients[1:3] / self.unit
        return complex(zero[0], zero[1]), np.eye(2) + gradient.T

    def fit(self, pairs: Matches, order: int, keep: Bool) -> tuple[_Solution, Float]:
        """Fit one order to the kept pairs; return also the distances of all pairs from the fit, pixels."""
        x, y = self.x[pairs.first], self.y[pairs.first]
        terms = self.design(x, y, order)
        target = np.stack([self.ref_x[pairs.second] - x, self.ref_y[pairs.second] - y], axis=1)
        solution = np.asarray(np.linalg.lstsq(terms[keep], target[keep], rcond=None)[0], np.float64)
        residual = target - terms @ solution
        # what a fit without the star would have missed it by
        leverage = np.sum(np.linalg.qr(terms[keep])[0] ** 2, axis=1)
        left_out = residual[keep] / np.maximum(1.0 - leverage, 1e-3)[:, None]
        fitted = _Solution(order, solution, keep, _rms(residual[keep]), _rms(left_out))
        return fitted, np.hypot(residual[:, 0], residual[:, 1])

    def fit_clipped(self, pairs: Matches, order: int, clip: float) -> _Solution:
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

    def fit_cascade(self, pairs: Matches, max_order: int, clip: float, max_error: float) -> _Solution:
        """Raise the order as long as stars left out are predicted better for it.

        A higher order is not taken if somewhere on the detector, far from its stars, it may be wrong by ``max_error``
        pixels.
        """
        _require(len(pairs) >= 2 * _SPARE_STARS, f"only {len(pairs)} sources are near a reference star")
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

    def error(self, pairs: Matches, solution: _Solution) -> float:
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

    def to_wcs(self, solution: _Solution, wcs: TanSipWcs) -> TanSipWcs:
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


def _find_pattern(
    sources: Complex, stars: Complex, *, max_offset: float, max_rotation: float, max_scale_change: float, radius: float
) -> tuple[complex, complex]:
    """Find the similarity ``factor * sources + shift`` that brings most sources to within ``radius`` of a star.

    Both lists are positions ``x + i y`` about the middle of the detector, pixels, brightest first.
    """
    check = _Verification(sources[:_VERIFIED], stars, radius)
    factor, shift, n = check.refine(1.0 + 0.0j, 0.0j)
    if check.chance(n) < _FALSE_ALARM / _TRIALS:
        return factor, shift
    most = n
    for n_source, n_star in _DEPTHS:
        factors, shifts = _votes(sources[:n_source], stars[:n_star], max_rotation, max_scale_change, radius)
        inside = np.abs(shifts) <= max_offset
        factors, shifts = factors[inside], shifts[inside]
        if len(factors):
            for index in _most_voted(factors, shifts, np.abs(sources).max(), radius):
                candidate = check.refine(factors[index], shifts[index])
                if candidate[2] > most:
                    factor, shift, most = candidate
        if check.chance(most) < _FALSE_ALARM / _TRIALS:
            return factor, shift
        if n_source >= len(sources) and n_star >= len(stars):
            break
    raise MeasurementError(
        f"no astrometry: no pattern of the {len(stars)} reference stars stands out among the {len(sources)} sources "
        f"(the best brings {most} together, chance would {check.expected:.1f}); "
        "check the a-priori WCS and the reference catalog"
    )


class _Verification:
    """Counts how many of all sources a similarity brings to a reference star."""

    def __init__(self, sources: Complex, stars: Complex, radius: float) -> None:
        self.sources, self.stars, self.radius = sources, stars, radius
        self.tree = cKDTree(_xy(stars))
        area = np.ptp(stars.real) * np.ptp(stars.imag)
        self.expected = float(len(sources) * len(stars) * np.pi * radius**2 / max(area, 1.0))

    def chance(self, n: int) -> float:
        """Return the probability that chance brings ``n`` together; two are spent on the similarity."""
        return float(pdtrc(max(n - 3, 0), self.expected))

    def refine(self, factor: complex, shift: complex) -> tuple[complex, complex, int]:
        """Improve a similarity by least squares, and return how many sources it brings to a star."""
        n = 0
        for _ in range(4):
            moved = factor * self.sources + shift
            pairs = match_pixels(moved.real, moved.imag, self.stars.real, self.stars.imag, radius=self.radius)
            if len(pairs) <= max(n, 2):
                return factor, shift, max(n, len(pairs))
            n = len(pairs)
            a, b = self.sources[pairs.first], self.stars[pairs.second]
            a_mean, b_mean = a.mean(), b.mean()
            factor = complex(np.vdot(a - a_mean, b - b_mean) / np.vdot(a - a_mean, a - a_mean))
            shift = complex(b_mean - factor * a_mean)
        return factor, shift, n


def _votes(
    sources: Complex, stars: Complex, max_rotation: float, max_scale_change: float, radius: float
) -> tuple[Complex, Complex]:
    """Return factor and shift of every agreement between a pair of sources and a pair of stars."""
    i, j = np.triu_indices(len(sources), 1)
    k, m = np.nonzero(~np.eye(len(stars), dtype=bool))
    # short pairs say little about the angle
    far = np.abs(sources[i] - sources[j]) > 30.0 * radius
    i, j = i[far], j[far]
    if not len(i) or not len(k):
        return np.zeros(0, complex), np.zeros(0, complex)
    first, second = sources[i] - sources[j], stars[k] - stars[m]
    unit = np.array([max_scale_change + 0.01, max_rotation + 0.01])
    keys = [np.stack([np.log(np.abs(d) + 1e-9), np.angle(d)], axis=1) / unit for d in (first, second)]
    turn = np.array([0.0, 2.0 * np.pi]) / unit
    # directions near -180 and 180 degrees are neighbours
    low, high = keys[0][:, 1] < 1.0 - np.pi / unit[1], keys[0][:, 1] > np.pi / unit[1] - 1.0
    origin = np.concatenate([np.arange(len(i)), np.flatnonzero(low), np.flatnonzero(high)])
    ring = np.concatenate([keys[0], keys[0][low] + turn, keys[0][high] - turn])
    near = cKDTree(ring).sparse_distance_matrix(cKDTree(keys[1]), 1.0, p=np.inf, output_type="ndarray")
    a, b = origin[near["i"]], near["j"]
    factor = second[b] / first[a]
    shift = 0.5 * (stars[k[b]] + stars[m[b]] - factor * (sources[i[a]] + sources[j[a]]))
    return factor, shift


def _most_voted(factors: Complex, shifts: Complex, extent: float, radius: float) -> Index:
    """Return the places of the similarities with most others beside them, each neighbourhood once."""
    votes = np.stack([shifts.real, shifts.imag, np.log(np.abs(factors)) * extent, np.angle(factors) * extent], axis=1)
    tree = cKDTree(votes)
    near = 3.0 * radius
    count = tree.query_ball_point(votes, near, return_length=True)
    taken = np.zeros(len(votes), bool)
    chosen: list[int] = []
    for index in np.argsort(-count, kind="stable"):
        if taken[index]:
            continue
        chosen.append(int(index))
        if len(chosen) == _TRIED:
            break
        taken[tree.query_ball_point(votes[index], 2.0 * near)] = True
    return np.array(chosen, np.int64)


def _brightest_first(flux: Float, usable: Bool) -> Index:
    """Return the usable entries by decreasing flux, unknown fluxes last."""
    index = np.flatnonzero(usable)
    return np.asarray(index[np.argsort(-np.nan_to_num(flux[index], nan=-np.inf), kind="stable")], np.int64)


def _xy(points: Complex) -> Float:
    """Return complex positions as rows, shape (n, 2)."""
    return np.stack([points.real, points.imag], axis=1)


def _rms(values: Float) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def _require(condition: bool, reason: str) -> None:
    """Give up on a fit that does not hold."""
    if not condition:
        raise MeasurementError(f"no astrometry: {reason}; check the a-priori WCS and the reference catalog")
