import numpy as np
import pytest

from obs.algorithms.pixels.statistics import clipped_statistics, robust_sigma

N = 20_000


def normal(n=N, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(100.0, 5.0, n).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clean_sample_gives_its_mean_and_nearly_its_sigma(dtype):
    found = clipped_statistics(normal(dtype=dtype))
    assert found.mean == pytest.approx(100.0, abs=4 * 5 / np.sqrt(N))
    # a Gaussian cut at three sigma is narrower by 1.3 per cent, and again a little in each round
    assert found.sigma == pytest.approx(5.0 * 0.985, abs=4 * 5 / np.sqrt(2 * N))
    assert 0.99 * N < found.n < N


def test_a_tenth_of_sources_hardly_moves_the_mean():
    sample = normal()
    sample[: N // 10] += np.random.default_rng(1).exponential(500.0, N // 10).astype(np.float32)
    found = clipped_statistics(sample)
    assert found.mean == pytest.approx(100.0, abs=0.25)
    assert abs(np.mean(sample) - 100) > 40
    assert found.sigma == pytest.approx(5.0, rel=0.04)


def test_a_large_sample_starts_from_part_of_it():
    sample = normal(400_000).reshape(500, 800)
    assert clipped_statistics(sample).sigma == pytest.approx(5.0 * 0.985, rel=0.004)


def test_float32_does_not_lose_the_mean_of_many_large_values():
    sample = (normal(1_000_000) + 50_000).astype(np.float32)
    assert clipped_statistics(sample).mean == pytest.approx(50_100.0, abs=0.03)


def test_an_empty_sample_is_not_known():
    found = clipped_statistics(np.zeros(0, np.float32))
    assert np.isnan(found.mean)
    assert np.isnan(found.sigma)
    assert found.n == 0


@pytest.mark.parametrize("value", [0.0, 0.1, -12345.678])
def test_values_that_are_all_alike_have_no_spread(value):
    found = clipped_statistics(np.full(1000, value, np.float32))
    assert found.mean == pytest.approx(value, rel=1e-6)
    assert found.sigma == pytest.approx(0.0, abs=1e-3)
    assert found.n == 1000


def test_counts_coarser_than_their_noise_still_have_a_mean_and_a_spread():
    # more than half of the values are the same number: the interquartile range is zero
    sample = np.random.default_rng(2).poisson(0.2, N).astype(np.float32)
    found = clipped_statistics(sample)
    assert found.mean == pytest.approx(0.2, abs=0.04)
    # values of two and more are clipped
    assert found.sigma == pytest.approx(np.sqrt(0.2), rel=0.2)


def test_the_sample_is_not_changed():
    sample = normal(100)
    before = sample.copy()
    clipped_statistics(sample)
    robust_sigma(sample)
    np.testing.assert_array_equal(sample, before)


def test_robust_sigma_is_that_of_a_gaussian_whatever_the_outliers():
    sample = normal(seed=3, dtype=np.float64)
    sample[::50] = [np.nan, np.inf, -np.inf, 1e30] * (N // 200)
    # the median absolute deviation is known to 1.17 / sqrt(n)
    assert robust_sigma(sample) == pytest.approx(5.0, rel=0.02 + 4 * 1.17 / np.sqrt(N))


def test_robust_sigma_of_nothing_is_not_known():
    assert np.isnan(robust_sigma(np.array([np.nan, np.inf])))
    assert np.isnan(robust_sigma(np.zeros(0)))
