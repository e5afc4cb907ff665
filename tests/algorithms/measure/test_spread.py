import numpy as np
import pytest

from obs.algorithms.measure.spread import measure_spread
from star_field import Gaussian, Moffat, stamp

FWHM = 3.2
HALF = 18


def measure(profile, *, n=1, noise=0.0, flux=1e4, seed=0, dx=0.3, dy=-0.2):
    rng = np.random.default_rng(seed)
    image = flux * stamp(profile, dx, dy, HALF) + rng.normal(0, noise, (n, 2 * HALF + 1, 2 * HALF + 1))
    psf = np.tile(stamp(Moffat(FWHM), dx, dy, 15), (n, 1, 1)).astype(np.float32)
    middle = np.full(n, HALF)
    variance = np.full(image.shape, max(noise, 1.0) ** 2, np.float32)
    return measure_spread(image.astype(np.float32), variance, psf, middle, middle, np.full(n, FWHM))


def test_a_point_source_has_none():
    spread, _ = measure(Moffat(FWHM))
    assert spread[0] == pytest.approx(0.0, abs=1e-6)


def test_wider_sources_have_more():
    values = [measure(Moffat(FWHM * factor))[0][0] for factor in (0.9, 1.0, 1.1, 1.5, 2.0)]
    assert np.all(np.diff(values) > 0)
    assert values[0] < 0
    assert values[2] > 0.001


def test_the_scale_is_that_of_spread_model():
    """A source widened by the disk of the definition has the spread of the definition, to first order in its size."""
    psf, sigma2 = Gaussian(1.8, 1.8), 1.8
    disk = 3.0 * (2.3548 * np.sqrt(sigma2) / 16.0) ** 2
    wide = Gaussian(sigma2 + disk, sigma2 + disk)
    images = [stamp(profile, 0.0, 0.0, HALF, oversampling=9) for profile in (psf, wide)]
    point, disk_light = (np.sum(images[1] * image) / np.sum(images[0] * image) for image in images)
    middle = np.array([HALF])
    spread, _ = measure_spread(
        images[1][None].astype(np.float32),
        np.ones((1, *images[0].shape), np.float32),
        images[0][None, 3:-3, 3:-3].astype(np.float32),
        middle,
        middle,
        np.array([2.3548 * np.sqrt(sigma2)]),
    )
    assert spread[0] == pytest.approx(disk_light - point, rel=0.1)


def test_errors_are_those_of_the_scatter():
    spread, error = measure(Moffat(FWHM), n=600, noise=20.0)
    assert np.std(spread / error) == pytest.approx(1.0, abs=0.1)
    assert abs(np.mean(spread / error)) < 0.15


@pytest.mark.parametrize(("flux", "gain"), [(100.0, 1.02), (1e4, 0.98)])
def test_faint_widened_sources_stand_out_more_than_by_the_laplacian(flux, gain):
    """The Laplacian of the PSF, the limit of the disk of SPREAD_MODEL, is less significant."""
    spread, error = measure(Moffat(FWHM * 1.25), flux=flux)
    image = flux * stamp(Moffat(FWHM * 1.25), 0.3, -0.2, HALF)
    psf = stamp(Moffat(FWHM), 0.3, -0.2, HALF)
    laplacian = sum(np.roll(psf, step, axis) for step in (-1, 1) for axis in (0, 1)) - 4 * psf
    laplacian -= psf * np.vdot(laplacian, psf) / np.vdot(psf, psf)
    assert spread[0] / error[0] > gain * abs(np.vdot(laplacian, image)) / np.sqrt(np.vdot(laplacian, laplacian))


def test_a_source_without_light_is_unknown():
    spread, error = measure(Moffat(FWHM), flux=-100.0)
    assert np.isnan(spread[0])
    assert np.isnan(error[0])
