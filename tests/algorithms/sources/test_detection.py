import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from obs.algorithms.pixels.smoothing import Smoothed, gaussian_kernel, smooth
from obs.algorithms.sky.noise import measure_smoothed_noise
from obs.algorithms.sources.detection import find_footprints, find_peaks
from star_field import Gaussian, draw, scatter

SHAPE = (120, 150)
SIGMA = 1.5

images = arrays(np.float32, (9, 11), elements=st.integers(0, 4).map(np.float32))
bools = arrays(bool, (9, 11))


def noise(seed=0, sigma=1.0, shape=SHAPE):
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


@given(images, bools)
def test_peaks_are_pixels_that_no_neighbor_exceeds(image, above):
    labels, n = ndimage.label(above, np.ones((3, 3)))
    peaks = find_peaks(image, above, labels)
    highest = ndimage.maximum_filter(image, 3, mode="constant", cval=-1)
    assert above[peaks.y, peaks.x].all()
    assert (image[peaks.y, peaks.x] == highest[peaks.y, peaks.x]).all()
    np.testing.assert_array_equal(peaks.value, image[peaks.y, peaks.x])
    # no two peaks touch
    place = np.c_[peaks.x, peaks.y]
    apart = np.abs(place[:, None] - place[None]).max(2)
    np.fill_diagonal(apart, 9)
    assert (apart > 1).all() if len(peaks) else True
    # ordered by footprint, and by brightness within
    order = np.lexsort((-peaks.value, peaks.footprint))
    np.testing.assert_array_equal(peaks.value, peaks.value[order])
    np.testing.assert_array_equal(peaks.footprint, np.sort(peaks.footprint))
    assert set(peaks.footprint) <= set(range(1, n + 1))


@given(images, st.integers(0, 4), st.integers(1, 3), st.integers(0, 2))
def test_every_footprint_is_connected_and_has_a_peak(image, threshold, minimum_pixels, n_grow):
    found = find_footprints(Smoothed(image, 0), threshold=threshold, minimum_pixels=minimum_pixels, n_grow=n_grow)
    assert sorted(set(found.peaks.footprint)) == list(range(1, found.n + 1))
    assert found.labels.max() == found.n
    np.testing.assert_array_equal(found.labels[found.peaks.y, found.peaks.x], found.peaks.footprint)
    assert ndimage.label(found.labels > 0, np.ones((3, 3)))[1] == found.n
    assert (found.peaks.value > threshold).all()


@given(images, images, st.integers(0, 3), st.integers(0, 2))
def test_a_local_background_leaves_every_footprint_a_peak(image, local, threshold, margin):
    image = image.copy()
    if margin:
        image[:margin], image[-margin:], image[:, :margin], image[:, -margin:] = 0, 0, 0, 0
    found = find_footprints(Smoothed(image, margin), threshold=threshold, n_grow=1, above_local=image - local)
    assert sorted(set(found.peaks.footprint)) == list(range(1, found.n + 1))
    np.testing.assert_array_equal(found.labels[found.peaks.y, found.peaks.x], found.peaks.footprint)


def test_small_and_low_regions_are_dropped():
    image = np.zeros((20, 20), np.float32)
    image[2, 2] = 10
    image[8:10, 8:10] = 4
    image[14:17, 14:17] = 9
    everything = find_footprints(Smoothed(image, 0), threshold=1)
    assert everything.n == 3
    large = find_footprints(Smoothed(image, 0), threshold=1, minimum_pixels=4)
    assert [(x, y) for x, y in zip(large.peaks.x, large.peaks.y, strict=True)] == [(8, 8), (14, 14)]
    high = find_footprints(Smoothed(image, 0), threshold=1, minimum_height=4)
    assert high.peaks.value.tolist() == [10, 9]
    both = find_footprints(Smoothed(image, 0), threshold=1, minimum_height=4, minimum_pixels=2)
    assert both.peaks.value.tolist() == [9]


def test_regions_that_touch_after_growing_are_one():
    image = np.zeros((20, 30), np.float32)
    image[10, 10], image[10, 15] = 5, 7
    apart = find_footprints(Smoothed(image, 0), threshold=1, n_grow=1)
    assert apart.n == 2
    merged = find_footprints(Smoothed(image, 0), threshold=1, n_grow=3)
    assert merged.n == 1
    assert merged.peaks.value.tolist() == [7, 5]


def test_a_saturated_plateau_has_one_peak():
    image = np.zeros((20, 20), np.float32)
    image[5:12, 6:9] = 100
    found = find_footprints(Smoothed(image, 0), threshold=1)
    assert len(found.peaks) == 1


def test_noise_in_the_wing_of_a_bright_source_is_no_peak_of_its_own():
    y, x = np.mgrid[:100, :100]
    wing = (300 * np.exp(-0.5 * ((x - 50) ** 2 + (y - 50) ** 2) / 625)).astype(np.float32)
    image = wing + ndimage.gaussian_filter(noise(3, 40.0, (100, 100)), 1.0)
    image += 150 * np.exp(-0.5 * ((x - 70) ** 2 + (y - 40) ** 2) / 2).astype(np.float32)
    level = 5 * 40 / np.sqrt(4 * np.pi)
    every = find_footprints(Smoothed(image, 0), threshold=level)
    kept = find_footprints(Smoothed(image, 0), threshold=level, above_local=image - wing, local_threshold=level)
    in_wing, left = (np.sum(found.peaks.footprint == found.labels[50, 50]) for found in (every, kept))
    assert in_wing > 20
    assert left <= 3
    assert np.hypot(kept.peaks.x - 70, kept.peaks.y - 40).min() < 1.5


def test_slopes_at_the_border_of_the_known_pixels_are_no_peaks():
    image = np.zeros((40, 40), np.float32)
    margin = 3
    image[margin:-margin, margin:-margin] = 5
    image[20, 20] = 50
    image[margin, 25] = 20  # the slope of something that lies beyond
    found = find_footprints(Smoothed(image, margin), threshold=1)
    assert [(x, y) for x, y in zip(found.peaks.x, found.peaks.y, strict=True)] == [(20, 20)]
    alone = np.zeros((40, 40), np.float32)
    alone[margin, 25] = 20
    assert len(find_footprints(Smoothed(alone, margin), threshold=1).peaks) == 1


def test_nothing_above_the_threshold_is_nothing():
    found = find_footprints(Smoothed(noise(), 0), threshold=100, n_grow=3, above_local=noise() - noise(1))
    assert found.n == len(found.peaks) == 0
    assert not found.labels.any()


def test_noise_alone_is_hardly_ever_a_source():
    counts = []
    for seed in range(20):
        smoothed = smooth(noise(seed, shape=(300, 300)), SIGMA)
        counts.append(find_footprints(smoothed, threshold=5 * measure_smoothed_noise(smoothed)).n)
    # a five-sigma peak is expected once in some 10^5 independent places, of which there are 6000 here
    assert sum(counts) <= 3


def test_stars_are_found_where_they_are_as_often_as_their_noise_allows():
    shape, n, sky = (500, 500), 80, 10.0
    x, y = scatter(n, shape, seed=5, separation=20, border=20)
    kernel = gaussian_kernel(SIGMA)
    peak_noise = sky * (kernel**2).sum()
    # peak of the smoothed star, at signal to noise of 3 to 12
    signal = np.repeat([3.0, 5.0, 8.0, 12.0], n // 4)
    flux = signal * peak_noise * 4 * np.pi * (SIGMA**2 + 1 / 24)
    image = (draw(shape, x, y, flux, Gaussian(SIGMA**2, SIGMA**2)) + noise(6, sky, shape)).astype(np.float32)
    smoothed = smooth(image, SIGMA)
    found = find_footprints(smoothed, threshold=5 * measure_smoothed_noise(smoothed), n_grow=4)
    distance = np.hypot(found.peaks.x[:, None] - x, found.peaks.y[:, None] - y)
    detected = distance.min(0) < 2.5
    assert detected[signal == 3].mean() < 0.2
    # the highest of several pixels counts, which helps those at the threshold
    assert 0.3 <= detected[signal == 5].mean() <= 0.9
    assert detected[signal >= 8].all()
    assert (distance.min(1) < 2.5).sum() >= len(found.peaks) - 1


def test_the_image_is_not_changed():
    image = noise()
    before = image.copy()
    smoothed, above = smooth(image, SIGMA), image.copy()
    find_footprints(smoothed, threshold=0.5, above_local=above)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(above, before)
