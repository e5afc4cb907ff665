"""Steps of the gain are told from steps of the level by the noise beyond them."""

import numpy as np
import pytest

from obs.algorithms.sky.level_steps import LevelSteps
from obs.algorithms.sky.step_gains import measure_step_gains

SHAPE, SKY = (300, 320), 400.0
HALF = np.arange(SHAPE[1]) >= 160


def measure(image, height, gain=1.5):
    bad = np.zeros(SHAPE, bool)
    variance = (image / gain + 10.0).astype(np.float32)
    return measure_step_gains(image.astype(np.float32), variance, bad, LevelSteps(np.array([160]), np.array([height])))


def expose(light, seed=1):
    """Return counts of a sky, electrons a pixel, with a gain of 1.5 and a read noise of 4.7 electrons."""
    random = np.random.default_rng(seed)
    return (random.poisson(np.broadcast_to(light, SHAPE)) + random.normal(0.0, 4.7, SHAPE)) / 1.5


@pytest.mark.parametrize("factor", [0.9, 1.1, 1.3])
def test_gains_are_measured(factor):
    image = expose(1.5 * SKY)
    image[:, HALF] *= factor
    found = measure(image, (factor - 1) * SKY)
    assert found[200] / found[100] == pytest.approx(factor, rel=0.003)
    assert found[[0, 159]].tolist() == [found[0]] * 2
    assert 1.0 in found


@pytest.mark.parametrize("factor", [0.9, 1.1, 1.3])
def test_light_and_bias_are_no_gains(factor):
    height = (factor - 1) * SKY
    assert measure(expose(1.5 * (SKY + height * HALF)), height) is None
    assert measure(expose(1.5 * SKY) + height * HALF, height) is None


def test_what_the_noise_cannot_show_is_no_gain():
    image = expose(1.5 * SKY)
    assert measure(image * np.where(HALF, 1.004, 1.0), 0.004 * SKY) is None
    # the sky was subtracted: ratios of levels mean nothing
    assert measure(image - SKY, 40.0) is None
    assert measure(np.full(SHAPE, 7.0), 40.0) is None
