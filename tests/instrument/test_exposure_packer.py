"""Exposure numbers from data IDs, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import DataIdError
from obs.instrument.exposure_packer import Digit, ExposurePacker, largest_exposure_id


@given(bases=st.lists(st.integers(1, 300), min_size=1, max_size=4), data=st.data())
def test_each_data_id_has_its_own_number_within_the_bits(bases, data):
    keys = [f"k{index}" for index in range(len(bases))]
    packer = ExposurePacker(*(Digit(key, base) for key, base in zip(keys, bases, strict=True)))
    data_id = {key: data.draw(st.integers(0, base - 1)) for key, base in zip(keys, bases, strict=True)}
    number = packer(data_id)
    assert 0 <= number <= largest_exposure_id(packer.bits)
    for key, base in reversed(list(zip(keys, bases, strict=True))):
        number, digit = divmod(number, base)
        assert digit == data_id[key]
    assert number == 0


def test_bits_are_the_least_that_hold_the_largest_number_and_a_sign():
    assert ExposurePacker(Digit("visit", 2**32), Digit("ccd", 8)).bits == 36
    assert ExposurePacker(Digit("visit", 100)).bits == 8
    assert largest_exposure_id(8) == 127


def test_the_first_digit_has_what_the_others_leave():
    packer = ExposurePacker(Digit("visit"), Digit("ccd", 200), bits=32)
    assert packer({"visit": 2**31 // 200 - 1, "ccd": 199}) <= largest_exposure_id(32)
    with pytest.raises(DataIdError, match=r"^visit=10737418 is not from 0 to 10737417$"):
        packer({"visit": 2**31 // 200, "ccd": 0})


def test_words_count_by_their_place():
    packer = ExposurePacker(Digit("run", 10), Digit("filter", 10, allowed="ugriz"), Digit("camcol", 10, range(1, 7)))
    assert packer({"run": 7, "filter": "i", "camcol": 6}) == 736
    with pytest.raises(DataIdError, match=r"^camcol=0 is not from 1 to 6$"):
        packer({"run": 7, "filter": "i", "camcol": 0})
    with pytest.raises(DataIdError, match=r"^filter=y is none of u, g, r, i, z$"):
        packer({"run": 7, "filter": "y", "camcol": 1})
    with pytest.raises(DataIdError, match=r"^the number of an exposure needs the key 'camcol'$"):
        packer({"run": 7, "filter": "u"})


@pytest.mark.parametrize(
    ("digits", "bits"),
    [([Digit("a")], None), ([Digit("a", 4)], 8), ([Digit("a"), Digit("b")], 8)],
)
def test_a_packer_without_its_bounds_is_refused(digits, bits):
    with pytest.raises(ValueError, match="give each digit a base; of the first digit, the base or the bits"):
        ExposurePacker(*digits, bits=bits)
