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
    assert combined.n_clipped.sum() >= where[:, alone].sum()


def test_of_two_values_that_disagree_the_lower_one_stays():
    stack = make(2, (1, 2))
    stack.image[:, 0, 0] = 900.0, 5000.0
    assert combine_stack(stack, weights=np.ones(2)).image[0, 0] == 900.0


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
    weights = np.arange(1.0, n + 1)
    whole = combine_stack(stack, weights=weights, grow=grow)
    parts = combine_rows(
        lambda low, high: Stack(*(plane[:, low:high] for plane in stack)),
        (height, 7),
        n,
        weights=lambda low, high: np.broadcast_to(weights[:, None, None], (n, high - low, 7)),
        memory=BYTES_PER_VALUE * n * 7 * 5,
        grow=grow,
    )
    np.testing.assert_array_equal(parts.image, whole.image)
    np.testing.assert_array_equal(parts.variance, whole.variance)
    np.testing.assert_array_equal(parts.n_used, whole.n_used)
    np.testing.assert_array_equal(parts.n_clipped, whole.n_clipped)


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


def test_a_hit_in_the_best_frame_is_found_by_the_others():
    """One frame of low noise among frames of high noise: its hits go, although it has nearly all of the weight."""
    scale = np.array([1.0, 10.0, 10.0, 10.0, 10.0, 10.0])
    stack = make(6, (50, 50), scale=scale)
    stack.image[0, 20, 20] += 500.0
    combined = combine_stack(stack, weights=1 / scale**2)
    assert combined.n_used[20, 20] == 5
    assert combined.image[20, 20] == pytest.approx(1000.0, abs=5 * 50 / np.sqrt(5))
    assert combined.n_clipped.sum() < 0.01 * stack.image.size


def test_a_frame_of_high_noise_does_not_hide_a_hit():
    scale = np.array([300.0, 1.0, 1.0, 1.0])
    stack = make(4, (50, 50), scale=scale)
    stack.image[1, 20, 20] += 400.0
    combined = combine_stack(stack, weights=1 / scale**2)
    assert combined.image[20, 20] == pytest.approx(1000.0, abs=5 * 5 / np.sqrt(2))


@pytest.mark.parametrize("n", [4, 6])
def test_as_many_high_values_as_low_ones(n):
    """The low values stay: light and cosmic rays only add."""
    stack = make(n, (40, 40))
    stack.image[: n // 2] += 300.0
    combined = combine_stack(stack, weights=np.ones(n))
    assert np.abs(combined.image - 1000.0).max() < 6 * 5 / np.sqrt(n // 2 - 1)


def test_the_mean_of_any_mixture_of_noise_is_as_good_as_it_can_be():
    """Scatter within 3 % of the ideal for exposure times from 1 to 600 s."""
    times = np.array([1.0, 10.0, 60.0, 60.0, 300.0, 600.0])
    stack = make(6, scale=1 / times)
    combined = combine_stack(stack, weights=times**2)
    ideal = 5 / np.sqrt(np.sum(times**2))
    assert combined.image.std() == pytest.approx(ideal, rel=0.03)
