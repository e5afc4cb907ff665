"""Fluxes of point sources whose light overlaps: the amplitudes of all PSFs that fit best together.

This is the linear part of the fit of groups of stars (Stetson 1987, PASP 99, 191): positions are known, so that the
normal equations are those of the single fits with the products of overlapping PSFs beside the diagonal.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

from obs.algorithms.measure.fluxes import add_products
from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import seen_from

__all__ = ["JointFluxes", "Prior", "fit_jointly"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Pairs whose PSFs are multiplied at a time, so that memory stays bounded.
_PAIRS = 4096
#: Share of the light of one PSF in the fit of another below which two sources do not touch.
_TOUCHING = 1e-5
#: Largest share of a source's PSF that others can explain; errors grow to at most four times those of a single source.
_EXPLAINED = 0.9375


class Prior(NamedTuple):
    """What is known of fluxes beforehand.

    Parameters
    ----------
    flux : ndarray of float64, shape (n,)
        Expected fluxes, image units; any finite number where nothing is known.
    weight : ndarray of float64, shape (n,)
        Variance of the single fit over that of the expectation; 0 where nothing is known.
    """

    flux: Floats
    weight: Floats


class JointFluxes(NamedTuple):
    """Fluxes of sources that were fitted together.

    Parameters
    ----------
    flux : ndarray of float64, shape (n,)
        Amplitudes of the PSFs, image units.
    inflation : ndarray of float64, shape (n,)
        Standard errors over those of sources that stand alone, from 1 to 4.
    leader : ndarray of int64, shape (n,)
        The source whose light each is part of: itself, or the brightest one that is too close to be separated.
    """

    flux: Floats
    inflation: Floats
    leader: Ints


def fit_jointly(
    flux: Floats, model: NDArray[np.float32], x: Floats, y: Floats, closest: float, prior: Prior
) -> JointFluxes:
    """Separate the fluxes of sources that were each fitted as if it stood alone.

    Parameters
    ----------
    flux : ndarray of float64, shape (n,)
        Amplitudes of the single fits, all pixels weighted alike; NaN where there is none.
    model : ndarray of float32, shape (n, k, k)
        PSF of each source, rendered at its place between pixels; zero outside the image.
    x, y : ndarray of float64, shape (n,)
        Positions, pixels; the middle of each PSF belongs to the nearest pixel.
    closest : float
        Sources closer together than this, pixels, are not separated if nothing is known of either: each has the light
        of both.
    prior : Prior
        What is known of the fluxes. It decides where sources are too close for the image to tell.

    Returns
    -------
    JointFluxes
        Sources without flux stay as they are, and do not count as neighbors.
    """
    n = len(flux)
    alone = JointFluxes(flux.copy(), np.ones(n), np.arange(n))
    known = np.flatnonzero(np.isfinite(flux) & np.isfinite(x) & np.isfinite(y))
    if len(known) < 2:
        return alone
    place = np.stack([x[known], y[known]], axis=1)
    pairs = known[PointTree(place).pairs_within(float(model.shape[1]), square=True)]
    if not len(pairs):
        return alone
    close = np.hypot(*(value[pairs[:, 0]] - value[pairs[:, 1]] for value in (x, y))) < closest
    close &= (prior.weight[pairs] == 0.0).all(axis=1)
    leader = _leaders(flux, pairs[close])
    one, other = pairs[~close].T
    product = _products(model, x, y, one, other)
    norm = add_products(model, model)
    leads = leader == np.arange(n)
    # a source that is part of another one's light feels neighbors, but is none
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    share = np.concatenate([product, product]) / norm[rows]
    use = leads[columns] & (np.abs(share) > _TOUCHING)
    coupling = sparse.csc_array((share[use], (rows[use], columns[use])), shape=(n, n))
    touched = np.unique(np.concatenate([rows[use], columns[use]]))
    fitted = flux.copy()
    if len(touched):
        weight = prior.weight[touched]
        system = sparse.diags_array(1.0 + weight) + coupling[touched][:, touched]
        fitted[touched] = spsolve(system.tocsc(), flux[touched] + weight * prior.flux[touched])
    back = share * norm[rows] / norm[columns] / (1.0 + prior.weight[columns])
    explained = np.bincount(rows[use], (share * back)[use], n)
    return JointFluxes(fitted, 1.0 / np.sqrt(1.0 - np.minimum(explained, _EXPLAINED)), leader)


def _leaders(flux: Floats, close: Ints) -> Ints:
    """Return for each source the brightest one that it is too close to; itself if there is none that is brighter."""
    leader = np.arange(len(flux))
    if len(close):
        faint = np.where(flux[close[:, 0]] < flux[close[:, 1]], close[:, 0], close[:, 1])
        bright = close.sum(axis=1) - faint
        order = np.argsort(flux[bright], kind="stable")
        leader[faint[order]] = bright[order]
    return leader


def _products(model: NDArray[np.float32], x: Floats, y: Floats, one: Ints, other: Ints) -> Floats:
    half = model.shape[1] // 2
    parts = [slice(start, start + _PAIRS) for start in range(0, len(one), _PAIRS)]
    found = [add_products(model[one[part]], seen_from(model, x, y, one[part], other[part], half)) for part in parts]
    return np.concatenate(found) if found else np.empty(0)
