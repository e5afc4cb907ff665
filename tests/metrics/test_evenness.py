"""Two levels of the sky, and crowds of sources: found where they are, and only there."""

import numpy as np
import pytest

from obs.metrics.evenness import corner_glow, crowd_significance, sky_spot, sky_step

SHAPE = (800, 1000)


def cells(seed, n=48):
    return np.random.default_rng(seed).normal(300.0, 0.3, n)


def test_one_level_and_a_gradient_are_no_step():
    for seed in range(40):
        assert sky_step(cells(seed)) == 0.0
        assert sky_step(cells(seed) + np.linspace(0.0, 60.0, 48)) == 0.0


@pytest.mark.parametrize("part", [4, 20, 44])
def test_a_step_is_measured(part):
    levels = cells(1)
    levels[:part] += 20.0
    assert sky_step(levels) == pytest.approx(20.0, abs=0.5)


def test_a_spot_has_a_sign_and_one_cell_is_a_star():
    levels = cells(3)
    levels[7] += 50.0
    assert abs(sky_spot(levels)) < 1.5
    levels[8] += 20.0
    assert sky_spot(levels) == pytest.approx(20.0, abs=1.5)
    levels[20:24] -= 30.0
    assert sky_spot(levels) == pytest.approx(-30.0, abs=1.5)
    assert np.isnan(sky_spot(levels[:10]))


def test_one_bright_cell_and_few_cells_say_nothing():
    levels = cells(2)
    levels[7] += 50.0
    assert sky_step(levels) == 0.0
    assert np.isnan(sky_step(levels[:10]))


def test_a_crowd_stands_out():
    random = np.random.default_rng(3)
    even = [crowd_significance(random.uniform(0, 1000, 500), random.uniform(0, 800, 500), SHAPE) for _ in range(50)]
    assert max(even) < 9.0
    x = np.concatenate([random.uniform(0, 1000, 500), random.normal(300, 15, 80)])
    y = np.concatenate([random.uniform(0, 800, 500), random.normal(300, 15, 80)])
    assert crowd_significance(x, y, SHAPE) > 15.0
    assert np.isnan(crowd_significance(x[:40], y[:40], SHAPE))


def test_glow_in_a_corner_stands_out_of_its_surroundings():
    image = np.random.default_rng(5).normal(0.0, 10.0, SHAPE)
    mask = np.zeros(SHAPE, np.int32)
    assert abs(corner_glow(image, mask, 1)) < 3.0
    y, x = np.indices(SHAPE)
    glow = 100.0 * np.exp(-np.hypot(SHAPE[0] - 1 - y, x) / 50.0)
    assert corner_glow(image + glow, mask, 1) == pytest.approx(55.0, abs=5.0)
    mask[glow > 60.0] = 1
    mask[glow > 99.0] = 2
    assert abs(corner_glow(image + glow, mask, 1)) < 3.0
    assert np.isnan(corner_glow(image[:200], mask[:200], 1))
