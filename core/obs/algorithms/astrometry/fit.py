"""Fit a WCS to reference stars, starting from one that may be off by half an arcminute, a degree and a percent.

First the pattern of bright stars (`obs.algorithms.astrometry.pattern`), then polynomials
(`obs.algorithms.astrometry.distortion`). What does not hold up fails, and says why.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.astrometry.distortion import MatchedPlane, rms
from obs.algorithms.astrometry.match import Matches, match_pixels
from obs.algorithms.astrometry.pattern import find_pattern
from obs.errors import MeasurementError
from obs.image.wcs import TanSipWcs

__all__ = ["AstrometryFit", "fit_astrometry"]

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Index = NDArray[np.int64]

_ROUNDS = 10


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
    factor, shift = find_pattern(
        px[sources] + 1j * py[sources] - middle,
        apriori_x[stars] + 1j * apriori_y[stars] - middle,
        max_offset=max_offset,
        max_rotation=np.radians(max_rotation),
        max_scale_change=max_scale_change,
        radius=match_radius,
    )
    plane = MatchedPlane(px, py, apriori_x, apriori_y, shape)
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
        scatter=rms(np.stack([east, north], axis=1)[chosen.keep]),
        predicted_scatter=chosen.predicted * arcsec,
        order=chosen.order,
        offset=abs(offset) * arcsec,
        rotation=float(np.degrees(rotation)),
        scale=scale,
    )


def _brightest_first(flux: Float, usable: Bool) -> Index:
    """Return the usable entries by decreasing flux, unknown fluxes last."""
    index = np.flatnonzero(usable)
    return np.asarray(index[np.argsort(-np.nan_to_num(flux[index], nan=-np.inf), kind="stable")], np.int64)


def _require(condition: bool, reason: str) -> None:
    """Give up on a fit that does not hold."""
    if not condition:
        raise MeasurementError(f"no astrometry: {reason}; check the a-priori WCS and the reference catalog")
