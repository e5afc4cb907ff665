import numpy as np
import pytest

from obs.algorithms.psf.neighbors import model_sources, without_neighbors
from obs.image.gaussian_psf import gaussian_psf

SHAPE = (60, 70)


@pytest.fixture
def psf():
    return gaussian_psf(2.5, 2.0, 0.3, 25)


def test_the_light_of_sources_adds_up(psf):
    model = model_sources(psf, np.array([30.2, 33.0]), np.array([28.9, 30.0]), np.array([100.0, 50.0]), SHAPE)
    assert model.shape == SHAPE
    assert model.sum() == pytest.approx(150.0, rel=1e-3)


def test_of_a_source_at_the_edge_only_the_inner_part_counts(psf):
    model = model_sources(psf, np.array([0.0]), np.array([30.0]), np.array([100.0]), SHAPE)
    assert 40 < model.sum() < 70


@pytest.mark.parametrize(("x", "flux"), [(-5.0, 1.0), (30.0, np.nan)])
def test_sources_outside_or_without_a_flux_are_left_out(psf, x, flux):
    assert not model_sources(psf, np.array([x]), np.array([30.0]), np.array([flux]), SHAPE).any()


@pytest.mark.parametrize("half", [9, 12, 15])
def test_a_star_is_left_alone_when_its_neighbors_go(psf, half):
    x, y, flux = np.array([30.2, 34.0]), np.array([28.9, 30.0]), np.array([100.0, 80.0])
    image = model_sources(psf, x, y, flux, SHAPE)
    stamps, neighbors = without_neighbors(image, image, psf, x[:1], y[:1], flux[:1], half)
    alone = model_sources(psf, x[:1], y[:1], flux[:1], SHAPE)[29 - half : 30 + half, 30 - half : 31 + half]
    np.testing.assert_allclose(stamps[0], alone, atol=1e-4)
    assert neighbors.sum() == pytest.approx(80.0, rel=0.15)
