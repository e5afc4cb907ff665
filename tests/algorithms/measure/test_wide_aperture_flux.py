"""Wide circles from running sums agree with those cut out of stamps."""

import numpy as np
import pytest
import sep

from obs.algorithms.measure.wide_aperture_flux import WideApertures
from obs.algorithms.sources.stamps import OwnLight

SHAPE = (300, 340)


def no_light():
    none = np.zeros(0, np.int64)
    return [OwnLight(none, none, np.zeros(0, np.float32))]


@pytest.fixture(scope="module")
def sky():
    return np.random.default_rng(4).normal(5.0, 1.0, SHAPE).astype(np.float32)


@pytest.mark.parametrize("radius", [26.0, 35.5, 70.0])
def test_sky_in_a_circle(sky, radius):
    """Rows and chords against exact overlap: the difference is that of pixels on the rim, far below the noise."""
    x, y = np.random.default_rng(1).uniform(80, 220, (2, 50))
    found = WideApertures(sky, np.full(SHAPE, 2.0, np.float32), no_light, x, y).measure([radius])[0]
    flux, flux_err, _ = sep.sum_circle(sky, x, y, radius, var=np.full(SHAPE, 2.0, np.float32), subpix=0)
    assert np.std((found.flux - flux) / flux_err) < 0.05
    np.testing.assert_allclose(found.flux_err, flux_err, rtol=1e-6)
    assert not found.edge.any()
    assert not found.failed.any()


def test_area_is_exact():
    ones = np.ones(SHAPE, np.float32)
    x, y = np.array([150.0, 150.3, 149.5]), np.array([150.0, 149.9, 150.5])
    found = WideApertures(ones, ones, no_light, x, y).measure([50.0])[0]
    np.testing.assert_allclose(found.flux, np.pi * 50.0**2, rtol=1e-9)


def test_circles_that_leave_the_image_hold_what_is_inside(sky):
    x, y = np.array([3.0, 150.0, 338.0]), np.array([150.0, 298.0, 2.0])
    found = WideApertures(sky, sky, no_light, x, y).measure([40.0])[0]
    flux, flux_err, _ = sep.sum_circle(sky, x, y, 40.0, var=sky, subpix=0)
    assert found.edge.all()
    np.testing.assert_allclose(found.flux, flux, atol=0.1 * flux_err.min())


def test_own_light_counts_for_its_source_only():
    """The light of a source is added where it lies in the circle, and to no other source."""
    empty = np.zeros(SHAPE, np.float32)
    pixel = np.array([150 * SHAPE[1] + 150, 150 * SHAPE[1] + 170, 150 * SHAPE[1] + 250])
    own = OwnLight(np.array([0, 0, 0]), pixel, np.array([10.0, 5.0, 100.0], np.float32))
    found = WideApertures(empty, empty, lambda: [own], np.array([150.0, 160.0]), np.array([150.0, 150.0])).measure(
        [30.0]
    )[0]
    np.testing.assert_allclose(found.flux, [15.0, 0.0])


def test_a_pixel_on_the_rim_counts_in_part():
    empty = np.zeros(SHAPE, np.float32)
    own = OwnLight(np.array([0]), np.array([150 * SHAPE[1] + 180]), np.array([8.0], np.float32))
    found = WideApertures(empty, empty, lambda: [own], np.array([150.0]), np.array([150.0])).measure([30.0])[0]
    np.testing.assert_allclose(found.flux, [4.0])
