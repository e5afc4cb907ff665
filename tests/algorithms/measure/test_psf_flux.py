import numpy as np
import pytest

from obs.algorithms.measure.psf_flux import measure_psf_flux
from star_field import Moffat, pixel_psf, stamp

HALF = 25
PROFILE = Moffat(3.0)


def simulate(n, *, flux, sky_sigma=5.0, seed=0):
    rng = np.random.default_rng(seed)
    dx, dy = rng.uniform(-0.5, 0.5, (2, n))
    clean = np.stack([flux * stamp(PROFILE, x, y, HALF) for x, y in zip(dx, dy, strict=True)])
    variance = np.full(clean.shape, sky_sigma**2, np.float32)
    return (clean + rng.normal(0, sky_sigma, clean.shape)).astype(np.float32), variance, dx, dy


def measure(stamps, variance, dx, dy, inside=None, half=15, place=HALF):
    inside = np.ones(stamps.shape, bool) if inside is None else inside
    middle = np.full(len(stamps), place)
    psf = pixel_psf(PROFILE, half).render(x=dx, y=dy)
    return measure_psf_flux(stamps, variance, inside, psf, middle, middle)


def in_stamp(half=15):
    """Part of a star's flux in the PSF's stamp, which adds up to one."""
    return stamp(PROFILE, 0, 0, half).sum()


def test_fluxes_are_within_their_errors():
    n, flux = 600, 3000.0
    found = measure(*simulate(n, flux=flux))
    pull = (found.flux - flux * in_stamp()) / found.flux_err
    assert pull.mean() == pytest.approx(0.0, abs=4 / np.sqrt(n))
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * n))
    assert not found.failed.any()
    assert not found.edge.any()


def test_errors_are_those_of_the_best_linear_fit():
    found = measure(*simulate(3, flux=100.0))
    sum_of_squares = (stamp(PROFILE, 0, 0, 15) ** 2).sum() / in_stamp() ** 2
    np.testing.assert_allclose(found.flux_err, 5.0 / np.sqrt(sum_of_squares), rtol=0.02)


def test_light_of_bright_stars_adds_to_their_errors():
    stamps, variance, dx, dy = simulate(300, flux=2e5, seed=3)
    photons = np.stack([2e5 * stamp(PROFILE, *at, HALF) for at in zip(dx, dy, strict=True)])
    rng = np.random.default_rng(4)
    stamps += rng.normal(size=stamps.shape) * np.sqrt(photons / 2)
    found = measure(stamps.astype(np.float32), (variance + photons / 2).astype(np.float32), dx, dy)
    pull = (found.flux - 2e5 * in_stamp()) / found.flux_err
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(600))


def test_half_a_star_still_has_its_flux_and_is_marked():
    flux = 1e4
    stamps, variance, dx, dy = simulate(200, flux=flux)
    inside = np.ones(stamps.shape, bool)
    inside[:, :, : HALF - 1] = False
    stamps[~inside], variance[~inside] = 0.0, 0.0
    found = measure(stamps, variance, dx, dy, inside)
    assert found.edge.all()
    assert not found.failed.any()
    pull = (found.flux - flux * in_stamp()) / found.flux_err
    assert pull.mean() == pytest.approx(0.0, abs=4 / np.sqrt(200))
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(400))


def test_a_psf_outside_the_image_measures_nothing():
    stamps, variance, dx, dy = simulate(2, flux=1e4)
    found = measure(stamps, variance, dx, dy, np.zeros(stamps.shape, bool))
    assert found.failed.all()
    assert found.edge.all()
    assert np.isnan(found.flux).all()
    assert np.isnan(found.flux_err).all()


def test_a_pixel_without_variance_fails_the_flux():
    stamps, variance, dx, dy = simulate(3, flux=1e4)
    variance[1, HALF + 2, HALF] = np.nan
    found = measure(stamps, variance, dx, dy)
    assert found.failed.tolist() == [False, True, False]
    assert np.isnan(found.flux_err).tolist() == [False, True, False]


def test_no_source_is_no_flux():
    empty = np.zeros((0, 51, 51), np.float32)
    assert measure(empty, empty, [], []).flux.shape == (0,)
