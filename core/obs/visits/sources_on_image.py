"""Sources of a catalog that can be on its image: damaged files have positions that no source has."""

import logging

import numpy as np

from obs.image.catalog import Catalog
from obs.plural import count_of

__all__ = ["keep_sources_on_image"]

_LOG = logging.getLogger(__name__)


def keep_sources_on_image(catalog: Catalog, shape: tuple[int, int], name: str) -> Catalog:
    """Return the sources that are on an image or beside it, and warn of others.

    A failed centroid (NaN) stays, since its flag says so. A finite one that is further off than the image is large
    comes from a damaged file, and would make numbers overflow wherever it is used.

    Parameters
    ----------
    catalog : Catalog
        Catalog ``src`` of the image.
    shape : tuple of int
        Shape (ny, nx) of the image.
    name : str
        Data ID, for the warning.
    """
    inside = np.ones(len(catalog), bool)
    for axis, size in zip("xy", shape[::-1], strict=True):
        place = np.asarray(catalog[f"base_SdssCentroid_{axis}"], np.float64)
        inside &= ~(np.abs(place - 0.5 * size) > 1.5 * size)
    if inside.all():
        return catalog
    _LOG.warning(
        "%s: %s of its src not used, with positions far off the image: the file is damaged; process this image again",
        name,
        count_of(int(np.sum(~inside)), "source"),
    )
    return catalog.select(inside)
