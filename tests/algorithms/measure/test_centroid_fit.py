import numpy as np
import pytest

from obs.algorithms.measure.centroid import measure_centroid
from obs.algorithms.measure.centroid_fit import correct_centroid
from star_field import Gaussian, Moffat, observe, pixel_psf, stamp

HALF, N = 20, 200
FLUX = 2e6


def gaussian(fwhm):
    return Gaussian((fwhm / 2.3548) ** 2, (fwhm / 2.3548) ** 2)


def measure(profile, fwhm, x, y, *, flux=FLUX, seed=3):
    """Return errors in x of the interpolated maximum and after a step of the fit, and the error that is expected."""
    clean = np.array([flux * stamp(profile, *place, HALF, oversampling=7) for place in zip(x, y, strict=True)])
    image, variance = observe(clean, seed=seed)
    image, psf = (image - 100).astype(np.float32), pixel_psf(profile, 15)
    kernels = psf.evaluate(x=np.zeros(N), y=np.zeros(N))
    found = measure_centroid(image, variance, kernels, np.full(N, fwhm / 2.3548))
    row, column = (HALF + np.rint(place).astype(int) for place in (found.dy, found.dx))
    step = correct_centroid(image, psf.render(x=found.dx, y=found.dy), row, column)
    return found.dx - x, found.dx + step[0] - x, float(np.median(found.x_err)), found.dy + step[1] - y


@pytest.fixture(scope="module")
def places():
    return np.random.default_rng(1).uniform(-0.45, 0.45, (2, N))


@pytest.mark.parametrize(("profile", "fwhm"), [(gaussian, 2.0), (gaussian, 2.5), (gaussian, 3.5), (Moffat, 2.5)])
def test_bright_stars_scatter_as_photons_do(profile, fwhm, places):
    """The interpolation alone leaves errors of several times the noise, which depend on the sub-pixel place."""
    before, after, expected, along = measure(profile(fwhm), fwhm, *places)
    assert np.std(after) < 1.25 * expected
    assert np.std(along) < 1.25 * expected
    assert np.std(after) < 1.02 * np.std(before)
    assert abs(np.mean(after)) < 4 * expected / np.sqrt(N)


def test_undersampled_stars_gain_most(places):
    before, after, _, _ = measure(Moffat(1.6), 1.6, *places)
    assert np.std(after) < 0.5 * np.std(before)


def test_a_place_that_fits_is_kept():
    psf = pixel_psf(Moffat(3.0), 12)
    image = np.pad(1e4 * psf.render(x=[0.2], y=[-0.3]), ((0, 0), (6, 6), (6, 6)))
    middle = np.array([18])
    dx, dy = correct_centroid(image, psf.render(x=[0.2], y=[-0.3]), middle, middle)
    assert dx[0] == pytest.approx(0.0, abs=1e-5)
    assert dy[0] == pytest.approx(0.0, abs=1e-5)


def test_noise_is_not_followed():
    """Without a source, or far from it, the place stays what it was."""
    rng = np.random.default_rng(2)
    psf = np.tile(pixel_psf(Moffat(3.0), 12).render(x=[0.0], y=[0.0]), (3, 1, 1))
    image = rng.normal(0, 5, (3, 37, 37)).astype(np.float32)
    image[1] = -100 * np.pad(psf[1], 6)
    image[2] = 0.0
    middle = np.full(3, 18)
    dx, dy = correct_centroid(image, psf, middle, middle)
    assert np.all(np.abs(dx) < 0.3)
    assert np.all(np.abs(dy) < 0.3)
    assert dx[1] == dy[1] == dx[2] == dy[2] == 0.0
