import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from obs.geom import Box

SIDE = 40

boxes = st.builds(Box, st.integers(-9, 30), st.integers(-9, 30), st.integers(0, 20), st.integers(0, 20))
inner_boxes = st.builds(Box, st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))


def pixels(box):
    """Every pixel of a box, as a set of (x, y)."""
    return {(x, y) for x in range(box.x_min, box.x_max) for y in range(box.y_min, box.y_max)}


@given(boxes, boxes)
def test_intersection_holds_the_common_pixels(a, b):
    assert pixels(a.intersection(b)) == pixels(a) & pixels(b)
    assert pixels(b.intersection(a)) == pixels(a) & pixels(b)


@given(boxes, boxes)
def test_containing_is_holding_every_pixel(a, b):
    assert a.contains(b) == (pixels(b) <= pixels(a))


@given(boxes)
def test_extent_counts_pixels(box):
    height, width = box.shape
    assert height * width == len(pixels(box))
    assert box.is_empty == (not pixels(box))


@given(inner_boxes)
def test_slices_cut_the_pixels_of_the_box(box):
    y, x = np.mgrid[:SIDE, :SIDE]
    assert set(zip(x[box.slices].flat, y[box.slices].flat, strict=True)) == pixels(box)
    assert x[box.slices].shape == box.shape


@given(inner_boxes)
def test_a_section_is_read_back(box):
    assert Box.from_section(box.to_section()) == box


@given(st.lists(st.integers(1, 5000), min_size=4, max_size=4))
def test_the_ends_of_a_section_come_in_any_order(ends):
    x_0, x_1, y_0, y_1 = ends
    assume(x_0 <= x_1 and y_0 <= y_1)
    box = Box(x_0 - 1, y_0 - 1, x_1 - x_0 + 1, y_1 - y_0 + 1)
    assert Box.from_section(f"[{x_0}:{x_1},{y_0}:{y_1}]") == box
    assert Box.from_section(f" [ {x_1} : {x_0} , {y_1}:{y_0} ] ") == box


def test_a_section_is_one_based_and_inclusive():
    assert Box.from_section("[1:512,1:4176]") == Box(0, 0, 512, 4176)
    assert Box(512, 0, 512, 100).to_section() == "[513:1024,1:100]"


@pytest.mark.parametrize("text", ["", "1:2,3:4", "[1:2]", "[1:2,3:4,5:6]", "[a:2,3:4]", "[-1:2,3:4]", "[0:0,0:0]"])
def test_what_is_no_section_is_named(text):
    with pytest.raises(ValueError, match=r"' is not a FITS section like '\[1:512,1:4176\]'") as raised:
        Box.from_section(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize("box", [Box(3, 4, 0, 5), Box(3, 4, 5, 0), Box(-1, 0, 5, 5), Box(0, -2, 5, 5)])
def test_boxes_that_no_section_describes_are_refused(box):
    with pytest.raises(ValueError, match="has no FITS section: sections begin at 1 and hold a pixel"):
        box.to_section()


@pytest.mark.parametrize(("width", "height"), [(-1, 3), (3, -1)])
def test_a_negative_extent_is_refused(width, height):
    with pytest.raises(ValueError, match=f"must not be negative, got width {width}, height {height}"):
        Box(0, 0, width, height)
