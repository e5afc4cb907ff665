"""Steps of the sky between amplifiers."""

import numpy as np
import pytest

from obs.algorithms.sky.level_steps import find_level_steps, find_steps_of_halves

SHAPE = (500, 640)
NOISE = 10.0


def sky(light=0.0, seed=2):
    """A sloping sky with stars and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(SHAPE)
    image = 200 + 0.05 * x + 1e-4 * (y - 200) ** 2 + rng.normal(0, NOISE, SHAPE) + light
    rows, columns = rng.integers(5, 490, 300), rng.integers(5, 630, 300)
    for dy in (-2, -1, 0, 1, 2):
        for dx in (-2, -1, 0, 1, 2):
            image[rows + dy, columns + dx] += 5000 * np.exp(-(dx**2 + dy**2) / 3)
    return image.astype(np.float32)


def test_steps_are_measured_where_they_are():
    offsets = np.repeat([0.0, 25.0, -15.0, 4.0], 160)
    found = find_level_steps(sky(offsets), np.zeros(SHAPE, bool), NOISE)
    np.testing.assert_array_equal(found.places, [160, 320, 480])
    np.testing.assert_allclose(found.heights, [25, -40, 19], atol=1.5)
    left = offsets - found.offsets(SHAPE[1])
    assert np.ptp(left) < 3


def test_steps_beside_a_dead_amplifier_are_found():
    image = sky(np.repeat([0.0, 0.0, 30.0, 0.0], 160))
    bad = np.zeros(SHAPE, bool)
    bad[:, :100] = True
    image[bad] = np.nan
    np.testing.assert_array_equal(find_level_steps(image, bad, NOISE).places, [320, 480])


def test_a_sky_without_steps_has_none():
    assert not len(find_level_steps(sky(), np.zeros(SHAPE, bool), NOISE).places)
    assert not len(find_level_steps(sky().T, np.zeros(SHAPE[::-1], bool), NOISE).places)


def test_the_limb_of_a_galaxy_is_no_step():
    y, x = np.indices(SHAPE)
    galaxy = 2000 * np.exp(-np.hypot(x - 300, y - 250) / 30)
    assert not len(find_level_steps(sky(galaxy), np.zeros(SHAPE, bool), NOISE).places)


@pytest.mark.parametrize("shape", [(40, 640), (500, 60)])
def test_small_images_are_not_looked_at(shape):
    assert not len(find_level_steps(np.zeros(shape, np.float32), np.zeros(shape, bool), NOISE).places)


def test_a_trail_along_a_column_is_no_step():
    x = np.arange(SHAPE[1])
    ridge = 60 * np.exp(-0.5 * ((x - 300) / 1.6) ** 2)
    assert not len(find_level_steps(sky(ridge), np.zeros(SHAPE, bool), NOISE).places)


def test_quadrants_have_steps_of_their_own():
    light = np.zeros(SHAPE)
    light[:250, 320:], light[250:, :320], light[250:, 320:] = 25.0, -15.0, 40.0
    lower, upper = find_steps_of_halves(sky(light), np.zeros(SHAPE, bool), NOISE)
    np.testing.assert_array_equal((lower.places, upper.places), [[320], [320]])
    np.testing.assert_allclose((lower.heights[0], upper.heights[0]), (25, 55), atol=2)


def test_steps_of_the_whole_height_need_no_halves():
    offsets = np.repeat([0.0, 25.0, -15.0, 40.0], 160)
    assert find_steps_of_halves(sky(offsets), np.zeros(SHAPE, bool), NOISE) is None
    assert find_steps_of_halves(sky(), np.zeros(SHAPE, bool), NOISE) is None
