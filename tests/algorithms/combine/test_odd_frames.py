"""Frames whose structure differs from that of the others."""

import numpy as np
import pytest

from obs.algorithms.combine.odd_frames import find_odd_frames, measure_cells
from obs.geom import Box

SHAPE = 128, 160
REGIONS = [Box(0, 0, 80, 128), Box(80, 0, 80, 128)]
SIGMA = 3.0
GRADIENT = np.linspace(0, 1, SHAPE[1], dtype=np.float32)[None, :]


def make(n, seed=1):
    return np.random.default_rng(seed).normal(100.0, SIGMA, (n, *SHAPE)).astype(np.float32)


def find(images, **more):
    cells = [measure_cells(image, np.zeros(SHAPE, bool), REGIONS, SIGMA) for image in images]
    noise = np.full(len(images), SIGMA)
    return find_odd_frames(np.stack([c[0] for c in cells]), np.stack([c[1] for c in cells]), noise, limit=0.5, **more)


def test_cells_are_clipped_means_of_what_is_not_rejected():
    image, rejected = make(1)[0], np.zeros(SHAPE, bool)
    image[:8, :8] += 1000.0
    rejected[:8, :8] = True
    rejected[8:16, :6] = True
    image[3, 9] += 1000.0
    means, numbers = measure_cells(image, rejected, REGIONS, SIGMA)
    assert len(means) == 2 * 10 * 16
    assert np.isnan(means[0])
    assert (numbers[0], numbers[1], numbers[10]) == (0, 64, 16)
    assert means[1] == pytest.approx((image[:8, 8:16].sum() - image[3, 9]) / 63)
    assert np.nanmax(np.abs(means - 100)) < 6 * SIGMA / 4


@pytest.mark.parametrize("sigma", [0.3, 0.48])
def test_counts_coarser_than_their_noise(sigma):
    """Levels that differ by a part of a count are not differences of half a count and more, as medians make them."""
    random = np.random.default_rng(4)
    images = [np.rint(random.normal(level, sigma, SHAPE)) - level for level in (100.0, 100.25, 100.5, 100.75)]
    noise = np.hypot(sigma, 12**-0.5)
    cells = [measure_cells(image.astype(np.float32), np.zeros(SHAPE, bool), REGIONS, noise) for image in images]
    means, numbers = (np.stack(planes) for planes in zip(*cells, strict=True))
    found = find_odd_frames(means, numbers, np.full(4, noise), limit=0.5)
    assert found.difference.max() < 0.1


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_frames_that_differ_by_noise_only(n):
    found = find(make(n))
    assert not found.is_odd.any()
    assert found.difference.max() < 0.1


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image + 20 * GRADIENT,
        lambda image: image + 4,
        lambda image: image - 4,
        lambda image: image + 20 * (GRADIENT > 0.8),
        lambda image: 100 + 0 * image - 5,
    ],
    ids=["light", "higher", "lower", "step", "empty"],
)
def test_one_odd_frame(change):
    images = make(5)
    images[3] = change(images[3])
    found = find(images, light_only_adds=True)
    np.testing.assert_array_equal(found.is_odd, [False, False, False, True, False])
    assert found.difference[3] > 1
    assert abs(found.difference[3] - np.sqrt(np.mean((images[3] - 100) ** 2) / SIGMA**2)) < 1.0


def test_frames_that_all_differ_a_little_are_kept():
    """Lamps drift: each frame has a slope of its own, up to twice the noise of a pixel."""
    slopes = np.linspace(-6, 6, 7)
    images = make(7) + (slopes[:, None, None] * (GRADIENT - 0.5)).astype(np.float32)
    assert not find(images).is_odd.any()
    images[2] += 100 * GRADIENT
    np.testing.assert_array_equal(np.flatnonzero(find(images).is_odd), [2])


def test_light_in_most_frames():
    images = make(5)
    images[:3] += 30 * GRADIENT
    np.testing.assert_array_equal(find(images).is_odd, [False, False, False, True, True])
    np.testing.assert_array_equal(find(images, light_only_adds=True).is_odd, [True, True, True, False, False])


def test_frames_without_common_pixels_or_without_noise():
    images = make(3)
    cells = [measure_cells(image, np.zeros(SHAPE, bool), REGIONS, SIGMA) for image in images]
    medians, numbers = np.stack([c[0] for c in cells]), np.stack([c[1] for c in cells])
    medians[1] = np.nan
    found = find_odd_frames(medians, numbers, np.full(3, SIGMA), limit=0.5)
    np.testing.assert_array_equal(found.is_odd, [False, True, False])


@pytest.mark.parametrize("kind", ["jitter", "drift"])
def test_drift_is_told_from_jitter(kind):
    steps = np.linspace(-1, 1, 20) * SIGMA
    if kind == "jitter":
        steps = np.random.default_rng(3).permutation(steps)
    cells = 100.0 + np.repeat(steps[:, None], 50, axis=1)
    found = find_odd_frames(cells, np.full(cells.shape, 4096), np.full(20, SIGMA), limit=0.5)
    assert found.difference.max() > 0.5
    assert found.majority <= 0.55
    assert found.drifts == (kind == "drift")
