"""Stars beside the object of a light curve: one position and one flux for all images, since most stars do not vary.

Measured anew on each image, a neighbor would take more or less of the object's light as seeing and noise have it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.relative.group import group_detections
from obs.frozen import frozen
from obs.sky_vectors import sky_positions
from obs.tasks.forced.config import ForcedConfig
from obs.visits.comparison_stars import Detections
from obs.visits.reference_neighbors import ReferenceStars

__all__ = ["APART", "CLOSEST", "MATCH", "REACH", "Neighbors", "find_neighbors", "settle_fluxes", "sharpest"]

Floats = NDArray[np.float64]

#: Light of a star farther away does not matter, FWHM.
REACH = 3.0
CLOSEST = 0.15  # FWHM; nobody can separate what is closer
MATCH = 0.3  # FWHM; detections of one star
#: Stars this far apart are two sources of an image, FWHM; closer ones only if it has a source for each.
APART = 1.5
_SHARPEST = 1 / 3  # of the images, which separate stars best
_FEWEST = 3
_SHARE = 0.5  # of the sharpest images that a neighbor is detected on
#: How little is known beforehand of a flux that images shall tell.
_UNKNOWN = 100.0
#: A neighbor varies if its fluxes scatter significantly, and by more than this share.
_SIGNIFICANT, _VARIES = 4.0, 0.02


@frozen
class Neighbors:
    """Stars beside an object, whose light reaches it.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, 3)
        Unit vectors.
    flux, error : ndarray of float64, shape (n,)
        What is known of their fluxes, on the scale of the sky (1 is magnitude 0).
    """

    vectors: Floats
    flux: Floats
    error: Floats

    def __len__(self) -> int:
        return len(self.flux)

    @property
    def sky(self) -> tuple[Floats, Floats]:
        """Right ascension and declination, degrees."""
        return sky_positions(self.vectors)

    def scaled(self, factor: float) -> "Neighbors":
        """Return the same stars with fluxes that are so many times as large.

        Parameters
        ----------
        factor : float
            Factor for fluxes and their errors.
        """
        return replace(self, flux=factor * self.flux, error=factor * self.error)

    def followed_by(self, others: "Neighbors", closest: float) -> "Neighbors":
        """Return these stars and those of others that are farther from them than an angle, radians.

        Parameters
        ----------
        others : Neighbors
            Stars to append.
        closest : float
            Smallest distance between a star of either list, radians. It is compared with the chord.
        """
        apart = np.ones(len(others), bool)
        if len(self) and len(others):
            apart = PointTree(self.vectors).nearest(others.vectors)[0] > closest
        return Neighbors(
            np.concatenate([self.vectors, others.vectors[apart]]),
            np.append(self.flux, others.flux[apart]),
            np.append(self.error, others.error[apart]),
        )

    def unknown(self) -> "Neighbors":
        """Return the same stars with fluxes of which nothing is known."""
        return replace(self, error=_UNKNOWN * np.maximum(self.flux, np.finfo(float).tiny))


def find_neighbors(
    images: Sequence[Detections], separated: Neighbors, reference: ReferenceStars | None, config: ForcedConfig
) -> Neighbors:
    """Return the stars whose light reaches the object: those of the sharpest images, and of the reference catalog.

    A source that holds the object's light, too, counts only where neither knows a star.

    Parameters
    ----------
    images : sequence of Detections
        Sources of each image, and where the object is.
    separated : Neighbors
        Stars that sharp images show beside the object, each with a source of its own.
    reference : ReferenceStars or None
        Stars of the reference catalog about the object.
    config : ForcedConfig
        Settings.

    Returns
    -------
    Neighbors
        Detected ones with a flux of which nothing is known, those of the catalog alone with that of the catalog.
    """
    if not images or not (config.subtract_neighbors and config.hold_neighbors):
        return Neighbors(np.empty((0, 3)), np.empty(0), np.empty(0))
    fwhm = float(np.median([image.fwhm for image in images]))
    targets = PointTree(np.stack([image.target for image in images]))
    found = separated.unknown()
    if reference is not None:
        distance, _ = targets.nearest(reference.vectors)
        other = (distance > CLOSEST * fwhm) & (distance < REACH * fwhm)
        if len(distance) and distance.min() < config.match_radius * fwhm:
            other[int(np.argmin(distance))] = False
        other &= reference.flux > float(np.median([image.noise for image in images]))
        flux = reference.flux[other]
        found = found.followed_by(
            Neighbors(reference.vectors[other], flux, reference.share * flux), config.match_radius * fwhm
        )
    return found.followed_by(_detected(images, targets, fwhm, config).unknown(), config.match_radius * fwhm)


def sharpest(count: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of so many images count as the sharpest, which separate stars best.

    Parameters
    ----------
    count : int or ndarray of int64
        Number of images.
    """
    return np.maximum(_FEWEST, np.rint(_SHARPEST * np.asarray(count)).astype(np.int64))


def _detected(images: Sequence[Detections], targets: PointTree, fwhm: float, config: ForcedConfig) -> Neighbors:
    """Return the mean places and fluxes of sources near the object on the sharpest images."""
    sharp = sorted(images, key=lambda image: image.fwhm)[: int(sharpest(len(images)))]
    parts: list[tuple[Floats, Floats, int]] = []
    for number, image in enumerate(sharp):
        distance = np.linalg.norm(image.vectors - image.target, axis=1)
        anywhere, _ = targets.nearest(image.vectors)
        near = (distance > CLOSEST * fwhm) & (anywhere < REACH * fwhm) & (image.flux > 0)
        if len(distance) and distance.min() < max(config.match_radius, CLOSEST) * image.fwhm:
            near[int(np.argmin(distance))] = False
        parts.append((image.vectors[near], image.flux[near], number))
    vectors, flux = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
    frame = np.repeat([part[2] for part in parts], [len(part[1]) for part in parts]).astype(np.int64)
    star = group_detections(vectors, frame, np.degrees(MATCH * fwhm) * 3600.0)
    n = int(star.max(initial=-1)) + 1
    seen = np.bincount(star[star >= 0], minlength=n)
    often = np.flatnonzero(seen >= max(1.0, _SHARE * len(sharp)))
    mean = np.array([np.median(vectors[star == one], axis=0) for one in often]).reshape(-1, 3)
    light = np.array([np.median(flux[star == one]) for one in often])
    return Neighbors(mean / np.linalg.norm(mean, axis=1, keepdims=True), light, np.full(len(light), np.inf))


def settle_fluxes(neighbors: Neighbors, flux: Floats, error: Floats) -> tuple[Neighbors, NDArray[np.bool_]]:
    """Return the fluxes that neighbors have on all images together, and which of them vary.

    Parameters
    ----------
    neighbors : Neighbors
        The stars, with what was known of them before.
    flux, error : ndarray of float64, shape (n_image, n)
        Their fluxes on each image, without what was known before, on one scale; NaN where a star is off the image.

    Returns
    -------
    Neighbors
        Stars that vary have a flux of which nothing is known.
    ndarray of bool, shape (n,)
        Which vary.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(np.isfinite(flux) & (error > 0), error**-2.0, 0.0)
        known = np.where(np.isfinite(neighbors.error), neighbors.error**-2.0, 0.0)
        values = np.where(weight > 0, flux, 0.0)
        total = weight.sum(axis=0) + known
        mean = ((weight * values).sum(axis=0) + known * neighbors.flux) / total
        mean = np.where(total > 0, np.maximum(mean, 0.0), neighbors.flux)
        number = (weight > 0).sum(axis=0)
        free = (weight * values).sum(axis=0) / weight.sum(axis=0)
        off = np.where(weight > 0, values - free, 0.0)
        chi2 = (weight * off**2).sum(axis=0)
        degrees = np.maximum(number - 1, 1)
        beyond = np.sqrt(np.maximum(chi2 - degrees, 0.0) / weight.sum(axis=0))
    varies = (number > 2) & (chi2 > degrees + _SIGNIFICANT * np.sqrt(2.0 * degrees)) & (beyond > _VARIES * mean)
    settled = replace(neighbors, flux=mean, error=1.0 / np.sqrt(np.maximum(total, np.finfo(float).tiny)))
    blank = settled.unknown()
    return replace(settled, error=np.where(varies, blank.error, settled.error)), varies
