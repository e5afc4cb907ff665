"""Positions: one fit for the maps of all visits and the places of all detectors.

The place of a star in the tangent plane is the map of the visit, a polynomial of the position in the focal plane, plus
the displacement of the detector, a polynomial of the position on the detector that is the same in all visits.
"""

from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from obs.algorithms.relative.prior import likeliest_prior
from obs.algorithms.relative.robust import RobustFit, fit_robustly, leave_one_out_scatter
from obs.algorithms.relative.solve import Anchors
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.tangent_plane import from_plane, to_plane
from obs.image.wcs import TanSipWcs
from obs.image.wcs_fit import fit_tan_sip
from obs.tasks.relative.config import CommonAstrometryConfig
from obs.tasks.relative.frames import FrameStars, StarField
from obs.tasks.relative.gain import Gain, measure_gain
from obs.tasks.relative.geometry import FocalPlane, grid, make_focal_plane
from obs.tasks.relative.polynomials import n_terms, polynomial_terms

__all__ = ["CommonAstrometry", "fit_common_astrometry"]

Floats = NDArray[np.float64]

_POINTING_SCALE = 5.0  # arcsec; shift, rotation and scale of the maps are known at least so well beforehand
_BEND_SCALE = 0.5  # arcsec; higher terms of the maps are known at least so well beforehand
#: How much smaller the higher terms may be than that; the most probable is taken.
_SHRINKAGE = (1.0, 0.3, 0.1, 0.03, 0.01)
_SINGLE_ERROR = 0.02  # arcsec; error of the mean of the single calibrations, where there is no reference catalog
_SIP_ERROR = 0.1  # mas; largest error of a map as TAN-SIP
_MAX_SIP_ORDER = 8
#: Stars for each coefficient of a visit's map, at least.
_STARS_PER_TERM = 3.0
_ONE_DETECTOR, _MOSAIC = 4, 5


@frozen
class CommonAstrometry:
    """What the fit of positions found.

    Parameters
    ----------
    wcs : list of TanSipWcs
        New WCS of each frame.
    internal, reference : Gain
        Scatter of single positions about those of other visits, and about the reference catalog, mas.
    offsets : dict of int to (float, float, float)
        Displacement of each detector along its x and y, arcsec, and its rotation, degrees, against the camera's
        description and the maps of the visits.
    error : float
        Standard error of the position of a frame, mas, median of the frames.
    floor : float
        Error of single positions beyond that of their photons, mas.
    visit_order, n_star, n_used, n_rejected : int
        Order of the maps; stars in common; positions used and left out.
    warnings : list of str
        What the user should know.
    """

    wcs: list[TanSipWcs]
    internal: Gain
    reference: Gain
    offsets: dict[int, tuple[float, float, float]]
    error: float
    floor: float
    visit_order: int
    n_star: int
    n_used: int
    n_rejected: int
    warnings: list[str] = field(default_factory=list)


def fit_common_astrometry(field: StarField, config: CommonAstrometryConfig) -> CommonAstrometry:
    """Fit the positions of all visits together.

    Parameters
    ----------
    field : StarField
        The stars in common.
    config : CommonAstrometryConfig
        Settings.

    Raises
    ------
    MeasurementError
        If the stars do not determine the fit.
    """
    frames = field.frames
    warnings: list[str] = []
    wanted = config.visit_order or (_MOSAIC if len({f.detector.id for f in frames}) > 1 else _ONE_DETECTOR)
    order = _affordable_order(field, wanted, warnings)
    plane = make_focal_plane(frames, field.center, order)
    base = np.empty((len(field.star), 2))
    for number, frame in enumerate(frames):
        rows = field.frame == number
        base[rows] = plane.base(number, frame, field.x[rows], field.y[rows])
    value = (base - field.motion).T.ravel()
    design, prior = _design(field, plane, config)
    scale = np.array([frame.wcs.pixel_scale for frame in frames])[field.frame]
    star = np.concatenate([field.star, field.star + field.n_star])
    anchors, anchor_sigma = _anchors(field, base, config)

    def fit_with(prior: Floats) -> RobustFit:
        return fit_robustly(
            design,
            value,
            np.tile(field.error * scale, 2),
            star,
            n_star=2 * field.n_star,
            prior=prior,
            anchors=anchors,
            anchor_sigma=anchor_sigma,
            pairs=2,
            clip=config.clip,
        )

    fit = fit_with(prior)
    bends = prior == _BEND_SCALE**-2
    fit = fit_with(likeliest_prior(design, value, star, anchors, fit, prior, bends, _SHRINKAGE))
    maps = _Maps(plane, config.detector_order, fit.solution.parameters)
    wcs = [_to_wcs(maps, number, frame, field.center) for number, frame in enumerate(frames)]
    return _summarize(field, plane, config, fit, maps, wcs, warnings)


def _affordable_order(field: StarField, order: int, warnings: list[str]) -> int:
    """Lower the order of the maps where a visit has too few stars in common."""
    times_seen = np.bincount(field.star, minlength=field.n_star)
    times_seen[: field.n_reference] += 1
    shared = times_seen[field.star] > 1
    visits = [frame.visit for frame in field.frames]
    counts: dict[str, int] = dict.fromkeys(visits, 0)
    for number, visit in enumerate(visits):
        counts[visit] += int((shared & (field.frame == number)).sum())
    poorest = min(counts, key=lambda visit: counts[visit])
    fits = order
    while fits > 1 and counts[poorest] < _STARS_PER_TERM * n_terms(fits):
        fits -= 1
    if fits < order:
        warnings.append(
            f"the maps of the visits are of order {fits}, not {order}: {poorest} has only {counts[poorest]} stars in "
            "common; a lower stars.minimum_signal_to_noise gives more"
        )
    return fits


@frozen
class _Maps:
    """The maps of the visits and displacements of the detectors after the fit."""

    plane: FocalPlane
    detector_order: int
    parameters: Floats

    def places(self, number: int, frame: FrameStars, x: Floats, y: Floats) -> Floats:
        """Return places in the tangent plane, arcsec, shape (n, 2)."""
        plane = self.plane
        n_visit, n_map, n_own = len(plane.visits), n_terms(plane.order), n_terms(self.detector_order)
        maps = self.parameters[: 2 * n_visit * n_map].reshape(2, n_visit, n_map)[:, plane.visit[number]]
        own = self.parameters[2 * n_visit * n_map :].reshape(2, len(plane.detectors), n_own)
        terms = polynomial_terms(*plane.scaled(frame, x, y), plane.order)
        shift = polynomial_terms(*plane.on_detector(frame, x, y), self.detector_order)
        moved = shift @ own[:, plane.detector[number]].T
        base = plane.base(number, frame, x, y)
        return np.asarray(base + terms @ maps.T + moved @ plane.axes(number, frame).T)


def _design(field: StarField, plane: FocalPlane, config: CommonAstrometryConfig) -> tuple[sparse.csr_array, Floats]:
    """Return the change of all xi, then all eta, with each coefficient, and the prior of the coefficients."""
    n_map, n_own = n_terms(plane.order), n_terms(config.detector_order)
    n_visit, n_detector = len(plane.visits), len(plane.detectors)
    first_own = 2 * n_visit * n_map
    blocks: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]] = []
    n = len(field.star)
    for number, frame in enumerate(field.frames):
        rows = np.flatnonzero(field.frame == number)
        x, y = field.x[rows], field.y[rows]
        terms = polynomial_terms(*plane.scaled(frame, x, y), plane.order)
        own = polynomial_terms(*plane.on_detector(frame, x, y), config.detector_order)
        axes = plane.axes(number, frame)
        for axis in (0, 1):
            columns = (axis * n_visit + plane.visit[number]) * n_map + np.arange(n_map)
            blocks.append((rows + axis * n, columns, terms))
            for side in (0, 1):
                columns = first_own + (side * n_detector + plane.detector[number]) * n_own + np.arange(n_own)
                blocks.append((rows + axis * n, columns, own * axes[axis, side]))
    row = np.concatenate([np.repeat(rows, len(columns)) for rows, columns, _ in blocks])
    column = np.concatenate([np.tile(columns, len(rows)) for rows, columns, _ in blocks])
    data = np.concatenate([part.ravel() for _, _, part in blocks])
    n_parameter = first_own + 2 * n_detector * n_own
    prior = np.tile(np.where(np.arange(n_map) < n_terms(1), _POINTING_SCALE, _BEND_SCALE) ** -2, 2 * n_visit)
    prior = np.concatenate([prior, np.full(2 * n_detector * n_own, config.detector_scale**-2)])
    return sparse.csr_array((data, (row, column)), shape=(2 * n, n_parameter)), prior


def _anchors(field: StarField, base: Floats, config: CommonAstrometryConfig) -> tuple[Anchors, Floats]:
    """Return the known places of stars, xi of all, then eta of all, and their errors, arcsec.

    They are those of the reference catalog. Without one, they are the means of the places in the single frames: if
    nothing held the places, they would all shrink to one point, where they repeat best.
    """
    reference = field.reference
    if reference is None:
        seen = np.bincount(field.star, minlength=field.n_star)
        star = np.flatnonzero(seen > 1)
        places = [np.bincount(field.star, part, field.n_star)[star] / seen[star] for part in base.T]
        error = np.full(2 * len(star), _SINGLE_ERROR)
    else:
        xi, eta = (3600.0 * part for part in to_plane(field.center, reference["coord_ra"], reference["coord_dec"]))
        star = np.flatnonzero(np.isfinite(xi))
        places = [xi[star], eta[star]]
        error = np.concatenate(
            [_listed_error(reference, name, config)[star] for name in ("coord_raErr", "coord_decErr")]
        )
    value = np.concatenate(places)
    return Anchors(np.concatenate([star, star + field.n_star]), value, np.ones(len(value))), error


def _listed_error(reference: Catalog, name: str, config: CommonAstrometryConfig) -> Floats:
    """Return the errors of a coordinate of reference stars, arcsec."""
    error = np.full(len(reference), max(config.reference_error, 1e-4))
    if name not in reference:
        return error
    listed = np.asarray(reference[name], np.float64)
    to_arcsec = {"deg": 3600.0, "mas": 1e-3, "arcsec": 1.0}.get(reference.columns[name].unit, 206264.806)
    return np.where(np.isfinite(listed) & (listed > 0), listed * to_arcsec, error)


def _to_wcs(maps: _Maps, number: int, frame: FrameStars, center: tuple[float, float]) -> TanSipWcs:
    """Return the map of a frame as TAN-SIP, of the lowest order that follows it."""
    x, y = grid(frame.shape, 24)
    ra, dec = from_plane(center, *(maps.places(number, frame, x, y).T / 3600.0))
    crpix = 0.5 * (frame.shape[1] - 1), 0.5 * (frame.shape[0] - 1)
    best = None
    for order in range(2, _MAX_SIP_ORDER + 1):
        best = fit_tan_sip(x=x, y=y, ra=ra, dec=dec, order=order, crpix=crpix)
        again = np.stack(to_plane(best.crval, *best.pixel_to_sky(x=x, y=y)))
        error = 3.6e6 * np.hypot(*(again - np.stack(to_plane(best.crval, ra, dec)))).max()
        if error < _SIP_ERROR:
            return best
    if best is None:
        raise MeasurementError(f"{frame.name}: no WCS")
    return best


def _summarize(
    field: StarField,
    plane: FocalPlane,
    config: CommonAstrometryConfig,
    fit: RobustFit,
    maps: _Maps,
    wcs: list[TanSipWcs],
    warnings: list[str],
) -> CommonAstrometry:
    before = np.stack([field.xi, field.eta], axis=1) - field.motion
    after = np.empty_like(before)
    for number, frame in enumerate(field.frames):
        rows = field.frame == number
        after[rows] = maps.places(number, frame, field.x[rows], field.y[rows])
    after -= field.motion
    places = [1e3 * before, 1e3 * after]
    bright = field.flux > 100.0 * field.flux_err
    internal = measure_gain(_against_others(places[0], field), _against_others(places[1], field), bright)
    reference = measure_gain(_against_reference(places[0], field), _against_reference(places[1], field), bright)
    own = fit.solution.parameters[2 * len(plane.visits) * n_terms(plane.order) :]
    own = own.reshape(2, len(plane.detectors), -1)
    offsets = {}
    for number, detector in enumerate(plane.detectors):
        frame = field.frames[int(np.flatnonzero(plane.detector == number)[0])]
        # The first three terms are the constant, and those linear in y and in x (scaled to half a detector).
        half_x, half_y = (0.5 * size * frame.wcs.pixel_scale for size in frame.shape[::-1])
        turn = np.degrees(0.5 * (own[1, number, 2] / half_x - own[0, number, 1] / half_y))
        offsets[detector] = float(own[0, number, 0]), float(own[1, number, 0]), float(turn)
    n = len(field.star)
    used = fit.kept[:n] & np.isfinite(fit.residual[:n])
    result = CommonAstrometry(
        wcs=wcs,
        internal=internal,
        reference=reference,
        offsets=offsets,
        error=_frame_error(fit, plane),
        floor=1e3 * fit.floor,
        visit_order=plane.order,
        n_star=len(np.unique(field.star[used])),
        n_used=int(used.sum()),
        n_rejected=int((~fit.kept[:n] & np.isfinite(fit.residual[:n])).sum()),
        warnings=warnings,
    )
    warnings.extend(_judge(result))
    return result


def _frame_error(fit: RobustFit, plane: FocalPlane) -> float:
    """Return the standard error of the constant of a visit's map, mas, median of the visits."""
    n_map, n_visit = n_terms(plane.order), len(plane.visits)
    constants = np.arange(2 * n_visit) * n_map
    return float(1e3 * np.sqrt(np.median(np.diag(fit.solution.covariance)[constants])))


def _against_others(places: Floats, field: StarField) -> Floats:
    """Return positions minus those of the same star in other visits, scaled to the scatter of one; shape (n, 2)."""
    weight = np.ones(len(places))
    columns = [leave_one_out_scatter(part, weight, field.star, field.n_star) for part in places.T]
    return np.stack(columns, axis=1)


def _against_reference(places: Floats, field: StarField) -> Floats:
    result = np.full(places.shape, np.nan)
    if field.reference is not None:
        known = field.star < field.n_reference
        ra, dec = (field.reference[name][field.star[known]] for name in ("coord_ra", "coord_dec"))
        result[known] = places[known] - 3.6e6 * np.stack(to_plane(field.center, ra, dec), axis=1)
    return result


def _judge(result: CommonAstrometry) -> Sequence[str]:
    """Return warnings about a fit that did not gain what it should."""
    found = []
    if result.n_rejected > 0.2 * (result.n_used + result.n_rejected):
        found.append(
            f"{result.n_rejected} of {result.n_used + result.n_rejected} positions do not repeat and were left out: "
            "one of the images probably has a wrong WCS; look at its row in the report"
        )
    if result.internal.is_worse:
        found.append(
            f"positions repeat worse after the fit ({result.internal.after:.1f} mas) than before "
            f"({result.internal.before:.1f} mas); raise astrometry.visit_order or astrometry.detector_order"
        )
    return found
