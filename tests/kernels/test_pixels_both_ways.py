"""Each kernel against the numpy code that it stands for, on random and odd input."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from obs.algorithms.combine.frames import Stack, combine_stack
from obs.algorithms.combine.odd_frames import measure_cells
from obs.algorithms.detector.cosmic_rays import are_too_sharp, find_cosmic_rays
from obs.algorithms.detector.detrend import divide_by_flat, merge_mask, subtract_frame
from obs.algorithms.pixels.bins import sum_bins, sum_cut_bins
from obs.algorithms.pixels.grow import grow
from obs.algorithms.pixels.label import label_regions, measure_regions, renumber_regions, select_regions
from obs.algorithms.pixels.runs import find_pixels
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.pixels.statistics import _quartiles, clipped_statistics, robust_sigma
from obs.algorithms.pixels.window import plane_windows, windows
from obs.algorithms.sky.background import clip_strip, fit_background
from obs.algorithms.sky.level_steps import _levels, find_level_steps
from obs.algorithms.sky.scatter import _look, measure_scatter
from obs.algorithms.sky.streaks import _in_noise
from obs.algorithms.sources.prominence import find_prominent_peaks
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.repo.fits_checksum import sum_words


def noise(shape, seed=1):
    return np.random.default_rng(seed).normal(100.0, 5.0, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(40, 90), (19, 64), (15, 15), (3, 200)])
@pytest.mark.parametrize("to_border", [True, False])
@pytest.mark.parametrize("sigma", [0.1, 1.3, 2.0])
def test_smoothing(both, shape, to_border, sigma):
    reference, compiled = both(lambda: smooth(noise(shape), sigma, to_border=to_border))
    assert reference.margin == compiled.margin
    np.testing.assert_allclose(compiled.image, reference.image, rtol=1e-6)


def test_smoothing_of_a_part_of_an_image(both):
    reference, compiled = both(lambda: smooth(noise((50, 80))[3:45, 7:71], 1.5, to_border=True).image)
    np.testing.assert_allclose(compiled, reference, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 8])
def test_bins_of_pixels_that_are_cut_off(both, size):
    image = noise((41, 66))
    image[3, 5], image[10:20, 7:30], image[0, 0], image[40, 65] = np.inf, np.nan, 1e30, -1e30
    (sums, number), compiled = both(lambda: sum_cut_bins(image - 100.0, size, 4.0))
    np.testing.assert_array_equal(compiled[1], number)
    np.testing.assert_allclose(compiled[0], sums, atol=1e-4)


@pytest.mark.parametrize("size", [8, 13])
def test_means_of_cells(both, size):
    image, rejected = noise((30, 61)), noise((30, 61), 3) > 104
    image[3, 5], image[10, 7:30], rejected[8:22, 2:17] = np.inf, np.nan, True
    image[:8, 40:] = np.rint(image[:8, 40:])
    for reach in (4.0, 0.0, np.nan):
        reference, compiled = both(lambda reach=reach: measure_cells(image, rejected, [Box(2, 1, 59, 28)], reach / 4.0))
        np.testing.assert_array_equal(compiled[1], reference[1])
        np.testing.assert_allclose(compiled[0], reference[0], rtol=1e-12)


def test_pixels_in_units_of_their_noise(both):
    image, variance, bad = noise((9, 40)), noise((9, 40), 2), noise((9, 40), 3) > 105
    image[0, :3], variance[1, :3] = (np.nan, np.inf, 0.0), (0.0, -1.0, np.nan)
    reference, compiled = both(lambda: _in_noise(image, variance, bad))
    np.testing.assert_array_equal(compiled, reference)


@pytest.mark.parametrize("dtype", [np.float32, np.bool_, np.int32, np.float64])
@pytest.mark.parametrize("half", [0, 2, 9])
def test_windows_inside_across_and_beyond_the_border(both, dtype, half):
    plane = (noise((12, 17)) > 100).astype(dtype) if dtype is np.bool_ else noise((12, 17)).astype(dtype)
    row, column = (np.array(place, np.int64) for place in ([5, 0, 11, -30, 6, 40], [8, 16, 0, 3, 2**62, -(2**62)]))
    for cut in (
        lambda: plane_windows(plane, row, column, half),
        lambda: windows(np.stack([plane] * 6), row, column, half),
        lambda: windows(np.stack([plane, 1 - plane.astype(dtype)]), row, column, half, np.array([0, 1, 0, 1, 0, 1])),
        lambda: plane_windows(plane[:, ::2], row, column, half),
    ):
        reference, compiled = both(cut)
        assert reference.dtype == compiled.dtype
        np.testing.assert_array_equal(compiled, reference)


def test_no_windows(both):
    none = np.zeros(0, np.int64)
    reference, compiled = both(lambda: plane_windows(noise((9, 9)), none, none, 2))
    assert reference.shape == compiled.shape == (0, 5, 5)


@pytest.mark.parametrize("with_bad", [False, True])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 15), (4, 16), (33, 31), (60, 101)])
def test_clipped_cells(both, height, width, with_bad):
    """A narrow one, noise, stars, half or all without value, one number, coarse counts, an infinity, few good ones."""
    edges = np.cumsum([0, max(width - 1, 1), *[width] * 8])
    strip = noise((height, int(edges[-1])))
    parts = [strip[:, low:high] for low, high in pairwise(edges)]
    parts[2][:, ::5] += np.float32(400.0)
    parts[3][: height // 2 + 1] = np.nan
    parts[4][:] = np.nan
    parts[5][:] = 7.0
    parts[6][:] = np.round(parts[6] / 40) * 40
    parts[7][0, 1:2] = np.inf
    parts[8][:, width // 20 :] = np.nan
    bad = strip > 108 if with_bad else None
    reference, compiled = both(lambda: clip_strip(strip, bad, edges, 3.0, 3, 0.1))
    np.testing.assert_allclose(compiled[0], reference[0], rtol=1e-6)
    # a standard deviation is a small difference of sums of float32
    np.testing.assert_allclose(compiled[1], reference[1], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(compiled[2], reference[2])


def test_background(both):
    image = noise((300, 210))
    bad = image > 108
    reference, compiled = both(lambda: fit_background(image, bad, bin_size=64).image())
    np.testing.assert_allclose(compiled, reference, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 8, 999, 300_002])
@pytest.mark.parametrize(
    "change", [lambda v: v, lambda v: np.round(v / 7), lambda v: v * 0, lambda v: 100 - v, np.sqrt]
)
def test_medians_and_quartiles(both, n, change):
    """Numbers, ties, zeros, both signs, numbers and NaN."""
    with np.errstate(invalid="ignore"):
        values = change(noise(n) - np.float32(95.0 if change is np.sqrt else 0.0))
    for measure in (robust_sigma, _quartiles):
        reference, compiled = both(lambda measure=measure: measure(values))
        np.testing.assert_array_equal(compiled, reference)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 2, 999, 200_001])
def test_clipped_statistics(both, n, dtype):
    values = noise(n).astype(dtype)
    values[::7] += 1000.0
    before = values.copy()
    reference, compiled = both(lambda: clipped_statistics(values))
    np.testing.assert_array_equal(values, before)
    assert compiled.n == reference.n
    np.testing.assert_allclose(compiled[:2], reference[:2], rtol=1e-5)


def test_clipped_statistics_of_equal_values_and_of_strided_ones(both):
    for values in (np.full(50, 3.0, np.float32), noise((60, 60))[::2, ::3]):
        reference, compiled = both(lambda values=values: clipped_statistics(values))
        np.testing.assert_allclose(compiled, reference, rtol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.4, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(37, 53), (1, 70), (70, 1), (64, 8), (3, 0)])
def test_regions(both, shape, share):
    region = np.random.default_rng(3).random(shape) < share
    reference, compiled = both(lambda: label_regions(region))
    assert reference[1] == compiled[1]
    np.testing.assert_array_equal(compiled[0], reference[0])


def test_sizes_and_heights_of_regions(both):
    image = noise((37, 53))
    labels, n = label_regions(image < 98.0)
    for part in (slice(None), slice(None, None, 2)):
        reference, compiled = both(lambda part=part: measure_regions(labels[:, part], n, image[:, part]))
        for one, other in zip(compiled, reference, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_regions_that_meet_late(both):
    region = np.zeros((9, 30), bool)
    region[:, ::2], region[-1], region[:3, 16] = True, True, False
    region[4:8, 20:24] = True
    for part in (region, region[::-1], region[:, ::-1], region.T):
        reference, compiled = both(lambda part=part: label_regions(part))
        assert reference[1] == compiled[1]
        np.testing.assert_array_equal(compiled[0], reference[0])


@pytest.mark.parametrize("decimals", [1, 6])
def test_prominence(both, decimals):
    # rounded values have equal neighbors
    image = smooth(noise((90, 120), 4), 1.5, to_border=True).image.round(decimals)
    # ways do not lead along the border, but peaks may be there
    y, x = np.nonzero(image == maximum_filter(image, 3))
    for floor in (100.0, 101.0):
        region = image > floor
        at = region[y, x]
        reference, compiled = both(lambda: find_prominent_peaks(image, region, x[at], y[at], np.full(at.sum(), 0.7)))  # noqa: B023
        assert 0 < reference.sum() < at.sum()
        np.testing.assert_array_equal(compiled, reference)


def test_cosmic_rays(both):
    image = noise((120, 150), 6) - np.float32(100.0)
    generator = np.random.default_rng(7)
    for x, y in generator.integers(2, 118, (40, 2)):
        image[y, x : x + 3] += np.float32(300.0)
    image[40, 40], image[0, 5], image[119, 149] = np.nan, 900.0, 900.0
    variance = np.full(image.shape, 25.0, np.float32)
    variance[60, 60], variance[61, 60], variance[90:, :5] = np.nan, 0.0, np.inf
    y, x = np.mgrid[-9:10, -9:10]
    psf = np.exp(-0.5 * (x**2 + y**2) / 1.5**2).astype(np.float32)
    bad = generator.random(image.shape) < 0.02
    for mask in (None, bad):
        reference, compiled = both(lambda mask=mask: find_cosmic_rays(image, variance, psf, bad=mask))
        assert reference.sum() > 40
        np.testing.assert_array_equal(compiled, reference)
    reference, compiled = both(lambda: find_cosmic_rays(image[:, ::2], variance[:, ::2], psf))
    np.testing.assert_array_equal(compiled, reference)


def test_single_pixels_are_judged_as_whole_images_are(both):
    image = noise((30, 40), 6) - np.float32(100.0)
    row, column = np.array([0, 7, 12, 29]), np.array([0, 20, 39, 39])
    image[row, column] += np.float32(400.0)
    image[5:10, 18:23] += np.float32(400.0)
    variance, psf = np.full(image.shape, 25.0, np.float32), np.ones((5, 5), np.float32)
    psf[2, 2] = 2.0
    bad = np.ones(image.shape, bool)
    bad[row, column] = False
    whole = find_cosmic_rays(image, variance, psf, bad=bad, min_counts=0.0, n_iteration=0)
    y, x = (np.clip(place[:, None] + [-1, 0, 1], 0, n - 1) for place, n in ((row, 30), (column, 40)))
    beside = y[:, :, None], x[:, None, :]
    for found in both(lambda: are_too_sharp(image[beside], variance[beside], psf)):
        assert found.tolist() == whole[row, column].tolist() == [True, False, True, True]


@pytest.mark.parametrize("distance", [1, 2, 9, 80])
@pytest.mark.parametrize("shape", [(37, 130), (1, 64), (70, 1), (9, 63), (3, 0), (0, 3)])
def test_regions_grow(both, shape, distance):
    region = np.random.default_rng(3).random(shape) < 0.02
    for part in (region, region[:, ::-1]):
        reference, compiled = both(lambda part=part: grow(part, distance))
        assert reference.dtype == compiled.dtype == bool
        np.testing.assert_array_equal(compiled, reference)


@pytest.mark.parametrize("shape", [(37, 53), (1, 32), (3, 0)])
def test_pixels_of_planes(both, shape):
    mask = np.random.default_rng(4).integers(0, 40, shape).astype(np.int32) * (noise(shape) > 107)
    for part in (mask, mask.T):
        np.testing.assert_array_equal(*both(lambda part=part: find_pixels(part, 6)))


@pytest.mark.parametrize(("first", "count", "bin_size"), [(0, 4, 4), (3, 5, 2), (1, 7, 3), (16, 1, 2)])
def test_sums_of_bins(both, first, count, bin_size):
    reference, compiled = both(lambda: sum_bins(noise((3, 17, 17)), first, count, bin_size))
    assert reference.shape == compiled.shape
    np.testing.assert_allclose(compiled, reference, rtol=1e-6)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 2880, 100_003])
def test_sums_of_words(both, size):
    reference, compiled = both(lambda: sum_words(bytes(range(156, 256)) * (size // 100) + bytes(range(size % 100))))
    assert reference == compiled < 2**32


@pytest.mark.parametrize("height", [100, 101, 24 * 60])
def test_steps_of_levels(both, height):
    image = noise((height, 203), 8)
    image[:, 100:] += np.float32(3.0)
    image[:, 3] = np.round(image[:, 3] / 20) * 20
    bad = np.random.default_rng(9).random(image.shape) < 0.1
    bad[:, 60] = True
    image[bad] = np.nan
    image[7, 150] = -30.0
    for mask in (bad, np.zeros_like(bad)):
        clean = image if mask.any() else np.nan_to_num(image, nan=100.0)
        for plane, out in ((clean, mask), (clean.T, mask.T)):
            if min(plane.shape) >= 100:
                reference, compiled = both(lambda plane=plane, out=out: _levels(plane, out, 6))
                np.testing.assert_allclose(compiled, reference, rtol=1e-7)
    reference, compiled = both(lambda: find_level_steps(image, bad, 5.0))
    np.testing.assert_allclose(compiled.heights, reference.heights, rtol=1e-6)
    np.testing.assert_array_equal(compiled.places, reference.places)


def test_some_regions_and_other_numbers(both):
    labels = np.random.default_rng(5).integers(0, 6, (31, 17)).astype(np.int32)
    chosen, number = np.array([False, True, False, True, True, False]), np.array([0, 5, 0, 9, 1, 2], np.int32)
    for part in (labels, labels.T, labels[:0]):
        for function in (
            lambda part=part: select_regions(part, chosen),
            lambda part=part: renumber_regions(part, number),
        ):
            reference, compiled = both(function)
            assert reference.dtype == compiled.dtype
            np.testing.assert_array_equal(compiled, reference)


def frames_with_hits(n=7, shape=(60, 83), seed=4):
    """Frames of different noise, with hits, values that are not finite, and pixels that all or all but one reject."""
    generator = np.random.default_rng(seed)
    sigma = generator.uniform(1.0, 6.0, n).astype(np.float32)[:, None, None]
    image = (100 + sigma * generator.standard_normal((n, *shape))).astype(np.float32)
    variance = np.broadcast_to(sigma**2, image.shape).copy()
    hit = generator.random(image.shape) < 0.05
    image[hit] += generator.exponential(200.0, hit.sum()).astype(np.float32)
    image[generator.random(image.shape) < 0.02] -= 50
    image[generator.random(image.shape) < 0.01] = np.nan
    variance[generator.random(image.shape) < 0.01] = np.inf
    variance[generator.random(image.shape) < 0.01] = -1.0
    rejected = generator.random(image.shape) < 0.1
    rejected[:, :5] = True
    rejected[1:, 5:9] = True
    return Stack(image, variance, rejected)


@pytest.mark.parametrize("grow", [0, 2])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_means_of_frames_without_outliers(both, n, grow):
    stack = frames_with_hits(n)
    weights = np.random.default_rng(1).uniform(0.2, 1.0, n).astype(np.float32)
    weights[-1] = 0.0 if n > 2 else weights[-1]
    reference, compiled = both(lambda: combine_stack(stack, weights=weights, grow=grow))
    np.testing.assert_array_equal(compiled.n_used, reference.n_used)
    np.testing.assert_array_equal(compiled.n_clipped, reference.n_clipped)
    np.testing.assert_allclose(compiled.image, reference.image, rtol=1e-6)
    np.testing.assert_allclose(compiled.variance, reference.variance, rtol=1e-5)


def test_scatter_of_cells(both):
    """A clean cell, stars, odd columns, too few good pixels, no good pixel, infinities, whole counts, one number."""
    image = noise((32, 9 * 32 + 5))
    bad = np.zeros(image.shape, bool)
    image[5:9, 40:44] += 5000
    bad[:, 64:96:2], bad[::3, 96:128], bad[:, 128:150], bad[:, 160:192] = True, True, True, True
    image[3, 195:200] = np.inf, -np.inf, np.nan, 1e30, -1e30
    image[:, 224:256] = np.random.default_rng(2).poisson(0.2, (32, 32))
    image[:, 256:288] = 7.0
    variance = noise(image.shape, seed=3) / 4
    with np.errstate(invalid="ignore", over="ignore"):
        reference, compiled = both(lambda: _look(image, variance, bad))
    assert np.isnan(reference[:, [4, 5]]).all()
    np.testing.assert_allclose(compiled, reference, rtol=2e-6)


@pytest.mark.parametrize("shape", [(400, 300), (33, 40), (31, 400)])
def test_scatter(both, shape):
    image = noise(shape)
    reference, compiled = both(lambda: measure_scatter(image, np.full_like(image, 25.0), image > 112))
    # means of blocks are float32 numbers twenty times their scatter
    np.testing.assert_allclose(compiled, reference, rtol=5e-6)


def frame(seed, shape=(37, 61), planes=None):
    """A frame with values, variances and bits of all kinds."""
    image, variance = noise(shape, seed), noise(shape, seed + 1) / 20
    image[0, :6] = np.nan, np.inf, -np.inf, 0.0, -3.0, 1e-30
    variance[0, 4:9] = variance[1, :5] = np.nan, np.inf, 0.0, -1.0, 3e38
    return MaskedImage(image, Mask((noise(shape, seed + 2) > 106).astype(np.int32) * (seed % 7), planes), variance)


@pytest.mark.parametrize("scale", [1.0, 0.37, 2e19])
@pytest.mark.parametrize("apply", [subtract_frame, divide_by_flat])
def test_calibration_frames(both, apply, scale):
    def run():
        science = frame(1)
        with np.errstate(over="ignore", invalid="ignore"):
            n_bad = apply(science, frame(5), scale=scale, planes=("BAD", "SAT"))
        return n_bad, science.image, science.variance, science.mask.array

    reference, compiled = both(run)
    for ours, theirs in zip(compiled, reference, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("planes", [None, {"SAT": 0, "BAD": 2, "NEW": 1}])
def test_merged_masks(both, planes):
    def run():
        mask = frame(1).mask
        merge_mask(mask, frame(5, planes=planes).mask, ("BAD", "SAT", "NEW", "NONE"))
        return mask.array, mask.planes

    reference, compiled = both(run)
    np.testing.assert_array_equal(compiled[0], reference[0])
    assert compiled[1] == reference[1]
