"""Follow a background that has structure, and leave one that has none to a stiff surface.

A stiff surface is held against the levels of the cells that it was fitted to. If many cells differ by more than their
errors and more than a tenth of the noise of a pixel, nebulae or the halo of a galaxy bend the sky: splines through ever
smaller cells are tried until what they leave in cells of half their size is small. Cells are medians of three by three,
so that single stars do not show (Bertin & Arnouts 1996).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.sky.background import fit_background
from obs.image.background import Background

__all__ = ["Residual", "follow_structure", "measure_residual"]

Float = NDArray[np.float32]

ERRORS = 5.0
"""Cells that differ by more than this many standard errors count, if they also differ by `LEAST`."""

LEAST = 0.1
"""Least difference, in noise of a pixel."""

STRUCTURED = 0.15
"""Fraction of such cells from which a background has structure."""

BOTH_SIGNS = 0.05
"""Least fraction of cells that are too dark by so much: light of sources makes cells too bright only."""

STEPS = (2, 4)
"""The cells of splines are smaller by these factors."""


class Residual(NamedTuple):
    """What a background leaves in cells of a mesh.

    Parameters
    ----------
    fraction : float
        Fraction of the cells that differ by more than their error and a tenth of the noise.
    dark : float
        Fraction that is too dark by so much.
    rms : float
        Standard deviation of the differences beyond their errors, in noise of a pixel.
    """

    fraction: float
    dark: float
    rms: float

    @property
    def is_structured(self) -> bool:
        """Whether more than sources in some cells is left."""
        return self.fraction > STRUCTURED and self.dark > BOTH_SIGNS


def measure_residual(cells: Background, model: Float, n_pixel: float) -> Residual:
    """Compare the levels of cells with a model.

    Parameters
    ----------
    cells : Background
        Levels and their errors.
    model : ndarray of float32, shape (ny, nx)
        The background that was fitted.
    n_pixel : float
        Pixels of a cell.

    Returns
    -------
    Residual
        NaN without a known cell.
    """
    rows, columns = (np.rint(place).astype(np.int64) for place in (cells.y, cells.x))
    difference = (cells.level - model[np.ix_(rows, columns)]).astype(np.float64)
    known = np.isfinite(difference) & np.isfinite(cells.error)
    if not known.any():
        return Residual(float("nan"), float("nan"), float("nan"))
    difference, error = difference[known], cells.error[known].astype(np.float64)
    # the error of an average cell gives the noise of a pixel
    noise = float(np.median(error)) * np.sqrt(n_pixel)
    if not noise > 0:
        return Residual(0.0, 0.0, 0.0)
    limit = np.maximum(ERRORS * error, LEAST * noise)
    excess = max(float(np.mean(difference**2) - np.mean(error**2)), 0.0)
    return Residual(
        float(np.mean(np.abs(difference) > limit)), float(np.mean(difference < -limit)), float(np.sqrt(excess)) / noise
    )


def follow_structure(
    image: Float, bad: NDArray[np.bool_] | None, stiff: Background, *, bin_size: int, clip: float = 3.0
) -> tuple[Background, Float, bool]:
    """Return a background that follows structure, if there is any.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Pixels.
    bad : ndarray of bool, shape (ny, nx), or None
        Pixels to leave out.
    stiff : Background
        Fitted in cells of ``bin_size``.
    bin_size : int
        Size of the cells of ``stiff``, pixels.
    clip : float, optional
        Clipping of the cells.

    Returns
    -------
    background : Background
        ``stiff`` if it leaves no structure.
    model : ndarray of float32, shape (ny, nx)
        Its image.
    followed : bool
        Whether structure was followed.
    """
    model = stiff.image()
    if min(stiff.level.shape) < 3 or not measure_residual(stiff, model, bin_size**2).is_structured:
        return stiff, model, False
    best, best_model = stiff, model
    for step in STEPS:
        size = max(bin_size // step, 8)
        cells = fit_background(image, bad, bin_size=size, style="akima", clip=clip)
        best = _without_stars(cells)
        best_model = best.image()
        finer = fit_background(image, bad, bin_size=max(size // 2, 8), style="akima", clip=clip)
        if not measure_residual(finer, best_model, (size // 2) ** 2).is_structured:
            break
    return best, best_model, True


def _without_stars(cells: Background) -> Background:
    """Return cells smoothed by a median of three by three."""
    known = np.isfinite(cells.level)
    if not known.any():
        return cells
    from scipy import ndimage  # noqa: PLC0415 - slow to import, needed for nebulae only

    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    level = ndimage.median_filter(cells.level[tuple(nearest)], 3, mode="nearest")
    return Background(
        np.where(known, level, np.float32(np.nan)), cells.error, cells.x, cells.y, shape=cells.shape, style="akima"
    )
