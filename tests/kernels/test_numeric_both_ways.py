"""Points near other points, special functions, running sums and boxes, compiled and as scipy and numpy have them."""

import numpy as np
import pytest

from obs.algorithms.numeric.nearest import PointTree
from obs.algorithms.numeric.special import bessel, normal_quantile, poisson_above, poisson_up_to, variance_ratio_above
from obs.algorithms.pixels.box_sums import box_sums
from obs.algorithms.pixels.grow import fill_holes
from obs.algorithms.pixels.label import find_boxes, label_regions


def assert_equal(pair):
    reference, compiled = pair
    for one, other in zip(reference, compiled, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 500])
@pytest.mark.parametrize("axes", [1, 2, 3, 4])
@pytest.mark.parametrize("whole", [False, True], ids=["real", "whole"])
def test_points_near_points(both, n, axes, whole):
    generator = np.random.default_rng(10 * n + axes)
    # of whole numbers many are at one place, and equally far from another
    points, places = (generator.uniform(0, 12, (size, axes)) for size in (n, 60))
    if whole:
        points, places = np.floor(points), np.floor(places)
    radii = generator.uniform(0, 3.0, len(places)) if not whole else np.arange(60) % 4.0
    for count, below in ((1, np.inf), (1, 0.7), (5, np.inf), (5, 2.0)):
        (far, index), (compiled_far, compiled_index) = both(
            lambda c=count, b=below: PointTree(points).nearest(places, c, b)
        )
        np.testing.assert_allclose(compiled_far, far, rtol=1e-14)
        ties = whole and n == 500 and axes < 3  # more of them than the reference looks at
        if not ties:
            np.testing.assert_array_equal(compiled_index, index)
    for square in (False, True):
        assert_equal(both(lambda s=square: PointTree(points).list_within(places, radii, s)))
        assert_equal(both(lambda s=square: (PointTree(points).count_within(places, 1.0, s),)))
        assert_equal(both(lambda s=square: (PointTree(points).pairs_within(1.0, s),)))


@pytest.mark.parametrize("points", [[[0.0, np.nan]], [0.0, 1.0]], ids=["nan", "flat"])
def test_points_that_are_none(both, points):
    def build():
        with pytest.raises(ValueError, match="positions must"):
            PointTree(points)

    both(build)


def test_special_functions(both):
    x = np.r_[0.0, np.geomspace(1e-6, 2e3, 400)]
    count, mean = np.meshgrid(np.r_[0:20, 50, 300, 4000], np.r_[0.0, np.geomspace(1e-9, 5e3, 60)])
    functions = [
        lambda: bessel(0, x),
        lambda: bessel(1, x.reshape(1, -1)),
        lambda: poisson_above(count, mean),
        lambda: poisson_up_to(count, mean),
        lambda: poisson_above(3, 2.5),
        lambda: np.array(
            [variance_ratio_above(a, b, r) for a in (1, 2, 5) for b in (1, 30, 900) for r in (0, 0.3, 2, 40)]
        ),
    ]
    for function in functions:
        reference, compiled = both(function)
        assert reference.shape == compiled.shape
        np.testing.assert_allclose(compiled, reference, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(normal_quantile(np.array([[0.5, 0.975]])), [[0.0, 1.959963984540054]], atol=1e-15)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("width", [1, 2, 5, 40])
def test_running_sums(both, axis, width):
    values = np.random.default_rng(width).normal(0, 100, (4, 30, 7)).astype(np.float32)
    reference, compiled = both(lambda: box_sums(values, width, axis))
    np.testing.assert_allclose(compiled, reference, atol=1e-9)
    np.testing.assert_allclose(reference, _sums(values, width, axis), atol=1e-9)


def _sums(values, width, axis):
    padded = np.pad(np.moveaxis(values, axis, 0).astype(float), [(width // 2, width)] + [(0, 0)] * 2)
    return np.moveaxis(np.stack([padded[k : k + width].sum(0) for k in range(values.shape[axis])]), 0, axis)


def test_running_sums_beyond_the_ends():
    values = np.array([1.0, 2.0, 4.0])
    assert box_sums(values, 3, beyond="edge").tolist() == [4.0, 7.0, 10.0]
    assert box_sums(values, 3, beyond="mirror").tolist() == [4.0, 7.0, 10.0]
    assert box_sums(values, 5, beyond="mirror").tolist() == [1 + 2 + 1 + 2 + 4, 1 + 1 + 2 + 4 + 4, 2 + 4 + 4 + 2 + 1]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 1.0])
def test_boxes_of_regions(both, share):
    labels, n = label_regions(np.random.default_rng(3).random((40, 51)) < share)
    reference, compiled = both(lambda: find_boxes(labels, n + 1))
    np.testing.assert_array_equal(compiled, reference)
    assert reference[-1].tolist() == [51, 0, 40, 0]
    for boxes in both(lambda: find_boxes(labels, n // 2)):
        np.testing.assert_array_equal(boxes, reference[: n // 2])


@pytest.mark.parametrize("shape", [(0, 5, 5), (3, 1, 9), (3, 9, 1), (6, 30, 41)])
def test_holes_filled(both, shape):
    reference, compiled = both(lambda: fill_holes(np.random.default_rng(5).random(shape) < 0.6))
    np.testing.assert_array_equal(compiled, reference)
