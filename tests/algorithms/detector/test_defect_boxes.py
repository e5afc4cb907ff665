"""Defects are found, and their boxes cover them and nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from obs.algorithms.detector.defect_boxes import find_dim_and_bright, find_hot, mask_to_boxes


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_boxes_cover_the_mask_once(mask):
    count = np.zeros(mask.shape, int)
    for box in mask_to_boxes(mask):
        count[box.slices] += 1
    np.testing.assert_array_equal(count, mask)


@given(st.integers(0, 9), st.integers(1, 5), st.integers(0, 9), st.integers(1, 5))
def test_a_rectangle_is_one_box(x, width, y, height):
    mask = np.zeros((20, 20), bool)
    mask[y : y + height, x : x + width] = True
    (box,) = mask_to_boxes(mask)
    assert (box.x_min, box.y_min, box.width, box.height) == (x, y, width, height)


def test_nothing_to_cover():
    assert mask_to_boxes(np.zeros((4, 4), bool)) == []


def test_hot_pixels_stand_out_from_a_slope():
    random = np.random.default_rng(1)
    image = (np.linspace(0, 50, 200) + random.normal(0, 1, (100, 200))).astype(np.float32)
    image[40, 60], image[41, 61], image[3, 3] = image[40, 60] + 40, image[41, 61] + 10, np.nan
    found = find_hot(image, 1.0, threshold=30, bin_size=32)
    assert sorted(zip(*np.nonzero(found), strict=True)) == [(3, 3), (40, 60)]


def test_dim_and_bright_pixels():
    random = np.random.default_rng(1)
    image = (np.linspace(0.5, 1.5, 200) * random.normal(1, 0.02, (100, 200))).astype(np.float32)
    image[10, 10:13] *= 0.3
    image[50, 50] *= 1.8
    image[60, 60] *= 1.2
    found = find_dim_and_bright(image, dim=0.5, bright=1.5, bin_size=32)
    assert sorted(zip(*np.nonzero(found), strict=True)) == [(10, 10), (10, 11), (10, 12), (50, 50)]
