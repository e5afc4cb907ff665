"""Stars beside positions, as the sharpest images of each place show them.

A star that blends with a position in poor seeing has its own place and flux on sharp images. With these known, it
neither lends light to the position nor takes any.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.relative.group import group_detections
from obs.tasks.forced.config import ForcedConfig
from obs.visits.comparison_stars import Detections
from obs.visits.constant_neighbors import APART, CLOSEST, MATCH, REACH, Neighbors, settle_fluxes, sharpest
from obs.visits.near_images import NearImage

__all__ = ["separated_neighbors"]

Floats = NDArray[np.float64]

_SHARE = 0.5  # of those of the sharpest images that are sure to separate a neighbor from its position
_SURE = 2.0  # FWHM
#: A flux from fewer images is not known any better than the image that is measured tells it.
_FEWEST = 3
#: Blends, zero points and models of the PSF are not better than this share of a flux.
_SYSTEMATIC = 0.02


def separated_neighbors(images: Sequence[NearImage], config: ForcedConfig) -> Neighbors:
    """Return the stars beside positions that have a source of their own on the sharpest images.

    Parameters
    ----------
    images : sequence of NearImage
        Images of one filter, and where the positions are on them.
    config : ForcedConfig
        Settings.

    Returns
    -------
    Neighbors
        With the mean flux of the sharpest images; of stars that vary, or that fewer than three images show, nothing is
        known of the flux.
    """
    known = [(image, one) for image in images if (one := image.detections) is not None]
    if not (known and config.subtract_neighbors and config.hold_neighbors):
        return Neighbors(np.empty((0, 3)), np.empty(0), np.empty(0))
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
    separated = sharp & (distance[star >= 0][first] > _SURE * np.array([one.fwhm for _, one in known])[:, None])
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
    near[near] &= np.isfinite(away[nearest[near]]) | (distance[near] > APART * detections.fwhm)
    flux, flux_err, place = detections.flux[near], detections.flux_err[near], detections.vectors[near]
    return place, flux, flux_err, distance[near], rows[nearest[near]].astype(np.float64)
