import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.algorithms.pixels.window import plane_windows, windows

rng = np.random.default_rng(0)
STAMPS = rng.normal(size=(4, 9, 11)).astype(np.float32) + 10
PLANE = rng.normal(size=(9, 11)).astype(np.float32) + 10

places = st.lists(st.integers(-12, 20), min_size=4, max_size=4).map(np.array)


def one_window(image, row, column, half):
    padded = np.pad(image, 40)
    return padded[row + 40 - half : row + 41 + half, column + 40 - half : column + 41 + half]


@given(places, places, st.integers(0, 6))
def test_windows_are_cut_with_zeros_outside(row, column, half):
    found, of_plane = windows(STAMPS, row, column, half), plane_windows(PLANE, row, column, half)
    assert found.shape == of_plane.shape == (4, 2 * half + 1, 2 * half + 1)
    for k in range(4):
        np.testing.assert_array_equal(found[k], one_window(STAMPS[k], row[k], column[k], half))
        np.testing.assert_array_equal(of_plane[k], one_window(PLANE, row[k], column[k], half))


@pytest.mark.parametrize("dtype", [bool, np.int32, np.float32])
def test_windows_keep_their_type_and_leave_the_stamps_alone(dtype):
    stamps = np.ones((2, 5, 5), dtype)
    found = windows(stamps, np.array([0, 2]), np.array([0, 2]), 1)
    assert found.dtype == stamps.dtype
    assert found.sum() == 4 + 9
    found[...] = 0
    assert stamps.all()


def test_no_place_is_no_window():
    none = np.zeros(0, np.int64)
    assert windows(STAMPS[:0], none, none, 2).shape == (0, 5, 5)
    assert plane_windows(PLANE, none, none, 2).shape == (0, 5, 5)
