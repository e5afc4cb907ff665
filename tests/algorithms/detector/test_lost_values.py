import numpy as np
import pytest

from obs.algorithms.detector.lost_values import find_lost_values

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("sky", [0.0, 10.0, 20.0])
def test_noise_that_is_cut_off_is_seen(sky):
    values = np.maximum(RANDOM.normal(sky, 10.0, 40_000), 0.0).astype(np.float32)
    found = find_lost_values(values)
    assert found.lowest == 0.0
    assert found.share == pytest.approx((values == 0).mean())
    assert find_lost_values(np.rint(values)).lowest == 0.0


@pytest.mark.parametrize("counts", [0.05, 0.3, 1.0, 3.0, 10.0])
def test_sparse_photons_are_not_cut_off(counts):
    assert not np.isfinite(find_lost_values(RANDOM.poisson(counts, 40_000).astype(np.float32)).lowest)


def test_padding_is_not_noise():
    values = RANDOM.normal(300.0, 10.0, 40_000).astype(np.float32)
    values[:4000] = 0.0
    assert not np.isfinite(find_lost_values(values).lowest)


@pytest.mark.parametrize(
    ("noise", "step", "is_coarse"), [(0.3, 1.0, True), (4.8, 16.0, True), (0.6, 1.0, False), (9.0, 1.0, False)]
)
def test_steps_of_more_than_twice_the_noise_are_coarse(noise, step, is_coarse):
    values = step * np.rint(RANDOM.normal(100.0 * step, noise, 40_000) / step + 0.3)
    found = find_lost_values(values.astype(np.float32))
    assert (found.step == step) is is_coarse


def test_too_few_values_show_nothing():
    assert not np.isfinite(find_lost_values(np.zeros(10, np.float32)).lowest)
    assert not np.isfinite(find_lost_values(np.ones(1000, np.float32)).step)
