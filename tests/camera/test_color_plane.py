"""A color of a Bayer mosaic: its pixels, their place, and the tables that name it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.camera.color_plane import ColorPlane, cells_in, is_color_pattern
from obs.camera.load import load_camera
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.wcs import TanSipWcs

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")
MOSAIC = np.arange(24, dtype=np.uint16).reshape(4, 6)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pixel_is_of_one_color(pattern):
    places = [place for color in "RGB" for place in ColorPlane(pattern, color).positions]
    assert sorted(places) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert ColorPlane(pattern, "G").center == (0.5, 0.5)


def test_a_plane_has_the_pixels_of_its_color():
    assert ColorPlane("RGGB", "R").extract(MOSAIC).tolist() == [[0, 2, 4], [12, 14, 16]]
    assert ColorPlane("RGGB", "B").extract(MOSAIC).tolist() == [[7, 9, 11], [19, 21, 23]]
    assert ColorPlane("RGGB", "G").extract(MOSAIC).tolist() == [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]]
    assert ColorPlane("RGGB", "R").extract(MOSAIC[:3, :5]).tolist() == [[0, 2]]


def test_one_saturated_green_pixel_saturates_the_mean():
    plane = ColorPlane("RGGB", "G").extract(np.array([[0, 65535, 9, 5], [1000, 0, 7, 9]], np.uint16), 65535.0)
    assert plane.tolist() == [[65535.0, 6.0]]


@given(st.sampled_from(PATTERNS), st.sampled_from("RGB"), st.integers(1, 5), st.integers(1, 5))
def test_a_plane_survives_the_mosaic(pattern, color, ny, nx):
    plane = np.random.default_rng(ny + 10 * nx).integers(0, 65536, (ny, nx)).astype(np.uint16)
    part = ColorPlane(pattern, color)
    assert (part.extract(part.expand(plane)) == plane).all()


def test_boxes_in_whole_cells():
    assert cells_in(Box(0, 0, 640, 500)) == Box(0, 0, 320, 250)
    assert cells_in(Box(1, 2, 6, 3)) == Box(1, 1, 2, 1)
    assert cells_in(Box(5, 5, 0, 0)) == Box(0, 0, 0, 0)


def test_patterns_and_colors_that_are_none():
    assert not is_color_pattern("RGBG")
    with pytest.raises(ValueError, match="color_pattern is one of RGGB, BGGR, GRBG and GBRG, got 'RGBW'"):
        ColorPlane("RGBW", "R")
    with pytest.raises(ValueError, match="color is one of R, G, B, got 'Y'"):
        ColorPlane("RGGB", "Y")


def test_a_plane_has_the_sky_of_its_pixels():
    a, b = (np.zeros((3, 3)) for _ in range(2))
    a[2, 0], a[1, 1], b[0, 2] = 1e-5, -2e-5, 3e-5
    whole = TanSipWcs((150.0, 2.0), (320.0, 250.0), np.array([[-2e-4, 1e-5], [1e-5, 2e-4]]), a, b)
    x, y = ColorPlane("GRBG", "B").center
    plane = whole.sampled(2, x=x, y=y)
    columns, rows = np.array([0.0, 17.0, 300.0]), np.array([0.0, 240.0, 3.0])
    there = plane.pixel_to_sky(x=columns, y=rows)
    assert np.allclose(there, whole.pixel_to_sky(x=2 * columns + x, y=2 * rows + y), rtol=0, atol=1e-12)


TABLES = {
    "camera.yaml": "name: color\nplate_scale: 100.0\n",
    "amplifiers.csv": "detector,name,bbox_x_min,bbox_y_min,bbox_width,bbox_height,raw_bbox_x_min,raw_bbox_y_min,"
    "raw_bbox_width,raw_bbox_height,raw_data_bbox_x_min,raw_data_bbox_y_min,raw_data_bbox_width,raw_data_bbox_height,"
    "readout_corner,gain,read_noise,saturation\nG,1,0,0,8,4,0,0,8,4,0,0,8,4,LL,1.8,5,60000\n",
    "detectors.csv": "id,name,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,offset_x,offset_y,"
    "color_pattern,color\n0,G,8,4,8,4,0.01,0.01,0,0,RGGB,G\n",
}


def write_tables(folder, old="", new=""):
    for name, text in TABLES.items():
        (folder / name).write_text(text.replace(old, new) if old else text)
    return folder


def test_a_detector_of_one_color(tmp_path):
    detector = load_camera(write_tables(tmp_path)).detector("G")
    assert detector.color_plane == ColorPlane("RGGB", "G")
    assert detector.saturation == 60000.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("RGGB,G", "RGBG,G", "line 2, column 'color_pattern': color_pattern is one of"),
        ("RGGB,G", "RGGB,", "line 2, column 'color': color is one of R, G, B, got ''"),
    ],
)
def test_a_detector_of_no_color(tmp_path, old, new, message):
    with pytest.raises(FileFormatError, match=message):
        load_camera(write_tables(tmp_path, old, new))
