"""Templates of the peaks of blends: what the light of each would be if it were alone.

The template of a point source is the PSF. That of anything else is the light that is symmetric about the peak, smoothed
and made to fall monotonically outward (Lupton's SDSS Photo deblender; Bosch et al. 2018, section 4.8). A template ends
where it is lost in the noise. Templates come some at a time, so that memory does not grow with the peaks.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.pixels.label import find_boxes
from obs.algorithms.pixels.median import median_of_neighbors
from obs.algorithms.pixels.window import windows
from obs.algorithms.sources.detection import Peaks
from obs.algorithms.sources.points import PointSources
from obs.image.psf import Psf
from obs.threads import map_threads

__all__ = ["Template", "make_templates"]

SIZES = (6, 12, 24, 48, 96, 192)
PIXELS_AT_ONCE = 1_000_000

FAINTEST = 0.01
"""Templates end where they fall below this part of the noise of a pixel."""


class Template(NamedTuple):
    """Pixels of the templates of deblended sources.

    Parameters
    ----------
    child : ndarray of int64, shape (n_entry,)
        Number of the peak; ascending.
    pixel : ndarray of int32 or int64, shape (n_entry,)
        Flat index of the pixel in the image.
    value : ndarray of float32, shape (n_entry,)
        Light, positive.
    """

    child: NDArray[np.int64]
    pixel: NDArray[np.signedinteger]
    value: NDArray[np.float32]


def make_templates(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    labels: NDArray[np.int32],
    peaks: Peaks,
    psf: Psf,
    point: PointSources,
) -> list[Template]:
    """Return the templates of all peaks, some in each entry.

    Parameters
    ----------
    image, variance : ndarray of float32, shape (ny, nx)
        Background-subtracted pixels and their variance, image units squared.
    labels : ndarray of int32, shape (ny, nx)
        Footprint of each pixel; a template stays in that of its peak.
    peaks : Peaks
        Peaks of blended footprints.
    psf : Psf
        Point-spread function.
    point : PointSources
        What was fitted at the peaks.

    Returns
    -------
    list of Template
    """
    variance = np.ascontiguousarray(variance)
    size = psf.stamp_shape[0] // 2

    def of_points(chosen: NDArray[np.int64]) -> Template:
        x, y = peaks.x[chosen] + point.dx[chosen], peaks.y[chosen] + point.dy[chosen]
        # render centers its stamp on the pixel nearest to the source, which may be a neighbor of the peak pixel
        stamps = psf.render(x=x, y=y)
        row, column = (
            size + at - np.rint(place).astype(np.int64) for at, place in ((peaks.y[chosen], y), (peaks.x[chosen], x))
        )
        template = np.maximum(windows(stamps, row, column, size), 0.0) * point.flux[chosen, None, None]
        _, pixel, own = _cut(image, labels, peaks.select(chosen), size)
        return _entries(chosen, pixel, own, template.astype(np.float32), variance)

    extended = _extended(image, variance, labels, peaks, np.flatnonzero(~point.accepted))
    return extended + map_threads(of_points, _some_at_once(np.flatnonzero(point.accepted), size))


def _some_at_once(chosen: NDArray[np.int64], half: int) -> list[NDArray[np.int64]]:
    """Divide peaks so that their stamps take no more memory than they may."""
    step = _n_at_once(half)
    return [chosen[first : first + step] for first in range(0, len(chosen), step)]


def _n_at_once(half: int) -> int:
    """Return the number of stamps that are worked on together."""
    return max(1, PIXELS_AT_ONCE // (2 * half + 1) ** 2)


def _extended(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    labels: NDArray[np.int32],
    peaks: Peaks,
    left: NDArray[np.int64],
) -> list[Template]:
    """Return symmetric templates, each from the smallest window at whose border its light has ended."""
    found: list[Template] = []
    if not len(left):
        return found
    reach = np.zeros(len(peaks), np.int64)
    reach[left] = _reach(labels, peaks.select(left))
    for size in SIZES:

        def within(chosen: NDArray[np.int64], size: int = size) -> tuple[Template, NDArray[np.int64]]:
            """Return the templates that end within a window, and the peaks of the others."""
            stamps, pixel, own = _cut(image, labels, peaks.select(chosen), size)
            template = _falling(_symmetric(stamps, own))
            lit = _is_lit(template, variance, pixel)
            # what falls monotonically and is gone at the border does not come again
            open_end = lit[:, [0, 1, -2, -1]].any((1, 2)) | lit[:, :, [0, 1, -2, -1]].any((1, 2))
            done = ~open_end | (reach[chosen] <= size) | (size == SIZES[-1])
            return _entries(chosen[done], pixel[done], own[done], template[done], variance), chosen[~done]

        parts = map_threads(within, _some_at_once(left, size))
        found += [template for template, _ in parts]
        left = np.concatenate([open_ones for _, open_ones in parts])
        if not len(left):
            break
    return found


def _reach(labels: NDArray[np.int32], peaks: Peaks) -> NDArray[np.int64]:
    """Half-size of the box about each peak outside which no pixel of the footprint has its mirror in the footprint."""
    low_x, high_x, low_y, high_y = find_boxes(labels, int(peaks.footprint.max(initial=0)))[peaks.footprint - 1].T
    in_x = np.minimum(peaks.x - low_x, high_x - 1 - peaks.x)
    in_y = np.minimum(peaks.y - low_y, high_y - 1 - peaks.y)
    return np.asarray(np.maximum(in_x, in_y), np.int64)


def _cut(
    image: NDArray[np.float32], labels: NDArray[np.int32], peaks: Peaks, half: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    height, width = image.shape
    offset = np.arange(-half, half + 1)
    y, x = peaks.y[:, None] + offset, peaks.x[:, None] + offset
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    pixel = np.clip(y, 0, height - 1)[:, :, None] * width + np.clip(x, 0, width - 1)[:, None, :]
    own = inside & (labels.ravel()[pixel] == peaks.footprint[:, None, None])
    return np.where(own, image.ravel()[pixel], np.float32(0.0)), pixel, own


def _symmetric(stamps: NDArray[np.float32], own: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Keep the light that is there on both sides of the peak."""
    both = own & own[:, ::-1, ::-1]
    template = np.where(both, np.minimum(stamps, stamps[:, ::-1, ::-1]), np.float32(0.0))
    template = np.maximum(template, 0.0)
    smoothed = median_of_neighbors(template)
    # the median would flatten the peak itself, where the signal is high and needs no smoothing
    middle = template.shape[1] // 2
    core = slice(max(middle - 1, 0), middle + 2)
    smoothed[:, core, core] = template[:, core, core]
    return np.where(both, smoothed, np.float32(0.0))


@lru_cache(maxsize=len(SIZES))
def _rings(half: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """For each square ring from the center outward: its pixels, the two next pixels inward, and the second's weight."""
    size = 2 * half + 1
    dy, dx = (a.ravel() for a in np.mgrid[-half : half + 1, -half : half + 1])
    radius = np.maximum(np.abs(dx), np.abs(dy))
    rings = []
    for r in range(1, half + 1):
        pixel = np.flatnonzero(radius == r)
        in_x, in_y = dx[pixel] * (r - 1) / r, dy[pixel] * (r - 1) / r
        low_x, low_y = np.floor(in_x + 1e-9).astype(int), np.floor(in_y + 1e-9).astype(int)
        part = np.where(np.abs(dx[pixel]) == r, in_y - low_y, in_x - low_x)
        part = np.where(part < 1e-6, 0.0, part)
        step_x = np.where((np.abs(dx[pixel]) != r) & (part > 0), 1, 0)
        step_y = np.where((np.abs(dx[pixel]) == r) & (part > 0), 1, 0)
        first = (low_y + half) * size + low_x + half
        second = (low_y + step_y + half) * size + low_x + step_x + half
        rings.append((pixel, first, second, part.astype(np.float32)))
    return rings


def _falling(template: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make templates fall monotonically along every ray from the center."""
    flat = template.reshape(len(template), -1)
    for pixel, first, second, part in _rings(template.shape[1] // 2):
        limit = flat[:, first] * (1 - part) + flat[:, second] * part
        flat[:, pixel] = np.minimum(flat[:, pixel], limit)
    return flat.reshape(template.shape)


def _is_lit(
    template: NDArray[np.float32], variance: NDArray[np.float32], pixel: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return where templates have more than a small part of the noise; of a whole image that would be another plane."""
    level = variance.ravel()[pixel]
    level[~((level > 0) & (level < np.inf))] = 0.0
    return np.asarray(template > np.sqrt(level) * np.float32(FAINTEST))


def _entries(
    child: NDArray[np.int64],
    pixel: NDArray[np.int64],
    own: NDArray[np.bool_],
    template: NDArray[np.float32],
    variance: NDArray[np.float32],
) -> Template:
    lit = own & _is_lit(template, variance, pixel)
    small = np.int32 if variance.size < np.iinfo(np.int32).max else np.int64
    return Template(np.repeat(child, lit.sum((1, 2))), pixel[lit].astype(small), template[lit])
