"""Fluxes, centroids and shifts, compiled and with numpy."""

from dataclasses import fields

import numpy as np
import pytest

from obs.algorithms.measure.aperture_flux import _lines_inside, measure_aperture_flux, measure_ellipse_flux
from obs.algorithms.measure.centroid import measure_centroid
from obs.algorithms.measure.fluxes import add_products, add_up
from obs.algorithms.measure.kron_flux import measure_kron_radius
from obs.algorithms.measure.wide_aperture_flux import WideApertures
from obs.algorithms.sources.stamps import OwnLight
from obs.image.resample import shift_matrices, shift_slopes

N = 40


@pytest.fixture(scope="module")
def stamps():
    """Round stars in noise: pixels, variance, centers, PSF."""
    generator = np.random.default_rng(12)
    y, x = np.mgrid[-24:25, -24:25].astype(float)
    dx, dy = generator.uniform(-0.5, 0.5, (2, N))
    square = (x - dx[:, None, None]) ** 2 + (y - dy[:, None, None]) ** 2
    flux = 10.0 ** generator.uniform(2.0, 5.0, N)[:, None, None]
    image = flux / (2 * np.pi * 4.0) * np.exp(-0.5 * square / 4.0) + generator.normal(0.0, 1.0, square.shape)
    psf = np.exp(-0.5 * (x**2 + y**2) / 4.0)[4:-4, 4:-4]
    kernels = np.repeat((psf / psf.sum())[None], N, axis=0)
    variance = generator.uniform(0.9, 1.1, image.shape)
    return *(a.astype(np.float32) for a in (image, variance)), dx, dy, kernels.astype(np.float32)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 49])
def test_sums(both, size):
    weight, image, variance = np.random.default_rng(size).normal(1.0, 1.0, (3, 9, size, size)).astype(np.float32)
    image[3, 0, 0], variance[4, -1, -1] = np.nan, np.inf
    variance = np.abs(variance)
    reference, compiled = both(lambda: [*add_up(weight, image, variance), add_products(weight, image)])
    np.testing.assert_allclose(compiled, reference, rtol=1e-12, atol=1e-12)
    part = weight[:, ::2, ::2]
    reference, compiled = both(lambda: add_products(part, part))
    np.testing.assert_allclose(compiled, reference, rtol=1e-12)


def test_sums_of_nothing(both):
    none = np.zeros((0, 5, 5), np.float32)
    reference, compiled = both(lambda: add_up(none, none, none))
    assert reference[0].shape == compiled[0].shape == (0,)


@pytest.mark.parametrize("radius", [1.0, 3.0, 12.0, 30.0])
def test_apertures(both, stamps, radius):
    image, variance, dx, dy, _ = stamps
    inside = np.ones(image.shape, bool)
    reference, compiled = both(lambda: measure_aperture_flux(image, variance, inside, dx, dy, radius, sinc=True))
    np.testing.assert_allclose(compiled.flux, reference.flux, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(compiled.flux_err, reference.flux_err, rtol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(0.3, 2.0), (2.0, 15.0), (20.0, 400.0)])
def test_ellipses_within_stamps_and_beyond(both, stamps, low, high):
    image, variance, dx, dy, _ = stamps
    generator = np.random.default_rng(6)
    a = generator.uniform(low, high, N)
    b, theta = a * generator.uniform(0.2, 1.0, N), generator.uniform(-np.pi / 2, np.pi / 2, N)
    b[0], theta[1], theta[2], theta[3] = a[0], 0.0, np.pi / 2, -np.pi / 2
    dx, dy = 3 * dx, 3 * dy
    dx[4], dy[4], b[4] = 0.0, 0.0, 0.1 * a[4]
    figure = dx, dy, a, b, theta
    reference, compiled = both(lambda: measure_ellipse_flux(image, variance, image < np.inf, *figure))
    # a part of a pixel whose middle lies on the border may count or not
    np.testing.assert_allclose(compiled.flux, reference.flux, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(compiled.flux_err, reference.flux_err, rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(compiled.edge, reference.edge)


@pytest.mark.parametrize("size", [1, 8, 21])
def test_rows_and_columns_inside_of_the_image(both, size):
    inside = np.random.default_rng(5).random((30, size, size)) < 1.0 / size
    for reference, compiled in zip(*both(lambda: _lines_inside(inside)), strict=True):
        np.testing.assert_array_equal(compiled, reference)


@pytest.mark.parametrize(("size", "model", "sampling"), [(11, 11, 1.0), (21, 35, 1.0), (25, 9, 1.0), (19, 45, 0.6)])
def test_shifts(both, size, model, sampling):
    offset = np.array([0.0, 0.3, -0.5, 0.5, 4.2, -30.0])
    for function in (shift_matrices, shift_slopes):
        reference, compiled = both(lambda function=function: function(offset, size, model, sampling))
        np.testing.assert_array_equal(compiled, reference)
    reference, compiled = both(lambda: shift_matrices(offset[:0], size, model, sampling))
    assert compiled.shape == reference.shape


def test_a_place_that_is_not_a_number_moves_nothing(both):
    with np.errstate(invalid="ignore"):
        reference, compiled = both(lambda: shift_matrices(np.array([0.2, np.nan]), 21, 27, 0.75))
    np.testing.assert_allclose(compiled[0], reference[0], atol=1e-6)
    assert not np.nan_to_num(compiled[1]).any()
    assert not np.nan_to_num(reference[1]).any()


@pytest.mark.parametrize("bin_size", [1, 2])
def test_centroids(both, stamps, bin_size):
    image, variance, _, _, kernels = stamps
    cut = slice(None) if bin_size == 1 else slice(12, -12)
    kernels = kernels[:, cut, cut]
    image = image.copy()
    image[0], image[1, 24, 24] = -1.0, np.nan
    with np.errstate(all="ignore"):
        reference, compiled = both(
            lambda: measure_centroid(image, variance, kernels, np.full(N, 2.0), bin_size=bin_size)
        )
    for field in fields(reference):
        one, other = getattr(compiled, field.name), getattr(reference, field.name)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=field.name)


def test_kron_radii(both, stamps):
    image, _, dx, dy, _ = stamps
    moments = np.tile([4.0, 3.0, 0.5], (N, 1))
    moments[0], moments[1] = np.nan, [60.0, 1.0, 3.0]
    image = image.copy()
    image[2], image[3, 0, 0], image[4, 24, 24] = -1.0, np.nan, np.nan
    reference, compiled = both(lambda: measure_kron_radius(image, dx, dy, moments, minimum_radius=np.full(N, 2.5)))
    np.testing.assert_allclose(compiled, reference, rtol=1e-5)


@pytest.mark.parametrize("radius", [0.4, 26.0, 200.0])
def test_wide_circles(both, radius):
    generator = np.random.default_rng(14)
    empty, variance = generator.uniform(1.0, 2.0, (2, 70, 110)).astype(np.float32)
    x, y = np.array([50.2, 0.0, 109.4, -3.0, 140.0, 33.5]), np.array([30.7, 0.0, 69.4, 20.0, 90.0, 34.5])
    own = [OwnLight(np.array([0, 0, 5]), np.array([30 * 110 + 50, 7, 12]), np.ones(3, np.float32))]
    reference, compiled = both(lambda: WideApertures(empty, variance, lambda: own, x, y).measure([radius])[0])
    np.testing.assert_allclose(compiled.flux, reference.flux, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(compiled.flux_err, reference.flux_err, rtol=1e-9, atol=1e-6)
    np.testing.assert_array_equal(compiled.edge, reference.edge)
