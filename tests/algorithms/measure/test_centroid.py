import numpy as np
import pytest

from obs.algorithms.measure.centroid import measure_centroid
from star_field import Gaussian, Moffat, pixel_psf, stamp

HALF = 24
PSF_HALF = 15


def kernels(profile, n):
    return np.repeat(pixel_psf(profile, PSF_HALF).evaluate(x=[0], y=[0]), n, axis=0)


def stars(profile, dx, dy, flux):
    return np.stack([flux * stamp(profile, *at, HALF) for at in zip(dx, dy, strict=True)])


def offsets(n, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, n))


def measure(images, variance, profile, psf_sigma, *, bin_size=1):
    n = len(images)
    images, variance = images.astype(np.float32), np.broadcast_to(variance, images.shape).astype(np.float32)
    return measure_centroid(images, variance, kernels(profile, n), np.full(n, psf_sigma), bin_size=bin_size)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.5])
def test_a_star_without_noise_lies_where_it_was_put(sigma):
    dx, dy = offsets(50)
    profile = Gaussian(sigma**2, sigma**2)
    found = measure(stars(profile, dx, dy, 1e4), 1.0, profile, sigma)
    np.testing.assert_allclose(found.dx, dx, atol=0.01)
    np.testing.assert_allclose(found.dy, dy, atol=0.01)
    assert not found.failed.any()
    assert not found.size.any()


@pytest.mark.parametrize("signal_to_noise", [15, 60])
def test_errors_are_the_scatter_against_a_bright_sky(signal_to_noise):
    n, sigma, sky = 800, 1.5, 10.0
    profile = Gaussian(sigma**2, sigma**2)
    flux = signal_to_noise * np.sqrt(4 * np.pi) * sigma * sky
    dx, dy = offsets(n)
    noise = np.random.default_rng(1).normal(0, sky, (n, 2 * HALF + 1, 2 * HALF + 1))
    found = measure(stars(profile, dx, dy, flux) + noise, sky**2, profile, sigma)
    assert found.failed.mean() < 0.01
    for measured, truth, error in ((found.dx, dx, found.x_err), (found.dy, dy, found.y_err)):
        pull = ((measured - truth) / error)[~found.failed]
        assert np.median(pull) == pytest.approx(0.0, abs=4 * 1.25 / np.sqrt(n))
        # near the limit the curvature is itself uncertain, and errors a little larger than those of the linear fit
        assert pull.std() == pytest.approx(1.0, abs=0.05 + 4 / np.sqrt(2 * n))


def test_errors_of_bright_stars_count_their_own_photons():
    n, sigma, gain = 800, 1.5, 2.0
    profile = Gaussian(sigma**2, sigma**2)
    dx, dy = offsets(n)
    clean = stars(profile, dx, dy, 5e4)
    variance = clean / gain + 25.0
    noisy = clean + np.random.default_rng(2).normal(size=clean.shape) * np.sqrt(variance)
    found = measure(noisy, variance, profile, sigma)
    pull = np.r_[(found.dx - dx) / found.x_err, (found.dy - dy) / found.y_err]
    assert pull.std() == pytest.approx(1.0, abs=0.05 + 4 / np.sqrt(4 * n))


def test_the_error_follows_the_signal_to_noise():
    profile = Gaussian(2.25, 2.25)
    bright = measure(stars(profile, [0.2], [0.1], 1e4), 100.0, profile, 1.5)
    faint = measure(stars(profile, [0.2], [0.1], 1e3), 100.0, profile, 1.5)
    assert faint.x_err[0] == pytest.approx(10 * bright.x_err[0], rel=0.02)


@pytest.mark.parametrize("bin_size", [2, 4])
def test_binning_finds_the_same_place(bin_size):
    dx, dy = offsets(20)
    wide = Gaussian(20.0, 16.0)
    half = (PSF_HALF + 2) * bin_size
    images = np.stack([1e5 * stamp(wide, *at, half) for at in zip(dx, dy, strict=True)]).astype(np.float32)
    variance = np.ones_like(images)
    found = measure_centroid(images, variance, kernels(Gaussian(2.25, 2.25), 20), np.full(20, 1.5), bin_size=bin_size)
    assert not found.failed.any()
    np.testing.assert_allclose(found.dx, dx, atol=0.03)
    np.testing.assert_allclose(found.dy, dy, atol=0.03)


def test_wide_sources_ask_for_binning_and_stars_do_not():
    psf = Gaussian(2.25, 2.25)
    for variance, wanted in ((2.25, 0), (4.0, 0), (16.0, 2)):
        found = measure(stars(Gaussian(variance, variance), [0.1], [0.2], 1e5), 1.0, psf, 1.5)
        assert found.size[0] == wanted


@pytest.mark.parametrize("image", [np.zeros, lambda shape: -stars(Gaussian(4, 4), [0], [0], 1e3), np.ones])
def test_no_maximum_is_no_centroid(image):
    found = measure(np.asarray(image((1, 2 * HALF + 1, 2 * HALF + 1))), 1.0, Gaussian(2.25, 2.25), 1.5)
    assert found.failed.all()
    assert found.dx[0] == found.dy[0] == 0
    assert np.isnan(found.x_err[0])
    assert np.isnan(found.y_err[0])
    assert not found.size.any()


def test_a_lone_bad_pixel_does_not_move_far():
    # one hot pixel looks like a narrow source at its own place, with a finite error
    images = np.zeros((1, 2 * HALF + 1, 2 * HALF + 1))
    images[0, HALF, HALF] = 1000
    found = measure(images, 1.0, Moffat(3.5), 1.5)
    assert abs(found.dx[0]) < 0.01
    assert np.isfinite(found.x_err[0])


def test_no_source_is_no_centroid():
    empty = np.zeros((0, 2 * HALF + 1, 2 * HALF + 1))
    found = measure(empty, 1.0, Gaussian(2.25, 2.25), 1.5)
    assert len(found.dx) == len(found.x_err) == len(found.failed) == 0
