"""Fluxes of sources that overlap, against the normal equations written out, and against truth."""

import numpy as np
import pytest

from obs.algorithms.measure.joint_flux import Prior, fit_jointly
from obs.image.gaussian_psf import gaussian_psf

SIGMA, SIZE, SHAPE, NOISE = 2.0, 25, (80, 90), 3.0
NOTHING = np.zeros(0)


def scene(x, y, flux, *, n=1, seed=0):
    """Return PSFs, single fits of n noisy images, shape (n, sources), and the full design matrix."""
    psf = gaussian_psf(SIGMA**2, SIGMA**2, 0.0, SIZE)
    model = psf.render(x=x, y=y)
    design = np.zeros((len(x), *SHAPE))
    for number in range(len(x)):
        row, column = int(np.rint(y[number])) - SIZE // 2, int(np.rint(x[number])) - SIZE // 2
        design[number, row : row + SIZE, column : column + SIZE] = model[number]
    design = design.reshape(len(x), -1)
    images = flux @ design + np.random.default_rng(seed).normal(0.0, NOISE, (n, design.shape[1]))
    return model, images @ design.T / (design**2).sum(1), design


def free(n):
    return Prior(np.zeros(n), np.zeros(n))


def test_same_as_least_squares():
    random = np.random.default_rng(1)
    x, y, flux = random.uniform(20, 70, 12), random.uniform(20, 60, 12), random.uniform(100, 5000, 12)
    model, (single,), design = scene(x, y, flux)
    found = fit_jointly(single, model, x, y, 0.1, free(12))
    image = single * (design**2).sum(1)
    np.testing.assert_allclose(found.flux, np.linalg.solve(design @ design.T, image), rtol=1e-3, atol=0.1)
    assert (found.leader == np.arange(12)).all()


def test_pulls_of_a_pair():
    """Errors grow by what two PSFs have in common: by 1.07 at one FWHM."""
    x, y, flux = (
        np.array([40.0, 40.0 + 2.355 * SIGMA, 75.0]),
        np.array([40.0, 40.0, 15.0]),
        np.array([3000.0, 900.0, 500.0]),
    )
    model, singles, design = scene(x, y, flux, n=400)
    error = NOISE / np.sqrt((design**2).sum(1))
    found = [fit_jointly(single, model, x, y, 1.0, free(3)) for single in singles]
    pull = (np.array([one.flux for one in found]) - flux) / (error * found[0].inflation)
    assert found[0].inflation == pytest.approx([1.033, 1.033, 1.0], abs=0.005)
    assert np.abs(pull.mean(0)).max() < 4 / np.sqrt(400)
    assert np.abs(pull.std(0) - 1.0).max() < 4 / np.sqrt(800)


def test_close_positions_share_their_light():
    x, y = np.array([40.0, 40.3, 45.0]), np.array([40.0, 40.0, 40.0])
    model, (single,), _ = scene(x, y, np.array([1000.0, 500.0, 300.0]))
    found = fit_jointly(single, model, x, y, 1.0, free(3))
    brightest = int(np.argmax(single[:2]))
    assert found.leader.tolist() == [brightest, brightest, 2]
    assert found.flux[:2] == pytest.approx([1500.0, 1500.0], abs=5 * NOISE * np.sqrt(4 * np.pi) * SIGMA)


def test_what_is_known_decides_where_the_image_cannot_tell():
    x, y, flux = np.array([40.0, 40.2]), np.array([40.0, 40.0]), np.array([1000.0, 500.0])
    model, (single,), _ = scene(x, y, flux)
    sigma = NOISE * np.sqrt(4 * np.pi) * SIGMA
    known = fit_jointly(single, model, x, y, 1.0, Prior(np.array([0.0, 500.0]), np.array([0.0, (sigma / 5.0) ** 2])))
    assert known.flux == pytest.approx(flux, abs=4 * sigma)
    far = np.array([40.0, 52.0])
    model, (single,), _ = scene(far, y, flux)
    wrong = fit_jointly(
        single, model, far, y, 1.0, Prior(np.array([0.0, 900.0]), np.array([0.0, (sigma / 180.0) ** 2]))
    )
    assert wrong.flux == pytest.approx(flux, abs=4 * sigma)


def test_nothing_and_failed_fits():
    model = np.zeros((2, SIZE, SIZE), np.float32)
    x = np.array([10.0, 12.0])
    assert np.isnan(fit_jointly(np.full(2, np.nan), model, x, x, 1.0, free(2)).flux).all()
    empty = fit_jointly(NOTHING, np.zeros((0, SIZE, SIZE), np.float32), NOTHING, NOTHING, 1.0, free(0))
    assert empty.flux.shape == (0,)
