"""Fit a WCS to reference stars, starting from one that may be off by half an arcminute, a degree and a percent.

First the pattern of bright stars (`obs.algorithms.astrometry.pattern`), then models of the distortion, further and
further outside (`obs.algorithms.astrometry.growth`). What does not hold all over the frame fails, and says why.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.astrometry.coverage import Coverage, measure_coverage
from obs.algorithms.astrometry.distortion import DistortionFit, MatchedPlane, rms
from obs.algorithms.astrometry.growth import grow_match
from obs.algorithms.astrometry.match import Matches, match_pixels
from obs.algorithms.astrometry.odds import comparable, log_odds, log_trials
from obs.algorithms.astrometry.pattern import find_pattern
from obs.algorithms.astrometry.search import straighten
from obs.algorithms.numeric.nearest import PointTree
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.wcs import TanSipWcs

__all__ = ["AstrometryFit", "fit_astrometry"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Index = NDArray[np.int64]

_ROUNDS = 3
_GROWN = 800  # brightest sources among which a match grows
_BEND = 0.15  # how far outside of the frame a distortion that is not known may put reference stars
_SCATTER_PIXELS = 0.5  # pixels; a limit in arcsec means nothing where they are large
_SMALLEST_ERROR = 0.2  # pixels; the odds take no smaller one
_OUTSIDE = 0.05  # fraction of the sources beyond the reference catalog from which on the fit is extrapolated
_EXTRAPOLATED_ERROR, _AMBIGUITY = 0.75, 0.5  # parts of the largest error, for what stars do not reach


@frozen(eq=False)
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
    coverage : Coverage
        How much of the frame the match explains.
    log_odds : float
        Natural logarithm of the odds that the sources are these reference stars and not stars anywhere.
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
    coverage: Coverage
    log_odds: float

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
    max_order: int = 5,
    max_offset: float = 250.0,
    max_rotation: float = 1.5,
    max_scale_change: float = 0.02,
    max_shear: float = 0.05,
    match_radius: float = 3.0,
    clip: float = 3.0,
    min_stars: int = 5,
    max_scatter: float = 0.5,
    min_matched: float = 0.2,
    min_covered: float = 0.95,
    min_log_odds: float = 13.8,
    trials: float | None = None,
    around: tuple[float, float] | None = None,
    bend: float = 0.0,
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
        Radius of the match where it begins, pixels, and largest error that may be left anywhere on the detector.
    clip : float
        Standard deviations at which pairs are dropped.
    min_stars : int
        Fewest stars to accept.
    max_scatter : float
        Largest scatter to accept, per axis, arcsec.
    min_matched : float
        Smallest fraction of the sources, or of the reference stars on the detector if these are fewer, to be matched.
    min_covered : float
        Smallest fraction of the sources to be where the match holds.
    min_log_odds : float
        Natural logarithm of the smallest odds to accept.
    trials : float, optional
        Natural logarithm of the number of places on the sky among which ``wcs`` was found by its stars
        (`obs.algorithms.astrometry.search`). The pattern is then not searched again.
    around : tuple of float, optional
        Position (x, y) at which ``wcs`` was found to be exact, pixels.
    bend : float, optional
        Radial distortion that ``wcs`` was found to lack, see `obs.algorithms.astrometry.locate.Located`.

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
    margin = max_offset if trials is None else _BEND * max(shape)
    near = (np.abs(apriori_x - shape[1] / 2) < shape[1] / 2 + margin) & (
        np.abs(apriori_y - shape[0] / 2) < shape[0] / 2 + margin
    )
    stars = _brightest_first(ref_counts, near)
    if len(sources) < min_stars or len(stars) < min_stars:
        raise MeasurementError(
            f"no astrometry: {len(sources)} sources and {len(stars)} reference stars on the detector, "
            f"{min_stars} of each are needed"
        )
    plane = MatchedPlane(px, py, apriori_x[stars], apriori_y[stars], shape)
    middle = complex(plane.x_middle, plane.y_middle)
    offsets, targets = px[sources] + 1j * py[sources] - middle, plane.ref_x + 1j * plane.ref_y - middle
    factor, shift = 1.0 + 0j, 0j
    if trials is None:
        factor, shift = find_pattern(
            offsets,
            targets,
            max_offset=max_offset,
            max_rotation=np.radians(max_rotation),
            max_scale_change=max_scale_change,
            radius=match_radius,
        )
        area, extent = (2 * max_offset) ** 2, 0.3 * max(shape)
        turns = 2 * np.radians(max_rotation)
        trials = log_trials(area, _SMALLEST_ERROR, extent, 2 * max_scale_change, turns)
    area = (shape[0] + 2 * margin) * (shape[1] + 2 * margin)
    bright = sources[:_GROWN]
    moved = factor * straighten(offsets[:_GROWN], bend) + shift + middle
    grown = grow_match(
        plane,
        bright,
        (moved.real, moved.imag),
        density=len(stars) / area,
        radius=match_radius,
        max_order=max_order,
        clip=clip,
        around=around,
    )
    if grown is None:
        raise MeasurementError(
            "no astrometry: nowhere on the frame do more sources have a reference star beside them than chance brings"
        )
    chosen, pairs = _match_all(plane, sources, grown.solution, match_radius, max_order, clip)
    arcsec = wcs.pixel_scale
    offset, jacobian = plane.middle(chosen)
    n = int(chosen.keep.sum())
    scatter = chosen.scatter * arcsec
    max_scatter = max(max_scatter, _SCATTER_PIXELS * arcsec)
    _require(n >= min_stars, f"{n} stars agree, {min_stars} are needed")
    _require(scatter <= max_scatter, f"the {n} stars scatter by {scatter:.3f} arcsec, more than {max_scatter:g}")
    rotation, scale = _check_map(offset, jacobian, max_offset, max_rotation, max_scale_change, max_shear)
    error = plane.error(pairs, chosen)
    _require(
        error <= match_radius,
        f"the {n} stars, on {100 * plane.extent(pairs, chosen):.0f} % of the frame, fix the WCS at its edges to "
        f"{error:.1f} pixels only, {match_radius:g} are needed",
    )
    fitted = plane.to_wcs(chosen, wcs)
    rows = Matches(pairs.first, stars[pairs.second], pairs.separation)
    coverage, odds = _judge(plane, sources, chosen, pairs, fitted, ra[stars], dec[stars])
    _require(
        coverage.matched >= min_matched,
        f"of {coverage.n_source} sources and {coverage.n_star} reference stars on the frame only {n} agree, "
        f"{100 * coverage.matched:.0f} % of the shorter list; {100 * min_matched:g} % are needed",
    )
    _require(
        coverage.covered >= min_covered,
        f"the match holds on {100 * coverage.covered:.0f} % of the frame only, because the optics distort more than "
        f"the fit can follow, or the match is false; {100 * min_covered:g} % are needed",
    )
    if coverage.outside > _OUTSIDE:
        _check_extrapolation(plane, chosen, pairs, coverage.outside, error, match_radius, max_order, clip)
    _require(
        odds - trials >= min_log_odds,
        f"the match of {n} stars may be chance: the logarithm of its odds is {odds - trials:.1f}, "
        f"{min_log_odds:g} is needed",
    )
    ra_fit, dec_fit = fitted.pixel_to_sky(x=px[rows.first], y=py[rows.first])
    east = (np.mod(ra_fit - ra[rows.second] + 180.0, 360.0) - 180.0) * np.cos(np.radians(dec_fit)) * 3600.0
    north = (dec_fit - dec[rows.second]) * 3600.0
    return AstrometryFit(
        wcs=fitted,
        matches=Matches(rows.first, rows.second, np.hypot(east, north)),
        used=chosen.keep,
        scatter=rms(np.stack([east, north], axis=1)[chosen.keep]),
        predicted_scatter=chosen.predicted * arcsec,
        order=chosen.model.order,
        offset=abs(offset) * arcsec,
        rotation=rotation,
        scale=scale,
        coverage=coverage,
        log_odds=odds - trials,
    )


def _match_all(
    plane: MatchedPlane, sources: Index, solution: DistortionFit, match_radius: float, max_order: int, clip: float
) -> tuple[DistortionFit, Matches]:
    """Match all sources by a model of some of them, and fit again."""
    n_pair = 0
    for _ in range(_ROUNDS):
        x, y = plane.x[sources], plane.y[sources]
        moved = plane.apply(solution, x, y)
        radius = float(np.clip(5.0 * solution.scatter, 1.0, match_radius))
        found = match_pixels(moved[0], moved[1], plane.ref_x, plane.ref_y, radius=radius)
        order = np.argsort(sources[found.first], kind="stable")
        pairs = Matches(sources[found.first][order], found.second[order], found.separation[order])
        solution = plane.fit_ladder(pairs, max_order, clip, match_radius)
        if len(pairs) <= n_pair:
            break
        n_pair = len(pairs)
    return solution, pairs


def _check_map(
    offset: complex,
    jacobian: Float,
    max_offset: float,
    max_rotation: float,
    max_scale_change: float,
    max_shear: float,
) -> tuple[float, float]:
    """Check what the fit changes in the middle of the detector; return its rotation, degrees, and change of scale."""
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    rotation = float(np.degrees(np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])))
    stretch = np.linalg.svd(jacobian, compute_uv=False)
    shear = float(stretch[0] / stretch[1] - 1.0)
    _require(abs(offset) <= max_offset, f"it is {abs(offset):.1f} pixels off, more than {max_offset:g}")
    _require(abs(rotation) <= max_rotation, f"it is rotated by {rotation:.2f} degrees, more than {max_rotation:g}")
    _require(abs(scale - 1.0) <= max_scale_change, f"its scale changes by {scale:.4f}, more than {max_scale_change:g}")
    _require(shear <= max_shear, f"its axes are sheared by {shear:.4f}, more than {max_shear:g}")
    return rotation, scale


def _check_extrapolation(
    plane: MatchedPlane,
    solution: DistortionFit,
    pairs: Matches,
    outside: float,
    error: float,
    limit: float,
    max_order: int,
    clip: float,
) -> None:
    """Refuse a fit that its stars do not decide in the part of the frame where the catalog has none."""
    part = f"the reference catalog has no stars on {100 * outside:.0f} % of the frame"
    _require(
        error <= _EXTRAPOLATED_ERROR * limit,
        f"{part}, and those that it has fix the WCS there to {error:.1f} pixels only, "
        f"{_EXTRAPOLATED_ERROR * limit:g} are needed",
    )
    apart = plane.ambiguity(pairs, solution, max_order, clip)
    _require(
        np.isfinite(apart), f"{part}, and the {len(pairs)} that it has are too few to measure the distortion there"
    )
    _require(
        apart <= _AMBIGUITY * limit,
        f"{part}, where models of the distortion that fit the stars equally well differ by {apart:.1f} pixels; "
        f"{_AMBIGUITY * limit:g} are allowed",
    )


def _judge(
    plane: MatchedPlane,
    sources: Index,
    solution: DistortionFit,
    pairs: Matches,
    fitted: TanSipWcs,
    ref_ra: Float,
    ref_dec: Float,
) -> tuple[Coverage, float]:
    """Return how much of the frame the match explains, and the natural logarithm of its odds."""
    height, width = plane.shape
    star_x, star_y = fitted.sky_to_pixel(ra=ref_ra, dec=ref_dec)
    inside = (star_x >= 0) & (star_x <= width - 1) & (star_y >= 0) & (star_y <= height - 1)
    density = float(inside.sum()) / (height * width)
    matched_star, matched_source = np.zeros(len(star_x), bool), np.zeros(len(plane.x), bool)
    matched_star[pairs.second[solution.keep]] = matched_source[pairs.first[solution.keep]] = True
    radius = 5.0 * solution.scatter
    coverage = measure_coverage(
        np.stack([plane.x[sources], plane.y[sources]], axis=1),
        matched_source[sources],
        np.stack([star_x[inside], star_y[inside]], axis=1),
        matched_star[inside],
        chance=1.0 - float(np.exp(-np.pi * radius**2 * density)),
    )
    bright = sources[: comparable(inside.sum())]
    moved_x, moved_y = plane.apply(solution, plane.x[bright], plane.y[bright])
    stars = PointTree(np.stack([plane.ref_x, plane.ref_y], axis=1))
    separation, nearest = stars.nearest(np.stack([moved_x, moved_y], axis=1))
    odds = log_odds(
        separation,
        nearest,
        np.full((1, len(bright)), max(solution.scatter, _SMALLEST_ERROR)),
        np.zeros(len(bright)),
        max(density, 1e-12),
        free_stars=solution.model.n_coefficient,
    )
    return coverage, float(odds[0])


def _brightest_first(flux: Float, usable: Bool) -> Index:
    """Return the usable entries by decreasing flux, unknown fluxes last."""
    index = np.flatnonzero(usable)
    return np.asarray(index[np.argsort(-np.nan_to_num(flux[index], nan=-np.inf), kind="stable")], np.int64)


def _require(condition: bool, reason: str) -> None:
    """Give up on a fit that does not hold."""
    if not condition:
        raise MeasurementError(f"no astrometry: {reason}")
