"""Put resampled exposures together to a coadd, some rows at a time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.coadd.artifacts import ArtifactLimits, find_artifacts
from obs.algorithms.coadd.backgrounds import match_backgrounds
from obs.algorithms.coadd.combine import combine_rows
from obs.algorithms.coadd.point_sources import PointSourceSums
from obs.algorithms.coadd.psf import psf_tolerances
from obs.coadds.config import CoaddConfig
from obs.coadds.warp import OUTSIDE, UNUSABLE, Warp
from obs.frozen import frozen
from obs.geom import Box
from obs.image.mask import DEFAULT_PLANES, Mask
from obs.image.masked_image import MaskedImage
from obs.repo.warp_store import WarpStore

__all__ = ["Assembly", "assemble", "translate_bits"]

_VALUES = 4_000_000  # of all exposures together in memory
_HALO = 8
_DROPPED = ("DETECTED", "DETECTED_NEGATIVE", "EDGE")
_COADD_PLANES = ("REJECTED", "SENSOR_EDGE", "INEXACT_PSF")


@frozen
class Assembly:
    """A coadd and how it came about.

    Parameters
    ----------
    masked_image : MaskedImage
        Image, mask and variance.
    count : ndarray of uint16, shape (ny, nx)
        Number of exposures in each pixel.
    n_clipped : int
        Number of values rejected as artifacts.
    clipped_share : tuple of float
        Share of each exposure's values that were.
    point_sources : PointSourceSums or None
        Sums on which point sources are detected best, if they were asked for.
    clipped_pixels : tuple of ndarray of int64, shape (n, 2)
        Row and column of the rejected values of each exposure, if a coadd with one PSF was asked for, else none.
    """

    masked_image: MaskedImage
    count: NDArray[np.uint16]
    n_clipped: int
    clipped_share: tuple[float, ...]
    point_sources: PointSourceSums | None
    clipped_pixels: tuple[NDArray[np.int64], ...]


def assemble(warps: Sequence[Warp], store: WarpStore, box: Box, config: CoaddConfig) -> Assembly:
    """Combine resampled exposures to the image of a patch.

    Parameters
    ----------
    warps : sequence of Warp
        The exposures, at least one.
    store : WarpStore
        Their pixels.
    box : Box
        Pixels of the patch, counted from 0.
    config : CoaddConfig
        Settings.
    """
    work = _Work(warps, store, box, config)
    n_row = max(_HALO, _VALUES // (len(warps) * box.width) - 2 * _HALO)
    for low in range(0, box.height, n_row):
        work.add_rows(low, min(low + n_row, box.height))
    return work.finish()


class _Work:
    def __init__(self, warps: Sequence[Warp], store: WarpStore, box: Box, config: CoaddConfig) -> None:
        self.warps, self.store, self.box, self.config = warps, store, box, config
        self.weights = np.array([warp.weight for warp in warps])
        self.skies = np.zeros((len(warps), 3))
        if config.background.enabled and len(warps) > 1:
            self.skies = match_backgrounds(np.stack([warp.sky for warp in warps]), self.weights)
        widest = max(warp.psf.fwhm for warp in warps)
        self.reach = max(2, round(0.5 * widest))
        self.tolerances = _tolerances(warps, store, self.reach)
        limits = config.artifacts
        self.limits = ArtifactLimits(limits.threshold, limits.edge_threshold, limits.grow, limits.maximum_share)
        planes = [*DEFAULT_PLANES, *_COADD_PLANES]
        self.mask = Mask.zeros(box.shape, {name: bit for bit, name in enumerate(planes)})
        self.mask.array[:] = self.mask.bits("NO_DATA")
        self.image = np.zeros(box.shape, np.float32)
        self.variance = np.full(box.shape, np.inf, np.float32)
        self.count = np.zeros(box.shape, np.uint16)
        self.point_sources = _point_source_sums(warps, store, box) if config.point_source_image else None
        self.clipped_pixels: list[list[NDArray[np.int64]]] = [[] for _ in warps]
        self.clipped, self.seen = np.zeros(len(warps), np.int64), np.zeros(len(warps), np.int64)

    def add_rows(self, low: int, high: int) -> None:
        """Combine rows ``low`` to ``high``; artifacts are looked for some rows farther."""
        first, last = max(0, low - _HALO), min(self.box.height, high + _HALO)
        numbers = [
            index
            for index, warp in enumerate(self.warps)
            if self.store.boxes[warp.number].y_min < last and self.store.boxes[warp.number].y_max > first
        ]
        if not numbers:
            return
        values, noises, bits = self._read(numbers, first, last)
        usable = (bits & UNUSABLE) == 0
        weights = self.weights[numbers].astype(np.float64)
        weights32 = (weights / weights.max()).astype(np.float32)
        clipped = np.zeros(usable.shape, bool)
        if self.config.artifacts.enabled and len(numbers) > 1:
            clipped = find_artifacts(values, noises, usable, self.tolerances[numbers], self.reach, self.limits)
        inner = np.s_[:, low - first : high - first]
        values, noises, bits = values[inner], noises[inner], bits[inner]
        usable, clipped = usable[inner], clipped[inner]
        combined = combine_rows(values, noises, usable & ~clipped, weights32, self.config.statistic)
        rows = np.s_[low:high]
        self.image[rows], self.variance[rows], self.count[rows] = combined.image, combined.variance, combined.count
        self.clipped[numbers] += clipped.sum(axis=(1, 2))
        self.seen[numbers] += usable.sum(axis=(1, 2))
        if self.config.psf_matched_coadd:
            for index, rejected in zip(numbers, clipped, strict=True):
                row, column = np.nonzero(rejected)
                self.clipped_pixels[index].append(np.stack([row + low, column], axis=1))
        if self.point_sources is not None:
            for index, value, used in zip(numbers, values, combined.used, strict=True):
                self.point_sources.add_rows(index, low, value, used)
        self._set_mask(rows, bits, combined.used, usable, clipped, weights32)
        self._fill(rows, values, noises, bits, weights32)

    def _read(
        self, numbers: Sequence[int], first: int, last: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        """Return image, variance and mask of some rows of exposures, with their skies matched, on the whole width."""
        shape = len(numbers), last - first, self.box.width
        values, noises = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        bits = np.full(shape, OUTSIDE | UNUSABLE, np.int32)
        y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in self.box.shape)
        for place, index in enumerate(numbers):
            warp = self.warps[index]
            region = self.store.boxes[warp.number]
            low, high = max(first, region.y_min), min(last, region.y_max)
            planes = self.store.read_rows(warp.number, low - region.y_min, high - region.y_min)
            here = np.s_[low - first : high - first, region.x_min : region.x_max]
            constant, slope_x, slope_y = self.skies[index].astype(np.float32)
            sky = constant + slope_x * x[region.x_min : region.x_max] + (slope_y * y[low:high])[:, None]
            values[place][here] = planes[0] - sky
            noises[place][here] = planes[1]
            bits[place][here] = translate_bits(planes[2], warp.planes, self.mask.planes)
        return values, noises, bits

    def _set_mask(
        self,
        rows: slice,
        bits: NDArray[np.int32],
        used: NDArray[np.bool_],
        usable: NDArray[np.bool_],
        clipped: NDArray[np.bool_],
        weights: NDArray[np.float32],
    ) -> None:
        mask = self.mask.array[rows]
        mask[:] = 0
        saturated = self.mask.bits("SAT")
        total, lost = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
        rejected = np.zeros(mask.shape, bool)
        for one, good, fine, weight in zip(bits, used, usable, weights, strict=True):
            mask |= np.where(good, one, 0)
            present = (one & OUTSIDE) == 0
            total += present * weight
            rejected |= present & ~fine
            lost += ((one & saturated) != 0) * (present & ~good) * weight
        mask[lost > self.config.saturated_share * total] |= saturated
        any_clipped = clipped.any(axis=0)
        mask[any_clipped] |= self.mask.bits("CLIPPED")
        mask[rejected] |= self.mask.bits("REJECTED")
        mask[any_clipped | rejected] |= self.mask.bits("INEXACT_PSF")
        mask &= ~np.int32(OUTSIDE | UNUSABLE | self.mask.bits(*_DROPPED))
        mask[total == 0] = self.mask.bits("NO_DATA")

    def _fill(
        self,
        rows: slice,
        values: NDArray[np.float32],
        noises: NDArray[np.float32],
        bits: NDArray[np.int32],
        weights: NDArray[np.float32],
    ) -> None:
        """Fill pixels that no exposure measured, such as the middle of saturated stars, with what all have there."""
        holes = (self.count[rows] == 0) & (self.mask.array[rows] != self.mask.bits("NO_DATA"))
        if not holes.any():
            return
        place = np.nonzero(holes)
        bits, values, noises = bits[:, holes], values[:, holes], noises[:, holes]
        present = (bits & OUTSIDE) == 0
        share = present * weights[:, None]
        total = share.sum(axis=0)
        self.image[rows][place] = (share * values).sum(axis=0) / total
        self.variance[rows][place] = (share * share * noises).sum(axis=0) / total**2
        planes = np.bitwise_or.reduce(np.where(present, bits, 0), axis=0)
        planes &= ~np.int32(OUTSIDE | UNUSABLE | self.mask.bits(*_DROPPED))
        self.mask.array[rows][place] |= planes

    def finish(self) -> Assembly:
        empty = self.mask.array == self.mask.bits("NO_DATA")
        self.image[empty] = 0
        share = self.clipped / np.maximum(self.seen, 1)
        return Assembly(
            MaskedImage(self.image, self.mask, self.variance),
            self.count,
            int(self.clipped.sum()),
            tuple(share.tolist()),
            self.point_sources,
            tuple(np.concatenate([np.zeros((0, 2), np.int64), *parts]) for parts in self.clipped_pixels),
        )


def translate_bits(bits: NDArray[np.int32], planes: dict[str, int], wanted: dict[str, int]) -> NDArray[np.int32]:
    """Return a mask with the bits of its planes where another mask has them; planes that it has not are dropped.

    Parameters
    ----------
    bits : ndarray of int32, shape (ny, nx)
        Mask.
    planes : dict of str to int
        Number of the bit of each plane of this mask.
    wanted : dict of str to int
        Number of the bit of each plane of the other mask.

    Returns
    -------
    ndarray of int32, shape (ny, nx)
        ``bits`` itself, not a copy, if all planes have the same bits already.
    """
    if all(wanted.get(name) == bit for name, bit in planes.items()):
        return bits
    result = bits & np.int32(OUTSIDE | UNUSABLE)
    for name, bit in planes.items():
        if name in wanted:
            result |= ((bits >> bit) & 1) << wanted[name]
    return result


def _point_source_sums(warps: Sequence[Warp], store: WarpStore, box: Box) -> PointSourceSums:
    return PointSourceSums(box.shape, _middle_psfs(warps, store), [warp.sky_sigma**2 for warp in warps])


def _tolerances(warps: Sequence[Warp], store: WarpStore, reach: int) -> NDArray[np.float32]:
    """Return the tolerances of `find_artifacts`."""
    size = max(max(warp.psf.stamp_shape) for warp in warps)
    stamps = [np.pad(stamp, (size - stamp.shape[0]) // 2) for stamp in _middle_psfs(warps, store)]
    return psf_tolerances(stamps, reach)


def _middle_psfs(warps: Sequence[Warp], store: WarpStore) -> list[NDArray[np.float32]]:
    """Return the PSF in the middle of each exposure's part of the patch, outside of which its model means nothing."""
    stamps = []
    for warp in warps:
        region = store.boxes[warp.number]
        x, y = np.array([region.x_min + region.width // 2]), np.array([region.y_min + region.height // 2])
        stamps.append(warp.psf.evaluate(x=x, y=y)[0])
    return stamps
