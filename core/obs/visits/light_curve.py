"""The light curve of one object, from all images that it is on."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.relative.group import group_detections
from obs.errors import DatasetNotFoundError, FileFormatError, MeasurementError
from obs.htm import sky_vectors
from obs.image.catalog import Catalog
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.forced.ensemble import Ensemble, fit_ensemble
from obs.tasks.reference import usable_sources
from obs.visits.forced import ForcedFrame, force_image

__all__ = ["LightCurve", "measure_light_curve"]

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_PSF = "base_PsfFlux"
_MAGNITUDES = 2.5 / np.log(10.0)
_MATCH = 1.0  # arcsec; detections of one star
_SAME = 3.0  # arcsec; stars this close to the object are not in the ensemble
_SIGNAL_TO_NOISE = 50.0
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
    skipped : list of (str, str)
        Images that could not be used, each with the reason.
    warnings : list of str
        What the user should know.
    """

    table: Catalog
    ensembles: dict[str, Ensemble] = field(default_factory=dict)
    comparison: dict[str, Catalog] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class _Point:
    """The object, and the bright stars, on one image."""

    name: str
    data_id: dict[str, Any]
    physical_filter: str
    frame: ForcedFrame
    stars: Catalog


def measure_light_curve(
    butler: Butler,
    data_ids: Sequence[Mapping[str, Any]],
    target: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
    flux: str = _PSF,
) -> LightCurve:
    """Measure one object on all images, against stars that do not vary.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of mapping
        Images; the object need not be on all.
    target : Catalog
        One row: ``objectId``, ``coord_ra``, ``coord_dec`` (degrees).
    config : ForcedConfig
        Settings.
    tract : int, optional
        Tract of the common calibration.
    flux : str, optional
        Beginning of the name of the flux: ``base_PsfFlux``, or an aperture flux.

    Raises
    ------
    MeasurementError
        If the object is on none of the images.
    """
    curve = LightCurve(Catalog())
    points: list[_Point] = []
    for data_id in data_ids:
        name = format_data_id(data_id)
        try:
            point = _measure_point(butler, dict(data_id), name, target, config, tract, flux)
        except (DatasetNotFoundError, FileFormatError, MeasurementError) as error:
            curve.skipped.append((name, str(error)))
            continue
        if point is not None:
            points.append(point)
    if not points:
        why = f": {curve.skipped[0][1]}" if curve.skipped else ""
        raise MeasurementError(
            f"the position {float(target['coord_ra'][0]):.5f}, {float(target['coord_dec'][0]):.5f} is on none of "
            f"{len(data_ids)} images{why}; obs where RA,DEC names the images that hold a position"
        )
    points.sort(key=lambda point: float(point.frame.catalog["mjd_mid"][0]))
    filters = np.array([point.physical_filter for point in points])
    offset, offset_error, n_star = (np.full(len(points), np.nan) for _ in range(3))
    for physical_filter in dict.fromkeys(filters.tolist()):
        rows = np.flatnonzero(filters == physical_filter)
        ensemble, comparison = _compare([points[row] for row in rows], target)
        offset[rows], offset_error[rows], n_star[rows] = ensemble.offset, ensemble.error, ensemble.n_star
        curve.ensembles[physical_filter], curve.comparison[physical_filter] = ensemble, comparison
        alone = int(np.isnan(ensemble.offset).sum())
        if alone:
            curve.warnings.append(
                f"{physical_filter}: {alone} of {len(rows)} images have fewer than 3 comparison stars; their "
                "magnitudes rest on their own zero points"
            )
    curve.table = _make_table(points, flux, offset, offset_error, n_star, config)
    return curve


def _measure_point(
    butler: Butler,
    data_id: dict[str, Any],
    name: str,
    target: Catalog,
    config: ForcedConfig,
    tract: int | None,
    flux: str,
) -> _Point | None:
    """Return the object on an image; None if it is not on it."""
    header_wcs = butler.get("calexp_md", data_id)
    if not _is_near(butler, data_id, target, header_wcs):
        return None
    frame = force_image(butler, data_id, target, config, tract=tract)
    if not len(frame.catalog):
        return None
    if f"{flux}_mag" not in frame.catalog:
        there = [column.removesuffix("_mag") for column in frame.catalog.columns if column.endswith("_mag")]
        raise MeasurementError(f"there is no flux '{flux}'; there are {', '.join(there)}")
    return _Point(name, data_id, frame.exposure.physical_filter, frame, _bright_stars(butler, data_id, frame))


def _is_near(butler: Butler, data_id: dict[str, Any], target: Catalog, header: Mapping[str, Any]) -> bool:
    """Return whether an image can hold the object, by its own WCS, so that others need not be read."""
    try:
        wcs = butler.get("calexp_wcs", data_id)
    except DatasetNotFoundError:
        raise MeasurementError("its calexp has no WCS; process it with a reference catalog that covers it") from None
    x, y = wcs.sky_to_pixel(ra=target["coord_ra"], dec=target["coord_dec"])
    width, height = (float(header.get(f"NAXIS{axis}", np.inf)) for axis in (1, 2))
    return bool(-50.0 < x[0] < width + 50.0 and -50.0 < y[0] < height + 50.0)


def _bright_stars(butler: Butler, data_id: dict[str, Any], frame: ForcedFrame) -> Catalog:
    """Return positions and magnitudes of stars that may serve for comparison; empty without catalog or zero point."""
    stars, calibration = Catalog(), frame.calibration
    try:
        catalog: Catalog = butler.get("src", data_id)
    except DatasetNotFoundError:
        return stars
    if calibration.photo_calib is None or calibration.wcs is None:
        return stars
    good = usable_sources(catalog, _SIGNAL_TO_NOISE) & (catalog["base_ClassificationExtendedness_value"] < 0.5)
    catalog = catalog.select(good)
    x, y = catalog["base_SdssCentroid_x"], catalog["base_SdssCentroid_y"]
    ra, dec = calibration.wcs.pixel_to_sky(x=x, y=y)
    brightness, error = catalog[f"{_PSF}_instFlux"], catalog[f"{_PSF}_instFluxErr"]
    for name, values in (("coord_ra", ra), ("coord_dec", dec)):
        stars.add(name, values, "deg")
    stars.add("magnitude", calibration.photo_calib.magnitude(brightness, x=x, y=y), "mag")
    stars.add("error", _MAGNITUDES * error / brightness, "mag")
    return stars


def _compare(points: Sequence[_Point], target: Catalog) -> tuple[Ensemble, Catalog]:
    """Return the zero points of images against each other, and the comparison stars."""
    names = ("coord_ra", "coord_dec", "magnitude", "error")
    parts = [point.stars for point in points if len(point.stars)]
    frame = np.concatenate([np.full(len(point.stars), number) for number, point in enumerate(points)]).astype(np.int64)
    empty = np.empty(0)
    ra, dec, magnitude, error = (np.concatenate([part[name] for part in parts]) if parts else empty for name in names)
    vectors = sky_vectors(ra, dec).reshape(-1, 3)
    own = sky_vectors(target["coord_ra"], target["coord_dec"]).reshape(-1, 3)
    far = np.linalg.norm(vectors - own[0], axis=1) > np.radians(_SAME / 3600.0)
    ra, dec, magnitude, error, frame, vectors = (part[far] for part in (ra, dec, magnitude, error, frame, vectors))
    star = group_detections(vectors, frame, _MATCH)
    known = star >= 0
    n_star = int(star.max(initial=-1)) + 1
    ensemble = fit_ensemble(magnitude[known], error[known], star[known], frame[known], n_star, len(points))
    comparison = Catalog()
    seen = np.maximum(np.bincount(star[known], minlength=n_star), 1)
    first = np.zeros(n_star, np.int64)
    first[star[known][::-1]] = np.flatnonzero(known)[::-1]
    rows = np.flatnonzero(ensemble.constant)
    if n_star:
        comparison.add("coord_ra", ra[first[rows]], "deg", "right ascension")
        comparison.add("coord_dec", dec[first[rows]], "deg", "declination")
        comparison.add("magnitude", ensemble.magnitude[rows], "mag", "mean magnitude")
        comparison.add("n_image", seen[rows], "", "number of images that it is on")
    return ensemble, comparison


def _make_table(
    points: Sequence[_Point], flux: str, offset: Floats, offset_error: Floats, n_star: Floats, config: ForcedConfig
) -> Catalog:
    def column(name: str) -> Floats:
        return np.array([point.frame.catalog[name][0] for point in points], np.float64)

    shift = np.nan_to_num(offset)
    photons = column(f"{flux}_magErr")
    table = Catalog()
    table.add("bjd_tdb", column("bjd_tdb"), "d", "middle of the exposure, barycentric Julian date, TDB")
    table.add("mjd_mid", column("mjd_mid"), "d", "middle of the exposure, modified Julian day, UTC")
    table.add("filter", np.array([point.physical_filter for point in points]), "", "physical filter")
    table.add("magnitude", column(f"{flux}_mag") + shift, "mag", "AB magnitude, differential; NaN if not positive")
    total = np.hypot(photons, np.nan_to_num(offset_error))
    table.add("magnitude_error", total, "mag", "standard error, with that of the comparison stars")
    text = f"fainter than this by {config.upper_limit:g} errors"
    table.add("upper_limit", column(f"{flux}_magLimit") + shift, "mag", text)
    table.add("flux", column(f"{flux}_instFlux"), "count", f"{flux}_instFlux")
    table.add("flux_error", column(f"{flux}_instFluxErr"), "count", f"{flux}_instFluxErr")
    flags = [_letters(point.frame.catalog) for point in points]
    legend = ", ".join(f"{letter} {name}" for name, letter in _FLAGS.items())
    table.add("flags", np.array(flags, dtype="U8"), "", f"{legend}, P flux not to be trusted")
    facts = [(point.frame.exposure.metadata, point.frame.exposure.visit_info) for point in points]
    seeing = [float(metadata.get("SEEING", np.nan) or np.nan) for metadata, _ in facts]
    table.add("seeing", np.array(seeing), "arcsec", "full width at half maximum of the PSF")
    airmass = [np.nan if info is None else info.airmass for _, info in facts]
    table.add("airmass", np.array(airmass, np.float64), "", "airmass")
    seconds = [np.nan if info is None else info.exposure_time for _, info in facts]
    table.add("exposure_time", np.array(seconds, np.float64), "s", "exposure time")
    table.add("zero_point_offset", offset, "mag", "added to the magnitude so that the comparison stars are constant")
    table.add("n_comparison", n_star.astype(np.int64), "", "number of comparison stars")
    table.add("data_id", np.array([point.name for point in points]), "", "data ID of the image")
    table.metadata["CALIB"] = "; ".join(dict.fromkeys(str(point.frame.calibration) for point in points))
    return table


def _letters(catalog: Catalog) -> str:
    """Return the letters of the flags that the object has."""
    letters = "".join(letter for name, letter in _FLAGS.items() if catalog[f"base_PixelFlags_flag_{name}"][0])
    return letters + ("P" if catalog[f"{_PSF}_flag"][0] else "")
