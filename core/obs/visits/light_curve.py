"""The light curve of one object, from all images that it is on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.errors import DatasetNotFoundError, FileFormatError, MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.photo_calib import common_system, describe_magnitude
from obs.image.visit_info import VisitInfo
from obs.instrument.barycenter import mid_exposure_mjd
from obs.plural import count_of
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.fits_exposure_header import header_visit_info
from obs.repo.header_times import infer_visit_info
from obs.sky_vectors import sky_positions, sky_vectors
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.forced.ensemble import Ensemble, fit_ensemble
from obs.tasks.proper_motion import move_to_epoch
from obs.visits.calibration import FrameCalibration, best_calibration
from obs.visits.comparison_stars import Detections, detections_on, find_comparison_stars, recentered
from obs.visits.constant_neighbors import REACH, Neighbors, find_neighbors, settle_fluxes
from obs.visits.forced import ForcedFrame, force_image
from obs.visits.reference_neighbors import reference_stars

__all__ = ["LightCurve", "measure_light_curve"]

Floats = NDArray[np.float64]

_PSF = "base_PsfFlux"
_MOTIONS = ("pm_ra", "pm_dec", "epoch")
_SAME_STAR = 0.5  # FWHM
#: A star this close to the position is the object, FWHM.
_PRESENT = 0.7
#: A share of the images that are deep enough must show the object, or else it may move.
_BRIGHT, _MISSING = 10.0, 0.2
_MARGIN = 50.0  # pixels; an image whose own WCS puts the object farther outside is not looked at
#: A position that is given counts as that of the star if they differ by less than this, FWHM.
_SAME_PLACE = 0.03
#: Another flux than that of the PSF must repeat better by this factor to be taken, with as many stars but this share.
_BETTER, _AS_MANY = 0.9, 0.8
#: Stars from which it is judged how well the object can be measured: those nearest in brightness.
_ALIKE = 20
#: Comparison stars that must be left for one to be the check star.
_FEWEST_OTHERS = 5
#: Scatter of those stars beyond their errors is believed from so many standard errors on.
_SIGNIFICANT = 3.0
#: Flags of the object that are kept, in the order of their letters.
_FLAGS = {"saturatedCenter": "S", "crCenter": "C", "interpolatedCenter": "I", "streakCenter": "T", "bad": "B",
          "edge": "E"}  # fmt: skip


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
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@frozen
class _Image:
    """An image that can hold the object, and its sources if it has a catalog."""

    data_id: dict[str, Any]
    physical_filter: str
    detections: Detections | None


@dataclass
class _Point:
    """The object, in the first row, and the comparison stars on one image; its pixels are not kept.

    ``neighbors`` are fluxes and errors of the stars beside the object.
    """

    data_id: dict[str, Any]
    physical_filter: str
    catalog: Catalog
    calibration: FrameCalibration
    seeing: float
    visit_info: VisitInfo | None
    neighbors: tuple[Floats, Floats]

    @classmethod
    def of(cls, image: _Image, frame: ForcedFrame) -> "_Point":
        """Return what is kept of an image."""
        exposure = frame.exposure
        seeing = float(exposure.metadata.get("SEEING", np.nan) or np.nan)
        light = frame.neighbor_flux, frame.neighbor_error
        name = exposure.physical_filter
        return cls(image.data_id, name, frame.catalog, frame.calibration, seeing, exposure.visit_info, light)

    @property
    def name(self) -> str:
        """Data ID of the image."""
        return format_data_id(self.data_id)

    def value(self, column: str) -> float:
        """Return a value of the object."""
        return float(self.catalog[column][0])

    def value_of(self, star: int, column: str) -> float:
        """Return a value of a star; NaN if it is not on the image or 0, which is the object."""
        rows = np.flatnonzero(self.catalog["objectId"] == star)
        return float(self.catalog[column][rows[0]]) if star > 0 and len(rows) else np.nan


@frozen
class _Choice:
    """What a light curve in one filter rests on.

    ``offset``, ``error`` and ``n_star`` have shape (n_image,), magnitudes; ``floor`` is the scatter beyond the known
    errors of stars as bright as the object; ``stars`` are their numbers among all comparison stars, and ``check`` is
    that of the check star, or -1.
    """

    flux: str
    ensemble: Ensemble
    shift: float
    floor: float
    stars: NDArray[np.int64]
    check: int


def measure_light_curve(
    butler: Butler,
    data_ids: Sequence[Mapping[str, Any]],
    target: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
    flux: str | None = None,
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

    Raises
    ------
    MeasurementError
        If the object is on none of the images, or there is no such flux.
    """
    curve = LightCurve(Catalog())
    images = _near_images(butler, data_ids, target, tract, curve)
    seen = [image.detections for image in images if image.detections is not None]
    target = _recenter(target, seen, config, curve)
    _warn_of_absence(seen, curve)
    beside = _neighbors(butler, images, target, config)
    positions = _positions(target, find_comparison_stars(seen), beside.values(), seen)
    points: list[_Point] = []
    for image in images:
        near = beside[image.physical_filter].unknown()
        try:
            frame = force_image(butler, image.data_id, positions, config, tract=tract, neighbors=near)
        except (DatasetNotFoundError, FileFormatError, MeasurementError) as error:
            curve.skipped.append((format_data_id(image.data_id), str(error)))
            continue
        if len(frame.catalog) and frame.catalog["objectId"][0] == 0:
            points.append(_Point.of(image, frame))
    if not points:
        why = f": {curve.skipped[0][1]}" if curve.skipped else ""
        raise MeasurementError(
            f"the position {float(target['coord_ra'][0]):.5f}, {float(target['coord_dec'][0]):.5f} is on none of "
            f"{len(data_ids)} images{why}; obs where RA,DEC names the images that hold a position"
        )
    points.sort(key=lambda point: point.value("mjd_mid"))
    names = _flux_names(points[0].catalog, flux)
    filters = np.array([point.physical_filter for point in points])
    columns: dict[str, NDArray[Any]] = {}
    for physical_filter in dict.fromkeys(filters.tolist()):
        rows = np.flatnonzero(filters == physical_filter)
        chosen = [points[row] for row in rows]
        choice = _choose(chosen, names, len(positions))
        if len(beside[physical_filter]) and len(chosen) > 1:
            offset = np.nan_to_num(choice.ensemble.offset)
            one = positions.select(np.array([0]))
            _hold_neighbors(butler, chosen, offset, beside[physical_filter], one, config, tract, curve)
        for name, part in _columns(chosen, choice).items():
            columns.setdefault(name, np.full(len(points), np.nan))[rows] = part
        _describe(curve, physical_filter, choice, positions, len(rows))
    curve.table = _make_table(points, columns, curve.fluxes, config)
    return curve


def _warn_of_absence(images: Sequence[Detections], curve: LightCurve) -> None:
    """Warn if a star that some images show at the position is missing on others that are deep enough."""
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


def _neighbors(butler: Butler, images: Sequence[_Image], target: Catalog, config: ForcedConfig) -> dict[str, Neighbors]:
    """Return the stars beside the object as the images of each filter show them."""
    found = {}
    for name in dict.fromkeys(image.physical_filter for image in images):
        seen = [one.detections for one in images if one.physical_filter == name and one.detections is not None]
        reference = None
        if config.reference_neighbors and seen:
            margin = np.degrees(REACH * float(np.median([one.fwhm for one in seen])))
            mjd = float(np.median([one.mjd for one in seen]))
            moved = move_to_epoch(target, mjd)
            ra, dec = (np.asarray(moved[f"coord_{axis}"][:1], np.float64) for axis in ("ra", "dec"))
            reference = reference_stars(butler, name, ra, dec, margin, mjd, config)
        found[name] = find_neighbors(seen, reference, config)
    return found


def _hold_neighbors(
    butler: Butler,
    points: Sequence[_Point],
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
        again = force_image(butler, point.data_id, target, config, tract=tract, neighbors=settled.scaled(1.0 / factor))
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
) -> list[_Image]:
    """Return the images that can hold the object, by their own WCS, and their sources; pixels are not read."""
    images = []
    for data_id in map(dict, data_ids):
        try:
            header = butler.get("calexp_md", data_id)
            calibration = best_calibration(butler, data_id, tract=tract)
            if calibration.wcs is None:
                raise MeasurementError("its calexp has no WCS; process it with a reference catalog that covers it")
            info = header_visit_info(header) or infer_visit_info(header)
            mjd = mid_exposure_mjd(info)
            moved = move_to_epoch(target, mjd)
            x, y = calibration.wcs.sky_to_pixel(ra=moved["coord_ra"], dec=moved["coord_dec"])
            size = [float(header.get(f"NAXIS{axis}", np.inf)) for axis in (1, 2)]
            if not all(-_MARGIN < place[0] < end + _MARGIN for place, end in zip((x, y), size, strict=True)):
                continue
            seeing = float(header.get("SEEING", np.nan) or np.nan)
            place = sky_vectors(moved["coord_ra"], moved["coord_dec"]).reshape(3)
            found = detections_on(butler, data_id, calibration, seeing, place, mjd)
            physical_filter = str(butler.get("calexp_filter", data_id) or "")
        except (DatasetNotFoundError, FileFormatError, MeasurementError) as error:
            curve.skipped.append((format_data_id(data_id), str(error)))
            continue
        known = found is not None and np.isfinite(found.fwhm)
        images.append(_Image(data_id, physical_filter, found if known else None))
    return images


def _recenter(target: Catalog, images: Sequence[Detections], config: ForcedConfig, curve: LightCurve) -> Catalog:
    """Move the object to where the images show it, if it is near enough for no doubt."""
    offset = recentered(images, config.recenter) if config.recenter else None
    if offset is None:
        return target
    distance = float(np.linalg.norm(offset))
    if distance < _SAME_PLACE * float(np.median([image.fwhm for image in images])):
        return target
    found = sky_vectors(target["coord_ra"], target["coord_dec"]).reshape(3) + offset
    moved = Catalog()
    ra, dec = sky_positions(found[None] / np.linalg.norm(found))
    for name, value in (("coord_ra", ra), ("coord_dec", dec)):
        moved.add(name, value, "deg")
    for name in _MOTIONS:
        if name in target:
            moved.columns[name] = target.columns[name]
    curve.notes.append(
        f"measured at {ra[0]:.6f},{dec[0]:.6f}, where the star is found: {3600.0 * np.degrees(distance):.2f} arcsec "
        "from the position given (-c recenter=0 keeps that)"
    )
    return moved


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
    for name in _MOTIONS:
        if name in target:
            column = target.columns[name]  # comparison stars are measured at their mean places
            values = np.append(np.asarray(column.data[:1], np.float64), np.full(len(ra), np.nan))
            catalog.add(name, values, column.unit, column.description)
    return catalog


def _flux_names(catalog: Catalog, flux: str | None) -> list[str]:
    """Return the fluxes among which to choose, the PSF's first."""
    there = [column.removesuffix("_mag") for column in catalog.columns if column.endswith("_mag")]
    if flux is None:
        return sorted(there, key=lambda name: name != _PSF)
    if flux not in there:
        raise MeasurementError(f"there is no flux '{flux}'; there are {', '.join(there)}")
    return [flux]


def _choose(points: Sequence[_Point], names: Sequence[str], n_position: int) -> _Choice:
    """Return the flux with which stars as bright as the object repeat best; that of the PSF where none is better."""
    star = np.concatenate([point.catalog["objectId"] for point in points]).astype(np.int64)
    image = np.concatenate([np.full(len(point.catalog), n) for n, point in enumerate(points)]).astype(np.int64)
    psf = np.concatenate([point.catalog[f"{_PSF}_mag"] for point in points])
    choices: list[_Choice] = []
    least = np.inf
    for name in names:
        magnitude, error = (np.concatenate([p.catalog[f"{name}_{end}"] for p in points]) for end in ("mag", "magErr"))
        use = (star > 0) & np.isfinite(magnitude) & np.isfinite(error) & _unflawed(points, name)
        ensemble = fit_ensemble(magnitude[use], error[use], star[use] - 1, image[use], n_position - 1, len(points))
        both = use & np.isfinite(psf)
        shift = float(np.median((psf - magnitude)[both])) if both.any() and name != _PSF else 0.0
        own = magnitude[star == 0] + shift
        brightness = float(np.nanmedian(own)) if np.isfinite(own).any() else np.nan
        check = _check_star(ensemble, brightness, shift)
        if check >= 0:
            part = use & (star - 1 != check)
            ensemble = fit_ensemble(
                magnitude[part], error[part], star[part] - 1, image[part], n_position - 1, len(points)
            )
        alike = _alike(ensemble, brightness, shift)
        scatter = float(np.median(ensemble.star_scatter[alike])) if len(alike) else np.inf
        floor = _scatter_beyond_errors(ensemble, alike, len(points))
        number = int(ensemble.constant.sum())
        if not choices or (scatter < _BETTER * least and number > _AS_MANY * len(choices[0].stars)):
            choices.append(_Choice(name, ensemble, shift, floor, np.flatnonzero(ensemble.constant), check))
            least = scatter
    return choices[-1]


def _unflawed(points: Sequence[_Point], name: str) -> NDArray[np.bool_]:
    """Return which measurements are free of damaged pixels, of all positions on all images."""
    flags = [f"{name}_flag", *(f"base_PixelFlags_flag_{flag}" for flag in _FLAGS)]
    return np.concatenate([~np.any([point.catalog[flag] for flag in flags], axis=0) for point in points])


def _check_star(ensemble: Ensemble, magnitude: float, shift: float) -> int:
    """Return the comparison star nearest to the object in brightness, if enough others are left; else -1."""
    alike = _alike(ensemble, magnitude, shift)
    return int(alike[0]) if len(alike) > _FEWEST_OTHERS else -1


def _alike(ensemble: Ensemble, magnitude: float, shift: float) -> NDArray[np.int64]:
    """Return the comparison stars that are nearest to the object in brightness."""
    stars = np.flatnonzero(np.isfinite(ensemble.star_scatter))
    away = np.abs(ensemble.magnitude[stars] + shift - magnitude)
    return stars[np.argsort(away, kind="stable")][:_ALIKE]


def _scatter_beyond_errors(ensemble: Ensemble, stars: NDArray[np.int64], n_image: int) -> float:
    """Return the scatter of some stars that their errors do not explain, magnitudes; 0 where it may be chance."""
    degrees = len(stars) * (n_image - 1)
    if degrees < 1:
        return 0.0
    ratio = (ensemble.star_scatter[stars] / ensemble.star_error[stars]) ** 2
    if ratio.mean() < 1.0 + _SIGNIFICANT * np.sqrt(2.0 / degrees):
        return 0.0
    beyond = ensemble.star_scatter[stars] ** 2 - ensemble.star_error[stars] ** 2
    return float(np.sqrt(max(np.median(beyond), 0.0)))


def _columns(points: Sequence[_Point], choice: _Choice) -> dict[str, Floats]:
    """Return what the table has of one filter."""
    flux, ensemble = choice.flux, choice.ensemble
    shift = np.nan_to_num(ensemble.offset) + choice.shift
    errors = np.array([point.value(f"{flux}_magErr") for point in points])
    found = {
        "magnitude": np.array([point.value(f"{flux}_mag") for point in points]) + shift,
        "magnitude_error": np.sqrt(errors**2 + np.nan_to_num(ensemble.error) ** 2 + choice.floor**2),
        "upper_limit": np.array([point.value(f"{flux}_magLimit") for point in points]) + shift,
        "flux": np.array([point.value(f"{flux}_instFlux") for point in points]),
        "flux_error": np.array([point.value(f"{flux}_instFluxErr") for point in points]),
        "zero_point_offset": ensemble.offset,
        "n_comparison": ensemble.n_star.astype(np.float64),
        "check_magnitude": np.array([point.value_of(choice.check + 1, f"{flux}_mag") for point in points]) + shift,
    }
    return found


def _describe(curve: LightCurve, physical_filter: str, choice: _Choice, positions: Catalog, n_image: int) -> None:
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
    if choice.flux != _PSF:
        curve.notes.append(f"{physical_filter}: {choice.flux}")
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


def _make_table(
    points: Sequence[_Point], columns: Mapping[str, Floats], fluxes: Mapping[str, str], config: ForcedConfig
) -> Catalog:
    table = Catalog()
    table.add("bjd_tdb", _values(points, "bjd_tdb"), "d", "middle of the exposure, barycentric Julian date, TDB")
    table.add("mjd_mid", _values(points, "mjd_mid"), "d", "middle of the exposure, modified Julian day, UTC")
    filters = np.array([point.physical_filter for point in points])
    table.add("filter", filters, "", "physical filter")
    system = common_system(point.calibration.photo_calib for point in points)
    text = f"{describe_magnitude(system)}, differential; NaN if not positive"
    table.add("magnitude", columns["magnitude"], "mag", text)
    text = "standard error, with that of the comparison stars, and what they scatter beyond their errors"
    table.add("magnitude_error", columns["magnitude_error"], "mag", text)
    text = f"flux (0 if it is negative) plus {config.upper_limit:g} of its standard errors: the object is fainter"
    table.add("upper_limit", columns["upper_limit"], "mag", text)
    names = ", ".join(dict.fromkeys(fluxes.values()))
    table.add("flux", columns["flux"], "ct", f"{names}_instFlux")
    table.add("flux_error", columns["flux_error"], "ct", f"{names}_instFluxErr")
    flags = [_letters(point.catalog, fluxes[name]) for point, name in zip(points, filters.tolist(), strict=True)]
    legend = ", ".join(f"{letter} {name}" for name, letter in _FLAGS.items())
    table.add("flags", np.array(flags, dtype="U8"), "", f"{legend}, P flux not to be trusted")
    table.add("seeing", np.array([point.seeing for point in points]), "arcsec", "full width at half maximum of the PSF")
    facts = [point.visit_info for point in points]
    airmass = [np.nan if info is None else info.airmass for info in facts]
    table.add("airmass", np.array(airmass, np.float64), "", "airmass")
    seconds = [np.nan if info is None else info.exposure_time for info in facts]
    table.add("exposure_time", np.array(seconds, np.float64), "s", "exposure time")
    text = "added to the magnitude so that the comparison stars are constant"
    table.add("zero_point_offset", columns["zero_point_offset"], "mag", text)
    text = "magnitude of the check star, which is constant, as bright as the object, and no comparison star"
    table.add("check_magnitude", columns["check_magnitude"], "mag", text)
    table.add("n_comparison", columns["n_comparison"].astype(np.int64), "", "number of comparison stars")
    table.add("data_id", np.array([point.name for point in points]), "", "data ID of the image")
    table.metadata["CALIB"] = "; ".join(dict.fromkeys(str(point.calibration) for point in points))
    return table


def _values(points: Sequence[_Point], column: str) -> Floats:
    return np.array([point.value(column) for point in points])


def _letters(catalog: Catalog, flux: str) -> str:
    """Return the letters of the flags that the object has."""
    letters = "".join(letter for name, letter in _FLAGS.items() if catalog[f"base_PixelFlags_flag_{name}"][0])
    if f"{flux}_flag_edge" in catalog and catalog[f"{flux}_flag_edge"][0] and "E" not in letters:
        letters += "E"
    return letters + ("P" if catalog[f"{flux}_flag"][0] else "")
