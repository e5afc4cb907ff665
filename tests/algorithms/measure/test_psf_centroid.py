"""Positions by moving the PSF, for stars on which the maximum of the smoothed image fails."""

import numpy as np
import pytest

from obs.algorithms.measure.centroid import Centroids
from obs.algorithms.measure.psf_centroid import needs_psf_centroid, refine_centroid
from obs.image.gaussian_psf import gaussian_psf

NOISE = 2.0
UNDERSAMPLED, TRAIL = (0.3, 0.3, 0.0), (30.0, 12.0, 17.0)


def observe(moments, n=300, flux=2000.0, seed=1):
    """Return stamps of stars in noise, their PSF, and where they are."""
    rng = np.random.default_rng(seed)
    psf = gaussian_psf(*moments, 41)
    dx, dy = rng.uniform(-0.49, 0.49, (2, n))
    stamps = np.zeros((n, 47, 47), np.float32)
    stamps[:, 3:-3, 3:-3] = flux * psf.render(x=100 + dx, y=100 + dy)
    stamps += rng.normal(0, NOISE, stamps.shape).astype(np.float32)
    return stamps, psf, dx, dy


def start_at(dx, dy):
    n = len(dx)
    unknown = np.full((2, n), np.nan, np.float32)
    return Centroids(dx.copy(), dy.copy(), *unknown, np.zeros(n, bool), np.zeros(n, np.int64))


@pytest.mark.parametrize("moments", [UNDERSAMPLED, TRAIL])
@pytest.mark.parametrize("wrong_by", [0.0, 0.4])
def test_positions_scatter_as_their_errors_say(moments, wrong_by):
    stamps, psf, dx, dy = observe(moments)
    found = start_at(dx + wrong_by, dy - wrong_by)
    middle, sigma = np.full(len(dx), 100.0), np.full(len(dx), np.sqrt(moments[0]))
    refine_centroid(stamps, np.full_like(stamps, NOISE**2), psf, middle, middle, found, sigma)
    for place, error, truth in ((found.dx, found.x_err, dx), (found.dy, found.y_err, dy)):
        pull = (place - truth) / error
        # 300 stars give mean and scatter to 0.06 and 0.04
        assert np.median(pull) == pytest.approx(0.0, abs=0.25)
        assert 1.4826 * np.median(np.abs(pull - np.median(pull))) == pytest.approx(1.0, abs=0.2)


def test_a_fit_that_runs_away_leaves_the_position_as_it_was():
    stamps, psf, dx, dy = observe(UNDERSAMPLED, n=20)
    empty = -np.abs(stamps)
    found = start_at(dx, dy)
    middle = np.full(20, 100.0)
    refine_centroid(empty, np.full_like(empty, NOISE**2), psf, middle, middle, found, np.full(20, 0.5))
    np.testing.assert_array_equal(found.dx, dx)


@pytest.mark.parametrize(
    ("moments", "expected"), [(UNDERSAMPLED, True), (TRAIL, True), ((2.2, 2.2, 0.0), False), ((9.0, 6.0, 1.0), False)]
)
def test_ordinary_stars_need_no_such_fit(moments, expected):
    assert needs_psf_centroid(*(np.full(5, value) for value in moments)) is expected


def test_nothing_needs_nothing():
    assert not needs_psf_centroid(*np.zeros((3, 0)))
