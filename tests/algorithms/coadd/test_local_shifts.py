"""Stars that are off by parts of a pixel in one of two images, and some that are truly different."""

import numpy as np
import pytest

from obs.algorithms.coadd.local_shifts import fit_local_shifts, isolated
from obs.tasks.difference.register import register_stars

SIGMA, SHAPE, NOISE = 1.6, (640, 640), 5.0
VARIABLE, MOVED = 7, 12


def draw(x, y, flux):
    rows, columns = np.indices(SHAPE)
    image = np.zeros(SHAPE)
    for a, b, light in zip(x, y, flux, strict=True):
        box = np.s_[int(b) - 20 : int(b) + 21, int(a) - 20 : int(a) + 21]
        square = (rows[box] - b) ** 2 + (columns[box] - a) ** 2
        image[box] += light * np.exp(-0.5 * square / SIGMA**2) / (2 * np.pi * SIGMA**2)
    return image


@pytest.fixture(scope="module")
def images():
    """A difference with stars that are off by 0.1 pixel, one that brightened by a tenth, one that moved by a pixel."""
    rng = np.random.default_rng(2)
    x, y = (
        axis.ravel() + rng.uniform(-5, 5, 100)
        for axis in np.meshgrid(np.arange(50, 600, 60.0), np.arange(50, 600, 60.0))
    )
    flux = np.geomspace(3e5, 1e4, 100)
    model = draw(x, y, flux)
    offset = 0.1 * rng.normal(size=(2, 100))
    offset[:, MOVED] = (1.0, 0.0)
    now = flux * np.where(np.arange(100) == VARIABLE, 1.1, 1.0)
    variance = NOISE**2 + model
    image = draw(x + offset[0], y + offset[1], now) + rng.normal(size=SHAPE) * np.sqrt(variance)
    return (image - model).astype(np.float32), model.astype(np.float32), variance.astype(np.float32), x, y, flux, offset


def test_shifts_are_found_but_for_what_moved(images):
    difference, model, variance, x, y, _, offset = images
    found = fit_local_shifts(difference, model, variance, x, y, 8)
    constant = np.arange(100) != MOVED
    # a star's position is known to sigma over its signal-to-noise ratio: 0.01 pixels for the faintest
    assert np.std(found.shift[constant] - offset.T[constant]) < 0.02
    assert not found.shift[MOVED].any()
    assert found.scatter == pytest.approx((0.1, 0.1), rel=0.25)


def test_what_is_left_is_noise_and_what_changed(images):
    difference, model, variance, x, y, flux, _ = images
    before = difference.copy()
    left = register_stars(difference, model, variance, (x, y), SIGMA)
    assert 0.08 * 0.43 / SIGMA < left.share.max() < 0.3 * 0.43 / SIGMA * 2
    assert left.misfit < 0.015
    brightest = np.s_[round(y[1]) - 5 : round(y[1]) + 6, round(x[1]) - 5 : round(x[1]) + 6]
    # what is left of the brightest star is of second order in its shift
    pulls = [np.std(image[brightest] / np.sqrt(variance[brightest])) for image in (before, difference)]
    assert pulls[0] > 3 * pulls[1]
    for star, change in ((VARIABLE, 0.1), (MOVED, 0.0)):
        box = np.s_[round(y[star]) - 8 : round(y[star]) + 9, round(x[star]) - 8 : round(x[star]) + 9]
        error = np.sqrt(variance[box].sum())
        assert abs(difference[box].sum() - change * flux[star]) < 4 * error
    moved = np.s_[round(y[MOVED]) - 3 : round(y[MOVED]) + 4, round(x[MOVED]) - 3 : round(x[MOVED]) + 4]
    np.testing.assert_allclose(difference[moved], before[moved], atol=1.0)


def test_fainter_neighbors_are_left_out():
    x, y = np.array([10.0, 12.0, 40.0]), np.array([10.0, 10.0, 40.0])
    assert isolated(x, y, 5.0).tolist() == [True, False, True]
    assert isolated(x[:0], y[:0], 5.0).tolist() == []


def test_few_stars_do_not_say_how_far_they_are_off(images):
    difference, model, variance, x, y, _, _ = images
    assert not fit_local_shifts(difference, model, variance, x[:5], y[:5], 8).shift.any()
