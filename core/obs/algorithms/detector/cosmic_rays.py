"""Find cosmic rays: pixels that stand out more sharply than a point source could.

A pixel is suspect if it exceeds the mean of a pair of opposite neighbors significantly, and hit if, along any of the
four directions, that pair is darker than the wings of a star with this peak would be. Pixels beside a hit are then held
to a looser standard, with the hit's own light taken out. This is the method of SDSS Photo (R. H. Lupton; Bosch et al.
2018, section 4.3). Only pixels above the noise are looked at, all at once.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.label import label_regions
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.kernels.library import Kernel
from obs.threads import map_threads

__all__ = ["are_too_sharp", "find_cosmic_rays"]

_CANDIDATES = Kernel("find_candidates", "float32", "float32", "int", "int", "float", "int64")
_TEST = Kernel("test_hits", "float32", "float32", "int64", "int", "int", "float32", "float", "float", "bool", "float32")
_NEIGHBORS = Kernel("find_neighbors", "float32", "int64", "int", "int", "bool", "bool", "int64")

_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Offsets (row, column) of one neighbor of each pair."""

MODEL_TOLERANCE, PEAK_TOLERANCE = 0.03, 0.01
"""Error granted to the wings of the PSF model, as a part of them, and at least as a part of the peak.

The pixels at the corners of a star of one pixel's width have a fiftieth of its peak, of which no model knows 3 %.
"""

LIT = 0.5
"""Part of a star's maximum from which its pixels are looked at."""

SEARCHED_AT_ONCE = 1 << 21
"""Pixels of the rows that are searched at a time, so that no copy of a large detector is made."""

CANDIDATE_FRACTION = 0.5
"""Pixels below this part of the significance limit cannot exceed their neighbors by all of it."""


def find_cosmic_rays(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    psf: NDArray[np.float32],
    *,
    bad: NDArray[np.bool_] | None = None,
    min_sigma: float = 5.0,
    min_counts: float = 150.0,
    contrast: float = 2.5,
    contrast_second: float = 0.6,
    n_iteration: int = 3,
) -> NDArray[np.bool_]:
    """Find pixels hit by cosmic rays.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels.
    variance : ndarray of float32, shape (ny, nx)
        Their variance, image units squared.
    psf : ndarray of float32, shape (k, k) or (n, k, k)
        Images of stars centered on a pixel, which are the sharpest there can be; of several, from all over the
        detector, the sharpest counts, and of each its sharpest part.
    bad : ndarray of bool, shape (ny, nx), optional
        Pixels that are not hits: saturated stars and defects.
    min_sigma : float, optional
        Significance of a hit above its neighbors.
    min_counts : float, optional
        Least sum of a hit's pixels above their neighbors, image units.
    contrast : float, optional
        By how many standard deviations the star hypothesis must fail.
    contrast_second : float, optional
        The same for pixels beside a hit, which need only be half as significant.
    n_iteration : int, optional
        How far such a hit is followed, pixels.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    wings = _wings(psf)
    height, width = image.shape
    # a hit depends on what is so far away: each round looks at its neighbors, and at what is beside these
    reach = 2 * (n_iteration + 1)
    contrasts = [contrast] + n_iteration * [contrast_second]

    def search(rows: slice) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        seen = slice(max(rows.start - reach, 0), min(rows.stop + reach, height))
        part = None if bad is None else bad[seen]
        pixel, excess = _hits(image[seen], variance[seen], wings, part, min_sigma, contrasts)
        pixel += seen.start * width
        own = slice(*np.searchsorted(pixel, [rows.start * width, rows.stop * width]))
        return pixel[own], excess[own]

    found = map_threads(search, row_blocks((height, width), max(SEARCHED_AT_ONCE, 16 * reach * width)))
    if not found:
        return np.zeros(image.shape, bool)
    pixel, excess = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _bright_enough(image.shape, pixel, excess, min_counts)


def _hits(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    wings: list[float],
    bad: NDArray[np.bool_] | None,
    min_sigma: float,
    contrasts: list[float],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return flat indices of hits, in order, whatever their sum is, and how much they are above their neighbors."""
    work, noise = (np.pad(plane, 1, mode="edge") for plane in (image, variance))
    width = work.shape[1]
    flat, noise = work.ravel(), noise.ravel()
    inner = np.zeros(work.shape, bool)
    inner[1:-1, 1:-1] = True if bad is None else ~bad
    allowed = inner.ravel()

    index = _candidates(image, variance, np.float32(CANDIDATE_FRACTION * min_sigma))
    index = index[allowed[index]]
    found = np.zeros(flat.shape, bool)
    hits: list[NDArray[np.int64]] = []
    excess: list[NDArray[np.float32]] = []
    for k, contrast in enumerate(contrasts):
        hit, level = _test(flat, noise, index, width, wings, min_sigma if k == 0 else min_sigma / 2, contrast)
        fresh, level = index[hit], level[hit]
        found[fresh] = True
        hits.append(fresh)
        excess.append(flat[fresh] - level)
        if not len(fresh):
            break
        # what is left after the hit: the next round sees its neighbors without it
        flat[fresh] = level
        index = _beside(fresh, flat, allowed, found, width)
    padded = np.concatenate(hits)
    order = np.argsort(padded)
    y, x = np.divmod(padded[order], width)
    return (y - 1) * image.shape[1] + x - 1, np.concatenate(excess)[order]


def are_too_sharp(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    psf: NDArray[np.float32],
    *,
    min_sigma: float = 5.0,
    contrast: float = 2.5,
) -> NDArray[np.bool_]:
    """Whether single pixels stand out more sharply than a point source could.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (n, 3, 3)
        The pixels with those beside them, as of `find_cosmic_rays`.
    psf : ndarray of float32, shape (k, k) or (n, k, k)
        Images of stars centered on a pixel, as for `find_cosmic_rays`.
    min_sigma : float, default: 5.0
        Significance of a hit above its neighbors.
    contrast : float, default: 2.5
        Number of standard deviations by which the star hypothesis must fail.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    middle = 9 * np.arange(len(image)) + 4
    hit, level = _test(image.ravel(), variance.ravel(), middle, 3, _wings(psf), min_sigma, contrast)
    return np.asarray(hit & np.isfinite(level))


def _wings(psf: NDArray[np.float32]) -> list[float]:
    """Return the least part of its light that a pair of a star's pixels has of the one between, in each direction."""
    # a model that is a few per cent too wide must not make bright stars hits
    return [wing - max(MODEL_TOLERANCE * wing, PEAK_TOLERANCE) for wing in _sharpest(psf.reshape(-1, *psf.shape[-2:]))]


def _beside(
    fresh: NDArray[np.int64],
    flat: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    found: NDArray[np.bool_],
    width: int,
) -> NDArray[np.int64]:
    """Return the pixels beside hits that may be hits too, each once."""
    if _NEIGHBORS:
        index = np.empty(8 * len(fresh), np.int64)
        return index[: _NEIGHBORS(flat, fresh, len(fresh), width, allowed, found, index)]
    neighbors = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)])
    index = np.unique((fresh[:, None] + neighbors).ravel())
    return np.asarray(index[allowed[index] & ~found[index] & (flat[index] > 0)])


def _candidates(image: NDArray[np.float32], variance: NDArray[np.float32], least: np.float32) -> NDArray[np.int64]:
    """Return the flat index, in an image with a border of one pixel, of pixels above so many standard deviations."""
    if _CANDIDATES:
        # memory that is not written to is never taken
        index = np.empty(image.size, np.int64)
        planes = (np.ascontiguousarray(plane) for plane in (image, variance))
        return index[: _CANDIDATES(*planes, *image.shape, float(least**2), index)]
    row, column = np.nonzero((image > 0) & (image * image > least**2 * variance))
    return np.asarray((row + 1) * (image.shape[1] + 2) + (column + 1), np.int64)


def _sharpest(stars: NDArray[np.float32]) -> list[float]:
    """Return the least ratio of a pair's mean to the pixel between, in each direction, in any part of the stars.

    That is the middle of a star in focus; a defocused one has a dark middle and sharper edges.
    """
    inner = stars[:, 1:-1, 1:-1]
    height, width = stars.shape[1:]
    lit = inner > LIT * stars.max((1, 2), keepdims=True)
    ratios = []
    for dy, dx in _DIRECTIONS:
        pair = stars[:, 1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]
        opposite = stars[:, 1 - dy : height - 1 - dy, 1 - dx : width - 1 - dx]
        ratios.append(min(float(np.min((0.5 * (pair + opposite))[lit] / inner[lit])), 1.0))
    return ratios


def _test(
    flat: NDArray[np.float32],
    noise: NDArray[np.float32],
    index: NDArray[np.int64],
    width: int,
    wings: list[float],
    significance: float,
    factor: float,
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Whether pixels are hits, and the level that their darkest pair of neighbors suggests."""
    if _TEST:
        hit, darkest = np.empty(len(index), np.bool_), np.empty(len(index), np.float32)
        ratios = np.array(wings, np.float32)
        _TEST(flat, noise, index, len(index), width, ratios, significance, factor, hit, darkest)
        return hit, darkest
    value, own_noise = flat[index], noise[index]
    sigma = np.sqrt(own_noise)
    significant = np.zeros(len(index), bool)
    too_sharp = np.zeros(len(index), bool)
    level = np.full(len(index), np.inf, np.float32)
    for (dy, dx), wing in zip(_DIRECTIONS, wings, strict=True):
        step = dy * width + dx
        mean = 0.5 * (flat[index + step] + flat[index - step])
        mean_sigma = 0.5 * np.sqrt(noise[index + step] + noise[index - step])
        significant |= value - mean > significance * sigma
        too_sharp |= wing * (value - factor * sigma) > mean + factor * mean_sigma
        np.minimum(level, mean, out=level)
    return significant & too_sharp, np.maximum(level, 0.0)


def _bright_enough(
    shape: tuple[int, ...], pixel: NDArray[np.int64], excess: NDArray[np.float32], min_counts: float
) -> NDArray[np.bool_]:
    """Return hits, each a connected group of pixels, without those whose sum is too small."""
    found = np.zeros(shape, bool)
    found.ravel()[pixel] = True
    labels, n = label_regions(found)
    group = labels.ravel()[pixel]
    total = np.bincount(group, excess, minlength=n + 1)
    found.ravel()[pixel] = total[group] >= min_counts
    return found
