"""Calibrate all visits of a field together: from catalogs of a repository to one calibration for each image."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from obs.errors import DataIdError, DatasetNotFoundError, MeasurementError, ObsError, describe_fault
from obs.image.catalog import Catalog
from obs.policy.data_id import DataId, format_data_id
from obs.repo.atomic import written_together
from obs.repo.butler import Butler
from obs.repo.reference_choice import find_reference
from obs.sky_vectors import sky_vectors
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.filter_magnitudes import magnitudes_in_filter
from obs.tasks.relative.astrometry import CommonAstrometry, fit_common_astrometry
from obs.tasks.relative.config import CalibrateVisitsConfig
from obs.tasks.relative.frames import FrameStars, StarField
from obs.tasks.relative.motions import StarMotions, fit_star_motions, moved_fields
from obs.tasks.relative.photometry import CommonPhotometry, fit_common_photometry
from obs.visits.common_frames import keep_connected, leave_out_other_scales, place_detectors, read_frame
from obs.visits.report import describe_fit, describe_motions

__all__ = ["CalibratedVisits", "FilterFit", "calibrate_visits"]

logger = logging.getLogger(__name__)

_POSITIONS = ("jointcal_wcs", "wcs")
_MAGNITUDES = ("jointcal_photoCalib", "fcr")
_REPORT = "calibrateVisits_metadata"
_MOTIONS = "calibrateVisits_motions"
#: Motions change the maps, and these the motions; both stay within their errors after so many rounds.
_MOTION_ROUNDS = 2


@dataclass
class FilterFit:
    """The fit of the images of one filter.

    Parameters
    ----------
    physical_filter : str
        The filter.
    data_ids : list of dict
        Images that were calibrated.
    n_visit : int
        Number of their visits.
    astrometry : CommonAstrometry or None
        Fit of positions; None if it was not asked for.
    photometry : CommonPhotometry or None
        Fit of magnitudes; None if it was not asked for, or was not possible.
    warnings : list of str
        What the user should know.
    """

    physical_filter: str
    data_ids: list[DataId]
    n_visit: int
    astrometry: CommonAstrometry | None = None
    photometry: CommonPhotometry | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass
class CalibratedVisits:
    """Outcome of the common calibration by `calibrate_visits`.

    Parameters
    ----------
    fits : list of FilterFit
        One for each filter.
    skipped : list of (str, str)
        Data IDs that were left out, each with the reason.
    motions : StarMotions or None
        Proper motions of stars; None if they were not asked for.
    """

    fits: list[FilterFit] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    motions: StarMotions | None = None


def calibrate_visits(
    butler: Butler,
    data_ids: Sequence[Mapping[str, Any]],
    config: CalibrateVisitsConfig,
    single: CalibrateConfig,
    *,
    tract: int = 0,
) -> CalibratedVisits:
    """Fit positions and magnitudes of all images together, and write their calibrations.

    Each filter is fitted alone, but for the proper motions of stars. Each image gets ``jointcal_wcs``,
    ``jointcal_photoCalib``, and the same as ``wcs`` and ``fcr``; the tract gets ``calibrateVisits_metadata``, which
    says what was found, and ``calibrateVisits_motions`` where stars move.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    data_ids : sequence of mapping
        Images; those without calexp, src or WCS are left out.
    config : CalibrateVisitsConfig
        Settings.
    single : CalibrateConfig
        Settings of the calibration of single images, for color terms of the reference catalog.
    tract : int, optional
        Tract that the calibrations are for.

    Raises
    ------
    MeasurementError
        If no image can be calibrated.
    OutputError
        If a file cannot be written.
    """
    done = CalibratedVisits()
    groups: dict[str, list[tuple[DataId, FrameStars]]] = {}
    for data_id in data_ids:
        try:
            physical_filter, frame = read_frame(butler, dict(data_id), config)
        except Exception as error:  # noqa: BLE001 - one bad catalog must not stop the others
            is_key = isinstance(error, KeyError) and error.args
            reason = str(error.args[0]) if is_key else describe_fault(error, what="its src cannot be used")
            done.skipped.append((format_data_id(data_id), reason))
            continue
        groups.setdefault(physical_filter, []).append((dict(data_id), frame))
    leave_out_other_scales(groups, done.skipped)
    if not groups:
        reason = done.skipped[0][1] if done.skipped else "no image matches"
        raise MeasurementError(
            f"none of {len(done.skipped)} images can be used: {reason}; obs process makes the catalogs that this needs"
        )
    groups, moved = place_detectors(groups)
    fields = []
    for physical_filter, members in groups.items():
        try:
            fit, stars = _fit_positions(butler, physical_filter, members, config, done.skipped)
        except MeasurementError as error:
            done.skipped.extend((frame.name, str(error)) for _, frame in members)
            continue
        fit.warnings.extend(moved)
        done.fits.append(fit)
        fields.append(stars)
    if config.astrometry.enabled and config.astrometry.motions.enabled and done.fits:
        done.motions = _fit_motions(done.fits, fields, config)
    for fit, stars in zip(done.fits, fields, strict=True):
        _fit_magnitudes(butler, fit, stars, config, single)
    if not done.fits:
        raise MeasurementError(f"no filter could be calibrated: {done.skipped[-1][1]}")
    # some images with the common calibration and some without it would be used as they are
    with written_together():
        for fit in done.fits:
            _write(butler, fit, tract)
        _write_report(butler, done, tract)
    return done


def _fit_positions(
    butler: Butler,
    physical_filter: str,
    members: list[tuple[DataId, FrameStars]],
    config: CalibrateVisitsConfig,
    skipped: list[tuple[str, str]],
) -> tuple[FilterFit, StarField]:
    """Return the fit of a filter, with positions if they were asked for, and its stars."""
    warnings: list[str] = []
    reference = _load_reference(butler, [frame for _, frame in members], config, warnings)
    members, stars = keep_connected(members, reference, config, skipped)
    n_visit = len({frame.visit for _, frame in members})
    fit = FilterFit(physical_filter, [data_id for data_id, _ in members], n_visit, warnings=warnings)
    if n_visit == 1:
        warnings.append(
            "one visit only: nothing repeats, so that positions and magnitudes are held by the reference catalog alone"
        )
    if config.astrometry.enabled:
        fit.astrometry = fit_common_astrometry(stars, config.astrometry)
        if (worse := _spoiled(fit.astrometry)) is not None:
            raise MeasurementError(worse)
    return fit, stars


def _spoiled(found: CommonAstrometry) -> str | None:
    """Return that a fit of positions is far worse than the single calibrations; None if it is not."""
    for what, gain in (("repeat", found.internal), ("agree with the reference catalog", found.reference)):
        if gain.is_spoiled:
            return (
                f"the common fit spoils the positions, which {what} to {gain.after:.1f} mas after it and to "
                f"{gain.before:.1f} mas before; nothing is written; one of the images may have a wrong WCS, or the "
                "camera wrong places of detectors (obs camera adjust): find with --id which images fit together"
            )
    return None


def _fit_motions(fits: list[FilterFit], fields: list[StarField], config: CalibrateVisitsConfig) -> StarMotions:
    """Fit proper motions, and the positions of each filter once more with them."""
    without = [fit.astrometry for fit in fits]
    for _ in range(_MOTION_ROUNDS):
        positions = [fit.astrometry for fit in fits if fit.astrometry is not None]
        motions = fit_star_motions(fields, positions, config.astrometry.motions)
        if motions.catalog is None:
            for fit, astrometry in zip(fits, without, strict=True):
                fit.astrometry = astrometry
            break
        for fit, stars in zip(fits, moved_fields(fields, motions), strict=True):
            fit.astrometry = fit_common_astrometry(stars, config.astrometry)
    return motions


def _fit_magnitudes(
    butler: Butler, fit: FilterFit, stars: StarField, config: CalibrateVisitsConfig, single: CalibrateConfig
) -> None:
    """Fit the magnitudes of a filter, if they were asked for."""
    warnings = fit.warnings
    if fit.astrometry is not None:
        warnings.extend(fit.astrometry.warnings)
    if not config.photometry.enabled:
        return
    magnitude = None
    try:
        if stars.reference is not None:
            band = butler.instrument.find_filter(fit.physical_filter).band
            known = magnitudes_in_filter(
                stars.reference, fit.physical_filter, band, single.photometry, config.reference, section="reference"
            )
            magnitude = known[:2]
            warnings.extend(text for text in known[2:] if text)
    except (DataIdError, MeasurementError) as error:
        warnings.append(f"magnitudes are held by the zero points of the single images: {error}")
    try:
        fit.photometry = fit_common_photometry(stars, magnitude, config.photometry)
        warnings.extend(fit.photometry.warnings)
    except MeasurementError as error:
        warnings.append(f"no common photometric calibration: {error}")


def _load_reference(
    butler: Butler, frames: Sequence[FrameStars], config: CalibrateVisitsConfig, warnings: list[str]
) -> Catalog | None:
    corners = [frame.wcs.pixel_to_sky(x=[0, 1e0 * f[1], 0, f[1]], y=[0, 0, f[0], f[0]]) for frame in frames
               for f in (frame.shape,)]  # fmt: skip
    vectors = sky_vectors(*(np.concatenate([np.ravel(c[axis]) for c in corners]) for axis in (0, 1)))
    x, y, z = vectors.mean(axis=0)
    chord = np.linalg.norm(vectors - np.array([x, y, z]) / max(np.linalg.norm([x, y, z]), 1e-12), axis=1).max()
    radius = float(np.degrees(2.0 * np.arcsin(min(chord / 2.0, 1.0)))) + config.reference.margin / 3600.0
    ra, dec = float(np.degrees(np.arctan2(y, x))) % 360.0, float(np.degrees(np.arctan2(z, np.hypot(x, y))))
    try:
        found = find_reference(butler.roots, config.reference.name, ra, dec, min(radius, 90.0), warnings)
    except DatasetNotFoundError as error:
        if config.reference.name is not None:
            raise
        warnings.append(str(error).replace("calibrate.reference.name", "reference.name"))
        found = None
    if found is None or not len(found):
        warnings.append("without reference catalog the mean of the single calibrations holds the fit")
        return None
    return found


def _write(butler: Butler, fit: FilterFit, tract: int) -> None:
    for number, data_id in enumerate(fit.data_ids):
        whole = data_id | {"tract": tract}
        if fit.astrometry is not None:
            for name in _POSITIONS:
                butler.put(fit.astrometry.wcs[number], name, whole)
        if fit.photometry is not None:
            for name in _MAGNITUDES:
                butler.put(fit.photometry.photo_calib[number], name, whole)


def _write_report(butler: Butler, done: CalibratedVisits, tract: int) -> None:
    """Write the report; what it said of other filters stays."""
    report: dict[str, Any] = {}
    if butler.exists(_REPORT, {"tract": tract}):
        try:
            report = dict(butler.get(_REPORT, {"tract": tract}))
        except ObsError as error:
            logger.warning("the report of tract %s is written anew: %s", tract, error)
    filters = dict(report.get("filters", {}))
    filters |= {fit.physical_filter: describe_fit(fit.astrometry, fit.photometry) for fit in done.fits}
    for fit in done.fits:
        filters[fit.physical_filter] |= {
            "images": [format_data_id(data_id) for data_id in fit.data_ids],
            "visits": fit.n_visit,
            "warnings": fit.warnings,
        }
    whole = {"tract": tract, "filters": filters, "left_out": dict(done.skipped)}
    if done.motions is not None:
        whole["motions"] = describe_motions(done.motions)
        if done.motions.catalog is not None:
            butler.put(done.motions.catalog, _MOTIONS, {"tract": tract})
    butler.put(whole, _REPORT, {"tract": tract})
    if done.motions is not None and done.motions.catalog is None:
        butler.remove(_MOTIONS, {"tract": tract})
