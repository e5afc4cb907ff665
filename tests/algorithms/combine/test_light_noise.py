"""The noise of light, shared between frames."""

import numpy as np
import pytest

from obs.algorithms.combine.frames import Stack, combine_stack
from obs.algorithms.combine.light_noise import share_light_noise

SHAPE = 200, 200


def make(levels, *, electrons, read_noise, seed=1):
    """Draw frames of light that is proportional to the level, divided by it; gain 1."""
    random, scale = np.random.default_rng(seed), np.array(levels)[:, None, None]
    counts = random.poisson(electrons * scale, (len(levels), *SHAPE)) + random.normal(
        0, read_noise, (len(levels), *SHAPE)
    )
    variance = (np.maximum(counts, 0) + read_noise**2) / scale**2
    stack = Stack((counts / scale).astype(np.float32), variance.astype(np.float32), np.zeros(counts.shape, bool))
    return stack, read_noise**2 / scale[:, 0, 0] ** 2


@pytest.mark.parametrize("levels", [[1.0] * 10, [1.0, 5.0, 60.0, 60.0, 300.0]])
def test_the_variance_is_that_of_the_light(levels):
    """Within 2 % of the truth where light is bright, frame by frame."""
    stack, floor = make(levels, electrons=100.0, read_noise=3.0)
    shared = share_light_noise(stack, floor, np.array(levels))
    for variance, base, level in zip(shared, floor, levels, strict=True):
        assert np.mean(variance) == pytest.approx(base + 100.0 / level, rel=0.02)
        assert np.std(variance) < 0.2 * np.mean(variance)


def test_the_mean_of_faint_light_is_not_biased():
    """Within four standard errors; with variances of its own counts it is ten off."""
    stack, floor = make([1.0] * 10, electrons=0.5, read_noise=1.5)
    error = np.sqrt((0.5 + 1.5**2) / 10 / np.prod(SHAPE))
    own = combine_stack(stack, weights=np.ones(10)).image.mean(dtype=float) - 0.5
    shared = stack._replace(variance=share_light_noise(stack, floor, np.ones(10)))
    assert abs(combine_stack(shared, weights=np.ones(10)).image.mean(dtype=float) - 0.5) < 4 * error
    assert own > 3 * error


def test_values_that_are_rejected_do_not_count():
    stack, floor = make([1.0] * 3, electrons=100.0, read_noise=3.0)
    stack.variance[1] = 1e6
    stack.rejected[1] = True
    stack.rejected[:, 0, 0] = True
    shared = share_light_noise(stack, floor, np.ones(3))
    assert np.mean(shared[:, 1:]) == pytest.approx(109.0, rel=0.02)
    assert np.isnan(shared[:, 0, 0]).all()
