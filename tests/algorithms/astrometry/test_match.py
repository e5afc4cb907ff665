import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.algorithms.astrometry.match import match_pixels, match_sky

ARCSEC = 1.0 / 3600.0


def test_each_source_finds_itself_after_a_shuffle():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    order = rng.permutation(500)
    found = match_sky(ra, dec, ra[order], dec[order], radius=0.1)
    assert np.array_equal(order[found.second], found.first)
    assert len(found) == 500


def test_separation_is_in_arcsec_across_zero_hours_and_at_the_pole():
    found = match_sky([359.9999, 10.0], [0.0, 90.0 - ARCSEC], [0.0001, 190.0], [0.0, 90.0 - ARCSEC], radius=3.0)
    assert found.separation == pytest.approx([0.72, 2.0], rel=1e-6)


def test_only_mutually_nearest_pairs_are_kept():
    found = match_pixels([0.0, 1.0], [0.0, 0.0], [0.9, 50.0], [0.0, 0.0], radius=2.0)
    assert (found.first.tolist(), found.second.tolist()) == ([1], [0])


def test_sources_at_one_place_give_one_pair():
    found = match_pixels([5.0, 5.0, 5.0], [1.0, 1.0, 1.0], [5.0, 5.0], [1.0, 1.0], radius=1.0)
    assert len(found) <= 1


def test_the_radius_is_inclusive():
    assert len(match_pixels([0.0], [0.0], [2.0], [0.0], radius=2.0)) == 1
    assert len(match_pixels([0.0], [0.0], [2.001], [0.0], radius=2.0)) == 0


def test_positions_that_are_not_finite_match_nothing():
    found = match_pixels([np.nan, 1.0], [0.0, 1.0], [1.0, np.inf], [1.0, 0.0], radius=5.0)
    assert (found.first.tolist(), found.second.tolist()) == ([1], [0])


def test_empty_lists_match_nothing():
    assert len(match_sky([], [], [1.0], [1.0], radius=1.0)) == 0


def test_lists_of_different_length_are_refused():
    with pytest.raises(ValueError, match="coordinates of one list differ in length"):
        match_pixels([1.0, 2.0], [1.0], [1.0], [1.0], radius=1.0)


def test_a_negative_radius_is_refused():
    with pytest.raises(ValueError, match="radius must not be negative, got -1"):
        match_sky([1.0], [1.0], [1.0], [1.0], radius=-1.0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_no_entry_occurs_twice_and_swapping_the_lists_swaps_the_pairs(seed, n, m):
    rng = np.random.default_rng(seed)
    first, second = rng.uniform(0, 20, (2, n)), rng.uniform(0, 20, (2, m))
    there = match_pixels(*first, *second, radius=3.0)
    back = match_pixels(*second, *first, radius=3.0)
    assert len(set(there.first)) == len(set(there.second)) == len(there)
    assert {*zip(there.first, there.second, strict=True)} == {*zip(back.second, back.first, strict=True)}
