"""Where the object of a light curve is, if the position given for it is a bit off."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.image.catalog import Catalog
from obs.plural import count_of
from obs.sky_vectors import sky_positions, sky_vectors
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.proper_motion import MOTION_COLUMNS
from obs.visits.comparison_stars import Detections
from obs.visits.constant_neighbors import Neighbors

__all__ = ["recenter"]

Floats = NDArray[np.float64]

_SHARE = 0.5  # of the images that must show the object
_APART = 1.5  # FWHM; an image shows stars that are closer together than this as one, or with places that lean together
#: A position that is given counts as that of the star if they differ by less than this, FWHM.
_SAME_PLACE = 0.03
#: A star farther from a position that is exact shares its light with another one, FWHM.
_DOUBTFUL = 0.1


def recenter(
    target: Catalog, images: Sequence[tuple[Detections, Neighbors]], config: ForcedConfig
) -> tuple[Catalog, str]:
    """Return the object where the images show it, if that is near enough for no doubt, and what was done.

    Images in which a star beside the object shares its light do not count: they show it on the way to that star.

    Parameters
    ----------
    target : Catalog
        One row with the object.
    images : sequence of (Detections, Neighbors)
        Sources of each image, and the stars beside the object in its filter.
    config : ForcedConfig
        Settings.

    Returns
    -------
    Catalog
        The object; as it was given, if it is not found on half of the images that show it alone.
    str
        A line for the user; empty if there is nothing to say.
    """
    if not (config.recenter and images):
        return target, ""
    blends = [_blend(one, beside) for one, beside in images]
    alone = [one for (one, _), blend in zip(images, blends, strict=True) if np.isnan(blend)]
    beside = "" if len(alone) == len(images) else f"a star {np.degrees(np.nanmin(blends)) * 3600.0:.1f} arcsec away"
    if not alone:
        return target, (
            f"measured at the position given: none of {count_of(len(images), 'image')} separates the object from "
            f"{beside}"
        )
    offset = _offset(alone, config.recenter)
    if offset is None:
        return target, ""
    distance = float(np.linalg.norm(offset))
    if distance < _SAME_PLACE * float(np.median([image.fwhm for image in alone])):
        return target, ""
    found = sky_vectors(target["coord_ra"], target["coord_dec"]).reshape(3) + offset
    moved = Catalog()
    ra, dec = sky_positions(found[None] / np.linalg.norm(found))
    for name, value in (("coord_ra", ra), ("coord_dec", dec)):
        moved.add(name, value, "deg")
    for name in MOTION_COLUMNS:
        if name in target:
            moved.columns[name] = target.columns[name]
    far = distance > _DOUBTFUL * float(np.median([image.fwhm for image in alone]))
    doubt = "; if the position is exact, the light is that of two stars" if far else ""
    on = f" on the {len(alone)} of {len(images)} images that separate it from {beside}" if beside else ""
    return moved, (
        f"measured at {ra[0]:.6f},{dec[0]:.6f}, where the star is found{on}: {3600.0 * np.degrees(distance):.2f} "
        f"arcsec from the position given (-c recenter=0 keeps that){doubt}"
    )


def _blend(image: Detections, beside: Neighbors) -> float:
    """Return the distance of the nearest star that pulls the object's place on an image, radians; NaN if none does."""
    distance = np.linalg.norm(beside.vectors - image.target, axis=1)
    # The center of two stars taken for one is pulled by the share that the other has of their light.
    _, light = image.nearest()
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = distance * np.minimum(beside.flux / light, 1.0) if light > 0 else distance
    close = distance[(distance < _APART * image.fwhm) & ~(pull < _SAME_PLACE * image.fwhm)]
    return float(close.min()) if len(close) else np.nan


def _offset(images: Sequence[Detections], within: float) -> Floats | None:
    """Return the median offset of the nearest sources, as a difference of vectors; None if half have none that near."""
    found = []
    for image in images:
        if len(image.vectors):
            distance = np.linalg.norm(image.vectors - image.target, axis=1)
            nearest = int(np.argmin(distance))
            if distance[nearest] < within * image.fwhm:
                found.append(image.vectors[nearest] - image.target)
    if len(found) < max(1.0, _SHARE * len(images)):
        return None
    return np.asarray(np.median(found, axis=0), np.float64)
