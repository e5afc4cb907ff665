"""Forced photometry on the images of a repository."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.errors import DatasetNotFoundError, MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.photo_calib import PhotoCalib, describe_magnitude
from obs.instrument.barycenter import barycentric_julian_date, mid_exposure_mjd
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.forced.measure import measure_forced
from obs.tasks.forced.neighbors import KnownStars, psf_width
from obs.tasks.proper_motion import move_to_epoch
from obs.visits.calibration import FrameCalibration, best_calibration
from obs.visits.constant_neighbors import Neighbors
from obs.visits.reference_neighbors import known_neighbors, typical_correction
from obs.visits.sources_on_image import keep_sources_on_image

__all__ = ["ForcedFrame", "force_image"]

Floats = NDArray[np.float64]

_MAGNITUDES = 2.5 / np.log(10.0)


@frozen
class ForcedFrame:
    """Forced fluxes on one image.

    Parameters
    ----------
    catalog : Catalog
        One row for each position on the image.
    calibration : FrameCalibration
        The calibration that was used.
    exposure : Exposure
        The image.
    neighbor_flux, neighbor_error : ndarray of float64, shape (m,)
        Fluxes of the neighbors that were given, on the scale of the sky, and their errors without what was known
        before; NaN for those off the image, and without zero point.
    """

    catalog: Catalog
    calibration: FrameCalibration
    exposure: Exposure
    neighbor_flux: Floats
    neighbor_error: Floats


def force_image(
    butler: Butler,
    data_id: Mapping[str, Any],
    targets: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
    use_common: bool = True,
    neighbors: Neighbors | None = None,
    catalog_first: bool = False,
    instrumental: bool = False,
) -> ForcedFrame:
    """Measure fluxes at positions on the sky on one image.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : mapping
        The image.
    targets : Catalog
        ``objectId``, ``coord_ra``, ``coord_dec`` (degrees); with ``pm_ra``, ``pm_dec`` and ``epoch`` (MJD) positions
        are moved to the date of the image.
    config : ForcedConfig
        Settings.
    tract : int, optional
        Tract whose common calibration is used; by default the lowest that has one.
    use_common : bool, optional
        If False, use the calibration of the image alone.
    neighbors : Neighbors, optional
        Stars that are fitted together with the positions, beside those that the reference catalog has near them.
    catalog_first : bool, optional
        Whether place and flux of a neighbor that both have are those of the reference catalog.
    instrumental : bool, optional
        Whether an image without a zero point gives instrumental magnitudes, not NaN.

    Returns
    -------
    ForcedFrame
        Positions outside the image have no row.

    Raises
    ------
    MeasurementError
        If the image has no WCS or no PSF.
    DatasetNotFoundError
        If there is no such image.
    """
    exposure: Exposure = butler.get("calexp", data_id)
    found = best_calibration(butler, data_id, tract=tract, exposure=exposure, use_common=use_common)
    wcs = found.wcs
    if wcs is None:
        raise MeasurementError("its calexp has no WCS; process it with a reference catalog that covers it")
    if instrumental:
        info = exposure.visit_info
        found = found.or_instrumental(np.nan if info is None else info.exposure_time)
    try:
        sources: Catalog | None = butler.get("src", data_id)
        sources = sources and keep_sources_on_image(sources, exposure.shape, format_data_id(data_id))
    except DatasetNotFoundError:
        sources = None
    mjd = mid_exposure_mjd(exposure.visit_info)
    targets = move_to_epoch(targets, mjd)
    x, y = wcs.sky_to_pixel(ra=targets["coord_ra"], dec=targets["coord_dec"])
    height, width = exposure.shape
    with np.errstate(invalid="ignore"):
        on = np.flatnonzero((x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5))
    chosen = targets.select(on)
    catalog = Catalog()
    first = int(butler.get("ccdExposureId", data_id)) << (64 - butler.instrument.exposure_id_bits)
    catalog.add("id", first + 1 + np.arange(len(on)), "", "unique number: the exposure's number, then the row's")
    for name, text in (("objectId", "number of the object"), ("coord_ra", "right ascension, forced, ICRS"),
                       ("coord_dec", "declination, forced, ICRS")):  # fmt: skip
        catalog.add(name, chosen[name], "" if name == "objectId" else "deg", text)
    given = _Given.on_image(neighbors, found, sources, exposure.shape)
    every = (x[on], y[on])
    if not catalog_first:
        every = (np.append(every[0], given.stars.x), np.append(every[1], given.stars.y))
    known = known_neighbors(butler, exposure, found, *every, sources, config) or KnownStars.none()
    if catalog_first and exposure.psf is not None:
        given = given.without(known, config.match_radius * psf_width(exposure.psf))
    measured = measure_forced(exposure, x[on], y[on], sources, config, known=given.stars.followed_by(known))
    for name, column in measured.catalog.columns.items():
        catalog.add(name, column.data, column.unit, column.description)
    _add_magnitudes(catalog, found.photo_calib, config)
    catalog.add("mjd_mid", np.full(len(on), mjd), "d", "middle of the exposure, modified Julian day, UTC")
    times = barycentric_julian_date(mjd, chosen["coord_ra"], chosen["coord_dec"], exposure.visit_info)
    catalog.add("bjd_tdb", times, "d", "middle of the exposure, barycentric Julian date, TDB")
    catalog.metadata["CALIB"] = str(found)
    light = [given.on_sky(values) for values in (measured.known_flux, measured.known_error)]
    return ForcedFrame(catalog, found, exposure, *light)


@frozen
class _Given:
    """Neighbors that are given, on an image.

    ``rows`` are those of all that lie on it, and ``unit`` the counts of magnitude 0 at each of these.
    """

    stars: KnownStars
    rows: NDArray[np.int64]
    count: int
    unit: Floats

    @classmethod
    def on_image(
        cls, neighbors: Neighbors | None, found: FrameCalibration, sources: Catalog | None, shape: tuple[int, int]
    ) -> "_Given":
        wcs, calib = found.wcs, found.photo_calib
        if neighbors is None or wcs is None or calib is None or sources is None:
            return cls(
                KnownStars.none(), np.empty(0, np.int64), 0 if neighbors is None else len(neighbors), np.empty(0)
            )
        ra, dec = neighbors.sky
        x, y = wcs.sky_to_pixel(ra=ra, dec=dec)
        rows = np.flatnonzero((x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5))
        x, y = x[rows], y[rows]
        unit = np.broadcast_to(calib.flux_mag0 / calib.factor(x=x, y=y) / typical_correction(sources), x.shape)
        stars = KnownStars(x, y, unit * neighbors.flux[rows], unit * neighbors.error[rows])
        return cls(stars, rows, len(neighbors), unit)

    def without(self, others: KnownStars, closest: float) -> "_Given":
        """Return the neighbors that are farther from others than so many pixels."""
        if not (len(self.rows) and len(others.x)):
            return self
        distance, _ = PointTree(np.stack([others.x, others.y], axis=1)).nearest(
            np.stack([self.stars.x, self.stars.y], axis=1)
        )
        keep = distance > closest
        stars = KnownStars(*(getattr(self.stars, name)[keep] for name in ("x", "y", "flux", "error")))
        return replace(self, stars=stars, rows=self.rows[keep], unit=self.unit[keep])

    def on_sky(self, values: Floats) -> Floats:
        """Return values of the known stars, counts, for all neighbors on the scale of the sky."""
        result = np.full(self.count, np.nan)
        result[self.rows] = values[: len(self.rows)] / self.unit
        return result


def _add_magnitudes(catalog: Catalog, calib: PhotoCalib | None, config: ForcedConfig) -> None:
    """Add magnitudes, errors and upper limits of all fluxes; NaN without a zero point."""
    x, y = catalog["base_TransformedCentroid_x"], catalog["base_TransformedCentroid_y"]
    kind = describe_magnitude("" if calib is None else calib.system)
    for flux_name in [name for name in catalog.columns if name.endswith("_instFlux")]:
        name = flux_name.removesuffix("_instFlux")
        flux, error = catalog[flux_name], catalog[f"{flux_name}Err"]
        limit = np.maximum(flux, 0.0) + config.upper_limit * error
        nothing = np.full(len(flux), np.nan)
        magnitude = nothing if calib is None else calib.magnitude(flux, x=x, y=y)
        faintest = nothing if calib is None else calib.magnitude(limit, x=x, y=y)
        with np.errstate(divide="ignore", invalid="ignore"):
            sigma = np.where(np.isfinite(magnitude), _MAGNITUDES * error / flux, np.nan)
        catalog.add(f"{name}_mag", magnitude, "mag", f"{kind} of {flux_name}; NaN if it is not positive")
        catalog.add(f"{name}_magErr", sigma, "mag", f"standard error of {name}_mag, without that of the zero point")
        text = f"{flux_name} (0 if it is negative) plus {config.upper_limit:g} {flux_name}Err, as a magnitude"
        catalog.add(f"{name}_magLimit", faintest, "mag", text)
