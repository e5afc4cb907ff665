"""The shape of the sky: dark corners of optics, slopes, and what is neither."""

import numpy as np
import pytest

from obs.algorithms.sky.illumination import measure_sky_shape
from obs.image.background import Background

V, U = np.meshgrid(np.linspace(-0.95, 0.95, 12), np.linspace(-0.95, 0.95, 16), indexing="ij")


def cells(shape, seed=1, error=0.5):
    """Return a background of 500 counts with a shape, a fraction of it."""
    level = 500.0 * (1.0 + shape) + np.random.default_rng(seed).normal(0.0, error, U.shape)
    x, y = 1024 * (U[0] + 1), 768 * (V[:, 0] + 1)
    return Background(level.astype(np.float32), np.full(U.shape, error, np.float32), x, y, shape=(1536, 2048))


@pytest.mark.parametrize("depth", [0.05, 0.5])
def test_dark_corners_are_measured(depth):
    found = measure_sky_shape(cells(-0.5 * depth * (U**2 + V**2)))
    assert found.corners == pytest.approx(depth, rel=0.05)
    assert found.slope == 0.0


@pytest.mark.parametrize(("u", "v", "angle"), [(0.1, 0.0, 0.0), (0.0, -0.1, -90.0), (-0.07, 0.07, 135.0)])
def test_slopes_are_measured(u, v, angle):
    found = measure_sky_shape(cells(u * U + v * V))
    assert found.slope == pytest.approx(2 * np.hypot(u, v), rel=0.03)
    assert found.angle == pytest.approx(angle, abs=2.0)
    assert found.corners == 0.0


@pytest.mark.parametrize(
    "shape",
    [
        np.zeros(U.shape),
        0.5 * np.exp(-np.hypot(U, V) / 0.2),  # a large galaxy in the middle
        0.1 * np.random.default_rng(3).normal(size=U.shape),  # clouds
        -0.2 * U**2,  # a strip of light
    ],
    ids=["even", "galaxy", "clouds", "strip"],
)
def test_other_skies_have_neither(shape):
    assert measure_sky_shape(cells(shape))[:2] == (0.0, 0.0)


def test_a_sky_that_was_subtracted_says_nothing():
    assert measure_sky_shape(cells(-1.0 + 1e-5 * U))[:2] == (0.0, 0.0)
    assert measure_sky_shape(cells(np.where(U < 0.7, np.nan, 0.0)))[:2] == (0.0, 0.0)
