"""Positions by moving the PSF, where the maximum of the smoothed image is not exact or fails."""

import numpy as np
import pytest

from obs.algorithms.measure.centroid import Centroids, measure_centroid
from obs.algorithms.measure.psf_centroid import find_along_trail, fit_centroid, reach_of_fit
from obs.image.gaussian_psf import gaussian_psf
from obs.image.psf import PixelPsf
from star_field import Gaussian, Moffat, observe, pixel_psf, stamp

NOISE = 2.0
UNDERSAMPLED, TRAIL = (0.3, 0.3, 0.0), (30.0, 12.0, 17.0)
ORDINARY, WIDE = (2.2, 2.2, 0.0), (9.0, 6.0, 1.0)
HALF, N, FLUX = 20, 200, 2e6


def in_noise(moments, n=300, flux=2000.0, seed=1):
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
    stamps, psf, dx, dy = in_noise(moments)
    found, middle = start_at(dx + wrong_by, dy - wrong_by), np.full(len(dx), 100.0)
    reach = np.full(len(dx), 2 * np.sqrt(moments[0]))
    fit_centroid(stamps, np.full_like(stamps, NOISE**2), psf, middle, middle, found, reach)
    for place, error, truth in ((found.dx, found.x_err, dx), (found.dy, found.y_err, dy)):
        pull = (place - truth) / error
        # 300 stars give mean and scatter to 0.06 and 0.04
        assert np.median(pull) == pytest.approx(0.0, abs=0.25)
        assert 1.4826 * np.median(np.abs(pull - np.median(pull))) == pytest.approx(1.0, abs=0.2)


def gaussian(fwhm):
    return Gaussian((fwhm / 2.3548) ** 2, (fwhm / 2.3548) ** 2)


def measure(profile, fwhm, x, y):
    """Return errors in x of the interpolated maximum and of the fit, those in y, and the error that is expected."""
    clean = np.array([FLUX * stamp(profile, *place, HALF, oversampling=7) for place in zip(x, y, strict=True)])
    image, variance = observe(clean, seed=3)
    image, psf = (image - 100).astype(np.float32), pixel_psf(profile, 15)
    kernels = psf.evaluate(x=np.zeros(N), y=np.zeros(N))
    found = measure_centroid(image, variance, kernels, np.full(N, fwhm / 2.3548))
    before = found.dx - x
    fit_centroid(image, variance, psf, np.zeros(N), np.zeros(N), found, np.full(N, 0.3))
    return before, found.dx - x, found.dy - y, float(np.median(found.x_err))


@pytest.fixture(scope="module")
def places():
    return np.random.default_rng(1).uniform(-0.45, 0.45, (2, N))


@pytest.mark.parametrize(("profile", "fwhm"), [(gaussian, 2.0), (gaussian, 2.5), (gaussian, 3.5), (Moffat, 2.5)])
def test_bright_stars_scatter_as_photons_do(profile, fwhm, places):
    """The interpolation alone leaves errors of several times the noise, which depend on the sub-pixel place."""
    before, after, along, expected = measure(profile(fwhm), fwhm, *places)
    assert np.std(after) < 1.25 * expected
    assert np.std(along) < 1.25 * expected
    assert np.std(after) < 1.02 * np.std(before)
    assert abs(np.mean(after)) < 4 * expected / np.sqrt(N)


def test_undersampled_stars_gain_most(places):
    before, after, _, _ = measure(Moffat(1.6), 1.6, *places)
    assert np.std(after) < 0.7 * np.std(before)


def test_a_place_that_fits_is_kept():
    psf = pixel_psf(Moffat(3.0), 12)
    image = np.pad(1e4 * psf.render(x=[0.2], y=[-0.3]), ((0, 0), (6, 6), (6, 6)))
    found = start_at(np.array([0.2]), np.array([-0.3]))
    fit_centroid(image, np.ones_like(image), psf, np.zeros(1), np.zeros(1), found, np.full(1, 0.3))
    assert found.dx[0] == pytest.approx(0.2, abs=1e-5)
    assert found.dy[0] == pytest.approx(-0.3, abs=1e-5)


@pytest.mark.parametrize("moments", [UNDERSAMPLED, ORDINARY])
@pytest.mark.parametrize("light", [-1.0, 0.0])
def test_where_there_is_no_source_the_position_stays(moments, light):
    stamps, psf, dx, dy = in_noise(moments, n=20)
    empty, found, middle = light * np.abs(stamps), start_at(dx, dy), np.full(20, 100.0)
    fit_centroid(empty, np.full_like(empty, NOISE**2), psf, middle, middle, found, np.full(20, 0.5))
    np.testing.assert_array_equal(found.dx, dx)
    np.testing.assert_array_equal(found.dy, dy)


def test_noise_is_followed_no_further_than_the_reach():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 5, (50, 37, 37)).astype(np.float32)
    found, middle = start_at(np.zeros(50), np.zeros(50)), np.zeros(50)
    fit_centroid(noise, np.full_like(noise, 25), pixel_psf(Moffat(3.0), 12), middle, middle, found, np.full(50, 0.3))
    assert np.abs([found.dx, found.dy]).max() < 0.3


def test_a_reach_of_zero_leaves_sources_alone():
    stamps, psf, dx, dy = in_noise(ORDINARY, n=5)
    found, middle, reach = start_at(dx + 0.1, dy), np.full(5, 100.0), np.array([0.3, 0, 0.3, 0, 0.3])
    fit_centroid(stamps, np.full_like(stamps, NOISE**2), psf, middle, middle, found, reach)
    np.testing.assert_array_equal(found.dx[[1, 3]], dx[[1, 3]] + 0.1)
    assert np.isnan(found.x_err[[1, 3]]).all()
    assert np.abs(found.dx - dx)[::2].max() < 0.05


@pytest.mark.parametrize(
    ("moments", "sure", "unsure"), [(UNDERSAMPLED, 1.1, 1.1), (ORDINARY, 0.3, 0.0), (WIDE, 0.0, 0.0)]
)
def test_the_worse_the_maximum_the_further_the_reach(moments, sure, unsure):
    reach = reach_of_fit(*(np.full(2, value) for value in moments), np.array([True, False]))
    assert reach == pytest.approx([sure, unsure], abs=0.01)


def test_trails_are_looked_for_in_sizes_of_their_mean_width():
    reach = reach_of_fit(*(np.full(2, value) for value in TRAIL), np.array([True, False]))
    assert reach == pytest.approx(2 * (30.0 * 12.0 - 17.0**2) ** 0.25)


def test_each_source_has_the_reach_of_its_own_psf():
    kinds = np.array([TRAIL, ORDINARY, UNDERSAMPLED, WIDE])
    together = reach_of_fit(*kinds.T, np.ones(4, bool))
    alone = [reach_of_fit(*kind[:, None], np.ones(1, bool))[0] for kind in kinds]
    np.testing.assert_array_equal(together, alone)


def test_no_source_has_no_reach():
    assert reach_of_fit(*np.zeros((3, 0)), np.zeros(0, bool)).shape == (0,)


@pytest.mark.parametrize("angle", [0.0, 30.0, 75.0])
def test_a_trail_is_found_from_a_peak_at_its_end(angle):
    along, n = np.radians(angle), 40
    place = np.mgrid[-25:26, -25:26][::-1]
    length, width = (
        np.cos(along) * place[0] + np.sin(along) * place[1],
        np.cos(along) * place[1] - np.sin(along) * place[0],
    )
    profile = np.exp(-0.5 * (width / 1.2) ** 2) / (1 + np.exp(4 * (np.abs(length) - 9.0)))
    psf = PixelPsf((profile / profile.sum())[None].astype(np.float32), 0)
    far = np.rint(6.0 * np.array([np.cos(along), np.sin(along)]))
    stamps = np.zeros((n, 57, 57), np.float32)
    stamps[:, 3:-3, 3:-3] = 3e4 * psf.render(x=np.zeros(n), y=np.zeros(n))
    stamps += np.random.default_rng(1).normal(0, NOISE, stamps.shape).astype(np.float32)
    stamps = np.roll(stamps, far.astype(int)[::-1], axis=(1, 2))
    moments = [
        np.full(n, np.average(a * b, weights=profile)) for a, b in zip(place[[0, 1, 0]], place[[0, 1, 1]], strict=True)
    ]
    found = start_at(np.zeros(n), np.zeros(n))
    kernels, middle = psf.evaluate(x=np.zeros(n), y=np.zeros(n)), np.full(n, 100.0)
    # beside round stars, on a part of the frame where the PSF is drawn out
    rounder = [np.r_[moment, np.full(n + 1, value)] for moment, value in zip(moments, (2.0, 2.0, 0.0), strict=True)]
    both = start_at(np.zeros(2 * n + 1), np.zeros(2 * n + 1))
    more = [np.concatenate([part, np.ones((n + 1, *part.shape[1:]), np.float32)]) for part in (stamps, kernels)]
    find_along_trail(*more, *rounder, both)
    assert not both.dx[n:].any()
    find_along_trail(stamps, kernels, *moments, found)
    np.testing.assert_array_equal(both.dx[:n], found.dx)
    fit_centroid(stamps, np.full_like(stamps, NOISE**2), psf, middle, middle, found, np.full(n, 4.0))
    assert np.abs(found.dx - far[0]).max() < 0.5
    assert np.abs(found.dy - far[1]).max() < 0.5


def test_stars_that_are_not_drawn_out_stay_where_they_are():
    found = start_at(np.full(5, 3.0), np.zeros(5))
    two, none = np.full(5, 2.0), np.zeros(5)
    find_along_trail(np.ones((5, 21, 21), np.float32), np.ones((5, 15, 15), np.float32), two, two, none, found)
    np.testing.assert_array_equal(found.dx, 3.0)
