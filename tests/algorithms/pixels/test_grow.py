import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from obs.algorithms.pixels.grow import grow

bools = st.integers(1, 21).flatmap(lambda width: arrays(bool, (9, width)))


@given(bools, st.integers(0, 4))
def test_growing_adds_the_pixels_within_a_manhattan_distance(above, distance):
    # the transform needs something to measure the distance from
    padded = np.pad(above, 5)
    padded[0, 0] = True
    expected = ndimage.distance_transform_cdt(~padded, metric="taxicab") <= distance
    np.testing.assert_array_equal(grow(above, distance), expected[5:-5, 5:-5])


@pytest.mark.parametrize("distance", [0, 3])
def test_the_region_is_not_changed(distance):
    region = np.zeros((5, 5), bool)
    region[2, 2] = True
    grown = grow(region, distance)
    assert region.sum() == 1
    grown[0, 0] = True
    assert not region[0, 0]
