"""Catalogs of one patch: detection in every band, one list of objects, measurement in each band, free and forced."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.measure.aperture_flux import aperture_name
from obs.algorithms.measure.shape import psf_elongation, psf_sigma
from obs.algorithms.photometry.aperture_correction import ApertureCorrection
from obs.algorithms.psf.width import half_maximum_width, light_radius
from obs.algorithms.sources.detection import Footprints
from obs.algorithms.sources.merge import Merged, merge_footprints
from obs.algorithms.sources.sky_places import add_sky_places, find_sky_places
from obs.coadds.catalog_config import CoaddCatalogConfig, MergeConfig
from obs.coadds.coadd import MADE_CARD
from obs.coadds.coadd_psf import CoaddPsf
from obs.coadds.covered import covered_middle
from obs.coadds.detect import detect_evenly
from obs.coadds.detection_tables import detection_table, footprint_flags, merged_table
from obs.coadds.inputs_table import read_coadd_psf
from obs.coadds.patch_flags import COADD_BITS, coadd_number, set_patch_flags
from obs.coadds.patch_objects import PatchObjects
from obs.coadds.psf_stars import carry_psf_flags
from obs.coadds.sky_maps import load_sky_map
from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.repo.butler import Butler
from obs.skymap.sky_map import SkyMap
from obs.skymap.tract import Patch, Tract
from obs.tasks.aperture_correction import CORRECTED, apply_aperture_correction, fit_aperture_corrections
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.calibrated_columns import add_magnitudes
from obs.tasks.measure import ID_BITS, measure_catalog, set_sky_coordinates
from obs.tasks.psf_sizes import FWHM_PER_SIGMA, scale_background
from obs.tasks.star_galaxy import classify_by_spread

__all__ = ["CatalogSummary", "catalog_patch"]

_SKY = "sky"
_SKY_FWHMS = 2.5  # free space around the places of blank sky, in widths of the widest PSF


@frozen
class CatalogSummary:
    """What the catalog of a patch holds.

    Parameters
    ----------
    n_object : int
        Number of primary objects.
    n_detected : dict of str to int
        Number of them that each filter detected.
    """

    n_object: int
    n_detected: dict[str, int]


@dataclass
class _Band:
    """The coadd of one filter."""

    name: str
    data_id: dict[str, Any]
    exposure: Exposure
    psf: CoaddPsf
    sigma: float
    config: CalibrateConfig
    footprints: Footprints


def catalog_patch(
    butler: Butler, tract_number: int, patch_name: str, filters: Sequence[str], config: CoaddCatalogConfig
) -> CatalogSummary:
    """Make and write all catalogs of a patch.

    Parameters
    ----------
    butler : Butler
        Repository with an output.
    tract_number, patch_name : int, str
        The patch.
    filters : sequence of str
        Filters whose coadds are there.
    config : CoaddCatalogConfig
        Settings.

    Raises
    ------
    DatasetNotFoundError
        If a coadd is not there.
    MeasurementError
        If nothing can be measured.
    """
    sky_map = load_sky_map(butler)
    tract = sky_map.tract(tract_number)
    patch = tract.patch(patch_name)
    place = {"tract": tract.number, "patch": patch.name}
    first_id = (coadd_number(tract.number, patch) << ID_BITS - COADD_BITS) + 1
    bands = [_detect(butler, {**place, "filter": name}, config, first_id) for name in filters]
    bands = _by_priority(bands, config.merge)
    scale = tract.wcs.scale
    # peaks are whole pixels: two of one object may be a pixel apart in x and in y
    same = max(config.merge.same_peak / scale, 1.5)
    found = merge_footprints(
        [band.footprints for band in bands], same=same, apart=max(config.merge.new_peak / scale, same)
    )
    merged = _with_sky(found, bands, tract, patch, config.merge)
    objects = PatchObjects(merged, footprint_flags(merged, {band.name: band.footprints for band in bands}))
    names = [*(band.name for band in bands), _SKY]
    peaks = merged_table(merged, objects.footprint_flags, names, tract.wcs.to_tan_sip(patch.outer_box), first_id)
    butler.put(peaks, "deepCoadd_mergeDet", place)
    measured = [_measure(butler, band, objects, config, sky_map, tract, patch) for band in bands]
    for band, catalog in zip(bands, measured, strict=True):
        butler.put(catalog, "deepCoadd_meas", band.data_id)
    reference = _reference(bands, measured, objects, config.merge)
    butler.put(reference, "deepCoadd_ref", place)
    positions = reference["base_SdssCentroid_x"].astype(float), reference["base_SdssCentroid_y"].astype(float)
    for band in bands:
        forced = _measure(butler, band, objects, config, sky_map, tract, patch, positions=positions)
        for name in ("detect_isPatchInner", "detect_isTractInner", "detect_isPrimary"):
            column = reference.columns[name]
            forced.add(name, column.data, column.unit, column.description)
        butler.put(forced, "deepCoadd_forced_src", band.data_id)
    primary = reference["detect_isPrimary"]
    counts = {band.name: int((primary & reference[f"merge_peak_{band.name}"]).sum()) for band in bands}
    return CatalogSummary(int(primary.sum()), counts)


def _with_sky(found: Merged, bands: Sequence[_Band], tract: Tract, patch: Patch, config: MergeConfig) -> Merged:
    """Return detections with footprints of blank sky, at places where no filter has a source or a hole."""
    occupied = found.footprints.labels > 0
    for band in bands:
        occupied |= band.exposure.masked_image.mask.any_known(["NO_DATA"])
    radius = max(2, round(_SKY_FWHMS * FWHM_PER_SIGMA * max(band.sigma for band in bands)))
    seed = coadd_number(tract.number, patch)
    x, y = find_sky_places(occupied, config.sky_objects, radius, seed=seed)
    return add_sky_places(found, x, y, max(2, radius // 2))


def _detect(butler: Butler, data_id: dict[str, Any], config: CoaddCatalogConfig, first_id: int) -> _Band:
    """Detect sources on a coadd, subtract what is left of the sky, and write ``deepCoadd_calexp``."""
    exposure = butler.get("deepCoadd", data_id)
    psf = read_coadd_psf(butler, **data_id).filled()
    pixels = exposure.masked_image
    unknown = ~np.isfinite(pixels.variance)
    if unknown.any():
        pixels.variance[unknown] = np.median(pixels.variance[~unknown]) if not unknown.all() else np.float32(1)
    middle = covered_middle((pixels.mask.array & pixels.mask.bits("NO_DATA")) == 0)
    if middle is None:
        raise DatasetNotFoundError("the coadd has no pixel with data")
    x, y = middle
    fit = exposure.psf
    sigma, fwhm = psf_sigma(fit, x=x, y=y), half_maximum_width(fit, x=x, y=y)
    calibrate = config.calibrate
    measurement = calibrate.measurement.scaled(fwhm, light_radius(fit, x=x, y=y), psf_elongation(fit, x=x, y=y))
    calibrate = calibrate.model_copy(update={"measurement": measurement})
    background = scale_background(calibrate.background, FWHM_PER_SIGMA * sigma)
    score = _point_source_score(butler, data_id) if config.point_source_image else None
    detected, background_found = detect_evenly(pixels, sigma, calibrate.detection, background, score)
    empty = (pixels.mask.array & pixels.mask.bits("NO_DATA")) != 0
    pixels.image[empty] = 0  # the background is not known there
    butler.put(exposure, "deepCoadd_calexp", data_id)
    if background_found is not None:
        butler.put([background_found], "deepCoadd_calexp_background", data_id)
    peaks = detected.peaks
    covered = psf.weights(x=peaks.x, y=peaks.y).sum(axis=0) > 0
    footprints = detected.keep(covered & ~empty[peaks.y, peaks.x])
    if exposure.wcs is not None:
        butler.put(detection_table(footprints, exposure.wcs, first_id), "deepCoadd_det", data_id)
    return _Band(str(data_id["filter"]), data_id, exposure, psf, sigma, calibrate, footprints)


def _point_source_score(butler: Butler, data_id: dict[str, Any]) -> NDArray[np.float32] | None:
    """Return ``deepCoadd_score`` in units of its standard error; None if there is none for this very coadd."""
    try:
        exposure: Exposure = butler.get("deepCoadd_score", data_id)
    except DatasetNotFoundError:
        return None
    made = [header.get(MADE_CARD) for header in (exposure.metadata, butler.get("deepCoadd_md", data_id))]
    if made[0] != made[1]:
        return None
    pixels = exposure.masked_image
    return np.asarray(pixels.image / np.sqrt(pixels.variance), np.float32)


def _by_priority(bands: list[_Band], config: MergeConfig) -> list[_Band]:
    """Return bands in the order in which positions are believed: those named, then by their number of peaks."""
    named = {name: place for place, name in enumerate(config.priority)}
    return sorted(bands, key=lambda band: (named.get(band.name, len(named)), -len(band.footprints.peaks)))


def _measure(
    butler: Butler,
    band: _Band,
    objects: PatchObjects,
    config: CoaddCatalogConfig,
    sky_map: SkyMap[Any],
    tract: Tract,
    patch: Patch,
    *,
    positions: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Catalog:
    """Measure all objects on the coadd of one filter, at given positions or at those that the filter shows."""
    calibrate = band.config
    measurement = calibrate.measurement
    if positions is not None:
        measurement = measurement.model_copy(update={"kron": False})
    catalog = measure_catalog(
        band.exposure,
        objects.merged.footprints,
        band.psf,
        measurement,
        calibrate.deblend,
        fwhm=FWHM_PER_SIGMA * band.sigma,
        exposure_id=coadd_number(tract.number, patch),
        exposure_id_bits=COADD_BITS,
        positions=objects.sky_positions() if positions is None else positions,
    )
    is_sky = objects.is_sky(len(catalog))
    set_sky_coordinates(catalog, band.exposure.wcs)
    set_patch_flags(catalog, sky_map, tract, patch, is_sky)
    catalog.add("merge_peak_sky", is_sky, "", "blank sky, where nothing was detected")
    wcs = band.exposure.wcs
    if wcs is not None:
        inputs = butler.get("deepCoadd_inputs", band.data_id)
        carry_psf_flags(catalog, butler, inputs, wcs, config.psf_star_share)
    if calibrate.aperture_correction.enabled:
        stars = catalog["calib_psf_candidate"] if "calib_psf_candidate" in catalog else np.zeros(len(catalog), bool)
        corrections = fit_aperture_corrections(
            catalog, stars, band.psf, band.exposure.shape, measurement, calibrate.aperture_correction
        )
        apply_aperture_correction(catalog, corrections, measurement, _to_counted_light(catalog, corrections, band))
    else:
        _scale_fitted_fluxes(catalog, _to_counted_light(catalog, None, band))
    stars = catalog["calib_psf_candidate"]
    classify_by_spread(catalog, stars, band.exposure.shape)
    count = butler.get("deepCoadd_nImage", band.data_id)
    rows, columns = (
        np.clip(np.rint(catalog[f"base_SdssCentroid_{axis}"]).astype(int), 0, size - 1)
        for axis, size in zip("yx", count.shape, strict=True)
    )
    catalog.add(
        "base_InputCount_value", count[rows, columns].astype(np.int32), "", "number of exposures at the centroid"
    )
    if calibrate.magnitudes:
        add_magnitudes(catalog, band.exposure.photo_calib)
    return catalog


def _scale_fitted_fluxes(catalog: Catalog, factor: NDArray[np.float64]) -> None:
    """Multiply fluxes of fitted models, which find all light of a star, and their errors, in place."""
    for name in CORRECTED:
        for column in (f"{name}_instFlux", f"{name}_instFluxErr"):
            old = catalog.columns[column]
            catalog.add(column, old.data * factor, old.unit, old.description)


def _to_counted_light(
    catalog: Catalog, corrections: dict[str, ApertureCorrection] | None, band: _Band
) -> NDArray[np.float64]:
    """Return the factor of each source from the light that the corrections count to what its exposures count.

    Fluxes without corrections count all light of the PSF.
    """
    radius = np.inf if corrections is None else band.config.measurement.reference_radius
    corrections = corrections or {}
    place = {axis: catalog[f"base_SdssCentroid_{axis}"].astype(np.float64) for axis in "xy"}
    light = band.psf.counted_light(**place, radius=radius)
    if (beyond := corrections.get(aperture_name(radius))) is not None:
        light = light * beyond.evaluate(**place)
    return np.asarray(1.0 / np.where(light > 0, light, 1.0), np.float64)


def _reference(
    bands: Sequence[_Band], measured: Sequence[Catalog], objects: PatchObjects, config: MergeConfig
) -> Catalog:
    """Return each object as measured in its reference filter.

    That is the first filter that detected the object with an unflagged centroid and flux, or one with a clearly higher
    signal-to-noise ratio if that of the first is low.
    """
    detected = objects.merged.by_source()[: len(measured[0]), :-1]
    every = np.arange(len(measured[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = np.stack([one["base_PsfFlux_instFlux"] / one["base_PsfFlux_instFluxErr"] for one in measured])
    good = np.stack([~one["base_SdssCentroid_flag"] & ~one["base_PsfFlux_flag"] for one in measured])
    good &= np.isfinite(strength)
    strength = np.where(good, strength, -np.inf)
    first = np.argmax(np.where((good & detected.T).any(axis=0), good & detected.T, detected.T), axis=0)
    strongest = np.argmax(strength, axis=0)
    own = strength[first, every]
    leads = strength[strongest, every] > np.where(np.isfinite(own), own, 0) + config.maximum_lead
    choice = np.where((own < config.minimum_signal_to_noise) & leads, strongest, first)
    reference = Catalog()
    for name, column in measured[0].columns.items():
        data = column.data.copy()
        for index, one in enumerate(measured[1:], 1):
            data[choice == index] = one[name][choice == index]
        reference.add(name, data, column.unit, column.description)
    footprint = objects.footprint_numbers()[: len(reference)]
    for index, band in enumerate(bands):
        reference.add(f"merge_measurement_{band.name}", choice == index, "", f"measured in the filter {band.name}")
        reference.add(f"merge_peak_{band.name}", detected[:, index], "", f"detected in the filter {band.name}")
        whole = objects.footprint_flags[band.name][footprint - 1]
        text = f"the footprint has pixels detected in {band.name}"
        reference.add(f"merge_footprint_{band.name}", whole, "", text)
    return reference
