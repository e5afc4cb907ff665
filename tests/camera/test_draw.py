"""The picture of a focal plane."""

import dataclasses
import io

import numpy as np
import pytest
from matplotlib.image import imread

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.draw import draw_camera
from obs.geom import Box

LEFT = Amplifier(name="l", bbox=Box(0, 0, 50, 200), raw_bbox=Box(0, 0, 50, 200), raw_data_bbox=Box(0, 0, 50, 200))
RIGHT = dataclasses.replace(
    LEFT, name="r", bbox=Box(50, 0, 50, 200), raw_bbox=Box(50, 0, 50, 200), raw_data_bbox=Box(50, 0, 50, 200)
)
DETECTOR = Detector(
    id=1,
    name="one",
    bbox=Box(0, 0, 100, 200),
    raw_shape=(200, 100),
    amplifiers=(LEFT, dataclasses.replace(RIGHT, readout_corner="LR")),
    reference_x=49.5,
    reference_y=99.5,
)


def draw(*detectors, **camera):
    """Return a picture, RGB from 0 to 1, rows from the top."""
    file = io.BytesIO()
    draw_camera(Camera("toy", 10.0, detectors, **camera), file)
    file.seek(0)
    return imread(file, format="png")[..., :3]


def red_rows(picture):
    """Return where the red of read-out corners lies, as parts of the height from the top."""
    red = (picture[..., 0] > 0.7) & (picture[..., 1] < 0.3) & (picture[..., 2] < 0.3)
    return np.flatnonzero(red.any(axis=1)) / len(picture)


def test_read_out_corners_are_at_the_bottom_of_an_upright_detector():
    assert red_rows(draw(DETECTOR)).min() > 0.8


@pytest.mark.parametrize(
    "detector",
    [
        dataclasses.replace(DETECTOR, yaw=180.0),
        dataclasses.replace(
            DETECTOR,
            amplifiers=(
                dataclasses.replace(LEFT, readout_corner="UL"),
                dataclasses.replace(RIGHT, readout_corner="UR"),
            ),
        ),
    ],
)
def test_read_out_corners_are_at_the_top_when_turned_or_read_there(detector):
    assert red_rows(draw(detector)).max() < 0.2


def test_detectors_for_other_ends_are_of_another_color():
    science, focus = draw(DETECTOR), draw(dataclasses.replace(DETECTOR, type="FOCUS"))
    assert abs(science.mean(axis=(0, 1)) - focus.mean(axis=(0, 1))).max() > 0.01


def test_mirrored_camera_has_east_on_the_other_side():
    assert not np.array_equal(draw(DETECTOR), draw(DETECTOR, flip_x=True))


def test_picture_has_the_shape_of_the_focal_plane():
    tall = draw(DETECTOR)
    wide = draw(DETECTOR, dataclasses.replace(DETECTOR, id=2, name="two", offset_x=600.0))
    assert tall.shape[0] > tall.shape[1]
    assert wide.shape[0] < wide.shape[1]


def test_same_camera_gives_the_same_picture():
    assert np.array_equal(draw(DETECTOR), draw(DETECTOR))
