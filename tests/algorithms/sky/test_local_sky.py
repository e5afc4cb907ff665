import numpy as np
import pytest

from obs.algorithms.sky.local_sky import measure_local_sky

SHAPE = (200, 220)


def test_the_level_is_that_of_the_annulus_and_has_its_error():
    rng = np.random.default_rng(3)
    image = (0.1 * np.arange(SHAPE[1]) + rng.normal(0, 2.0, SHAPE)).astype(np.float32)
    x, y = rng.uniform(30, 190, 300), rng.uniform(30, 170, 300)
    sky = measure_local_sky(image, np.ones(SHAPE, bool), x, y, inner=5.0, outer=12.0)
    # half a pixel of the slope is lost where positions are rounded
    pull = (sky.level - 0.1 * np.rint(x)) / sky.error
    assert np.std(pull) == pytest.approx(1.0, abs=0.1)
    assert sky.error.mean() == pytest.approx(2.0 / np.sqrt(np.pi * (144 - 25)), rel=0.05)


def test_sources_do_not_count_and_too_little_sky_gives_none():
    image, blank = np.zeros(SHAPE, np.float32), np.ones(SHAPE, bool)
    image[:, :50], blank[:, :50] = 1000.0, False
    sky = measure_local_sky(image, blank, np.array([52.0, 20.0]), np.array([100.0, 100.0]), inner=3.0, outer=10.0)
    assert sky.level[0] == 0.0
    assert np.isnan(sky.level[1])
    assert np.isnan(sky.error[1])
