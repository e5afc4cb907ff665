"""Stars beside the positions of a table, as the sharpest images of each place show them.

A star that blends with a position in poor seeing has its own place and flux on sharp images. With these known, it
neither lends light to the position nor takes any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.relative.group import group_detections
from obs.errors import DatasetNotFoundError, FileFormatError, MeasurementError
from obs.image.catalog import Catalog
from obs.repo.butler import Butler
from obs.tasks.forced.config import ForcedConfig
from obs.visits.comparison_stars import Detections
from obs.visits.constant_neighbors import CLOSEST, MATCH, REACH, Neighbors, settle_fluxes, sharpest
from obs.visits.near_images import NearImage, read_near_image

__all__ = ["find_neighbors_of_table"]

Floats = NDArray[np.float64]

_SHARE = 0.5  # of the sharpest images that separate a neighbor from its position
#: Stars this far apart are two sources of an image, FWHM; closer ones only if it has a source for each.
_APART = 1.5
#: A flux from fewer images is not known any better than the image that is measured tells it.
_FEWEST = 3
#: Blends, zero points and models of the PSF are not better than this share of a flux.
_SYSTEMATIC = 0.02


def find_neighbors_of_table(
    butler: Butler,
    data_ids: Sequence[Mapping[str, Any]],
    targets: Catalog,
    config: ForcedConfig,
    *,
    tract: int | None = None,
) -> dict[str, Neighbors]:
    """Return the stars beside positions, for each filter.

    Parameters
    ----------
    butler : Butler
        The repository.
    data_ids : sequence of mapping
        Images. Those that cannot be read count for nothing here.
    targets : Catalog
        Positions, as `obs.visits.forced.force_image` takes them.
    config : ForcedConfig
        Settings.
    tract : int, optional
        Tract of the common calibration.

    Returns
    -------
    dict of str to Neighbors
        Filters without any have no entry.
    """
    if not (config.subtract_neighbors and config.hold_neighbors and len(targets)):
        return {}
    images: dict[str, list[NearImage]] = {}
    for data_id in data_ids:
        try:
            image = read_near_image(butler, dict(data_id), targets, tract)
        except (DatasetNotFoundError, FileFormatError, MeasurementError):
            continue  # the reason is told where the image is measured
        if image is not None and image.detections is not None:
            images.setdefault(image.physical_filter, []).append(image)
    found = {name: _neighbors(some, config) for name, some in images.items()}
    return {name: neighbors for name, neighbors in found.items() if len(neighbors)}


def _neighbors(images: Sequence[NearImage], config: ForcedConfig) -> Neighbors:
    """Return the stars beside positions on the images of one filter."""
    known = [(image, one) for image in images if (one := image.detections) is not None]
    known.sort(key=lambda pair: pair[1].fwhm)
    fwhm = float(np.median([one.fwhm for _, one in known]))
    parts = [_beside(image, one, fwhm, config) for image, one in known]
    vectors, flux, flux_err, distance, beside = (np.concatenate([part[k] for part in parts]) for k in range(5))
    frame = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    star = group_detections(vectors, frame, np.degrees(MATCH * fwhm) * 3600.0)
    first = np.unique(star[star >= 0], return_index=True)[1]
    position = beside[star >= 0][first].astype(np.int64)
    covered = np.stack([image.on for image, _ in known])[:, position]
    sharp = covered & (np.cumsum(covered, axis=0) <= sharpest(covered.sum(axis=0)))
    use = star >= 0
    use[use] = sharp[frame[use], star[use]]
    separated = sharp & (distance[star >= 0][first] > _APART * np.array([one.fwhm for _, one in known])[:, None])
    n = len(position)
    seen = np.bincount(star[use], minlength=n)
    often = np.flatnonzero(seen >= np.maximum(1.0, _SHARE * separated.sum(axis=0)))
    mean = np.stack([np.bincount(star[use], vectors[use, axis], n)[often] for axis in range(3)], axis=1)
    light, errors = np.full((2, len(known), n), np.nan)
    light[frame[use], star[use]] = flux[use]
    errors[frame[use], star[use]] = np.hypot(flux_err[use], _SYSTEMATIC * flux[use])
    typical = np.bincount(star[use], flux[use], n)[often] / seen[often]
    free = Neighbors(mean / np.linalg.norm(mean, axis=1, keepdims=True), typical, np.full(len(often), np.inf)).unknown()
    settled, _ = settle_fluxes(free, light[:, often], errors[:, often])
    told = seen[often] >= _FEWEST
    return replace(settled, error=np.where(told, settled.error, free.error))


def _beside(
    image: NearImage, detections: Detections, fwhm: float, config: ForcedConfig
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return vectors, fluxes, errors of the sources beside positions, their distances, and the rows of the positions.

    A source that holds the light of the position, too, is not where the neighbor is.
    """
    rows = np.flatnonzero(image.on & np.isfinite(image.places).all(axis=1))
    if not (len(rows) and len(detections.vectors)):
        return np.empty((0, 3)), np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    places = image.places[rows]
    away, own = PointTree(detections.vectors).nearest(places, below=config.match_radius * detections.fwhm)
    distance, nearest = PointTree(places).nearest(detections.vectors, below=REACH * fwhm)
    near = np.isfinite(distance) & (distance > CLOSEST * fwhm) & (detections.flux > 0)
    near[own[np.isfinite(away)]] = False
    near[near] &= np.isfinite(away[nearest[near]]) | (distance[near] > _APART * detections.fwhm)
    flux, flux_err, place = detections.flux[near], detections.flux_err[near], detections.vectors[near]
    return place, flux, flux_err, distance[near], rows[nearest[near]].astype(np.float64)
