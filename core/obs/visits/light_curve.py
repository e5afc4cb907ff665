"""The light curve of one object, from all images that it is on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.errors import DataIdError, DatasetNotFoundError, FileFormatError, MeasurementError
from obs.image.catalog import Catalog
from obs.plural import count_of
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.sky_vectors import sky_positions, sky_vectors
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.forced.ensemble import Ensemble
from obs.tasks.proper_motion import MOTION_COLUMNS, move_to_epoch
from obs.visits.comparison_stars import Detections, find_comparison_stars
from obs.visits.constant_neighbors import APART, REACH, Neighbors, find_neighbors, settle_fluxes
from obs.visits.flux_choice import PSF_FLUX, Choice, choose_flux, find_fluxes
from obs.visits.forced import force_image
from obs.visits.light_curve_point import Point
from obs.visits.light_curve_table import differential_columns, make_table, unusable_magnitudes
from obs.visits.near_images import NearImage, read_near_image
from obs.visits.recentering import recenter
from obs.visits.reference_neighbors import reference_stars
from obs.visits.separated_neighbors import separated_neighbors

__all__ = ["LightCurve", "measure_light_curve"]

Floats = NDArray[np.float64]

_SAME_STAR = 0.5  # FWHM
#: A star this close to the position is the object, FWHM.
_PRESENT = 0.7
#: A share of the images that are deep enough must show the object, or else it may move.
_BRIGHT, _MISSING = 10.0, 0.2


@dataclass
class LightCurve:
    """Light curve of one object, a row for each image.

    Parameters
    ----------
    table : Catalog
        One row for each image, in the order of time.
    ensembles : dict of str to Ensemble
        The comparison stars of each filter.
    comparison : dict of str to Catalog
        Positions and mean magnitudes of the comparison stars of each filter.
    check : dict of str to (float, float)
        Right ascension and declination, degrees, of the check star of each filter: constant, as bright as the object,
        and not among the comparison stars.
    fluxes : dict of str to str
        The flux that was taken for each filter, as the beginning of a column's name.
    instrumental : set of str
        Filters in which no image has a zero point, so that magnitudes are instrumental.
    skipped : list of (str, str)
        Images that could not be used, each with the reason.
    notes, warnings : list of str
        What was decided, and what the user should know.
    """

    table: Catalog
    ensembles: dict[str, Ensemble] = field(default_factory=dict)
    comparison: dict[str, Catalog] = field(default_factory=dict)
    check: dict[str, tuple[float, float]] = field(default_factory=dict)
    fluxes: dict[str, str] = field(default_factory=dict)
    instrumental: set[str] = field(default_factory=set)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def measure_light_curve(
    butler: Butler,
    data_ids: Sequence[Mapping[str, Any]],
    target: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
    flux: str | None = None,
    check: Catalog | None = None,
) -> LightCurve:
    """Measure one object on all images, against stars that do not vary.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of mapping
        Images; the object need not be on all.
    target : Catalog
        One row: ``objectId``, ``coord_ra``, ``coord_dec`` (degrees); with ``pm_ra``, ``pm_dec`` and ``epoch`` (MJD) the
        position is moved to the date of each image.
    config : ForcedConfig
        Settings.
    tract : int, optional
        Tract of the common calibration.
    flux : str, optional
        Beginning of the name of the flux: ``base_PsfFlux``, or an aperture flux. By default that of the PSF, or an
        aperture with which comparison stars as bright as the object repeat better.
    check : Catalog, optional
        One row with the check star, as ``target``. By default a constant star as bright as the object.

    Raises
    ------
    MeasurementError
        If the object is on none of the images, or there is no such flux.
    """
    curve = LightCurve(Catalog())
    images = _near_images(butler, data_ids, target, tract, curve)
    images = _with_instrumental_magnitudes(butler, images, target, tract, curve)
    seen = [image.detections for image in images if image.detections is not None]
    target, moved = _recenter(butler, images, target, config)
    curve.notes += [moved] if moved else []
    beside = _neighbors(butler, images, target, config)
    _warn_of_absence([one for one in images if not _is_beside(one, beside[one.physical_filter])], curve)
    positions = _positions(target, find_comparison_stars(seen), beside.values(), seen)
    tested = None
    if check is not None:
        positions, tested = _with_check_star(positions, check, seen)
    points: list[Point] = []
    for image in images:
        near = beside[image.physical_filter].unknown()
        instrumental = image.physical_filter in curve.instrumental
        try:
            frame = force_image(
                butler, image.data_id, positions, config, tract=tract, neighbors=near, instrumental=instrumental
            )
        except (DatasetNotFoundError, FileFormatError, MeasurementError) as error:
            curve.skipped.append((format_data_id(image.data_id), str(error)))
            continue
        if len(frame.catalog) and frame.catalog["objectId"][0] == 0:
            points.append(Point.of(image.data_id, frame))
    if not points:
        why = f": {curve.skipped[0][1]}" if curve.skipped else ""
        raise MeasurementError(
            f"the position {float(target['coord_ra'][0]):.5f}, {float(target['coord_dec'][0]):.5f} is on none of "
            f"{len(data_ids)} images{why}; obs where RA,DEC names the images that hold a position"
        )
    points.sort(key=lambda point: point.value("mjd_mid"))
    without = [point.name for point in points if point.calibration.photo_calib is None]
    if without:
        curve.warnings.append(
            f"{count_of(len(without), 'image')} without a zero point, so without a magnitude: {'; '.join(without[:3])}"
            f"{'; ...' if len(without) > 3 else ''}; process with a reference catalog that covers them, or run obs "
            "calibrate-visits, which fits zero points of exposures of one field together"
        )
    names = find_fluxes(points[0].catalog, flux)
    filters = np.array([point.physical_filter for point in points])
    columns: dict[str, NDArray[Any]] = {}
    for physical_filter in dict.fromkeys(filters.tolist()):
        rows = np.flatnonzero(filters == physical_filter)
        chosen = [points[row] for row in rows]
        choice = choose_flux(chosen, names, len(positions), tested)
        if len(beside[physical_filter]) and len(chosen) > 1:
            offset = np.nan_to_num(choice.ensemble.offset)
            one = positions.select(np.array([0]))
            _hold_neighbors(butler, chosen, offset, beside[physical_filter], one, config, tract, curve)
        for name, part in differential_columns(chosen, choice).items():
            columns.setdefault(name, np.full(len(points), np.nan))[rows] = part
        _describe(curve, physical_filter, choice, positions, len(rows))
    curve.table = make_table(points, columns, curve.fluxes, config)
    curve.warnings += unusable_magnitudes(curve.table)
    if check is not None and not np.isfinite(curve.table["check_magnitude"]).any():
        curve.warnings.append("the check star has no magnitude on any of the images; choose another one with --check")
    return curve


def _is_beside(image: NearImage, neighbors: Neighbors) -> bool:
    """Whether an image may show the object and a star beside it as one source, somewhere between."""
    seen = image.detections
    if seen is None or not len(neighbors):
        return False
    return bool(np.linalg.norm(neighbors.vectors - seen.target, axis=1).min() < APART * seen.fwhm)


def _warn_of_absence(near: Sequence[NearImage], curve: LightCurve) -> None:
    """Warn if a star that some images show at the position is missing on others that are deep enough."""
    images = [image.detections for image in near if image.detections is not None and image.inside[0]]
    if not images:
        return
    there = np.array([image.nearest() for image in images]).reshape(-1, 2)
    found = there[:, 0] < _PRESENT
    if not found.any():
        return
    noise = np.array([image.noise for image in images])
    missing = int(np.count_nonzero(~found & (np.median(there[found, 1]) > _BRIGHT * noise)))
    if missing > _MISSING * len(images):
        curve.warnings.append(
            f"no star is found at the position on {missing} of {len(images)} images, on which that of the others would "
            "be bright: it fades, or moves. Give its proper motion in a table (--table FILE with pmra, pmdec and "
            "ref_epoch), or run obs calibrate-visits, which finds motions"
        )


def _recenter(
    butler: Butler, images: Sequence[NearImage], target: Catalog, config: ForcedConfig
) -> tuple[Catalog, str]:
    """Return the object where images show it alone; stars beside it count even if they are not to be subtracted."""
    every = {"subtract_neighbors": True, "hold_neighbors": True, "reference_neighbors": True}
    beside = _neighbors(butler, images, target, config.model_copy(update=every)) if config.recenter else {}
    seen = [(one.detections, beside[one.physical_filter]) for one in images if beside and one.detections is not None]
    return recenter(target, seen, config)


def _neighbors(
    butler: Butler, images: Sequence[NearImage], target: Catalog, config: ForcedConfig
) -> dict[str, Neighbors]:
    """Return the stars beside the object as the images of each filter show them."""
    found = {}
    for name in dict.fromkeys(image.physical_filter for image in images):
        own = [one for one in images if one.physical_filter == name]
        seen = [one.detections for one in own if one.detections is not None]
        reference = None
        if config.reference_neighbors and seen and any(one.has_zero_point for one in own):
            margin = np.degrees(REACH * float(np.median([one.fwhm for one in seen])))
            mjd = float(np.median([one.mjd for one in seen]))
            moved = move_to_epoch(target, mjd)
            ra, dec = (np.asarray(moved[f"coord_{axis}"][:1], np.float64) for axis in ("ra", "dec"))
            reference = reference_stars(butler, name, ra, dec, margin, mjd, config)
        separated = separated_neighbors(own, config)
        found[name] = find_neighbors(seen, separated, reference, config)
    return found


def _hold_neighbors(
    butler: Butler,
    points: Sequence[Point],
    offset: Floats,
    near: Neighbors,
    target: Catalog,
    config: ForcedConfig,
    tract: int | None,
    curve: LightCurve,
) -> None:
    """Measure the object again on the images of one filter, with the fluxes that its neighbors have on all of them."""
    scale = 10.0 ** (-0.4 * offset)
    light, errors = (np.stack([point.neighbors[part] for point in points]) * scale[:, None] for part in (0, 1))
    settled, varies = settle_fluxes(near, light, errors)
    for point, factor in zip(points, scale.tolist(), strict=True):
        again = force_image(
            butler,
            point.data_id,
            target,
            config,
            tract=tract,
            neighbors=settled.scaled(1.0 / factor),
            instrumental=point.physical_filter in curve.instrumental,
        )
        for name, column in again.catalog.columns.items():
            if name not in ("id", "objectId"):
                point.catalog[name][0] = column.data[0]
    held = int((~varies).sum())
    if held:
        curve.notes.append(
            f"{points[0].physical_filter}: {count_of(held, 'star')} beside the object with one flux for all images "
            "(-c hold_neighbors=false fits them on each)"
        )
    if varies.any():
        curve.notes.append(
            f"{points[0].physical_filter}: {count_of(int(varies.sum()), 'star')} beside the object "
            f"{'varies' if varies.sum() == 1 else 'vary'} and is fitted on each image"
        )


def _near_images(
    butler: Butler, data_ids: Sequence[Mapping[str, Any]], target: Catalog, tract: int | None, curve: LightCurve
) -> list[NearImage]:
    """Return the images that can hold the object; for others, the reason is kept if there is one."""
    images = []
    for data_id in map(dict, data_ids):
        try:
            image = read_near_image(butler, data_id, target, tract)
        except (DatasetNotFoundError, FileFormatError, MeasurementError) as error:
            curve.skipped.append((format_data_id(data_id), str(error)))
            continue
        if image is not None:
            images.append(image)
    return images


def _with_instrumental_magnitudes(
    butler: Butler, images: list[NearImage], target: Catalog, tract: int | None, curve: LightCurve
) -> list[NearImage]:
    """Return the images with instrumental magnitudes in the filters in which none has a zero point.

    Comparison stars need no zero point, and a filter that no reference catalog has (none, luminance, a narrow band) is
    what variable stars are often observed in.
    """
    known = {image.physical_filter for image in images if image.has_zero_point}
    curve.instrumental = {image.physical_filter for image in images} - known
    for name in sorted(curve.instrumental):
        try:
            band = butler.instrument.find_filter(name).band
        except DataIdError:
            band = name
        curve.warnings.append(
            f"{name}: none of its images has a zero point: magnitudes are instrumental, 25 for 1 count per second, and "
            "show changes only; for others, process with a reference catalog that has the filter's band, or with "
            f"-c calibrate.reference.flux_names.{band}=OTHER, where OTHER is a band near to it that the catalog has"
        )
    again = (
        read_near_image(butler, image.data_id, target, tract, instrumental=True)
        if image.physical_filter in curve.instrumental
        else image
        for image in images
    )
    return [image for image in again if image is not None]


def _positions(target: Catalog, stars: Floats, beside: Iterable[Neighbors], images: Sequence[Detections]) -> Catalog:
    """Return the object, with number 0, and the comparison stars, which are not those beside it."""
    for near in beside:
        if len(near) and len(stars):
            fwhm = float(np.median([image.fwhm for image in images]))
            stars = stars[PointTree(near.vectors).nearest(stars)[0] > _SAME_STAR * fwhm]
    ra, dec = sky_positions(stars)
    catalog = Catalog()
    catalog.add("objectId", np.arange(1 + len(stars)))
    catalog.add("coord_ra", np.append(target["coord_ra"][:1], ra), "deg", "right ascension")
    catalog.add("coord_dec", np.append(target["coord_dec"][:1], dec), "deg", "declination")
    for name in MOTION_COLUMNS:
        if name in target:
            column = target.columns[name]  # comparison stars are measured at their mean places
            values = np.append(np.asarray(column.data[:1], np.float64), np.full(len(ra), np.nan))
            catalog.add(name, values, column.unit, column.description)
    return catalog


def _with_check_star(positions: Catalog, check: Catalog, images: Sequence[Detections]) -> tuple[Catalog, int]:
    """Return the positions with the check star that the user wants, and its number among the stars.

    Raises
    ------
    MeasurementError
        If it is the object.
    """
    place = sky_vectors(check["coord_ra"], check["coord_dec"])
    distance = np.linalg.norm(sky_vectors(positions["coord_ra"], positions["coord_dec"]) - place, axis=1)
    near = _SAME_STAR * float(np.median([image.fwhm for image in images])) if images else 0.0
    if distance[0] <= near:
        raise MeasurementError("the check star is the object itself; choose another one with --check")
    nearest = int(distance.argmin())
    if distance[nearest] <= near:
        return positions, nearest - 1
    number = len(positions)
    longer = Catalog()
    for name, column in positions.columns.items():
        last = {"objectId": number}.get(name, check[name][0] if name in check else np.nan)
        longer.add(name, np.append(column.data, last), column.unit, column.description)
    return longer, number - 1


def _describe(curve: LightCurve, physical_filter: str, choice: Choice, positions: Catalog, n_image: int) -> None:
    """Note in a light curve what it rests on in one filter."""
    ensemble = choice.ensemble
    curve.ensembles[physical_filter], curve.fluxes[physical_filter] = ensemble, choice.flux
    comparison = Catalog()
    for name in ("coord_ra", "coord_dec"):
        comparison.add(name, positions[name][choice.stars + 1], "deg", positions.columns[name].description)
    comparison.add("magnitude", ensemble.magnitude[choice.stars] + choice.shift, "mag", "mean magnitude")
    comparison.add("scatter", ensemble.star_scatter[choice.stars], "mag", "root mean square about the mean")
    comparison.add("error", ensemble.star_error[choice.stars], "mag", "standard error of one magnitude")
    curve.comparison[physical_filter] = comparison
    if choice.check >= 0:
        row = choice.check + 1
        curve.check[physical_filter] = float(positions["coord_ra"][row]), float(positions["coord_dec"][row])
    if choice.flux != PSF_FLUX:
        curve.notes.append(f"{physical_filter}: {choice.flux}")
    if choice.doubt:
        curve.warnings.append(f"{physical_filter}: {choice.doubt}")
    if choice.floor > 0:
        curve.notes.append(
            f"{physical_filter}: stars as bright as the object scatter by {1e3 * choice.floor:.1f} mmag beyond their "
            "errors; magnitude_error contains this"
        )
    alone = int(np.isnan(ensemble.offset).sum())
    if alone:
        curve.warnings.append(
            f"{physical_filter}: {alone} of {n_image} images have fewer than 3 comparison stars; their "
            "magnitudes rest on their own zero points"
        )
