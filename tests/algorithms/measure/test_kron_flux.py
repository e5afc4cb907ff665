import numpy as np
import pytest

from obs.algorithms.measure.kron_flux import kron_ellipse, measure_kron_radius
from star_field import Gaussian, stamp

HALF = 40
OVERSAMPLING = 5


def exponential(scale):
    def profile(dx, dy):
        return np.exp(-np.hypot(dx, dy) / scale) / (2 * np.pi * scale**2)

    return profile


def radius_of(profile, moments, *, n_sigma=6.0, minimum=0.1, noise=0.0, n=1):
    images = np.repeat(stamp(profile, 0.2, -0.1, HALF)[None], n, axis=0)
    images += np.random.default_rng(0).normal(0, noise, images.shape)
    return measure_kron_radius(
        images.astype(np.float32),
        np.full(n, 0.2),
        np.full(n, -0.1),
        np.repeat(np.atleast_2d(np.asarray(moments, float)), n, axis=0),
        minimum_radius=np.full(n, minimum),
        n_sigma=n_sigma,
    )


def test_the_radius_of_a_round_gaussian_is_analytic():
    found = radius_of(Gaussian(9.0, 9.0), (9.0, 9.0, 0.0))
    assert found[0] == pytest.approx(np.sqrt(np.pi / 2) * 3, rel=0.01)


@pytest.mark.parametrize("moments", [(16.0, 6.0, 0.0), (16.0, 6.0, 4.0), (6.0, 16.0, -4.0)])
def test_the_radius_of_an_ellipse_is_that_of_the_circle_of_its_area(moments):
    xx, yy, xy = moments
    found = radius_of(Gaussian(*moments), moments)
    assert found[0] == pytest.approx(np.sqrt(np.pi / 2) * (xx * yy - xy**2) ** 0.25, rel=0.02)


def test_the_radius_of_an_exponential_disk_is_twice_its_scale():
    # within six times the size of the ellipse, 18 pixels or nine scales, lie all but a per cent
    found = radius_of(exponential(2.0), (9.0, 9.0, 0.0))
    assert found[0] == pytest.approx(4.0, rel=0.02)


def test_noise_moves_the_radius_between_its_bounds_only():
    found = radius_of(Gaussian(4, 4), (4.0, 4.0, 0.0), noise=0.02, minimum=2.0, n=300)
    known = np.isfinite(found)
    assert 50 < known.sum() < 300
    assert found[known].min() == pytest.approx(2.0)
    assert found[known].max() <= 12.0


@pytest.mark.parametrize("moments", [(np.nan, 4.0, 0.0), (np.nan, np.nan, np.nan)])
def test_without_a_shape_there_is_no_radius(moments):
    assert np.isnan(radius_of(Gaussian(4, 4), moments)).all()


def test_negative_light_has_no_radius():
    assert np.isnan(radius_of(lambda dx, dy: -Gaussian(4, 4)(dx, dy), (4.0, 4.0, 0.0))).all()


def test_a_psf_without_a_size_leaves_the_radius_unknown():
    assert np.isnan(radius_of(Gaussian(4, 4), (4.0, 4.0, 0.0), minimum=np.nan)).all()


@pytest.mark.parametrize("theta", [-1.4, -0.3, 0.0, 0.8, 1.5])
def test_the_ellipse_has_the_shape_of_the_moments(theta):
    a2, b2, radius = 12.0, 5.0, 4.0
    c, s = np.cos(theta), np.sin(theta)
    moments = np.array([[a2 * c**2 + b2 * s**2, a2 * s**2 + b2 * c**2, (a2 - b2) * c * s]])
    a, b, found = kron_ellipse(np.array([radius]), moments, 2.5)
    assert a[0] / b[0] == pytest.approx(np.sqrt(a2 / b2))
    assert np.sqrt(a[0] * b[0]) == pytest.approx(2.5 * radius)
    assert found[0] == pytest.approx(theta)


def test_a_circle_and_a_needle_are_ellipses():
    a, b, theta = kron_ellipse(np.array([2.0, 2.0]), np.array([[4.0, 4.0, 0.0], [4.0, 1e-9, 0.0]]))
    assert a[0] == b[0] == pytest.approx(5.0)
    assert np.isfinite([a, b, theta]).all()


def test_no_source_is_no_radius():
    none = np.zeros(0)
    found = measure_kron_radius(np.zeros((0, 9, 9), np.float32), none, none, np.zeros((0, 3)), minimum_radius=none)
    assert found.shape == (0,)
    assert all(part.shape == (0,) for part in kron_ellipse(none, np.zeros((0, 3))))
