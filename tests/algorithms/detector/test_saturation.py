import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.algorithms.detector.saturation import mask_above, widen_saturation_trails
from obs.algorithms.pixels.runs import find_pixels, find_runs, grow_pixels
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage


def test_only_the_box_is_masked_and_only_from_the_level_on():
    image = MaskedImage(np.full((10, 20), 100.0, np.float32))
    image.image[5], image.image[6] = 49.9, 50.0
    assert mask_above(image, Box(2, 0, 4, 10), 50.0, "SAT") == 36
    assert image.mask.any("SAT").sum() == 36
    assert not image.mask.any("SAT")[5].any()
    assert not image.mask.any("SAT")[:, 6:].any()


def test_no_level_masks_nothing():
    image = MaskedImage(np.full((3, 3), np.inf, np.float32))
    assert mask_above(image, Box(0, 0, 3, 3), float("nan"), "SUSPECT") == 0
    assert not image.mask.array.any()


@pytest.mark.parametrize(
    ("length", "growth"), [(1, 0), (5, 0), (6, 1), (7, 1), (8, 3), (9, 3), (10, 4), (11, 4), (30, 4)]
)
def test_wide_runs_grow_by_the_rule(length, growth):
    mask = Mask.zeros((3, 60))
    mask.array[1, 20 : 20 + length] = mask.bits("SAT", "CR")
    assert widen_saturation_trails(mask) == (growth > 0)
    expected = np.zeros((3, 60), bool)
    expected[1, 20 - growth : 20 + length + growth] = True
    assert np.array_equal(mask.any("SAT"), expected)
    assert mask.any("CR").sum() == length


def test_growth_stops_at_the_edge_of_the_row():
    mask = Mask.zeros((2, 20))
    mask.array[0, :10] = mask.bits("SAT")
    mask.array[1, 12:] = mask.bits("SAT")
    widen_saturation_trails(mask)
    assert mask.any("SAT")[0].tolist() == [True] * 14 + [False] * 6
    assert mask.any("SAT")[1].tolist() == [False] * 9 + [True] * 11


@given(st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=1, max_size=6))
def test_runs_are_those_of_each_line(rows):
    mask = np.array(rows)
    row, column = find_pixels(mask.astype(np.int32) * 4, 6)
    assert np.array_equal(np.stack([row, column]), np.stack(np.nonzero(mask)))
    for line, place, array in ((row, column, mask), (column, row, mask.T)):
        runs = find_runs(line, place)
        again = np.zeros_like(array)
        for at, start, stop in zip(runs.line, runs.start, runs.stop, strict=True):
            assert array[at, start:stop].all()
            assert start == 0 or not array[at, start - 1]
            assert stop == array.shape[1] or not array[at, stop]
            again[at, start:stop] = True
        assert np.array_equal(again, array)
        assert np.array_equal(runs.line[runs.number], line)
        assert np.all((runs.start[runs.number] <= place) & (place < runs.stop[runs.number]))


def test_growing_is_round_and_stays_inside():
    row, column = grow_pixels(np.array([0, 5]), np.array([3, 5]), 1, (7, 7))
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == {
        (0, 2), (0, 3), (0, 4), (1, 3), (5, 5), (4, 5), (6, 5), (5, 4), (5, 6),
    }  # fmt: skip
