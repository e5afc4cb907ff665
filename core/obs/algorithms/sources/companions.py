"""Companions of stars: point sources in the wings of brighter ones, which are not maxima of the smoothed image.

Smoothing with the PSF finds the faintest sources that are alone, but makes each wider by the square root of two: a
star at two widths from one three times as bright is a shoulder. The PSF is fitted to each bright source, and what is
left is searched for a peak on one side of it. Where two PSFs fit, it is a second source. Light that is left on both
sides alike is that of a galaxy, and stays whole.
"""

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.window import plane_windows, seen_from, windows
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.algorithms.sources.points import PointSources, fit_points
from obs.image.psf import Psf

__all__ = ["add_companions"]

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Plane = NDArray[np.float32]

_BRIGHT = 4.0
"""Height of sources that are searched, in units of the threshold: fainter ones do not show that they are two."""
_SHOWS_MISFIT, _PERCENT, _LARGEST_MISFIT = 50.0, 25, 1.4
"""Signal-to-noise ratio of sources that show how well the PSF fits, percentile of their reduced chi-squared, at which
galaxies do not count, and its largest value with which what is left beside a source is not an error of the PSF."""
_ENOUGH = 10
"""Fewer such sources do not show it."""
_NEAREST, _FURTHEST = 0.7, 2.2
"""Distances between which companions are looked for, in full widths of the PSF."""
_CLOSEST = 0.85
"""Distance, in full widths, below which the fluxes of two sources are not well known."""
_CLEAR = 7.0
"""Signal-to-noise ratio of companions."""
_FAINTEST = 0.02
"""Companions with a smaller part of the flux cannot be told from errors of the model of the PSF."""
_MIRRORED = 0.35
"""Part of a companion's light that may be left on the other side of the source."""
_EXPLAINED = 0.8
"""Part of the misfit of a single PSF that two PSFs must explain, if they do not fit the noise."""


def add_companions(
    image: Plane,
    variance: Plane,
    unusable: NDArray[np.bool_],
    footprints: Footprints,
    psf: Psf,
    *,
    fwhm: float,
    chi2_cut: float,
) -> Footprints:
    """Return footprints with the companions of their bright peaks among the peaks.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and their variance, image units squared.
    unusable : ndarray of bool, shape (ny, nx)
        Saturated and interpolated pixels; sources beside them are not searched.
    footprints : Footprints
        Regions and peaks.
    psf : Psf
        Point-spread function.
    fwhm : float
        Its full width at half maximum, pixels.
    chi2_cut : float
        Reduced chi-squared below which two PSFs agree with the pixels.

    Returns
    -------
    Footprints
    """
    old = footprints.peaks
    if not len(old):
        return footprints
    bright = np.flatnonzero(old.value >= _BRIGHT * footprints.threshold)
    shown = np.zeros(footprints.n + 1, bool)
    shown[old.footprint[bright]] = True
    rows = np.flatnonzero(shown[old.footprint])
    if not len(rows):
        return footprints
    peaks = old.select(rows)
    single = fit_points(image, variance, peaks, psf, fwhm, chi2_cut)
    clear = (single.flux > _SHOWS_MISFIT * single.error) & (single.flux > 0)
    if np.count_nonzero(clear) >= _ENOUGH and np.percentile(single.chi2[clear], _PERCENT) > _LARGEST_MISFIT:
        return footprints
    searched = (peaks.value >= _BRIGHT * footprints.threshold) & (single.flux > 0)
    reach = int(np.ceil(_FURTHEST * fwhm))
    index = np.flatnonzero(searched)
    index = index[~plane_windows(unusable, peaks.y[index], peaks.x[index], reach).any((1, 2))]
    primary, x, y = _search(image, variance, footprints, peaks, single, psf, fwhm, index)
    if not len(primary):
        return footprints
    new = Peaks(x, y, image[y, x], peaks.footprint[primary])
    both = _joined(peaks, new)
    pair = fit_points(image, variance, both, psf, fwhm, chi2_cut)
    accepted = _accepted(single, pair, both, primary, len(peaks), fwhm, chi2_cut)
    if not accepted.any():
        return footprints
    chosen = new.select(accepted)
    second = len(peaks) + np.flatnonzero(accepted)
    # the primary stays the first peak of its footprint
    part = np.minimum(pair.flux[second] / pair.flux[primary[accepted]], 0.99)
    value = (part * peaks.value[primary[accepted]]).astype(np.float32)
    all_peaks = _joined(old, Peaks(chosen.x, chosen.y, value, chosen.footprint))
    order = np.lexsort((-all_peaks.value, all_peaks.footprint))
    return Footprints(footprints.labels, footprints.n, all_peaks.select(order), footprints.threshold)


def _joined(first: Peaks, second: Peaks) -> Peaks:
    return Peaks(
        np.r_[first.x, second.x],
        np.r_[first.y, second.y],
        np.r_[first.value, second.value],
        np.r_[first.footprint, second.footprint],
    )


def _search(
    image: Plane,
    variance: Plane,
    footprints: Footprints,
    peaks: Peaks,
    single: PointSources,
    psf: Psf,
    fwhm: float,
    index: Whole,
) -> tuple[Whole, Whole, Whole]:
    """Return peaks whose light one PSF does not explain, and the pixel, x and y, where most is left on one side."""
    none = np.zeros(0, np.int64)
    if not len(index):
        return none, none, none
    x, y = peaks.x + single.dx, peaks.y + single.dy
    model = psf.render(x=x, y=y)
    reach = int(np.ceil(_FURTHEST * fwhm))
    half = reach + int(np.ceil(fwhm))
    middle_x, middle_y = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    left = plane_windows(image, middle_y[index], middle_x[index], half)
    noise = plane_windows(variance, middle_y[index], middle_x[index], half)
    own = plane_windows(footprints.labels, middle_y[index], middle_x[index], reach)
    free = own == peaks.footprint[index, None, None]
    offset = np.arange(-reach, reach + 1)
    to_x, to_y = offset + (middle_x - x)[index, None], offset + (middle_y - y)[index, None]
    distance = np.hypot(to_x[:, None, :], to_y[:, :, None])
    free &= (distance >= _NEAREST * fwhm) & (distance <= _FURTHEST * fwhm)
    place = np.zeros(len(peaks), np.int64)
    place[index] = np.arange(len(index))
    pairs = PointTree(np.c_[x, y]).pairs_within(float(half + model.shape[1] // 2), square=True)
    wanted = np.zeros(len(peaks), bool)
    wanted[index] = True
    one = np.concatenate([index, pairs[:, 0], pairs[:, 1]])
    other = np.concatenate([index, pairs[:, 1], pairs[:, 0]])
    one, other = one[wanted[one]], other[wanted[one]]
    flux = np.maximum(single.flux, 0.0).astype(np.float32)
    for start in range(0, len(one), 4096):
        some = slice(start, start + 4096)
        seen = seen_from(model, x, y, one[some], other[some], half)
        np.subtract.at(left, place[one[some]], seen * flux[other[some], None, None])
    for k, c in zip(*(part[one != other] for part in (place[one], other)), strict=True):
        free[k] &= (
            np.hypot(to_x[k][None, :] + x[index[k]] - x[c], to_y[k][:, None] + y[index[k]] - y[c]) > _NEAREST * fwhm
        )
    score = _matched(left, noise, fwhm, reach)
    best = np.argmax(np.where(free, score, -np.inf).reshape(len(index), -1), axis=1)
    row, column = np.divmod(best, 2 * reach + 1)
    every = np.arange(len(index))
    height = score[every, row, column]
    # the place on the other side of the source
    across = np.rint(2 * (x - middle_x)[index]).astype(np.int64) + 2 * reach - column
    up = np.rint(2 * (y - middle_y)[index]).astype(np.int64) + 2 * reach - row
    mirrored = windows(score, up, across, 1).max((1, 2))
    good = free[every, row, column] & (height > _CLEAR) & (mirrored < _MIRRORED * height)
    return index[good], (middle_x[index] + column - reach)[good], (middle_y[index] + row - reach)[good]


def _matched(left: Plane, noise: Plane, fwhm: float, reach: int) -> Plane:
    """Signal-to-noise ratio of point sources at the middle pixels of stamps, shape (n, 2 reach + 1, 2 reach + 1)."""
    size = left.shape[1]
    sigma = fwhm / 2.3548
    at = np.arange(-reach, reach + 1)[:, None] - (np.arange(size) - size // 2)
    kernel = np.exp(-0.5 * (at / sigma) ** 2).astype(np.float32)
    known = np.isfinite(left) & (noise > 0)
    signal = kernel @ np.where(known, left, np.float32(0)) @ kernel.T
    spread = kernel**2 @ np.where(known, noise, np.float32(0)) @ (kernel**2).T
    return np.asarray(signal / np.sqrt(np.maximum(spread, np.float32(1e-30))), np.float32)


def _accepted(
    single: PointSources,
    pair: PointSources,
    peaks: Peaks,
    primary: Whole,
    first: int,
    fwhm: float,
    chi2_cut: float,
) -> NDArray[np.bool_]:
    """Which companions, peaks from number ``first`` on, are point sources that explain their primaries' misfit."""
    second = first + np.arange(len(primary))
    x, y = peaks.x + pair.dx, peaks.y + pair.dy
    distance = np.hypot(x[primary] - x[second], y[primary] - y[second])
    # a wider companion is a galaxy, or a part of one
    misfit = np.maximum(single.chi2[primary] - 1.0, 0.0)
    largest = np.maximum(chi2_cut, 1.0 + (1.0 - _EXPLAINED) * misfit)
    fits = (pair.chi2[primary] < largest) & (pair.chi2[second] < largest)
    clear = (pair.flux[second] > _CLEAR * pair.error[second]) & (pair.flux[second] > _FAINTEST * pair.flux[primary])
    apart = (distance > _CLOSEST * fwhm) & (distance < _FURTHEST * fwhm)
    return np.asarray(fits & clear & apart & (pair.flux[primary] > 0))
