"""Amplifiers, detectors and cameras in memory."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.distortion import RadialDistortion
from obs.errors import DataIdError
from obs.geom import Box

AMPLIFIER = Amplifier(name="a", bbox=Box(0, 0, 4, 3), raw_bbox=Box(0, 0, 6, 3), raw_data_bbox=Box(1, 0, 4, 3))
DETECTOR = Detector(id=1, name="one", bbox=Box(0, 0, 4, 3), raw_shape=(3, 6), amplifiers=(AMPLIFIER,))
angle = st.floats(-360, 360)
length = st.floats(-1000, 1000)


def test_amplifier_names_both_sizes():
    with pytest.raises(ValueError, match=r"^bbox is 4 x 3 pixels, raw_data_bbox 5 x 3$"):
        dataclasses.replace(AMPLIFIER, raw_data_bbox=Box(1, 0, 5, 3))


def test_amplifier_knows_its_corners():
    with pytest.raises(ValueError, match=r"^readout_corner is one of LL, LR, UR, UL, got 'XX'$"):
        dataclasses.replace(AMPLIFIER, readout_corner="XX")


@pytest.mark.parametrize(
    ("flip_x", "flip_y", "expected"),
    [
        (False, False, [[0, 1], [2, 3]]),
        (True, False, [[1, 0], [3, 2]]),
        (False, True, [[2, 3], [0, 1]]),
        (True, True, [[3, 2], [1, 0]]),
    ],
)
def test_flips_reverse_the_order_of_raw_pixels(flip_x, flip_y, expected):
    amp = dataclasses.replace(AMPLIFIER, flip_x=flip_x, flip_y=flip_y)
    assert np.array([[0, 1], [2, 3]])[amp.flip].tolist() == expected


def test_detector_names_the_amplifier_at_fault():
    stray = dataclasses.replace(AMPLIFIER, bbox=Box(1, 0, 4, 3))
    with pytest.raises(ValueError, match=r"^detector 'one', amplifier 'a': bbox Box\(.*\) leaves the detector Box"):
        dataclasses.replace(DETECTOR, amplifiers=(stray,))


def test_detector_has_pixels_of_some_size():
    with pytest.raises(ValueError, match=r"^pixel_size must be positive, got 0\.0 x 1\.0 mm$"):
        dataclasses.replace(DETECTOR, pixel_size_x=0.0)


def test_detector_knows_its_types():
    with pytest.raises(ValueError, match=r"^type is one of SCIENCE, .*, got 'TOY'$"):
        dataclasses.replace(DETECTOR, type="TOY")


def test_amplifier_by_name():
    assert DETECTOR.amplifier("a") is AMPLIFIER
    with pytest.raises(KeyError, match=r"detector 'one' has no amplifier 'b'; there are a"):
        DETECTOR.amplifier("b")


def test_yaw_turns_counter_clockwise():
    turned = dataclasses.replace(DETECTOR, yaw=90.0, offset_x=10.0, offset_y=20.0, pixel_size_x=0.5, pixel_size_y=0.25)
    x, y = turned.pixel_to_focal_plane(x=[0.0, 2.0, 0.0], y=[0.0, 0.0, 4.0])
    np.testing.assert_allclose([x, y], [[10, 10, 9], [20, 21, 20]], atol=1e-12)


@given(yaw=angle, offset_x=length, offset_y=length, x=length, y=length)
def test_focal_plane_and_back(yaw, offset_x, offset_y, x, y):
    placed = dataclasses.replace(
        DETECTOR, yaw=yaw, offset_x=offset_x, offset_y=offset_y, pixel_size_x=0.015, pixel_size_y=0.02, reference_x=3.0
    )
    there_x, there_y = placed.pixel_to_focal_plane(x=x, y=y)
    np.testing.assert_allclose(placed.focal_plane_to_pixel(x=there_x, y=there_y), (x, y), atol=1e-8)


def test_camera_finds_detectors():
    camera = Camera("toy", 10.0, (DETECTOR, dataclasses.replace(DETECTOR, id=5, name="five")))
    assert camera.detector("five") is camera.detector(5)
    assert len(camera) == 2
    with pytest.raises(
        DataIdError, match=r"^camera 'toy' has no detector 'fife'; .*ids 1 to 5; did you mean 'five'\?$"
    ):
        camera.detector("fife")
    with pytest.raises(DataIdError, match=r"^camera 'toy' has no detector 9; it has 2 detectors, ids 1 to 5$"):
        camera.detector(9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": 2}, r"^two detectors of camera 'toy' are called 'one'$"),
        ({"name": "two"}, r"^detectors 'one' and 'two' share id 1$"),
    ],
)
def test_camera_refuses_a_detector_twice(change, message):
    with pytest.raises(ValueError, match=message):
        Camera("toy", 10.0, (DETECTOR, dataclasses.replace(DETECTOR, **change)))


def test_camera_has_a_scale():
    with pytest.raises(ValueError, match=r"^plate_scale must be positive, got 0\.0 arcsec/mm$"):
        Camera("toy", 0.0, (DETECTOR,))


def test_field_angle_is_the_plate_scale_and_the_distortion():
    camera = Camera("toy", 10.0, (DETECTOR,), RadialDistortion((1e-3, 1e-5)))
    x, y = camera.focal_plane_to_field(x=[0.0, 3.0], y=[0.0, 4.0])
    stretch = 1 + 1e-3 * 25 + 1e-5 * 625
    np.testing.assert_allclose([x, y], [[0, 30 * stretch], [0, 40 * stretch]])
