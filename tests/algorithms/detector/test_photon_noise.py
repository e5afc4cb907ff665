"""Gains and read noises from pairs of frames whose truth is known."""

import numpy as np
import pytest

from obs.algorithms.detector.photon_noise import estimate_gain, estimate_noise, estimate_sky_gain
from obs.doctor.levels import measure_pixel_noise

SHAPE = (320, 256)


def flat(seed, gain, level, read_noise=5.0, slope=0.0):
    """A flat above the overscan, ADU, whose pixels differ in their sensitivity by a hundredth."""
    random, pixels = np.random.default_rng(seed), np.random.default_rng(0).normal(1.0, 0.01, SHAPE)
    light = level * (1.0 + slope * np.arange(SHAPE[1]) / SHAPE[1]) * pixels
    image = random.poisson(light * gain) / gain + random.normal(0.0, read_noise / gain, SHAPE)
    image[random.integers(0, SHAPE[0], 30), random.integers(0, SHAPE[1], 30)] += 3000.0  # cosmic rays
    return np.round(image)


@pytest.mark.parametrize("gain", [0.4, 1.0, 6.3])
@pytest.mark.parametrize("second", [1.0, 1.4])
def test_gain_from_two_flats(gain, second):
    images = flat(1, gain, 12000.0, slope=0.5), flat(2, gain, 12000.0 * second, slope=0.5)
    found = estimate_gain(*images, read_variance=(5.0 / gain) ** 2, ceiling=60000.0)
    assert found.value == pytest.approx(gain, rel=0.02)
    assert 0 < found.error < 0.02 * gain


def test_no_gain_from_too_little_or_too_much_light():
    assert estimate_gain(flat(1, 1.0, 20.0), flat(2, 1.0, 20.0), read_variance=25.0, ceiling=60000.0) is None
    assert estimate_gain(flat(1, 1.0, 50000.0), flat(2, 1.0, 50000.0), read_variance=25.0, ceiling=40000.0) is None
    small = np.ones((20, 20))
    assert estimate_gain(small, small, read_variance=1.0, ceiling=100.0) is None


def test_read_noise_from_two_biases():
    random = np.random.default_rng(3)
    pattern = random.normal(0.0, 3.0, SHAPE)  # the same in both
    images = [1000.0 + pattern + random.normal(0.0, 4.2, SHAPE) for _ in range(2)]
    assert estimate_noise(*images).value == pytest.approx(4.2, rel=0.02)


def test_gain_from_the_sky_of_one_frame_where_it_is_faint():
    assert estimate_sky_gain(flat(4, 2.0, 300.0), read_variance=6.25).value == pytest.approx(2.0, rel=0.1)
    assert estimate_sky_gain(flat(4, 2.0, 30000.0), read_variance=6.25) is None
    assert estimate_sky_gain(flat(4, 2.0, 1.0), read_variance=6.25) is None


@pytest.mark.parametrize("sigma", [0.5, 3.0, 50.0])
def test_noise_of_whole_counts_beside_a_slope(sigma):
    random = np.random.default_rng(5)
    image = np.round(np.arange(400)[:, None] * 0.2 + random.normal(0.0, sigma, (400, 60)))
    assert measure_pixel_noise(image) == pytest.approx(np.hypot(sigma, 0.29), rel=0.1)
