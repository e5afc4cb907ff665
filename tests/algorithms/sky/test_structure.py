"""Backgrounds with structure are followed, others are left stiff."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from obs.algorithms.sky.background import fit_background
from obs.algorithms.sky.structure import follow_structure, measure_residual

SHAPE = (640, 768)
NOISE = 10.0
BIN = 64


def smooth_sky():
    y, x = np.indices(SHAPE) / 700
    return 200 + 30 * x - 20 * y + 15 * x * y


def nebula(scale, amplitude):
    light = gaussian_filter(np.random.default_rng(3).normal(size=SHAPE), scale)
    return amplitude * np.clip(light / light.std(), 0, None)


def stars():
    rng = np.random.default_rng(4)
    light = np.zeros(SHAPE)
    rows, columns = np.mgrid[-20:21, -20:21]
    for flux in 300 * 10 ** rng.exponential(0.45, 150):
        y, x = (int(rng.integers(20, size - 21)) for size in SHAPE)
        light[y - 20 : y + 21, x - 20 : x + 21] += min(flux, 3e5) / 14 * (1 + (rows**2 + columns**2) / 6) ** -2.5
    return light


def fit(truth, seed=5):
    image = (truth + np.random.default_rng(seed).normal(0, NOISE, SHAPE)).astype(np.float32)
    stiff = fit_background(image, None, bin_size=BIN, style="chebyshev", order=6)
    return stiff, *follow_structure(image, None, stiff, bin_size=BIN)


@pytest.mark.parametrize("light", [lambda: 0.0, stars], ids=["empty", "stars"])
def test_a_smooth_sky_stays_stiff(light):
    stiff, found, model, followed = fit(smooth_sky() + light())
    assert not followed
    assert found is stiff
    np.testing.assert_array_equal(model, stiff.image())


@pytest.mark.parametrize(("scale", "amplitude"), [(30, 30), (50, 8)])
def test_a_nebula_is_followed(scale, amplitude):
    truth = smooth_sky() + nebula(scale, amplitude)
    stiff, _, model, followed = fit(truth + stars())
    assert followed
    # what is left is a fraction of the noise, and of what the polynomial leaves
    left, left_stiff = (np.std((m - truth)[20:-20, 20:-20]) for m in (model, stiff.image()))
    assert left < 0.3 * NOISE
    assert left < 0.5 * left_stiff


def test_the_residual_is_in_units_of_the_noise_of_a_pixel():
    rng = np.random.default_rng(6)
    image = rng.normal(0, NOISE, SHAPE).astype(np.float32)
    zero = np.zeros(SHAPE, np.float32)
    calm = measure_residual(fit_background(image, None, bin_size=32), zero, 32**2)
    assert calm.rms < 0.02
    assert not calm.is_structured
    blocks = np.add.outer(np.arange(SHAPE[0]) // 32, np.arange(SHAPE[1]) // 32) % 2
    uneven = image + np.where(blocks, 3, -3).astype(np.float32)
    rough = measure_residual(fit_background(uneven, None, bin_size=32), zero, 32**2)
    assert rough.rms == pytest.approx(0.3, abs=0.02)
    assert rough.is_structured
