"""Images that can hold some positions, by their headers and catalogs; pixels are not read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.errors import MeasurementError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.barycenter import mid_exposure_mjd
from obs.repo.butler import Butler
from obs.repo.fits_exposure_header import header_visit_info
from obs.repo.header_times import infer_visit_info
from obs.sky_vectors import sky_vectors
from obs.tasks.proper_motion import move_to_epoch
from obs.visits.calibration import best_calibration
from obs.visits.comparison_stars import Detections, detections_on

__all__ = ["NearImage", "read_near_image"]

_MARGIN = 50.0  # pixels; an image whose own WCS puts a position farther outside does not hold it
_FROM_EDGE = 2.0  # FWHM; nearer to an edge, a star may not be found


@frozen
class NearImage:
    """An image that can hold some of the positions.

    Parameters
    ----------
    data_id : dict
        Its data ID.
    physical_filter : str
        Its filter.
    has_zero_point : bool
        Whether reference stars gave it one.
    detections : Detections or None
        Its sources; None without a catalog, or if the seeing is not known.
    places : ndarray of float64, shape (n, 3)
        Unit vectors of all positions at the time of the image.
    on : ndarray of bool, shape (n,)
        Which of them can be on it.
    inside : ndarray of bool, shape (n,)
        Which of them are so far from its edges that a star there would be found.
    """

    data_id: dict[str, Any]
    physical_filter: str
    has_zero_point: bool
    detections: Detections | None
    places: NDArray[np.float64]
    on: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def read_near_image(
    butler: Butler, data_id: dict[str, Any], targets: Catalog, tract: int | None, *, instrumental: bool = False
) -> NearImage | None:
    """Return what header and catalog of an image say; None if none of the positions can be on it.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_id : dict
        The image.
    targets : Catalog
        ``coord_ra``, ``coord_dec`` (degrees), and proper motions as `obs.visits.forced.force_image` takes them.
    tract : int or None
        Tract of the common calibration; by default the lowest that has one.
    instrumental : bool, optional
        Whether fluxes of an image without a zero point are on the scale of instrumental magnitudes, not NaN.

    Raises
    ------
    MeasurementError
        If the image has no WCS.
    DatasetNotFoundError, FileFormatError
        If it is not there, or cannot be read.
    """
    header = butler.get("calexp_md", data_id)
    calibration = best_calibration(butler, data_id, tract=tract)
    wcs = calibration.wcs
    if wcs is None:
        raise MeasurementError("its calexp has no WCS; process it with a reference catalog that covers it")
    info = header_visit_info(header) or infer_visit_info(header)
    if instrumental:
        calibration = calibration.or_instrumental(np.nan if info is None else info.exposure_time)
    mjd = mid_exposure_mjd(info)
    moved = move_to_epoch(targets, mjd)
    x, y = wcs.sky_to_pixel(ra=moved["coord_ra"], dec=moved["coord_dec"])
    width, height = (float(header.get(f"NAXIS{axis}", np.inf)) for axis in (1, 2))
    seeing = float(header.get("SEEING", np.nan) or np.nan)
    edge = _FROM_EDGE * seeing / wcs.pixel_scale
    on, inside = (
        np.asarray((x > -margin) & (x < width + margin) & (y > -margin) & (y < height + margin))
        for margin in (_MARGIN, -edge)
    )
    if not on.any():
        return None
    places = sky_vectors(moved["coord_ra"], moved["coord_dec"]).reshape(-1, 3)
    found = detections_on(butler, data_id, calibration, seeing, places[0], mjd)
    known = found is not None and np.isfinite(found.fwhm)
    physical_filter = str(butler.get("calexp_filter", data_id) or "")
    has_zero_point = not (calibration.photo_calib is None or calibration.is_instrumental)
    return NearImage(data_id, physical_filter, has_zero_point, found if known else None, places, on, inside)
