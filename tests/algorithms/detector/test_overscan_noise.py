"""The noise of an overscan: that of an amplifier, patterns, two levels, spikes."""

import numpy as np
import pytest

from obs.algorithms.detector.overscan_noise import describe_noise

LINES, LENGTH = 800, 32


def noise(sigma=3.0, seed=1):
    return np.random.default_rng(seed).normal(0.0, sigma, (LINES, LENGTH))


@pytest.mark.parametrize("sigma", [0.45, 1.0, 3.0, 40.0])
def test_noise_of_an_amplifier(sigma):
    found = [describe_noise(np.rint(noise(sigma, seed)), 1.0) for seed in range(20)]
    assert np.abs([one.shape - 1.0 for one in found]).max() < (0.1 if sigma < 1.0 else 0.05)
    assert max(one.pattern for one in found) < 1.5


def test_a_wave_along_the_lines_is_a_pattern():
    phase = np.random.default_rng(2).uniform(0, 2 * np.pi, (LINES, 1))
    wave = 1.5 * np.sin(2 * np.pi * np.arange(LENGTH) * 5 / LENGTH + phase)
    assert describe_noise(noise() + wave).pattern > 3.0


def test_two_levels_and_spikes_have_a_shape():
    levels = np.where(np.random.default_rng(3).random((LINES, LENGTH)) > 0.5, 10.0, -10.0)
    assert describe_noise(noise() + levels).shape < 0.87
    spikes = np.where(np.random.default_rng(4).random((LINES, LENGTH)) > 0.97, 14.0, 0.0)
    assert describe_noise(noise() + spikes).shape > 1.05


def test_hits_and_trails_of_stars_do_not_count():
    pixels = noise()
    pixels[5, 3], pixels[40:60, 0] = 900.0, 300.0
    found = describe_noise(pixels)
    assert found.shape == pytest.approx(1.0, abs=0.03)
    assert found.pattern < 1.5


def test_too_little_to_tell():
    assert np.isnan(describe_noise(np.zeros((LINES, LENGTH)))).all()
    assert np.isnan(describe_noise(noise()[:, :6]).pattern)
