"""What a smooth kernel misses of a template whose PSF changes in steps, where other exposures begin."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from obs.algorithms.pixels.window import windows
from obs.tasks.difference.match_models import scaled_places
from obs.tasks.psf_sizes import FWHM_PER_SIGMA
from obs.tasks.relative.polynomials import polynomial_terms

__all__ = ["Stamps", "missed_by_smooth_kernel"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

#: Takes x and y on the image, shape (n,), returns the PSF there, shape (n, size, size).
Stamps = Callable[[Floats, Floats], Image]

_GRID = 24  # cells along each side of the image


def missed_by_smooth_kernel(
    stamps: Stamps,
    places: tuple[Floats, Floats, Floats],
    shape: tuple[int, int],
    order: int,
    scale: float,
    sigma: float,
) -> Image:
    """Return the share of a star's light that is left at each place of a difference because the PSF changes in steps.

    The kernel follows the PSF of the template by a polynomial over the image, which stars fix. What the PSF departs
    from it is measured as the misfit of stars is: root mean square within the width of the PSF, after smoothing.

    Parameters
    ----------
    stamps : callable
        PSF of the template at places.
    places : tuple of ndarray of float64, each of shape (n,)
        x, y and weight of the stars to which the kernel was fitted; without any, all places count alike.
    shape : tuple of int
        Shape (ny, nx) of the image.
    order : int
        Degree of the polynomial.
    scale : float
        Pixels of the stamps for one pixel of the image.
    sigma : float
        Size of the PSF of the difference, pixels of the image.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
    """
    cells = [(np.arange(_GRID) + 0.5) / _GRID * size - 0.5 for size in shape]
    grid_y, grid_x = (axis.ravel() for axis in np.meshgrid(*cells, indexing="ij"))
    x, y, weight = places if len(places[0]) else (grid_x, grid_y, np.ones(len(grid_x)))
    at_stars, at_grid = stamps(x, y), stamps(grid_x, grid_y)
    root = np.sqrt(weight)[:, None]
    terms, grid_terms = (polynomial_terms(*scaled_places(*place, shape), order) for place in ((x, y), (grid_x, grid_y)))
    fit = np.linalg.lstsq(terms * root, at_stars.reshape(len(x), -1) * root, rcond=1e-8)[0]
    smooth = (grid_terms @ fit).reshape(at_grid.shape).astype(np.float32)
    typical = smooth.mean(axis=0, dtype=np.float64)
    own = 1.0 / (4 * np.pi * np.sum((typical / typical.sum()) ** 2))
    # the kernel widens a sharper template, and detection smooths once more
    width = float(np.sqrt(max(2 * (scale * sigma) ** 2 - own, own / 4)))
    inner, middle = int(np.ceil(FWHM_PER_SIGMA * scale * sigma)), np.full(len(grid_x), at_grid.shape[1] // 2)
    left, light = (
        windows(gaussian_filter(part, (0, width, width), mode="constant"), middle, middle, inner)
        for part in (at_grid - smooth, smooth)
    )
    share = np.sqrt(np.mean(np.square(left), axis=(1, 2)) / np.mean(np.square(light), axis=(1, 2)))
    # a cell that other exposures enter has the share of the cell beside it
    cell = maximum_filter(share.reshape(_GRID, _GRID), 3)
    rows, columns = (np.minimum(np.arange(size) * _GRID // size, _GRID - 1) for size in shape)
    return np.asarray(cell[rows[:, None], columns], np.float32)
