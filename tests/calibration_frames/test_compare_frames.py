"""Flats that differ from one another smoothly."""

import numpy as np
import pytest

from obs.calibration_frames.compare_frames import find_odd
from obs.geom import Box
from obs.repo.frame_stack import FrameStack
from obs.tasks.calibs_config import OddFramesConfig

SHAPE = 128, 160
REGIONS = [Box(0, 0, 80, 128), Box(80, 0, 80, 128)]
Y, X = np.mgrid[-0.5 : 0.5 : SHAPE[0] * 1j, -0.5 : 0.5 : SHAPE[1] * 1j]


@pytest.fixture
def warnings(tmp_path):
    """Return what is said of five flats, given what each has beside an even light, and its type."""

    def warnings(shapes, name="flat", seconds=()):
        random = np.random.default_rng(3)
        stack = FrameStack(tmp_path, SHAPE)
        for shape in shapes:
            image = (1.0 + shape + random.normal(0, 0.005, SHAPE)).astype(np.float32)
            stack.add(image, np.full(SHAPE, 2.5e-5, np.float32), np.zeros(SHAPE, bool))
        try:
            odd = find_odd(name, stack, [{}] * len(shapes), REGIONS, OddFramesConfig(), seconds=seconds)
            return [*odd.warnings, *odd.leave_out.values()]
        finally:
            stack.close()

    return warnings


def test_gradients_that_turn_are_named(warnings):
    angles = np.radians(72.0 * np.arange(5))
    (line,) = warnings([0.03 * (np.cos(a) * X + np.sin(a) * Y) for a in angles])
    assert "5 flats differ from their mean by up to 4 % from one side of the detector to the other" in line
    assert "twilight" in line


@pytest.mark.parametrize("share", [0.0, 0.005])
def test_a_part_of_a_percent_is_not(warnings, share):
    assert warnings([share * np.cos(k) * X for k in range(5)]) == []


def test_a_slow_shutter_is_named(warnings):
    (line,) = warnings([0.1 * (0.5 - X**2 - Y**2) / seconds for seconds in (1.0, 1.2, 1.5, 2.0, 3.0)])
    assert "a slow shutter in short exposures" in line


def shutter(seconds):
    """Light of the corners, which a shutter that opens from the middle hides for up to 0.02 s, in cells 0.018 s."""
    return [-0.04 * (X**2 + Y**2) / time for time in seconds]


def test_flats_too_short_for_the_shutter_are_left_out_even_if_they_are_most(warnings):
    times = (1.0, 1.0, 1.0, 1.0, 8.0, 8.0)
    lines = warnings(shutter(times), seconds=times)
    assert len(lines) == 4
    assert all("a slow shutter: its 1 s are 1.8 % longer in parts of the detector" in line for line in lines)


def test_flats_that_are_all_too_short_say_how_long_they_must_be(warnings):
    times = (0.2, 0.3, 0.4, 0.5, 0.6)
    (line,) = [line for line in warnings(shutter(times), seconds=times) if "slow shutter adds" in line]
    assert "5 flats of 0.2 to 0.6 s" in line
    assert "Take flats of 1.8 s or more" in line


@pytest.mark.parametrize(("seconds", "number"), [(1.0, 1), (5.0, 0)])
def test_equal_flats_cannot_show_a_shutter(warnings, seconds, number):
    lines = warnings([0.0 * X] * 5, seconds=[seconds] * 5)
    assert len(lines) == number
    assert all("set odd_frames.shutter to 0" in line for line in lines)


def test_what_is_not_smooth_is_something_else(warnings):
    spots = np.random.default_rng(1).normal(0, 0.02, (5, 8, 10)).repeat(16, axis=1).repeat(16, axis=2)
    assert warnings(spots) == []
