"""Find the circles on the sky that the exposures of a repository cover."""

from collections.abc import Sequence

import numpy as np

from obs.camera.camera import Camera
from obs.errors import ObsError
from obs.ingest.surveys.download import Circle
from obs.repo.butler import Butler
from obs.repo.frame_types import OtherFrames
from obs.sky_vectors import sky_vectors

__all__ = ["field_radius", "find_fields"]

#: How far beyond the detectors a circle reaches, because mounts point with errors: share of the radius, and degrees.
_MARGIN = (0.2, 0.1)


def field_radius(camera: Camera) -> float:
    """Return the radius of the circle about the boresight that holds all detectors, with a margin, degrees.

    Parameters
    ----------
    camera : Camera
        The camera, with its plate scale.
    """
    radius = 0.0
    for detector in camera:
        width, height = detector.bbox.width, detector.bbox.height
        x, y = camera.pixel_to_field(detector, x=[0.0, width, 0.0, width], y=[0.0, 0.0, height, height])
        radius = max(radius, float(np.hypot(x, y).max()) / 3600.0)
    return radius * (1.0 + _MARGIN[0]) + _MARGIN[1]


def find_fields(butler: Butler, radius: float) -> tuple[list[Circle], int]:
    """Return circles that hold the pointings of a repository's exposures of the sky.

    Parameters
    ----------
    butler : Butler
        The repository.
    radius : float
        Radius of the camera's field, degrees.

    Returns
    -------
    circles : list of Circle
        Few: pointings that lie within half a radius of each other share one.
    n_without : int
        Number of raw files of the sky whose header gives no pointing, or cannot be read.
    """
    translator = butler.instrument.make_translator()
    raw = butler.instrument.raw_dataset_type
    pointings: dict[tuple[float, float], None] = {}
    n_without = 0
    seen: set[object] = set()
    others = OtherFrames(butler)
    for reference in butler.subset(raw):
        if others.kind(reference.data_id) is not None:
            continue
        number = butler.instrument.exposure_number(butler.complete_raw(reference.data_id))
        try:
            header = {key: value for key, value in reference.get(f"{raw}_md").items() if value == value}
            info = translator.visit_info(header, exposure_id=number)
        except ObsError:
            n_without += 1
            continue
        place = (round(info.boresight_ra, 3), round(info.boresight_dec, 3))
        if not np.isfinite(place).all():
            n_without += 1
        elif place not in seen:
            seen.add(place)
            pointings[place] = None
    return _join(list(pointings), radius), n_without


def _join(pointings: Sequence[tuple[float, float]], radius: float) -> list[Circle]:
    """Return circles of the first pointing of each group; all of a group lie within half a radius of it."""
    circles: list[Circle] = []
    rest = np.array(pointings, np.float64).reshape(-1, 2)
    while len(rest):
        ra, dec = rest[0]
        distance = np.linalg.norm(sky_vectors(rest[:, 0], rest[:, 1]) - sky_vectors(ra, dec), axis=1)
        near = distance <= np.radians(0.5 * radius)
        reach = float(np.degrees(distance[near].max()))
        circles.append(Circle(float(ra), float(dec), radius + reach))
        rest = rest[~near]
    return circles
