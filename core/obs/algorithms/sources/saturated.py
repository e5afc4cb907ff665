"""Saturated stars: what their cores would hold, from the pixels that are not saturated.

Saturated pixels are filled from their neighbors, which leaves a crater: its rim has several maxima, none of which is
where the star is. The PSF is fitted, with its position, to the pixels around instead, and takes the place of the core.
Then each star has one peak, and all that is measured of it follows. What bled along the columns stays as it is.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.pixels.runs import find_pixels
from obs.algorithms.pixels.window import plane_windows
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.frozen import frozen
from obs.image.mask import Mask
from obs.image.psf import Psf

__all__ = ["Restored", "restore_saturated"]

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Plane = NDArray[np.float32]
Mask3 = NDArray[np.bool_]

_UNUSABLE = ("SAT", "BAD", "INTRP", "CR", "NO_DATA", "UNMASKEDNAN")
"""Mask planes of pixels that the fit leaves out."""
_MOST_SATURATED = 0.1
"""Part of the image above which saturated pixels are not taken for cores of stars."""
_NEAR, _NEAR_WIDTHS = 1.5, 0.8
"""A peak this near to a saturated pixel, in pixels or full widths of the PSF, may be on the rim of a core."""
_NEIGHBOR_WIDTHS = 3.0
"""Distance, in full widths, from cores within which the light of other sources is fitted with that of the stars."""
_SAME, _SAME_WIDTHS = 1.0, 0.5
"""Fits that end nearer to one another, in pixels or full widths, have found the same star."""
_BATCH_PIXELS = 2_000_000
"""Pixels of the stamps that are worked on at a time."""
_ROUNDS, _PLAIN_ROUNDS, _SETTLED = 16, 5, 0.003
"""Most steps of the fit, those before pixels that do not fit weigh less, and one, pixels, after which it is done."""
_MODEL_ERROR = 0.03
"""Error of the PSF on each pixel, as a part of its value there."""
_OUTLIER = 4.0
"""Error at which the weight of a pixel is halved."""
_EXPLAINED_FIRST, _EXPLAINED = 0.3, 0.8
"""Part of the light about a core that the PSF of a star explains, before that of its neighbors is known and after."""
_TOGETHER = 4
"""Times that stars are fitted without the light of one another."""
_LARGEST_ERROR = 0.3
"""Error of the position, in full widths, above which the fit says nothing."""
_OWN_LIGHT = 0.5
"""Peaks beside a core stay if the model of the star leaves this part of their light."""


@frozen
class Restored:
    """An image whose saturated stars have cores.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Pixels and variance. That of restored pixels makes the errors of fluxes and positions those of the fit.
    footprints : Footprints
        Regions, and peaks with one for each restored star.
    """

    image: Plane
    variance: Plane
    footprints: Footprints


@frozen
class _Fits:
    """Stars fitted to pixels about cores: position, flux, variances of x, y and flux; ``good`` where there is one."""

    x: Floats
    y: Floats
    flux: Floats
    x_variance: Floats
    y_variance: Floats
    flux_variance: Floats
    good: NDArray[np.bool_]

    def select(self, rows: Whole) -> "_Fits":
        return _Fits(*(getattr(self, name)[rows] for name in self.__annotations__))


def restore_saturated(
    image: Plane, variance: Plane, mask: Mask, footprints: Footprints, psf: Psf, *, fwhm: float, move_peaks: bool = True
) -> Restored:
    """Put the PSF into the cores of saturated stars.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels, finite, and variance, image units squared. They are not changed.
    mask : Mask
        Which pixels are saturated or cannot be used.
    footprints : Footprints
        Detections.
    psf : Psf
        Point-spread function.
    fwhm : float
        Its full width at half maximum, pixels.
    move_peaks : bool, optional
        Give each restored star one peak, in its middle.

    Returns
    -------
    Restored
        What was handed in, if there is no saturated star.
    """
    same = Restored(image, variance, footprints)
    peaks, bits = footprints.peaks, mask.known_bits(("SAT",))
    n_saturated = len(find_pixels(mask.array, bits)[0])
    if not len(peaks) or not 0 < n_saturated <= _MOST_SATURATED * image.size:
        return same
    rim = max(_NEAR, _NEAR_WIDTHS * fwhm)
    on_rim = _peaks_near(mask.array, bits, peaks, rim)
    if not len(on_rim):
        return same
    # the light of unsaturated neighbors is fitted, too
    near = _peaks_near(mask.array, bits, peaks, rim + _NEIGHBOR_WIDTHS * fwhm)
    is_core = np.isin(near, on_rim)
    half = max(psf.stamp_shape) // 2
    row, column, depth = _middles(mask.array, bits, peaks.y[near], peaks.x[near], half)
    unusable = mask.known_bits(_UNUSABLE)
    limit = (np.where(is_core, depth, 0) + fwhm).astype(np.float64)
    x, y = (np.where(is_core, c, p).astype(float) for c, p in ((column, peaks.x[near]), (row, peaks.y[near])))
    first = _fit(image, variance, mask.array, unusable, psf, x, y, limit, fwhm, _EXPLAINED_FIRST)
    star = _same_star(first, is_core, fwhm)
    lead = np.unique(star[star >= 0])
    if not len(lead):
        return same
    found = first.select(lead)
    model = _model(image.shape, psf, found)
    # stars that touch are fitted again without the light of one another
    least = [_EXPLAINED_FIRST] * (_TOGETHER - 1) if len(lead) > 1 else []
    for part in [*least, _EXPLAINED]:
        x, y = found.x, found.y
        found = _fit(image, variance, mask.array, unusable, psf, x, y, limit[lead], fwhm, part, model, found)
        kept = np.flatnonzero(found.good)
        lead, found = lead[kept], found.select(kept)
        model = _model(image.shape, psf, found)
    cores = np.flatnonzero(is_core[lead])
    if not len(cores):
        return same
    lead, found = lead[cores], found.select(cores)
    image, variance = _filled(image, variance, mask.array, bits, psf, found, model)
    if move_peaks:
        star[~is_core] = -1
        model = _model(image.shape, psf, found)
        footprints = _with_one_peak_each(image, mask.array, bits, footprints, near, star, lead, found, model)
    return Restored(image, variance, footprints)


def _peaks_near(mask: NDArray[np.int32], bits: int, peaks: Peaks, distance: float) -> Whole:
    """Return the rows of the peaks that have a saturated pixel within a distance."""
    reach = int(np.ceil(distance))
    offset = np.arange(-reach, reach + 1)
    disk = np.hypot(offset, offset[:, None]) <= distance
    return np.concatenate(
        [
            rows[((plane_windows(mask, peaks.y[rows], peaks.x[rows], reach) & bits) != 0)[:, disk].any(1)]
            for rows in _portions(len(peaks), reach)
        ]
    )


def _portions(n: int, half: int) -> Iterator[Whole]:
    step = max(1, _BATCH_PIXELS // (2 * half + 1) ** 2)
    for first in range(0, n, step):
        yield np.arange(first, min(first + step, n))


def _middles(mask: NDArray[np.int32], bits: int, row: Whole, column: Whole, half: int) -> tuple[Whole, Whole, Whole]:
    """Return row, column and depth of the middle of the saturated core at or beside each peak.

    The middle is where the distance from the rim is greatest: uphill from the peak, so that neither the column that
    bled nor a neighbor counts.
    """
    result = np.zeros((3, len(row)), np.int64)
    for rows in _portions(len(row), half):
        core = (plane_windows(mask, row[rows], column[rows], half) & bits) != 0
        depth = _depth(core)
        height = _blurred(_blurred(depth.astype(np.float32)))
        height[~core] = 0.0
        y, x = _nearest_of(core)
        y, x = _climb(height, y, x)
        result[0, rows], result[1, rows] = row[rows] + y - half, column[rows] + x - half
        result[2, rows] = depth[np.arange(len(rows)), y, x]
    return result[0], result[1], result[2]


def _depth(core: Mask3) -> Whole:
    """Return how many pixels each pixel of a core lies inside its rim, 1 on the rim and 0 outside."""
    depth, left = core.astype(np.int64), core
    while True:
        padded = np.pad(left, ((0, 0), (1, 1), (1, 1)))
        rows = padded[:, :-2] & padded[:, 1:-1] & padded[:, 2:]
        left = rows[:, :, :-2] & rows[:, :, 1:-1] & rows[:, :, 2:]
        if not left.any():
            return depth
        depth += left


def _blurred(stamps: Plane) -> Plane:
    padded = np.pad(stamps, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray(rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:])


def _nearest_of(core: Mask3) -> tuple[Whole, Whole]:
    """Return the pixel of each core that is nearest to the middle of its stamp."""
    offset = np.arange(core.shape[1]) - core.shape[1] // 2
    distance = offset**2 + offset[:, None] ** 2
    place = np.argmin(np.where(core, distance, distance.max() + 1).reshape(len(core), -1), axis=1)
    return np.divmod(place, core.shape[1])


def _climb(height: Plane, y: Whole, x: Whole) -> tuple[Whole, Whole]:
    """Go from pixel to pixel, each the highest of the five by five around, until there is none higher."""
    rows, last = np.arange(len(height)), height.shape[1] - 1
    offset = np.arange(-2, 3)
    for _ in range(height.shape[1]):
        around_y = np.clip(y[:, None] + offset, 0, last)
        around_x = np.clip(x[:, None] + offset, 0, last)
        values = height[rows[:, None, None], around_y[:, :, None], around_x[:, None, :]].reshape(len(rows), -1)
        best = np.argmax(values, axis=1)
        up = values[rows, best] > height[rows, y, x]
        if not up.any():
            break
        y = np.where(up, around_y[rows, best // 5], y)
        x = np.where(up, around_x[rows, best % 5], x)
    return y, x


def _fit(
    image: Plane,
    variance: Plane,
    mask: NDArray[np.int32],
    unusable: int,
    psf: Psf,
    x: Floats,
    y: Floats,
    limit: Floats,
    fwhm: float,
    explained: float,
    model: Plane | None = None,
    own: _Fits | None = None,
) -> _Fits:
    """Fit position and flux of a PSF to the usable pixels about each place, less the light of the other stars."""
    half = max(psf.stamp_shape) // 2
    parts = []
    for rows in _portions(len(x), half):
        fitted = _Fitter(image, variance, mask, unusable, psf, model)
        mine = None if own is None else own.select(rows)
        parts.append(fitted.fit(x[rows], y[rows], limit[rows], fwhm, explained, mine))
    return _Fits(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Fits.__annotations__))


class _Fitter:
    """Newton's method, with pixels that do not fit weighing less."""

    def __init__(
        self,
        image: Plane,
        variance: Plane,
        mask: NDArray[np.int32],
        unusable: int,
        psf: Psf,
        model: Plane | None,
    ) -> None:
        self.image, self.variance, self.mask, self.unusable = image, variance, mask, unusable
        self.psf, self.model = psf, model

    def fit(self, x: Floats, y: Floats, limit: Floats, fwhm: float, least: float, own: _Fits | None) -> _Fits:
        n = len(x)
        start, place = np.stack([x, y]), np.stack([x, y])
        solution, spread, explained = np.zeros((n, 3)), np.full((n, 3), np.nan), np.zeros(n)
        active = np.arange(n)
        for number in range(_ROUNDS):
            mine = None if own is None else own.select(active)
            robust = number >= _PLAIN_ROUNDS
            found = self._step(place[:, active], solution[active, 0], robust, mine)
            solution[active], spread[active], explained[active], step = found
            step = np.clip(step, -0.5 * fwhm, 0.5 * fwhm)
            place[:, active] += step
            moved = np.abs(place - start)[:, active].max(0)
            unsettled = np.hypot(*step) > _SETTLED if robust else np.ones(len(active), bool)
            active = active[unsettled & (moved <= limit[active])]
            if not len(active):
                break
        height, width = self.image.shape
        flux = solution[:, 0]
        inside = (place > -0.5).all(0) & (place[0] < width - 0.5) & (place[1] < height - 0.5)
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = spread[:, 1:] / flux[:, None] ** 2
            good = (flux > 0) & np.isfinite(spread).all(1) & (explained > least) & inside
            good &= (errors < (_LARGEST_ERROR * fwhm) ** 2).all(1) & (np.abs(place - start) <= limit).all(0)
        return _Fits(place[0], place[1], flux, errors[:, 0], errors[:, 1], spread[:, 0], good)

    def _step(
        self, place: Floats, flux: Floats, robust: bool, own: _Fits | None
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Return amplitudes of the PSF and its slopes, their variances, the part of light explained, and the step."""
        n = len(place[0])
        rendered = self.psf.render_slopes(x=place[0], y=place[1])
        half = rendered[0].shape[1] // 2
        column, row = np.rint(place).astype(np.int64)
        height, width = self.image.shape
        offset = np.arange(-half, half + 1)
        inside_y = (row[:, None] + offset >= 0) & (row[:, None] + offset < height)
        inside_x = (column[:, None] + offset >= 0) & (column[:, None] + offset < width)
        use = inside_y[:, :, None] & inside_x[:, None, :]
        use &= (plane_windows(self.mask, row, column, half) & self.unusable) == 0
        data = plane_windows(self.image, row, column, half).astype(np.float64)
        if self.model is not None and own is not None:
            data -= plane_windows(self.model, row, column, half)
            data += _own_light(self.psf, own, row, column, half)
        noise = np.maximum(plane_windows(self.variance, row, column, half), 0.0).astype(np.float64)
        noise += (_MODEL_ERROR * np.maximum(flux, 0.0)[:, None, None] * rendered[0]) ** 2
        weight = use.astype(np.float64)
        if robust:
            misfit = (data - flux[:, None, None] * rendered[0]) ** 2
            weight /= 1 + misfit / (_OUTLIER**2 * np.where(noise > 0, noise, np.inf))
        design = np.stack([part.reshape(n, -1) for part in rendered], axis=1).astype(np.float64)
        weighted = design * weight.reshape(n, 1, -1)
        normal = weighted @ design.transpose(0, 2, 1)
        right = weighted @ data.reshape(n, -1, 1)
        covered = (weighted * noise.reshape(n, 1, -1)) @ weighted.transpose(0, 2, 1)
        scale = np.sqrt(np.einsum("nii->ni", normal))
        singular = ~(scale > 0).all(1)
        scale[singular] = 1.0
        correlation = normal / (scale[:, :, None] * scale[:, None, :])
        singular |= ~(np.linalg.det(np.where(singular[:, None, None], np.eye(3), correlation)) > 1e-6)
        normal[singular] = np.eye(3)
        inverse = np.linalg.inv(normal)
        solution = (inverse @ right)[:, :, 0]
        variances = np.einsum("nij,njk,nki->ni", inverse, covered, inverse)
        variances[singular] = np.nan
        left = data.reshape(n, -1) - np.einsum("ni,nip->np", solution, design)
        total = (weight.reshape(n, -1) * data.reshape(n, -1) ** 2).sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            explained = 1 - (weight.reshape(n, -1) * left**2).sum(1) / total
            # light that is not of the stars makes the fit worse than noise does
            misfit = (weight.reshape(n, -1) * left**2).sum(1) / (weight * noise).reshape(n, -1).sum(1)
            variances *= np.fmax(1.0, misfit)[:, None]
            step = solution[:, 1:].T / np.where(solution[:, 0] > 0, solution[:, 0], np.nan)
        step = np.where(np.isfinite(step) & ~singular, step, 0.0)
        return solution, variances, np.where(np.isfinite(explained), explained, 0.0), step


def _own_light(psf: Psf, stars: _Fits, row: Whole, column: Whole, half: int) -> Plane:
    """Return the light of each star on the pixels about another place near it."""
    light = psf.render(x=stars.x, y=stars.y) * stars.flux[:, None, None].astype(np.float32)
    size = light.shape[1]
    y = np.arange(-half, half + 1) + (row - np.rint(stars.y).astype(np.int64))[:, None] + size // 2
    x = np.arange(-half, half + 1) + (column - np.rint(stars.x).astype(np.int64))[:, None] + size // 2
    seen = ((y >= 0) & (y < size))[:, :, None] & ((x >= 0) & (x < size))[:, None, :]
    cut = light[
        np.arange(len(row))[:, None, None], np.clip(y, 0, size - 1)[:, :, None], np.clip(x, 0, size - 1)[:, None, :]
    ]
    return np.asarray(np.where(seen, cut, np.float32(0.0)))


def _same_star(fits: _Fits, is_core: NDArray[np.bool_], fwhm: float) -> Whole:
    """Return for each fit the row of the brightest that found the same star, cores first; -1 where there is no star."""
    star = np.full(len(fits.x), -1)
    good = np.flatnonzero(fits.good)
    if not len(good):
        return star
    order = good[np.lexsort((-fits.flux[good], ~is_core[good]))]
    star[order] = order
    tree = PointTree(np.c_[fits.x[order], fits.y[order]])
    for bright, faint in tree.pairs_within(max(_SAME, _SAME_WIDTHS * fwhm)):
        if star[order[bright]] == order[bright]:
            star[order[faint]] = order[bright]
    return star


def _model(shape: tuple[int, ...], psf: Psf, stars: _Fits) -> Plane:
    """Return the light of all stars."""
    model = np.zeros(shape, np.float32)
    for rows in _portions(len(stars.x), max(psf.stamp_shape) // 2):
        part = stars.select(rows)
        light = psf.render(x=part.x, y=part.y) * part.flux[:, None, None].astype(np.float32)
        y, x, inside = _places(shape, part, light.shape[1] // 2)
        np.add.at(model, (y[inside], x[inside]), light[inside])
    return model


def _places(shape: tuple[int, ...], stars: _Fits, half: int) -> tuple[Whole, Whole, Mask3]:
    """Return row and column of the pixels about stars, each shape (n, k, k), and which are inside the image."""
    offset = np.arange(-half, half + 1)
    y = np.rint(stars.y).astype(np.int64)[:, None, None] + offset[:, None]
    x = np.rint(stars.x).astype(np.int64)[:, None, None] + offset
    y, x = np.broadcast_arrays(y, x)
    return y, x, (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])


def _filled(
    image: Plane, variance: Plane, mask: NDArray[np.int32], bits: int, psf: Psf, stars: _Fits, model: Plane
) -> tuple[Plane, Plane]:
    """Return image and variance with the light of stars on their saturated pixels."""
    image, variance = image.copy(), variance.copy()
    for rows in _portions(len(stars.x), max(psf.stamp_shape) // 2):
        part = stars.select(rows)
        render = psf.render_slopes(x=part.x, y=part.y)
        y, x, inside = _places(image.shape, part, render[0].shape[1] // 2)
        core = np.zeros(inside.shape, bool)
        core[inside] = (mask[y[inside], x[inside]] & bits) != 0
        core[inside] &= model[y[inside], x[inside]] > image[y[inside], x[inside]]
        noise = np.zeros(inside.shape)
        noise[inside] = np.maximum(variance[y[inside], x[inside]], 0.0)
        needed = np.zeros(len(rows))
        errors = part.flux_variance, part.x_variance * part.flux**2, part.y_variance * part.flux**2
        for weight, error in zip(render, errors, strict=True):
            square = weight.astype(np.float64) ** 2
            beside = np.where(core, 0.0, square * noise).sum((1, 2))
            inner = np.where(core, square, 0.0).sum((1, 2))
            more = error * square.sum((1, 2)) ** 2 - beside
            needed = np.maximum(needed, np.where(inner > 0, more / np.where(inner > 0, inner, 1.0), 0.0))
        at = y[core], x[core]
        image[at] = model[at]
        enlarged = np.broadcast_to(needed[:, None, None], core.shape)[core].astype(np.float32)
        np.maximum.at(variance, at, enlarged)
    return image, variance


def _with_one_peak_each(
    image: Plane,
    mask: NDArray[np.int32],
    bits: int,
    footprints: Footprints,
    near: Whole,
    star: Whole,
    lead: Whole,
    found: _Fits,
    model: Plane,
) -> Footprints:
    """Return footprints in which the peaks on the rim of a core are one, in its middle."""
    peaks = footprints.peaks
    number = np.full(len(star) + 1, -1)
    number[lead] = np.arange(len(lead))
    owner = np.where(star >= 0, number[star], -1)
    x, y = np.rint(found.x).astype(np.int64), np.rint(found.y).astype(np.int64)
    footprint = footprints.labels[y, x].astype(np.int64)
    own = (owner >= 0) & (peaks.footprint[near] == footprint[owner])
    rows, owner = near[own], owner[own]
    saturated = (mask[peaks.y[rows], peaks.x[rows]] & bits) != 0
    light, explained = (plane_windows(plane, peaks.y[rows], peaks.x[rows], 1).sum((1, 2)) for plane in (image, model))
    # a neighbor on the rim is a source of its own
    rim = saturated | (light - explained < _OWN_LIGHT * light)
    rows, owner = rows[rim], owner[rim]
    value = np.zeros(len(lead), np.float32)
    np.maximum.at(value, owner, peaks.value[rows])
    has = np.flatnonzero(value > 0)
    keep = np.ones(len(peaks), bool)
    keep[rows] = False
    old = peaks.select(keep)
    joined = Peaks(
        np.r_[old.x, x[has]],
        np.r_[old.y, y[has]],
        np.r_[old.value, value[has]],
        np.r_[old.footprint, footprint[has]],
    )
    order = np.lexsort((-joined.value, joined.footprint))
    return Footprints(footprints.labels, footprints.n, joined.select(order), footprints.threshold)
