"""How much less is known of a source because others overlap it.

Blends are divided among their sources. What is noise in one is then missing in its neighbor, and where a neighbor is
not well placed, its light moves over. The errors of a common fit of all fluxes and positions tell how much: they are
those of single fits times a factor that depends on the PSF and the distances alone (Stetson 1987, PASP 99, 191).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import windows
from obs.image.psf import Psf

__all__ = ["BlendErrors", "measure_blend_errors"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_NEIGHBORS = 3
_AT_ONCE = 256
_LEAST, _LARGEST = 1.05, 4.0
"""Smaller factors are less than what is not known of an error, larger ones are those of sources that are not two."""


class BlendErrors(NamedTuple):
    """Standard errors over those of sources that stand alone.

    Parameters
    ----------
    flux, x, y : ndarray of float64, shape (n,)
        Factors of PSF fluxes and positions: 1, or 1.05 to 4.
    """

    flux: Floats
    x: Floats
    y: Floats


def measure_blend_errors(psf: Psf, x: Floats, y: Floats, reach: float) -> BlendErrors:
    """Return by how much neighbors enlarge the errors of sources.

    Parameters
    ----------
    psf : Psf
        Point-spread function.
    x, y : ndarray of float64, shape (n,)
        Positions of sources that were divided, pixels.
    reach : float
        Distance up to which neighbors count, pixels.

    Returns
    -------
    BlendErrors
    """
    n = len(x)
    factor = np.ones((3, n))
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(known) < 2:
        return BlendErrors(*factor)
    place = np.c_[x[known], y[known]]
    distance, near = PointTree(place).nearest(place, min(_NEIGHBORS + 1, len(known)), below=reach)
    own = np.arange(len(known))
    # the nearest one is the source itself, or one at the very same place
    near = np.where(np.isfinite(distance) & (near != own[:, None]), near, -1)
    crowded = np.flatnonzero((near >= 0).any(axis=1))
    for first in range(0, len(crowded), _AT_ONCE):
        rows = crowded[first : first + _AT_ONCE]
        factor[:, known[rows]] = _factors(psf, place, rows, near[rows])
    return BlendErrors(*factor)


def _factors(psf: Psf, place: Floats, rows: Whole, near: Whole) -> Floats:
    """Return the factors of some sources, shape (3, n): flux, x, y."""
    seen = np.unique(np.concatenate([rows, near.ravel()]))
    seen = seen[seen >= 0]
    x, y = place[seen].T
    parts = psf.render_slopes(x=x, y=y)
    half = parts[0].shape[1] // 2
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    own = np.searchsorted(seen, rows)
    design = [part[own] for part in parts]
    for index in near.T:
        there = np.flatnonzero(index >= 0)
        which = np.searchsorted(seen, index[there])
        at_row, at_column = half + row[own[there]] - row[which], half + column[own[there]] - column[which]
        for part in parts:
            term = np.zeros_like(design[0])
            term[there] = windows(part, at_row, at_column, half, which)
            design.append(term)
    terms = np.stack([term.reshape(len(rows), -1) for term in design], axis=1).astype(np.float64)
    normal = terms @ terms.transpose(0, 2, 1)
    scale = np.sqrt(np.einsum("nii->ni", normal))
    scale[scale == 0] = 1.0
    normal /= scale[:, :, None] * scale[:, None, :]
    normal += np.where(np.einsum("nii->ni", normal) > 0, 1e-6, 1.0)[:, :, None] * np.eye(normal.shape[1])
    alone = np.linalg.inv(normal[:, :3, :3])
    together = np.linalg.inv(normal)
    ratio = np.einsum("nii->in", together)[:3] / np.einsum("nii->in", alone)
    factor = np.sqrt(np.minimum(ratio, _LARGEST**2))
    return np.where(factor < _LEAST, 1.0, factor)
