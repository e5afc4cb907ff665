import numpy as np
import pytest

from obs.simulator.galaxies import GalaxyShapes
from obs.simulator.moffat import MoffatShapes
from obs.simulator.render import add_galaxies, add_stars


def _psf(n, fwhm=3.5):
    return MoffatShapes(np.full(n, fwhm), np.zeros(n), np.zeros(n), 3.0)


def test_star_is_where_it_should_be_with_its_flux():
    image = np.zeros((300, 280), np.float32)
    place = {"x": np.array([140.3]), "y": np.array([150.8])}
    add_stars(image, _psf(1), **place, flux=np.array([1e6]), cutoff=0.02)
    total = image.sum(dtype=np.float64)
    assert total == pytest.approx(1e6, rel=2e-3)
    yy, xx = np.indices(image.shape)
    assert (image * xx).sum(dtype=np.float64) / total == pytest.approx(140.3, abs=2e-3)
    assert (image * yy).sum(dtype=np.float64) / total == pytest.approx(150.8, abs=2e-3)


def test_image_of_a_field_is_the_sum_of_its_sources_and_of_its_parts():
    random = np.random.default_rng(3)
    n = 60
    x, y, flux = random.uniform(-20, 140, n), random.uniform(-20, 120, n), 10 ** random.uniform(2, 6, n)
    whole = np.zeros((100, 120), np.float32)
    add_stars(whole, _psf(n), x=x, y=y, flux=flux, cutoff=0.05)
    singly = np.zeros_like(whole)
    for i in range(n):
        add_stars(singly, _psf(1), x=x[[i]], y=y[[i]], flux=flux[[i]], cutoff=0.05)
    np.testing.assert_allclose(whole, singly, rtol=1e-5, atol=1e-3)
    part = np.zeros((100, 50), np.float32)
    add_stars(part, _psf(n), x=x - 70, y=y, flux=flux, cutoff=0.05)
    np.testing.assert_allclose(part, whole[:, 70:], rtol=1e-4, atol=1e-2)


def test_sources_far_outside_add_nothing():
    image = np.zeros((40, 40), np.float32)
    add_stars(
        image, _psf(2), x=np.array([-500.0, 20.0]), y=np.array([20.0, 900.0]), flux=np.array([1e3, 1e3]), cutoff=0.1
    )
    assert not image.any()


def test_galaxy_is_where_it_should_be_with_its_flux():
    image = np.zeros((300, 280), np.float32)
    shapes = GalaxyShapes(np.array([9.0]), np.array([2.0]), np.array([4.0]), np.array([False]))
    place = {"x": np.array([140.3]), "y": np.array([150.8])}
    add_galaxies(image, shapes, _psf(1), **place, flux=np.array([1e6]), cutoff=0.02)
    total = image.sum(dtype=np.float64)
    assert total == pytest.approx(1e6, rel=2e-3)
    yy, xx = np.indices(image.shape)
    assert (image * xx).sum(dtype=np.float64) / total == pytest.approx(140.3, abs=2e-3)
    assert (image * yy).sum(dtype=np.float64) / total == pytest.approx(150.8, abs=2e-3)


def test_nothing_is_added_for_no_sources():
    image = np.zeros((20, 20), np.float32)
    add_stars(image, _psf(0), x=np.zeros(0), y=np.zeros(0), flux=np.zeros(0), cutoff=0.1)
    assert not image.any()
