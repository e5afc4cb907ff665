"""Moving objects among the sources of difference images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.tracks import find_tracks
from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.tangent_plane import to_plane
from obs.instrument.barycenter import mid_exposure_mjd
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.repo.fits_exposure_header import header_visit_info

__all__ = ["MovingObject", "find_moving_objects"]

_TOLERANCE = 1.0  # arcsec
_LEAST_MOTION = 3.0  # arcsec; less is a variable star that is measured beside its place
_LARGEST_RATE = 60.0 * 24.0  # arcsec a day
_LARGEST_GAP = 3.0  # days; over longer times no object moves on a straight line


@frozen
class MovingObject:
    """An object that moves between images.

    Parameters
    ----------
    name : tuple of str
        Data IDs of the images that it was detected on.
    mjd, ra, dec, magnitude : ndarray of float64, shape (n,)
        Middle of each exposure, position (degrees) and magnitude.
    rate : float
        Motion, arcsec an hour.
    angle : float
        Its direction, degrees from north to east.
    scatter : float
        Root mean square distance of the positions from a line, arcsec.
    """

    name: tuple[str, ...]
    mjd: NDArray[np.float64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    rate: float
    angle: float
    scatter: float


def find_moving_objects(butler: Butler, data_ids: Sequence[Mapping[str, Any]]) -> list[MovingObject]:
    """Return objects that move on straight lines, detected on at least three difference images within three days.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of mapping
        Images; those without sources of a difference are skipped.
    """
    images: list[tuple[float, str, Catalog]] = []
    for data_id in data_ids:
        try:
            catalog: Catalog = butler.get("deepDiff_diaSrc", data_id)
            mjd = mid_exposure_mjd(header_visit_info(butler.get("calexp_md", data_id)))
        except DatasetNotFoundError:
            continue
        good = ~catalog["flags_negative"] & ~catalog["base_PixelFlags_flag_suspect"]
        good = good & np.isfinite(catalog["coord_ra"]) & np.isfinite(catalog["coord_dec"])
        if np.isfinite(mjd) and good.any():
            images.append((mjd, format_data_id(data_id), catalog.select(good)))
    images.sort(key=lambda one: one[0])
    dates = np.array([one[0] for one in images])
    groups = np.split(np.arange(len(images)), np.flatnonzero(np.diff(dates) > _LARGEST_GAP) + 1)
    return [found for group in groups if len(group) > 2 for found in _within([images[row] for row in group.tolist()])]


def _within(images: list[tuple[float, str, Catalog]]) -> list[MovingObject]:
    """Return moving objects of images that are close in time."""
    columns = {
        name: np.concatenate([np.asarray(catalog[name], np.float64) for _, _, catalog in images])
        for name in ("coord_ra", "coord_dec")
    }
    ra, dec = columns["coord_ra"], columns["coord_dec"]
    length = [len(catalog) for _, _, catalog in images]
    mjd = np.repeat([one[0] for one in images], length)
    number = np.repeat(np.arange(len(images)), length)
    light = "base_PsfFlux_mag"
    magnitude = np.concatenate(
        [np.asarray(one[light], np.float64) if light in one else np.full(len(one), np.nan) for _, _, one in images]
    )
    center = float(ra[0]), float(dec[0])
    xi, eta = to_plane(center, ra, dec)
    seen = np.isfinite(xi) & np.isfinite(eta)
    rows = np.flatnonzero(seen)
    place = 3600.0 * np.stack([xi[rows], eta[rows]], axis=1)
    if not len(rows):
        return []
    tracks = find_tracks(
        place,
        mjd[rows],
        tolerance=_TOLERANCE,
        least_motion=_LEAST_MOTION,
        largest_rate=_LARGEST_RATE,
        area=float(np.prod(np.maximum(np.ptp(place, axis=0), 60.0))),
    )
    found = []
    for track in tracks:
        of = rows[track.rows]
        angle = float(np.degrees(np.arctan2(track.rate[0], track.rate[1])) % 360.0)
        names = tuple(images[index][1] for index in number[of])
        rate = float(np.hypot(*track.rate)) / 24.0
        found.append(MovingObject(names, mjd[of], ra[of], dec[of], magnitude[of], rate, angle, track.scatter))
    return found
