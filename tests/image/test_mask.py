import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.image.mask import DEFAULT_PLANES, Mask

SHAPE = (3, 4)

names = st.lists(st.sampled_from(DEFAULT_PLANES), unique=True)
patterns = st.lists(st.booleans(), min_size=12, max_size=12).map(lambda bits: np.array(bits).reshape(SHAPE))


@given(names, patterns)
def test_what_was_set_is_found_under_every_name(chosen, where):
    mask = Mask.zeros(SHAPE)
    mask.set(where, *chosen)
    for name in DEFAULT_PLANES:
        np.testing.assert_array_equal(mask.any(name), where & (name in chosen))
    np.testing.assert_array_equal(mask.any(*chosen), where & bool(chosen))


@given(st.dictionaries(st.sampled_from(DEFAULT_PLANES), patterns, min_size=2))
def test_clearing_one_plane_leaves_the_others(planes):
    mask = Mask.zeros(SHAPE)
    for name, where in planes.items():
        mask.set(where, name)
    cleared, *others = planes
    mask.clear(cleared)
    assert not mask.any(cleared).any()
    for name in others:
        np.testing.assert_array_equal(mask.any(name), planes[name])


@given(st.permutations(range(31)))
def test_bits_are_by_name_whatever_their_numbers(numbers):
    planes = dict(zip(DEFAULT_PLANES, numbers, strict=False))
    mask = Mask.zeros(SHAPE, planes)
    mask.set(np.eye(3, 4, dtype=bool), "SAT", "CR")
    assert mask.array[0, 0] == 2 ** planes["SAT"] + 2 ** planes["CR"]
    assert mask.bits("SAT", "CR", "SAT") == mask.array[0, 0]


def test_new_planes_take_the_first_free_bit():
    mask = Mask.zeros(SHAPE, {"BAD": 0, "SAT": 2})
    assert mask.add_plane("MINE") == 2
    assert mask.add_plane("MINE") == 2
    assert mask.add_plane("YOURS") == 8
    assert mask.add_plane("SAT") == 4


def test_thirty_one_planes_are_all():
    mask = Mask.zeros(SHAPE, {})
    for number in range(31):
        mask.add_plane(f"P{number}")
    mask.set(np.ones(SHAPE, bool), "P30")
    assert mask.any("P30").all()
    with pytest.raises(ValueError, match="no free bit for mask plane 'MORE': all 31 are taken"):
        mask.add_plane("MORE")


def test_planes_that_are_not_there_are_named():
    with pytest.raises(KeyError, match="no mask plane 'GHOST'; there are BAD, SAT"):
        Mask.zeros(SHAPE, {"BAD": 0, "SAT": 1}).bits("BAD", "GHOST")


def test_known_bits_passes_over_planes_that_are_not_there():
    assert Mask.zeros(SHAPE, {"BAD": 0, "SAT": 1}).known_bits(["SAT", "GHOST"]) == 2


def test_a_copy_has_its_own_pixels_and_planes():
    mask = Mask.zeros(SHAPE)
    copy = mask.copy()
    copy.array[0, 0] = 1
    copy.add_plane("MINE")
    assert not mask.array.any()
    assert "MINE" not in mask.planes


@pytest.mark.parametrize("array", [np.zeros(SHAPE, np.int64), np.zeros(SHAPE, np.uint8), np.zeros(3, np.int32)])
def test_other_arrays_are_refused(array):
    with pytest.raises(ValueError, match=f"a mask is a 2-d int32 array, got {array.ndim}-d {array.dtype}"):
        Mask(array)


@pytest.mark.parametrize("planes", [{"BAD": 3, "SAT": 3}, {"BAD": 31}, {"BAD": -1}])
def test_planes_need_bits_of_their_own(planes):
    with pytest.raises(ValueError, match="mask planes need bits of their own from 0 to 30"):
        Mask.zeros(SHAPE, planes)
