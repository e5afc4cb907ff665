"""The noise of each frame, from differences of frames."""

import numpy as np
import pytest

from obs.algorithms.combine.frames import Stack
from obs.algorithms.combine.noise_factors import measure_noise_factors

SHAPE = 200, 300


def make(sigmas, predicted, *, seed=1):
    generator = np.random.default_rng(seed)
    image = np.stack([generator.normal(100.0, sigma, SHAPE) for sigma in sigmas]).astype(np.float32)
    variance = np.stack([np.full(SHAPE, sigma**2, np.float32) for sigma in predicted])
    return Stack(image, variance, np.zeros(image.shape, bool))


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_frames_of_the_same_noise(n):
    """One factor for all, to 2 %, with outliers."""
    stack = make([6.0] * n, [2.0] * n)
    stack.image[np.random.default_rng(2).random(stack.image.shape) < 0.005] += 500.0
    assert measure_noise_factors([stack]) == pytest.approx([3.0] * n, rel=0.02)


def test_a_noisy_frame_is_named():
    factors = measure_noise_factors([make([2.0, 2.0, 6.0, 2.0, 2.0], [2.0] * 5)])
    assert factors == pytest.approx([1, 1, 3, 1, 1], rel=0.03)


def test_frames_of_very_different_noise():
    """The factor of a frame whose noise is lost in that of the others is that of its best pair."""
    sigmas = [900.0, 3.0, 3.0, 3.0]
    assert measure_noise_factors([make(sigmas, sigmas)]) == pytest.approx([1.0] * 4, rel=0.03)
    assert measure_noise_factors([make(sigmas[::-1], [1.0, 1.0, 1.0, 900.0])]) == pytest.approx([3, 3, 3, 1], rel=0.03)
    assert measure_noise_factors([make([900.0, 900.0, 3.0], [900.0, 900.0, 3.0])]) == pytest.approx([1] * 3, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_a_frame_whose_share_does_not_show_is_as_good_as_its_partners(seed):
    """One long dark among short ones: differences have a few outliers, as hits are, and hardly any of its noise."""
    sigmas = [1.0, 12.0, 12.0, 12.0, 12.0]
    stack = make([1.02 * sigma for sigma in sigmas], sigmas, seed=seed)
    assert measure_noise_factors([stack]) == pytest.approx([1.02] * 5, abs=0.08)


def test_an_offset_counts_as_noise():
    stack = make([2.0] * 4, [2.0] * 4)
    stack.image[1] += 8.0
    assert measure_noise_factors([stack])[1] == pytest.approx(np.sqrt(1 + 16), rel=0.05)


def test_an_empty_frame_does_not_get_all_of_the_weight():
    stack = make([2.0] * 4, [2.0] * 4)
    stack.image[2] = 100.0
    assert measure_noise_factors([stack])[2] == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("sigma", [0.35, 0.48, 0.6])
@pytest.mark.parametrize("drift", [0.0, 0.05, 1.0])
def test_whole_numbers(sigma, drift):
    """Rounding adds its own variance of 1/12, and no more, also where each row has a level of its own taken off."""
    stack = make([sigma] * 5, [sigma] * 5)
    levels = drift * np.random.default_rng(2).standard_normal((5, SHAPE[0], 1)).astype(np.float32)
    rounded = stack._replace(image=np.round(stack.image + np.float32(0.3) + levels) - levels)
    noise = np.std(rounded.image, axis=(1, 2)) / sigma
    assert measure_noise_factors([rounded]) == pytest.approx(noise, rel=0.05)
    assert noise == pytest.approx(np.sqrt(1 + 1 / 12 / sigma**2), rel=0.06)


def test_nothing_to_measure():
    assert len(measure_noise_factors([])) == 0
    assert np.isnan(measure_noise_factors([make([2.0], [2.0])])).all()
    same = make([2.0] * 3, [2.0] * 3)
    same.image[:] = 7.0
    assert np.isnan(measure_noise_factors([same])).all()
    gone = make([2.0] * 3, [2.0] * 3)
    gone.rejected[1] = True
    factors = measure_noise_factors([gone])
    assert np.isnan(factors[1])
    assert factors[[0, 2]] == pytest.approx([1.0, 1.0], rel=0.02)
