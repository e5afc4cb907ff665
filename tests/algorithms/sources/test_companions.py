import numpy as np
import pytest

from obs.algorithms.measure.blend_errors import measure_blend_errors
from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sky.noise import measure_smoothed_noise
from obs.algorithms.sources.companions import add_companions
from obs.algorithms.sources.detection import find_footprints
from star_field import Gaussian, Moffat, draw, pixel_psf

SHAPE, FWHM, SKY = (121, 121), 3.2, 5.0
PROFILE = Moffat(FWHM)
CENTER = np.array([60.2, 59.7])


def peaks_of(x, y, flux, profiles=PROFILE, *, seed=0, unusable=None):
    """Peaks before and after companions were looked for."""
    clean = draw(SHAPE, x, y, flux, profiles)
    variance = (SKY**2 + clean / 2).astype(np.float32)
    image = (clean + np.random.default_rng(seed).normal(size=SHAPE) * np.sqrt(variance)).astype(np.float32)
    smoothed = smooth(image, FWHM / 2.355)
    found = find_footprints(smoothed, threshold=5 * measure_smoothed_noise(smoothed), n_grow=3, variance=variance)
    masked = np.zeros(SHAPE, bool) if unusable is None else unusable
    after = add_companions(image, variance, masked, found, pixel_psf(PROFILE), fwhm=FWHM, chi2_cut=1.5)
    return found.peaks, after.peaks


@pytest.mark.parametrize(("widths", "ratio"), [(1.25, 0.3), (1.5, 0.3), (1.5, 0.1), (1.8, 0.3), (1.7, 0.1)])
def test_a_shoulder_of_a_bright_star_is_a_star(widths, ratio):
    found = 0
    for seed in range(6):
        angle = 1.1 * seed
        place = CENTER + widths * FWHM * np.array([np.cos(angle), np.sin(angle)])
        before, after = peaks_of(*np.transpose([CENTER, place]), [5e4, 5e4 * ratio], seed=seed)
        assert len(before) == 1
        assert after.value[0] == before.value[0]
        found += len(after) == 2 and np.hypot(after.x[1] - place[0], after.y[1] - place[1]) < 2.2
    assert found >= 5


@pytest.mark.parametrize(
    ("profile", "flux"),
    [(PROFILE, 5e4), (PROFILE, 2e6), (Gaussian(12, 6, 2), 1e5), (Gaussian(5, 3, 0), 5e4), (Gaussian(30, 15, 8), 3e5)],
)
def test_single_stars_and_galaxies_stay_whole(profile, flux):
    for seed in range(4):
        before, after = peaks_of([CENTER[0]], [CENTER[1]], [flux], profile, seed=seed)
        assert len(after) == len(before) == 1


def test_nothing_is_looked_for_beside_masked_pixels():
    place = CENTER + np.array([1.5 * FWHM, 0])
    masked = np.zeros(SHAPE, bool)
    masked[60, 64] = True
    _, after = peaks_of(*np.transpose([CENTER, place]), [5e4, 1.5e4], unusable=masked)
    assert len(after) == 1


def test_errors_grow_where_stars_overlap():
    widths = np.array([0.8, 1.2, 2.0, 4.0])
    x, y = np.r_[40 + 0 * widths, 40 + FWHM * widths], np.r_[40, 80, 120, 160, 40, 80, 120, 160.0]
    factors = measure_blend_errors(pixel_psf(PROFILE), x, y, 2.5 * FWHM)
    for factor in (factors.flux, factors.x):
        assert (np.diff(factor[:4]) <= 0).all()
        assert factor[0] > 1.2 > factor[2]
    np.testing.assert_allclose(factors.flux[:4], factors.flux[4:], rtol=0.05)
    assert factors.flux[2] == factors.flux[3] == factors.y[3] == 1.0
    alone = measure_blend_errors(pixel_psf(PROFILE), np.array([40.0, np.nan]), np.array([40.0, 50.0]), 8.0)
    np.testing.assert_array_equal(alone, 1.0)
