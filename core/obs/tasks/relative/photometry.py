"""Magnitudes: one fit for the zero points of all visits and a flat-field correction that they share.

A magnitude is that of the counts, plus the zero point of the visit, that of the detector (the same in all visits) and
of the frame (small), plus a polynomial of the position in the focal plane that is the same in all visits: what is left
of the flat field's error, of scattered light in flats, and of the area of pixels on the sky.
"""

from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from obs.algorithms.relative.prior import likeliest_anchor_error, likeliest_prior
from obs.algorithms.relative.robust import RobustFit, fit_robustly, leave_one_out_scatter
from obs.algorithms.relative.solve import Anchors
from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.flux_correction import FluxCorrection
from obs.image.photo_calib import PhotoCalib
from obs.tasks.relative.config import CommonPhotometryConfig
from obs.tasks.relative.frames import StarField
from obs.tasks.relative.gain import Gain, measure_gain
from obs.tasks.relative.geometry import FocalPlane, grid, make_focal_plane
from obs.tasks.relative.polynomials import n_terms, polynomial_terms

__all__ = ["CommonPhotometry", "fit_common_photometry"]

Floats = NDArray[np.float64]

_MAGNITUDES = 2.5 / np.log(10.0)
_DETECTOR_SCALE = 0.05  # mag; expected scatter of detectors
_SURE = 0.003  # mag; scatter of zero points where reference stars hold the mean
_ONE_DETECTOR, _MOSAIC = 3, 5
#: Sizes of the flat-field correction that are compared, as fractions of the setting.
_SHRINKAGE = (1.0, 0.3, 0.1, 0.03, 0.01)
#: A flat-field correction larger than this, mag, has another cause than the flat field.
_LARGE_CORRECTION = 0.1
_REFERENCE_ERROR = 0.01  # mag; usual error of reference magnitudes


@frozen
class CommonPhotometry:
    """What the fit of magnitudes found.

    Parameters
    ----------
    photo_calib : list of PhotoCalib
        New calibration of each frame: zero point and correction.
    internal, reference : Gain
        Scatter of single magnitudes about those of other visits, and about the reference catalog, mmag.
    correction : float
        Standard deviation of the flat-field correction over the detectors, mmag.
    error : float
        Standard error of the zero points of the visits against each other, mmag, median.
    floor : float
        Error of single magnitudes beyond that of their photons, mmag.
    n_star, n_used, n_rejected, n_variable : int
        Stars in common; magnitudes used and left out; stars that vary.
    warnings : list of str
        What the user should know.
    """

    photo_calib: list[PhotoCalib]
    internal: Gain
    reference: Gain
    correction: float
    error: float
    floor: float
    n_star: int
    n_used: int
    n_rejected: int
    n_variable: int
    warnings: list[str] = field(default_factory=list)


def fit_common_photometry(
    field: StarField, reference_magnitude: tuple[Floats, Floats] | None, config: CommonPhotometryConfig
) -> CommonPhotometry:
    """Fit the magnitudes of all visits together.

    Parameters
    ----------
    field : StarField
        The stars in common.
    reference_magnitude : tuple of ndarray of float64, shape (n_reference,), or None
        Magnitudes of the reference stars in the band, and their errors; NaN where not known.
    config : CommonPhotometryConfig
        Settings.

    Raises
    ------
    MeasurementError
        If no frame has a zero point, or the stars do not determine the fit.
    """
    frames = field.frames
    wanted = config.flat_order
    if wanted is None:
        wanted = _MOSAIC if len({f.detector.id for f in frames}) > 1 else _ONE_DETECTOR
    anchors, anchor_sigma = _anchors(reference_magnitude)
    n_visit = len({frame.visit for frame in frames})
    warnings: list[str] = []
    if n_visit == 1 and not len(anchors.star):
        wanted = 0
        warnings.append("one visit without reference stars: the flat field cannot be corrected")
    # The coordinates only; the maps themselves do not matter here.
    plane = make_focal_plane(frames, field.center, max(wanted, 1))
    start = _starting_zero_points(field, plane)
    value = start[plane.visit][field.frame] - 2.5 * np.log10(field.flux)
    design, prior = _design(field, plane, wanted, config, has_anchors=len(anchors.star) > 0)

    def fit_with(prior: Floats, anchor_sigma: Floats) -> RobustFit:
        return fit_robustly(
            design,
            value,
            _MAGNITUDES * field.flux_err / field.flux,
            field.star,
            n_star=field.n_star,
            prior=prior,
            anchors=anchors,
            anchor_sigma=anchor_sigma,
            clip=config.clip,
        )

    fit = fit_with(prior, anchor_sigma)
    n_flat = n_terms(wanted) - 1
    if n_flat:
        error = likeliest_anchor_error(
            design, value, field.star, anchors, fit, prior, anchor_sigma, usual=_REFERENCE_ERROR
        )
        anchor_sigma = np.hypot(anchor_sigma, error)
        fit = replace(fit, anchor_weight=np.where(fit.anchor_kept, anchor_sigma**-2.0, 0.0))
        flat = np.arange(len(prior)) >= len(prior) - n_flat
        prior = likeliest_prior(design, value, field.star, anchors, fit, prior, flat, _SHRINKAGE)
        fit = fit_with(prior, anchor_sigma)
    calibs, corrections = _calibrations(field, plane, wanted, start, fit)
    return _summarize(field, plane, value, design, fit, calibs, corrections, anchors, warnings)


def _anchors(magnitude: tuple[Floats, Floats] | None) -> tuple[Anchors, Floats]:
    if magnitude is None:
        return Anchors(np.empty(0, np.int64), np.empty(0), np.empty(0)), np.empty(0)
    known = np.flatnonzero(np.isfinite(magnitude[0]))
    sigma = np.nan_to_num(magnitude[1][known], nan=0.0)
    return Anchors(known, magnitude[0][known], np.ones(len(known))), np.maximum(sigma, 1e-3)


def _starting_zero_points(field: StarField, plane: FocalPlane) -> Floats:
    """Return the median zero point of the frames of each visit; that of all visits where there is none."""
    own = np.array([np.nan if f.photo_calib is None else f.photo_calib.zero_point for f in field.frames])
    if not np.isfinite(own).any():
        raise MeasurementError(
            "none of the images has a zero point: calibrate them with a reference catalog first (obs ingest-refcat, "
            "then obs process)"
        )
    start = np.full(len(plane.visits), np.nanmedian(own))
    for number in range(len(plane.visits)):
        members = own[(plane.visit == number) & np.isfinite(own)]
        if len(members):
            start[number] = np.median(members)
    return start


def _design(
    field: StarField, plane: FocalPlane, order: int, config: CommonPhotometryConfig, *, has_anchors: bool
) -> tuple[sparse.csr_array, Floats]:
    """Return the change of magnitudes with zero points of visits, detectors and frames, and with the flat field."""
    n, n_visit, n_detector, n_frame = len(field.star), len(plane.visits), len(plane.detectors), len(field.frames)
    rows = np.arange(n)
    groups = [(plane.visit, n_visit), (plane.detector, n_detector), (np.arange(n_frame), n_frame)]
    parts = [
        sparse.csr_array((np.ones(n), (rows, of[field.frame])), shape=(n, size), dtype=np.float64)
        for of, size in groups
    ]
    flat = np.empty((n, n_terms(order)))
    for number, frame in enumerate(field.frames):
        here = field.frame == number
        flat[here] = polynomial_terms(*plane.scaled(frame, field.x[here], field.y[here]), order)
    parts.append(sparse.csr_array(flat[:, 1:]))
    scales = [
        # Without reference stars the zero points of the single frames hold the mean.
        np.full(n_visit, config.zero_point_scatter if has_anchors else _SURE),
        np.full(n_detector, _DETECTOR_SCALE),
        np.full(n_frame, config.frame_scatter),
        np.full(flat.shape[1] - 1, config.flat_scale),
    ]
    return sparse.csr_array(sparse.hstack(parts)), np.concatenate(scales) ** -2.0


def _calibrations(
    field: StarField, plane: FocalPlane, order: int, start: Floats, fit: RobustFit
) -> tuple[list[PhotoCalib], Floats]:
    """Return the calibration of each frame, and the corrections at a grid of positions of all, mag."""
    n_visit, n_detector, n_frame = len(plane.visits), len(plane.detectors), len(field.frames)
    by_visit, by_detector, by_frame, flat = np.split(fit.solution.parameters, np.cumsum([n_visit, n_detector, n_frame]))
    errors = _frame_errors(field, plane, fit)
    calibs, corrections = [], []
    for number, frame in enumerate(field.frames):
        x, y = grid(frame.shape)
        terms = polynomial_terms(*plane.scaled(frame, x, y), order)[:, 1:]
        correction = terms @ flat
        # The zero point is that of the middle of the correction, so that FLUXMAG0 alone is right on average.
        middle = float(correction.mean())
        zero_point = start[plane.visit[number]] + by_visit[plane.visit[number]] + by_detector[plane.detector[number]]
        zero_point = float(zero_point + by_frame[number] + middle)
        system = "" if frame.photo_calib is None else frame.photo_calib.system
        constant = PhotoCalib.from_zero_point(zero_point, float(errors[number]), system)
        smooth = FluxCorrection.fit(x=x, y=y, magnitude=correction - middle, shape=frame.shape, order=max(order, 1))
        calibs.append(replace(constant, correction=smooth))
        corrections.append(correction + by_detector[plane.detector[number]])
    return calibs, np.concatenate(corrections)


def _frame_errors(field: StarField, plane: FocalPlane, fit: RobustFit) -> Floats:
    """Return the standard errors of the zero points of the frames, mag, shape (n_frame,)."""
    n_visit, n_detector, n_frame = len(plane.visits), len(plane.detectors), len(field.frames)
    rows = np.zeros((n_frame, len(fit.solution.parameters)))
    number = np.arange(n_frame)
    rows[number, plane.visit] = rows[number, n_visit + plane.detector] = rows[number, n_visit + n_detector + number] = (
        1.0
    )
    return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", rows, fit.solution.covariance, rows)))


def _summarize(
    field: StarField,
    plane: FocalPlane,
    value: Floats,
    design: sparse.csr_array,
    fit: RobustFit,
    calibs: list[PhotoCalib],
    corrections: Floats,
    anchors: Anchors,
    warnings: list[str],
) -> CommonPhotometry:
    own = np.array([np.nan if f.photo_calib is None else f.photo_calib.zero_point for f in field.frames])[field.frame]
    both = [1e3 * (own - 2.5 * np.log10(field.flux)), 1e3 * (value + design @ fit.solution.parameters)]
    bright = field.flux > 100.0 * field.flux_err
    steady = ~fit.odd_star[field.star]
    weight = np.where(steady & np.isfinite(own), (field.flux / field.flux_err) ** 2, 0.0)
    internal = [leave_one_out_scatter(np.nan_to_num(part), weight, field.star, field.n_star) for part in both]
    known = np.full(field.n_star, np.nan)
    known[anchors.star] = anchors.value
    off = [np.where(steady, part - 1e3 * known[field.star], np.nan) for part in both]
    used = fit.kept & np.isfinite(fit.residual)
    result = CommonPhotometry(
        photo_calib=calibs,
        internal=measure_gain(internal[0], internal[1], bright),
        reference=measure_gain(off[0], off[1], bright),
        correction=float(1e3 * np.std(corrections)),
        error=float(1e3 * np.median(_frame_errors(field, plane, fit))),
        floor=1e3 * fit.floor,
        n_star=len(np.unique(field.star[used])),
        n_used=int(used.sum()),
        n_rejected=int((~fit.kept & np.isfinite(fit.residual)).sum()),
        n_variable=int(fit.odd_star.sum()),
        warnings=warnings,
    )
    if np.abs(corrections - corrections.mean()).max() > _LARGE_CORRECTION:
        warnings.append(
            f"the flat-field correction reaches {np.abs(corrections - corrections.mean()).max():.2f} mag: the flat "
            "field is probably of another filter, or missing"
        )
    if result.internal.is_worse:
        warnings.append(
            f"magnitudes repeat worse after the fit ({result.internal.after:.1f} mmag) than before "
            f"({result.internal.before:.1f} mmag); lower photometry.flat_order"
        )
    return result
