import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from obs.algorithms.sky.correlation import measure_noise_correlation

SHAPE = (700, 900)


def white(seed=1):
    return np.random.default_rng(seed).normal(0.0, 3.0, SHAPE).astype(np.float32)


def measure(image, bad=None, variance=9.0):
    bad = np.zeros(SHAPE, bool) if bad is None else bad
    return measure_noise_correlation(image, np.full(SHAPE, variance, np.float32), bad)


def gaussian(sigma, half=12):
    offset = np.arange(-half, half + 1)
    return np.exp(-0.5 * (offset[:, None] ** 2 + offset**2) / sigma**2)


def test_independent_noise_has_no_correlation():
    noise = measure(white())
    assert noise.excess == pytest.approx(1.0, abs=0.01)
    assert noise.sky_variance == pytest.approx(9.0)
    assert not noise.resampled
    # half a million pixels know each coefficient to 0.0014
    assert noise.variance_factor(gaussian(1.5)) == pytest.approx(1.0, abs=0.03)


def test_the_factor_is_that_of_sums_over_the_image():
    image = gaussian_filter(white(), 0.6)
    noise = measure(image)
    assert noise.resampled
    for weight in (gaussian(1.4), gaussian(3.0), np.gradient(gaussian(1.4), axis=1)):
        sums = fftconvolve(image, weight, mode="valid")
        found = sums.var() / image.var() / np.sum(weight**2)
        assert noise.variance_factor(weight) == pytest.approx(found, rel=0.06)


def test_more_noise_than_the_variance_plane_has_is_found():
    assert measure(white(), variance=6.0).excess == pytest.approx(1.5, rel=0.01)


def test_parts_of_other_depth_do_not_count_as_more_noise():
    scale = np.where(np.arange(SHAPE[1]) < 300, 3.0, 1.0).astype(np.float32) * np.ones(SHAPE, np.float32)
    noise = measure_noise_correlation(white() * scale, 9.0 * scale**2, np.zeros(SHAPE, bool))
    assert noise.excess == pytest.approx(1.0, abs=0.01)
    assert noise.variance_factor(gaussian(1.5)) == pytest.approx(1.0, abs=0.03)


def test_sources_are_left_out():
    image, bad = white(), np.zeros(SHAPE, bool)
    for k in range(0, 600, 60):
        image[k : k + 9, 40:800] += 500.0
        bad[k - 1 : k + 10, 38:802] = True
    noise = measure(image, bad)
    assert noise.variance_factor(gaussian(1.5)) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("variance", [9.0, np.nan, 0.0])
def test_without_a_sky_noise_is_independent(variance):
    noise = measure(white(), np.ones(SHAPE, bool), variance)
    assert noise.excess == 1.0
    assert noise.variance_factor(gaussian(1.5)) == pytest.approx(1.0)


def test_an_image_smaller_than_a_square_is_measured_too():
    image = np.random.default_rng(3).normal(0.0, 3.0, (200, 210)).astype(np.float32)
    noise = measure_noise_correlation(image, np.full(image.shape, 9.0, np.float32), np.zeros(image.shape, bool))
    assert noise.excess == pytest.approx(1.0, abs=0.03)
