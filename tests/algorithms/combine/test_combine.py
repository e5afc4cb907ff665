"""Combined frames against the truth they were drawn from."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.algorithms.combine.frames import (
    BYTES_PER_VALUE,
    Stack,
    combine_rows,
    combine_stack,
    measure_noise_factor,
    separate_scales,
)


def make(n, shape=(200, 300), *, level=1000.0, sigma=5.0, seed=1, scale=None):
    generator = np.random.default_rng(seed)
    scale = np.ones(n) if scale is None else scale
    image = level + generator.normal(0, sigma, (n, *shape)) * scale[:, None, None]
    variance = np.broadcast_to((sigma * scale[:, None, None]) ** 2, image.shape)
    return Stack(image.astype(np.float32), variance.astype(np.float32), np.zeros(image.shape, bool))


def hit(stack, fraction, height, seed=2):
    """Add outliers to a fraction of all values."""
    generator = np.random.default_rng(seed)
    where = generator.random(stack.image.shape) < fraction
    stack.image[where] += height
    return where


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_the_variance_is_that_of_the_mean(n):
    """Mean within 3 standard errors, predicted variance within 3 % of the scatter."""
    combined = combine_stack(make(n), weights=np.ones(n))
    error = combined.image - 1000.0
    assert abs(error.mean()) < 3 * 5 / np.sqrt(n * error.size) + 0.01
    assert error.var() == pytest.approx(combined.variance.mean(), rel=0.03)
    assert combined.variance.mean() == pytest.approx(25 / n, rel=0.03)


@pytest.mark.parametrize("n", [3, 5, 9])
def test_outliers_are_rejected(n):
    """One value in 100 is 50 sigma too high: the mean moves by less than 2 % of a sigma."""
    stack = make(n)
    where = hit(stack, 0.01, 250.0)
    combined = combine_stack(stack, weights=np.ones(n))
    alone = where.sum(axis=0) <= (n - 1) // 2
    assert np.abs(combined.image - 1000)[alone].max() < 6 * 5 / np.sqrt(max(n - 2, 1))
    assert abs((combined.image - 1000)[alone].mean()) < 0.1
    assert combined.n_clipped >= where[:, alone].sum()


def test_of_two_values_that_disagree_the_lower_one_stays():
    stack = make(2, (1, 2))
    stack.image[:, 0, 0] = 900.0, 5000.0
    assert combine_stack(stack, weights=np.ones(2)).image[0, 0] == 900.0


def test_the_noise_may_be_other_than_the_variance_tells():
    """Measured to 1 %, with outliers, and used for clipping and for the variance."""
    stack = make(6)
    hit(stack, 0.005, 500.0)
    wrong = stack._replace(variance=stack.variance / 9)
    factor = measure_noise_factor([wrong])
    assert factor == pytest.approx(3.0, rel=0.01)
    combined = combine_stack(wrong, weights=np.ones(6), noise_factor=factor)
    assert np.median(combined.variance) == pytest.approx(25 / 6, rel=0.02)
    assert np.median(combined.n_used) == 6


def test_noise_factor_of_whole_numbers():
    """Rounding adds its own variance of 1/12, and no more."""
    stack = make(5, level=100.3, sigma=0.6)
    rounded = stack._replace(image=np.round(stack.image))
    assert measure_noise_factor([rounded]) == pytest.approx(np.sqrt(1 + 1 / 12 / 0.36), rel=0.05)


def test_noise_factor_that_cannot_be_told():
    assert measure_noise_factor([]) == 1.0
    assert measure_noise_factor([make(1)]) == 1.0
    same = make(3)
    same.image[:] = 7.0
    assert measure_noise_factor([same]) == 1.0


def test_noisier_frames_count_less():
    """Inverse-variance weights give the smallest variance that weights can give."""
    scale = np.array([1.0, 1.0, 2.0, 2.0])
    stack = make(4, scale=scale)
    best = combine_stack(stack, weights=1 / scale**2)
    assert np.mean(best.variance) == pytest.approx(25 / np.sum(1 / scale**2), rel=0.02)
    assert best.image.var() == pytest.approx(np.mean(best.variance), rel=0.03)


def test_rejected_values_and_places_without_any():
    stack = make(3, (2, 2))
    stack.rejected[0] = True
    stack.image[1, 0, 0] = np.nan
    stack.rejected[:, 1, 1] = True
    combined = combine_stack(stack, weights=np.ones(3))
    np.testing.assert_array_equal(combined.n_used, [[1, 2], [2, 0]])
    assert combined.image[0, 0] == stack.image[2, 0, 0]
    assert np.isnan(combined.image[1, 1])
    assert np.isnan(combined.variance[1, 1])


def test_the_surroundings_of_a_hit_go_with_it():
    stack = make(5, (9, 9))
    stack.image[2, 4, 4] += 1000.0
    assert combine_stack(stack, weights=np.ones(5)).n_used[4, 5] == 5
    grown = combine_stack(stack, weights=np.ones(5), grow=1)
    assert (grown.n_used[3:6, 3:6] <= 4).all()
    assert grown.n_used[4, 6] == 5


def test_a_pixel_that_is_hot_in_every_frame_keeps_its_value():
    stack = make(5, (9, 9))
    stack.image[:, 4, 4] += 1000.0
    combined = combine_stack(stack, weights=np.ones(5), grow=2)
    assert combined.image[4, 4] == pytest.approx(2000, abs=10)


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 3), st.integers(0, 1000))
def test_rows_put_together_are_the_whole(n, height, grow, seed):
    stack = make(n, (height, 7), seed=seed)
    hit(stack, 0.02, 300.0, seed)
    arguments = {"weights": np.arange(1.0, n + 1), "grow": grow}
    whole = combine_stack(stack, noise_factor=1.5, **arguments)
    parts = combine_rows(
        lambda low, high: Stack(*(plane[:, low:high] for plane in stack)),
        (height, 7),
        n,
        noise_factor=lambda low, high: np.full((high - low, 7), 1.5, np.float32),
        memory=BYTES_PER_VALUE * n * 7 * 5,
        **arguments,
    )
    np.testing.assert_array_equal(parts.image, whole.image)
    np.testing.assert_array_equal(parts.variance, whole.variance)
    np.testing.assert_array_equal(parts.n_used, whole.n_used)


def test_memory_is_as_stated():
    stack = make(8)
    tracemalloc.start()
    combine_stack(stack, weights=np.ones(8), grow=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak + sum(plane.nbytes for plane in stack) < BYTES_PER_VALUE * stack.image.size


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=6),
    st.lists(st.floats(0.1, 10), min_size=1, max_size=6),
)
def test_scales_of_a_product_are_found_again(exposures, detectors):
    levels = np.outer(exposures, detectors)
    exposure, detector = separate_scales(levels)
    np.testing.assert_allclose(np.outer(exposure, detector), levels, rtol=1e-9)
    assert detector.mean() == pytest.approx(1.0)


def test_scales_with_frames_missing():
    levels = np.outer([1.0, 2.0, 3.0, 4.0], [0.5, 1.0, 1.5])
    levels[0, 1] = levels[2, 0] = np.nan
    exposure, detector = separate_scales(levels, n_iteration=50)
    np.testing.assert_allclose(detector, [0.5, 1.0, 1.5], rtol=1e-6)
    np.testing.assert_allclose(exposure, [1, 2, 3, 4], rtol=1e-6)
