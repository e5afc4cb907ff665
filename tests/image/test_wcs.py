"""The WCS against astropy, the pole, the RA wrap, and its own inverse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcs_cases import PLACES, X, Y, astropy_wcs, make_wcs, separation

from obs.image.wcs import TanSipWcs


@pytest.mark.parametrize("crval", PLACES)
def test_agrees_with_astropy_both_ways(crval):
    wcs = make_wcs(crval)
    theirs = astropy_wcs(wcs)
    ra, dec = wcs.pixel_to_sky(x=X, y=Y)
    ra_0, dec_0 = theirs.all_pix2world(X, Y, 0)
    assert separation(ra, dec, ra_0, dec_0).max() < 1e-9
    x, y = wcs.sky_to_pixel(ra=ra_0, dec=dec_0)
    np.testing.assert_allclose(x, X, atol=1e-6)
    np.testing.assert_allclose(y, Y, atol=1e-6)
    x_0, y_0 = theirs.all_world2pix(ra, dec, 0, tolerance=1e-8)
    np.testing.assert_allclose(x, x_0, atol=2e-6)
    np.testing.assert_allclose(y, y_0, atol=2e-6)


def test_ra_is_from_0_to_360():
    ra, _ = make_wcs((0.0, 10.0)).pixel_to_sky(x=X, y=Y)
    assert ra.min() >= 0
    assert ra.max() < 360
    assert ra.max() - ra.min() > 300


def test_scalars_give_scalars():
    ra, dec = make_wcs().pixel_to_sky(x=1023.5, y=680)
    assert (float(ra), float(dec)) == pytest.approx((10.0, 0.5))
    assert np.shape(make_wcs().sky_to_pixel(ra=10.0, dec=0.5)[0]) == ()


def test_far_half_of_the_sky_is_nan():
    x, y = make_wcs().sky_to_pixel(ra=[10.0, 190.0, 10.0], dec=[0.5, -0.5, -89.9])
    assert np.isfinite(x).tolist() == [True, False, False]
    assert np.isfinite(y).tolist() == [True, False, False]


def test_pixel_scale():
    assert make_wcs().pixel_scale == pytest.approx(1.1e-4 * 3600)


def test_shifted():
    wcs = make_wcs()
    for one, other in zip(
        wcs.pixel_to_sky(x=100.0, y=200.0), wcs.shifted(x=30, y=50).pixel_to_sky(x=70.0, y=150.0), strict=True
    ):
        assert one == pytest.approx(other, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    angle=st.floats(-np.pi, np.pi),
    parity=st.sampled_from([-1.0, 1.0]),
    strength=st.floats(-3, 3),
)
def test_round_trips(ra, dec, angle, parity, strength):
    wcs = make_wcs((ra, dec), angle, parity, strength)
    x, y = wcs.sky_to_pixel(**dict(zip(("ra", "dec"), wcs.pixel_to_sky(x=X, y=Y), strict=True)))
    np.testing.assert_allclose(x, X, atol=1e-6)
    np.testing.assert_allclose(y, Y, atol=1e-6)
    again = TanSipWcs.from_header(wcs.to_header())
    np.testing.assert_array_equal(again.pixel_to_sky(x=X, y=Y), wcs.pixel_to_sky(x=X, y=Y))


@pytest.mark.parametrize(("axis", "size"), [(0, 2048), (1, 1361)])
def test_mirrored_pixels_see_the_same_sky(axis, size):
    """Distortion and its inverse are mirrored with the pixels."""
    rng = np.random.default_rng(3)
    order = np.add.outer(np.arange(4), np.arange(4))
    a, b = np.where((order >= 2) & (order <= 3), rng.normal(0, 2.0, (2, 4, 4)) / 1000.0**order, 0.0)
    wcs = TanSipWcs((150.0, 2.0), (900.0, 700.0), np.array([[1.1e-4, 2e-6], [1e-6, 1.0e-4]]), a, b)
    x, y = rng.uniform(0, 2048, 50), rng.uniform(0, 1361, 50)
    mirrored = wcs.mirrored(axis=axis, size=size)
    place = {"x": size - 1 - x, "y": y} if axis == 0 else {"x": x, "y": size - 1 - y}
    np.testing.assert_allclose(mirrored.pixel_to_sky(**place), wcs.pixel_to_sky(x=x, y=y), atol=1e-11)
    back = mirrored.sky_to_pixel(**dict(zip(("ra", "dec"), wcs.pixel_to_sky(x=x, y=y), strict=True)))
    np.testing.assert_allclose(back, (place["x"], place["y"]), atol=1e-5)
