"""Frames on disk come back as they went, in any rows, and their file goes with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import OutputError
from obs.repo.frame_stack import FrameStack


def make(folder, n, shape):
    random = np.random.default_rng(n)
    frames = [(random.normal(size=shape), random.random(shape), random.random(shape) < 0.1) for _ in range(n)]
    stack = FrameStack(folder, shape)
    for frame in frames:
        stack.add(*frame)
    return stack, frames


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 7), st.data())
def test_rows_of_all_frames(tmp_path_factory, n, height, width, data):
    stack, frames = make(tmp_path_factory.mktemp("stack"), n, (height, width))
    low = data.draw(st.integers(0, height - 1))
    high = data.draw(st.integers(low + 1, height))
    for plane, found in enumerate(stack.read(low, high)):
        np.testing.assert_allclose(found, [frame[plane][low:high] for frame in frames], rtol=1e-6)
    stack.close()


def test_a_frame_and_what_is_rejected_in_it(tmp_path):
    stack, frames = make(tmp_path, 3, (5, 4))
    more = np.zeros((5, 4), bool)
    more[2] = True
    stack.reject(1, more)
    image, variance, rejected = stack.frame(1)
    np.testing.assert_allclose(image, frames[1][0], rtol=1e-6)
    np.testing.assert_allclose(variance, frames[1][1], rtol=1e-6)
    np.testing.assert_array_equal(rejected, more)
    np.testing.assert_array_equal(stack.frame(2)[2], frames[2][2])
    stack.close()


def test_nothing_is_left(tmp_path):
    stack, _ = make(tmp_path / "new", 1, (3, 3))
    stack.close()
    assert list((tmp_path / "new").iterdir()) == []


def test_faults(tmp_path):
    stack, frames = make(tmp_path, 1, (3, 3))
    with pytest.raises(ValueError, match=r"a frame of the stack has the shape \(3, 3\), this one \(2, 3\)"):
        stack.add(*(plane[:2] for plane in frames[0]))
    stack.close()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot keep frames in .*/file: .*; free some space there"):
        FrameStack(tmp_path / "file", (3, 3))
