import numpy as np
import pytest
from scipy import ndimage

from obs.algorithms.pixels.smoothing import gaussian_kernel, smooth
from obs.algorithms.sky.noise import measure_smoothed_noise, predict_smoothed_noise

SHAPE = (120, 150)
SIGMA = 1.5


def noise(seed=0, sigma=1.0, shape=SHAPE):
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


def test_noise_knows_that_smoothing_correlates_pixels():
    kernel = gaussian_kernel(SIGMA)
    found = np.mean([measure_smoothed_noise(smooth(noise(seed, 3.0), SIGMA)) for seed in range(10)])
    # some 15000 pixels, of which every 4 pi sigma^2 are alike, ten times
    independent = 10 * 0.7 * SHAPE[0] * SHAPE[1] / (4 * np.pi * SIGMA**2)
    assert found == pytest.approx(3.0 * (kernel**2).sum(), rel=0.015 + 4 / np.sqrt(2 * independent))


def test_noise_leaves_out_bad_pixels():
    image, bad = noise(), np.zeros(SHAPE, bool)
    image[:, :75] *= 100
    bad[:, :80] = True
    assert measure_smoothed_noise(smooth(image, SIGMA), bad) == pytest.approx(
        measure_smoothed_noise(smooth(noise(), SIGMA)), rel=0.1
    )
    assert np.isnan(measure_smoothed_noise(smooth(image, SIGMA), np.ones(SHAPE, bool)))


def test_an_image_smaller_than_the_kernel_has_no_noise_to_tell():
    assert np.isnan(measure_smoothed_noise(smooth(np.ones((4, 200), np.float32), SIGMA)))


LARGE = (800, 1100)


def of_pixels(image, bad=None):
    return predict_smoothed_noise(image, np.zeros(image.shape, bool) if bad is None else bad, SIGMA)


def test_noise_of_pixels_is_that_of_the_smoothed_image():
    image = noise(1, 3.0, LARGE)
    independent = image.size / (4 * np.pi * SIGMA**2)
    expected = 3.0 * (gaussian_kernel(SIGMA) ** 2).sum()
    # the pixels, a hundred thousand at least, tell it better than the smoothed image does
    assert of_pixels(image) == pytest.approx(expected, rel=4 / np.sqrt(2e5))
    assert of_pixels(image) == pytest.approx(
        measure_smoothed_noise(smooth(image, SIGMA)), rel=0.014 + 4 / np.sqrt(2 * independent)
    )


@pytest.mark.parametrize("axis", [0, 1])
def test_noise_that_rows_or_columns_share_is_seen(axis):
    shared = np.random.default_rng(3).normal(0, 0.4, (LARGE[axis],)).astype(np.float32)
    image = noise(2, 1.0, LARGE) + (shared[:, None] if axis == 0 else shared)
    total = np.std(smooth(image, SIGMA).image[20:-20, 20:-20])
    assert of_pixels(image) == pytest.approx(total, rel=0.06)
    assert of_pixels(image) > 1.2 * of_pixels(noise(2, 1.0, LARGE))


def test_faint_sources_and_slopes_hardly_raise_the_noise_of_pixels():
    image = noise(4, 1.0, LARGE)
    rng = np.random.default_rng(5)
    sources = np.zeros(LARGE, np.float32)
    sources[rng.integers(0, LARGE[0], 12_000), rng.integers(0, LARGE[1], 12_000)] = 8.0
    crowded = image + ndimage.gaussian_filter(sources, SIGMA) + np.linspace(-0.1, 0.1, LARGE[1], dtype=np.float32)
    assert of_pixels(crowded) == pytest.approx(of_pixels(image), rel=0.02)
    assert measure_smoothed_noise(smooth(crowded, SIGMA)) > 1.1 * measure_smoothed_noise(smooth(image, SIGMA))


def test_noise_of_pixels_leaves_out_bad_ones():
    image, bad = noise(6, 1.0, LARGE), np.zeros(LARGE, bool)
    image[:, :600] *= 100
    bad[:, :600] = True
    assert of_pixels(image, bad) == pytest.approx(of_pixels(noise(6, 1.0, LARGE)), rel=0.02)
    assert np.isnan(of_pixels(image, np.ones(LARGE, bool)))


def test_a_small_image_has_no_rows_to_compare():
    assert of_pixels(noise(7)) == pytest.approx((gaussian_kernel(SIGMA) ** 2).sum(), rel=0.03)


@pytest.mark.parametrize("sky", [0.3, 3.0])
def test_smoothed_photons_pass_the_threshold_as_seldom_as_gaussian_noise(sky):
    image = (np.random.default_rng(5).poisson(sky, LARGE) - sky).astype(np.float32)
    good = np.zeros(LARGE, bool)
    assert predict_smoothed_noise(image, good, SIGMA) == pytest.approx(
        sky**0.5 * (gaussian_kernel(SIGMA) ** 2).sum(), rel=0.02
    )
    smoothed = smooth(image, SIGMA).image
    threshold = 3.0 * predict_smoothed_noise(image, good, SIGMA, threshold=3.0)
    normal = smooth(noise(6, 1.0, LARGE), SIGMA).image
    expected = np.mean(normal > 3.0 * (gaussian_kernel(SIGMA) ** 2).sum())
    # some 300 pixels of either, in groups of about ten
    assert np.mean(smoothed > threshold) == pytest.approx(expected, rel=0.5)


def test_a_few_hit_pixels_and_faint_stars_are_no_photons():
    rng = np.random.default_rng(7)
    hit = noise(8, 1.0, LARGE) + 7.0 * (rng.random(LARGE) < 0.002)
    stars = noise(9, 1.0, LARGE) + 100 * smooth((rng.random(LARGE) < 0.002).astype(np.float32), 2.0).image
    for image in (hit.astype(np.float32), stars):
        good = np.zeros(LARGE, bool)
        assert predict_smoothed_noise(image, good, SIGMA, threshold=5.0) == predict_smoothed_noise(image, good, SIGMA)
