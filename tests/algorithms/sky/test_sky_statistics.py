import numpy as np
import pytest

from obs.algorithms.sky.level import measure_sky


@pytest.mark.parametrize("mesh", [64, 256])
def test_level_noise_and_slope(mesh):
    rng = np.random.default_rng(1)
    x = np.arange(768)
    image = (1000 * (1 + 0.1 * (x - 383.5) / 768) + rng.normal(0, 5, (512, 768))).astype(np.float32)
    bad = np.zeros(image.shape, bool)
    image[100:150, 100:150] = 1e6
    bad[100:150, 100:150] = True
    sky = measure_sky(image, bad, mesh=mesh)
    centers = (np.arange(768 // mesh) + 0.5) * mesh / 768
    assert (sky.n_x, sky.n_y) == (768 // mesh, 512 // mesh)
    assert sky.level == pytest.approx(1000, rel=1e-3)
    assert sky.flatness_range == pytest.approx(0.1 * np.ptp(centers), rel=0.03)
    assert sky.flatness_rms == pytest.approx(0.1 * np.std(centers), rel=0.03)


def test_noise_is_that_of_the_sky_not_of_stars():
    rng = np.random.default_rng(2)
    image = rng.normal(300, 5, (300, 300)).astype(np.float32)
    image[rng.uniform(size=image.shape) < 0.01] += 5000
    sky = measure_sky(image, np.zeros(image.shape, bool))
    assert sky.sigma == pytest.approx(5, rel=0.03)
    assert sky.level == pytest.approx(300, abs=0.2)


def test_nothing_to_measure_is_not_a_number():
    sky = measure_sky(np.full((50, 50), np.nan, np.float32), np.zeros((50, 50), bool))
    assert np.isnan(sky.level)
    assert sky.n_x == 0
