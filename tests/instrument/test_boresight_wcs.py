"""From the pointing to where pixels lie on the sky."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.distortion import PolynomialDistortion, RadialDistortion, triangle_size
from obs.geom import Box
from obs.instrument.boresight_wcs import field_projection, fit_boresight_wcs, pixel_to_sky, sky_to_pixel

BOX = Box(0, 0, 2000, 1000)
DETECTOR = Detector(
    id=1,
    name="one",
    bbox=BOX,
    raw_shape=(1000, 2000),
    amplifiers=(Amplifier(name="a", bbox=BOX, raw_bbox=BOX, raw_data_bbox=BOX),),
    reference_x=999.5,
    reference_y=499.5,
    offset_x=20.0,
    offset_y=-30.0,
    pixel_size_x=0.01,
    pixel_size_y=0.01,
    yaw=90.2,
)
CAMERA = Camera("toy", 20.0, (DETECTOR,), RadialDistortion((2e-6, -1e-11)))
CENTERD = dataclasses.replace(DETECTOR, offset_x=0.0, offset_y=0.0, yaw=0.0)

#: the direction of the y axis, and of x, on the sky: north, east, south, west
N, E, S, W = (0, 1), (1, 0), (0, -1), (-1, 0)


@pytest.mark.parametrize(
    ("rotation", "flip_x", "x_points", "y_points"),
    [
        (0.0, False, W, N),
        (90.0, False, N, E),
        (180.0, False, E, S),
        (270.0, False, S, W),
        (0.0, True, E, N),
        (90.0, True, S, E),
    ],
)
@pytest.mark.parametrize("by_camera", [False, True])
def test_axes_point_where_the_rotation_says(rotation, flip_x, x_points, y_points, by_camera):
    camera = dataclasses.replace(CAMERA, flip_x=flip_x, rotation=rotation if by_camera else 0.0)
    projection = field_projection(camera, ra=10.0, dec=0.0, rotation=0.0 if by_camera else rotation)
    ra, dec = projection.pixel_to_sky(x=[1.0, 0.0], y=[0.0, 1.0])
    directions = np.transpose([ra - 10.0, dec]) * 3600
    assert_allclose(directions, [x_points, y_points], atol=1e-6)


@given(
    x=st.floats(-0.5, 1999.5),
    y=st.floats(-0.5, 999.5),
    ra=st.floats(0, 360),
    dec=st.floats(-90, 90),
    rotation=st.floats(-360, 360),
    flip_x=st.booleans(),
)
def test_the_way_there_and_back(x, y, ra, dec, rotation, flip_x):
    camera = dataclasses.replace(CAMERA, flip_x=flip_x)
    projection = field_projection(camera, ra=ra, dec=dec, rotation=rotation)
    sky = pixel_to_sky(camera, DETECTOR, projection, x=[x], y=[y])
    assert_allclose(sky_to_pixel(camera, DETECTOR, projection, ra=sky[0], dec=sky[1]), [[x], [y]], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "distortion",
    [
        RadialDistortion(),
        RadialDistortion((2e-6, -1e-11)),
        PolynomialDistortion(2, (0.0, 0.0, 1e-5, 1.0, 2e-5, -1e-5), (0.0, 1.0, 1e-5, 1e-4, 0.0, 1e-5)),
    ],
)
def test_wcs_is_the_way_through_the_camera(distortion):
    camera = dataclasses.replace(CAMERA, distortion=distortion)
    wcs = fit_boresight_wcs(camera, DETECTOR, boresight_ra=359.99, boresight_dec=-75.0, rotation=33.0)
    projection = field_projection(camera, ra=359.99, dec=-75.0, rotation=33.0)
    x, y = np.meshgrid(np.linspace(-0.5, 1999.5, 21), np.linspace(-0.5, 999.5, 11))
    ra, dec = pixel_to_sky(camera, DETECTOR, projection, x=x, y=y)
    assert_allclose(wcs.sky_to_pixel(ra=ra, dec=dec), [x, y], rtol=0, atol=1e-3)
    assert wcs.crpix == (999.5, 499.5)


def test_scale_is_that_of_plate_and_pixel():
    wcs = fit_boresight_wcs(CAMERA, CENTERD, boresight_ra=10.0, boresight_dec=20.0)
    assert wcs.pixel_scale == pytest.approx(20.0 * 0.01, rel=1e-5)
    assert wcs.crval == pytest.approx((10.0, 20.0))


def test_sky_that_the_optics_do_not_reach_has_no_pixel():
    camera = dataclasses.replace(CAMERA, distortion=RadialDistortion((-1e-5,)))
    projection = field_projection(camera, ra=10.0, dec=20.0)
    x, _ = sky_to_pixel(camera, DETECTOR, projection, ra=[10.0, 13.0, 190.0], dec=[20.0, 20.0, -20.0])
    assert np.isnan(x).tolist() == [False, True, True]


def test_polynomial_has_as_many_terms_as_its_order_takes():
    assert [triangle_size(order) for order in (0, 1, 2, 9)] == [1, 3, 6, 55]
