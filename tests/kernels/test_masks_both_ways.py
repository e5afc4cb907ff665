"""Bits of masks, compiled and with numpy."""

import numpy as np
import pytest

from obs.image.mask import Mask

SHAPES = [(9, 13), (1, 1), (0, 5)]


def some_mask(shape):
    return Mask(np.random.default_rng(1).integers(0, 2**13, shape).astype(np.int32) * 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_any_of_some_planes(both, shape):
    mask = some_mask(shape)
    transposed = Mask(mask.array.T)
    for function in (lambda: mask.any("SAT", "CR"), mask.unusable, lambda: transposed.any_known(["BAD", "NO_SUCH"])):
        reference, compiled = both(function)
        assert reference.dtype == compiled.dtype == bool
        np.testing.assert_array_equal(compiled, reference)


@pytest.mark.parametrize("shape", SHAPES)
def test_planes_are_set(both, shape):
    where = np.random.default_rng(2).random(shape) < 0.4

    def set_planes():
        mask = some_mask(shape)
        mask.set(where, "SAT", "STREAK")
        mask.set(np.ones(shape[::-1], bool).T, "BAD")
        return mask.array

    reference, compiled = both(set_planes)
    np.testing.assert_array_equal(compiled, reference)


def test_a_mask_that_may_not_be_written_to_stays_as_it_is(both):
    mask = Mask(np.zeros((3, 3), np.int32))
    mask.array.flags.writeable = False

    def refuse():
        with pytest.raises(ValueError, match="read-only"):
            mask.set(np.ones((3, 3), bool), "SAT")
        return int(mask.array.sum())

    assert both(refuse) == (0, 0)
