"""Frames that their headers set apart from the others."""

import pytest

from obs.calibration_frames.odd_headers import find_stacks

SINGLE = {"EXPTIME": 60.0, "SNAPSHOT": 1}


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ({"SNAPSHOT": 9}, "it is a stack of 9 frames (SNAPSHOT)"),
        ({"NCOMBINE": 12}, "it is a stack of 12 frames (NCOMBINE)"),
        ({"IMCMB001": "a.fits", "IMCMB002": "b.fits"}, "it is a stack of 2 frames (IMCMB001)"),
    ],
)
def test_a_stack_among_single_frames_is_left_out(stack, said):
    assert find_stacks([SINGLE, stack, SINGLE, SINGLE]) == {1: f"{said}, the others are single frames"}
    # two single frames are no better than a stack
    assert find_stacks([SINGLE, stack, SINGLE]) == {}


@pytest.mark.parametrize("header", [SINGLE, {"NCOMBINE": True}, {"IMCMB001": "a.fits"}, {"STACKED": "no"}, {}])
def test_what_is_no_stack(header):
    assert find_stacks([header] * 4) == {}
