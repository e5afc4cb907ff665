import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from obs.algorithms.measure.aperture_flux import (
    SubpixelShifts,
    measure_aperture_flux,
    measure_ellipse_flux,
    sinc_kernel,
)
from star_field import Gaussian, Moffat, stamp

HALF = 30


def stamps_of(profile, dx, dy, flux=1.0):
    images = np.stack([flux * stamp(profile, x, y, HALF, oversampling=11) for x, y in zip(dx, dy, strict=True)])
    return images.astype(np.float32), np.ones(images.shape, np.float32), np.ones(images.shape, bool)


def phases(n=12, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, n))


def light_within(profile, radius, per_pixel=51):
    """Flux inside a circle of the profile as pixels see it: smoothed with a square pixel."""
    step = 1 / per_pixel
    size = round((radius + 2) / step)
    place = (np.arange(-size, size + 1)) * step
    fine = uniform_filter(profile(place[None, :], place[:, None]), per_pixel)
    circle = np.hypot(place[None, :], place[:, None]) <= radius
    return float((fine * circle).sum() * step**2)


@pytest.mark.parametrize("radius", [3.0, 4.5, 6.0, 9.0])
def test_small_circles_integrate_the_image_that_the_pixels_sample(radius):
    dx, dy = phases()
    profile = Moffat(3.5)
    found = measure_aperture_flux(*stamps_of(profile, dx, dy), dx, dy, radius, sinc=True)
    np.testing.assert_allclose(found.flux, light_within(profile, radius), rtol=2e-3)
    assert np.ptp(found.flux) < 1.5e-3


@pytest.mark.parametrize(("radius", "sinc"), [(12.0, True), (12.0, False), (17.0, False), (25.0, False)])
def test_large_circles_hold_the_analytic_flux(radius, sinc):
    dx, dy = phases()
    profile = Moffat(3.5)
    found = measure_aperture_flux(*stamps_of(profile, dx, dy), dx, dy, radius, sinc=sinc)
    np.testing.assert_allclose(found.flux, profile.within(radius), rtol=1e-3)
    assert not found.edge.any()
    assert not found.failed.any()


@pytest.mark.parametrize(("radius", "sinc"), [(4.5, True), (9.0, True), (12.0, False)])
def test_fluxes_of_sky_are_within_their_errors(radius, sinc):
    rng, n = np.random.default_rng(1), 800
    noise = rng.normal(0, 3, (n, 2 * HALF + 1, 2 * HALF + 1)).astype(np.float32)
    variance = np.full_like(noise, 9)
    dx, dy = rng.uniform(-0.5, 0.5, (2, n))
    found = measure_aperture_flux(noise, variance, np.ones(noise.shape, bool), dx, dy, radius, sinc=sinc)
    pull = found.flux / found.flux_err
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * n))
    assert pull.mean() == pytest.approx(0.0, abs=4 / np.sqrt(n))
    # sub-pixel interpolation takes part of the noise at the finest scales away
    np.testing.assert_allclose(found.flux_err, 3 * np.sqrt(np.pi) * radius, rtol=0.06)


def test_the_kernel_adds_up_to_the_area_of_the_circle():
    for radius in (2.0, 4.5, 9.0):
        assert sinc_kernel(radius, 60).sum() == pytest.approx(np.pi * radius**2, rel=2e-3)


@pytest.mark.parametrize("sinc", [True, False])
def test_circles_that_leave_the_image_are_marked(sinc):
    images, variance, inside = stamps_of(Moffat(3.5), [0.0] * 4, [0.0] * 4)
    inside[1, :, : HALF - 8] = False  # beyond a circle of 6 pixels
    inside[2, :, : HALF - 5] = False
    inside[3, HALF + 4 :] = False
    images[~inside], variance[~inside] = 0.0, 0.0
    found = measure_aperture_flux(images, variance, inside, np.zeros(4), np.zeros(4), 6.0, sinc=sinc)
    assert found.edge.tolist() == [False, False, True, True]
    assert np.isfinite(found.flux).all()


@pytest.mark.parametrize("sinc", [True, False])
def test_a_pixel_without_variance_fails_the_flux(sinc):
    images, variance, inside = stamps_of(Moffat(3.5), [0.0] * 3, [0.0] * 3)
    variance[1, HALF + 2, HALF] = np.nan
    found = measure_aperture_flux(images, variance, inside, np.zeros(3), np.zeros(3), 6.0, sinc=sinc)
    assert found.failed.tolist() == [False, True, False]
    assert np.isfinite(found.flux).all()


@pytest.mark.parametrize("sinc", [True, False])
def test_no_source_is_no_flux(sinc):
    empty = np.zeros((0, 61, 61), np.float32)
    found = measure_aperture_flux(empty, empty, empty > 0, np.zeros(0), np.zeros(0), 6.0, sinc=sinc)
    assert found.flux.shape == found.flux_err.shape == found.failed.shape == found.edge.shape == (0,)


def ellipse(n, a, b, theta):
    return (np.full(n, value) for value in (a, b, theta))


@pytest.mark.parametrize("theta", [-1.2, 0.0, 0.4, np.pi / 2])
def test_an_ellipse_scaled_with_a_gaussian_holds_its_share(theta):
    a2, b2 = 9.0, 4.0
    c, s = np.cos(theta), np.sin(theta)
    profile = Gaussian(a2 * c**2 + b2 * s**2, a2 * s**2 + b2 * c**2, (a2 - b2) * c * s)
    dx, dy = phases()
    k = 2.5
    found = measure_ellipse_flux(*stamps_of(profile, dx, dy), dx, dy, *ellipse(len(dx), k * 3, k * 2, theta))
    # integration over pixels, once in the image and once in the sum, widens the source by a sixth of a pixel squared
    lost = np.exp(-(k**2) / 2) * k**2 / 2 * (1 / a2 + 1 / b2) / 12
    np.testing.assert_allclose(found.flux, 1 - np.exp(-(k**2) / 2) - lost, atol=1e-3)
    np.testing.assert_allclose(found.flux_err, np.sqrt(np.pi * k**2 * 6), rtol=0.03)


def test_a_stamp_knows_nothing_of_the_next_one():
    rng = np.random.default_rng(2)
    images = rng.normal(size=(3, 21, 21)).astype(np.float32)
    variance, inside = np.ones_like(images), np.ones(images.shape, bool)
    dx, dy = np.zeros(3), np.array([0.0, 7.0, -7.0])
    other = images.copy()
    other[[0, 2]] = 1e6
    for sinc in (True, False):
        a = measure_aperture_flux(images, variance, inside, dx, dy, 8.0, sinc=sinc)
        b = measure_aperture_flux(other, variance, inside, dx, dy, 8.0, sinc=sinc)
        assert a.flux[1] == b.flux[1]
        assert a.edge[1]
    a, b = (measure_ellipse_flux(s, variance, inside, dx, dy, *ellipse(3, 9.0, 6.0, 1.5)) for s in (images, other))
    assert a.flux[1] == b.flux[1]
    assert a.edge.tolist() == [False, True, True]


def test_shifts_of_the_widest_circle_serve_narrower_ones():
    rng = np.random.default_rng(8)
    dx, dy = rng.uniform(-0.5, 0.5, (2, 7))
    shifts = SubpixelShifts.to(dx, dy, 22)
    kernel = sinc_kernel(4.5, 15)
    np.testing.assert_array_equal(shifts.move(kernel), SubpixelShifts.to(dx, dy, 15).move(kernel))
