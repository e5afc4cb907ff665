"""Positions that share the light of a source with another star which nothing separates from them."""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.image.catalog import Catalog

__all__ = ["find_blends"]

Floats = NDArray[np.float64]

#: A source whose center is farther from a position than this does not have its light from there alone, FWHM.
_OFF_CENTER = 0.1
#: Light of a source this far away covers a position that has no source of its own, FWHM.
_COVERS = 1.5
#: Three standard errors of a center are so many FWHM over the signal-to-noise ratio.
_CENTER_ERROR = 2.0


def find_blends(x: Floats, y: Floats, sources: Catalog, others: Floats, fwhm: float) -> NDArray[np.bool_]:
    """Return which positions have the light of another star in their flux, or lack their own.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Positions, pixels.
    sources : Catalog
        Catalog ``src`` of the image.
    others : ndarray of float64, shape (m, 2)
        Stars that are fitted together with the positions, pixels. A position beside one is separated from it.
    fwhm : float
        Full width at half maximum of the PSF, pixels.
    """
    positions = np.stack([x, y], axis=1)
    blended = np.zeros(len(x), bool)
    place = np.stack([sources[f"base_SdssCentroid_{axis}"] for axis in "xy"], axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        uncertain = _CENTER_ERROR * sources["base_PsfFlux_instFluxErr"] / sources["base_PsfFlux_instFlux"]
    use = np.asarray(sources["detect_isPrimary"], bool) & ~sources["base_SdssCentroid_flag"] & (uncertain > 0)
    use &= np.isfinite(place).all(axis=1)
    place, uncertain = place[use], uncertain[use]
    if not (len(x) and len(place)):
        return blended
    distance, source = PointTree(place).nearest(positions, below=_COVERS * fwhm)
    near = np.flatnonzero(np.isfinite(distance))
    blended[near] = distance[near] > np.maximum(_OFF_CENTER, uncertain[source[near]]) * fwhm
    if len(x) > 1:
        blended &= PointTree(positions).nearest(positions, count=2)[0][:, 1] > _COVERS * fwhm
    if len(others):
        blended &= PointTree(others).nearest(positions)[0] > _COVERS * fwhm
    return blended
