import numpy as np
import pytest
from scipy import ndimage

from obs.algorithms.pixels.median import median_of_neighbors


@pytest.mark.parametrize("shape", [(3, 13, 13), (7, 50, 41), (2, 401, 5), (0, 9, 9)])
def test_it_is_the_median_of_three_by_three(shape):
    stamps = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    expected = ndimage.median_filter(stamps, size=(1, 3, 3), mode="constant") if shape[0] else stamps
    np.testing.assert_array_equal(median_of_neighbors(stamps), expected)
