import dataclasses

import galsim
import numpy as np
import pytest

from obs.algorithms.measure.shape import measure_shape, psf_sigma
from obs.errors import MeasurementError
from obs.image.psf import PixelPsf
from star_field import Gaussian, Moffat, pixel_psf, stamp

HALF = 30
ELLIPSES = [(2.0, 2.0, 0.0), (4.0, 2.5, 0.8), (3.0, 9.0, -2.0), (16.0, 12.0, 3.0)]


def measure(images, dx=0.0, dy=0.0, variance=1.0):
    images = np.atleast_3d(np.asarray(images, np.float32))
    n = len(images)
    at = (np.broadcast_to(np.asarray(d, float), n).copy() for d in (dx, dy))
    return measure_shape(images, np.broadcast_to(np.float32(variance), images.shape).astype(np.float32), *at)


def sampled(profile, dx=0.0, dy=0.0, half=HALF):
    """The profile at the centers of pixels, with no integration over them."""
    offset = np.arange(-half, half + 1)
    return profile(offset[None, :] - dx, offset[:, None] - dy)[None]


@pytest.mark.parametrize("moments", ELLIPSES)
@pytest.mark.parametrize("at", [(0.0, 0.0), (0.4, -0.3)])
def test_moments_of_a_gaussian_are_its_covariance(moments, at):
    found = measure(1000 * sampled(Gaussian(*moments), *at), *at)
    # the weight ends at its own 3.7 sigma, which takes a part in a thousand
    np.testing.assert_allclose([found.xx[0], found.yy[0], found.xy[0]], moments, rtol=2e-3, atol=2e-3)
    assert found.flux[0] == pytest.approx(1000.0, rel=2e-3)


@pytest.mark.parametrize("moments", ELLIPSES)
def test_integration_over_pixels_adds_a_twelfth(moments):
    found = measure(stamp(Gaussian(*moments), 0.2, 0.1, HALF, oversampling=15)[None], 0.2, 0.1)
    expected = np.add(moments, [1 / 12, 1 / 12, 0])
    np.testing.assert_allclose([found.xx[0], found.yy[0], found.xy[0]], expected, rtol=3e-3, atol=2e-3)


@pytest.mark.parametrize("profile", [Moffat(3.0), Moffat(5.0, 2.5), Gaussian(4.0, 2.5, 0.8)])
def test_galsim_finds_the_same_moments(profile):
    image = stamp(profile, 0.15, -0.2, HALF)
    found = measure(image[None], 0.15, -0.2)
    other = galsim.hsm.FindAdaptiveMom(galsim.Image(np.asarray(image, float)), round_moments=False)
    sigma = (found.xx[0] * found.yy[0] - found.xy[0] ** 2) ** 0.25
    assert sigma == pytest.approx(other.moments_sigma, rel=2e-3)
    trace = found.xx[0] + found.yy[0]
    assert (found.xx[0] - found.yy[0]) / trace == pytest.approx(other.observed_shape.e1, abs=2e-3)
    assert 2 * found.xy[0] / trace == pytest.approx(other.observed_shape.e2, abs=2e-3)


def test_moments_do_not_depend_on_the_flux():
    faint, bright = (measure(scale * sampled(Gaussian(4.0, 2.5, 0.8))) for scale in (1e-3, 1e6))
    np.testing.assert_allclose([faint.xx, faint.yy, faint.xy], [bright.xx, bright.yy, bright.xy], rtol=1e-5)
    assert bright.flux[0] == pytest.approx(1e9 * faint.flux[0], rel=1e-5)


def test_errors_are_the_scatter():
    n, sky, flux = 600, 2.0, 2000.0
    rng = np.random.default_rng(0)
    images = flux * sampled(Gaussian(4.0, 2.5, 0.8)) + rng.normal(0, sky, (n, 2 * HALF + 1, 2 * HALF + 1))
    found = measure(images, variance=sky**2)
    good = ~found.failed
    assert good.mean() > 0.99
    for name, truth in (("xx", 4.0), ("yy", 2.5), ("xy", 0.8)):
        pull = ((getattr(found, name) - truth) / getattr(found, f"{name}_err"))[good]
        assert np.median(pull) == pytest.approx(0.0, abs=0.1 + 4 * 1.25 / np.sqrt(n))
        assert 1.4826 * np.median(np.abs(pull - np.median(pull))) == pytest.approx(
            1.0, abs=0.05 + 4 * 1.17 / np.sqrt(n)
        )


def test_the_error_of_the_flux_holds_at_fixed_moments():
    sky = 2.0
    found = measure(2000 * sampled(Gaussian(4.0, 2.5, 0.8)), variance=sky**2)
    # a matched filter: sky noise times the square root of its area
    assert found.flux_err[0] == pytest.approx(sky * np.sqrt(4 * np.pi * np.sqrt(4.0 * 2.5 - 0.8**2)), rel=0.01)


@pytest.mark.parametrize("image", [0.0, -1.0, np.nan])
def test_no_light_is_no_shape(image):
    found = measure(np.full((1, 61, 61), image))
    assert found.failed.all()
    for name in ("xx", "yy", "xy", "xx_err", "yy_err", "xy_err", "flux", "flux_err"):
        assert np.isnan(getattr(found, name)).all()


def test_one_bright_pixel_among_noise_does_not_upset_the_others():
    rng = np.random.default_rng(3)
    images = np.concatenate(
        [1000 * sampled(Gaussian(4, 4)), rng.normal(size=(3, 61, 61)), np.full((1, 61, 61), np.nan)]
    )
    alone, together = measure(images[:1]), measure(images)
    assert together.xx[0] == pytest.approx(alone.xx[0], rel=1e-6)
    assert together.failed[4]


def test_a_source_too_large_for_its_stamp_says_so():
    found = measure(stamp(Gaussian(150.0, 150.0), 0, 0, HALF)[None])
    assert found.unfinished.all()
    assert found.failed.all()


@pytest.mark.parametrize("bin_size", [2, 4])
def test_moments_of_added_up_pixels_are_scaled_back(bin_size):
    half, moments = 80, (60.0, 90.0, 20.0)
    offset = np.arange(-half, half)
    image = 1e5 * Gaussian(*moments)(offset[None, :] + 0.5, offset[:, None] + 0.5)
    n = 2 * half // bin_size
    binned = image.reshape(n, bin_size, n, bin_size).sum((1, 3))[1:, 1:]
    found = measure(binned[None], -0.5, -0.5, variance=float(bin_size**2)).scaled(bin_size)
    np.testing.assert_allclose([found.xx[0], found.yy[0], found.xy[0]], moments, rtol=3e-3)
    assert found.flux[0] == pytest.approx(1e5, rel=3e-3)
    fine = measure(1e5 * sampled(Gaussian(*moments), half=half))
    for name in ("xx_err", "yy_err", "xy_err", "flux_err"):
        assert getattr(found, name)[0] == pytest.approx(getattr(fine, name)[0], rel=0.05)


@pytest.mark.parametrize(("xx", "failed"), [(0.05, True), (0.09, False)])
def test_coarse_pixels_do_not_make_moments_negative(xx, failed):
    # a source narrower than the square of pixels that were added up has no moments on the single pixels
    coarse = dataclasses.replace(measure(sampled(Gaussian(4.0, 4.0))), xx=np.array([xx])).scaled(4)
    assert coarse.failed[0] == failed
    for name in ("xx", "yy", "xy", "xx_err", "flux", "flux_err"):
        assert np.isnan(getattr(coarse, name)[0]) == failed


def test_no_source_is_no_shape():
    found = measure(np.zeros((0, 61, 61)), np.zeros(0), np.zeros(0))
    assert len(found.xx) == len(found.xx_err) == len(found.failed) == 0


def test_the_size_of_a_psf_is_that_of_its_gaussian():
    assert psf_sigma(pixel_psf(Gaussian(4.0, 2.0)), x=3, y=4) == pytest.approx(
        ((4 + 1 / 12) * (2 + 1 / 12)) ** 0.25, rel=3e-3
    )


def test_a_psf_without_a_size_is_an_error():
    # light at the border, none in the middle
    basis = np.zeros((1, 21, 21), np.float32)
    basis[0, 0] = 1.0
    with pytest.raises(
        MeasurementError, match="the PSF at x=30, y=40 has no measurable size; check where it comes from"
    ):
        psf_sigma(PixelPsf(basis, 0), x=30, y=40)


@pytest.mark.parametrize("fwhm", [0.9, 1.2, 1.5])
def test_undersampled_stars_have_moments(fwhm):
    rng = np.random.default_rng(1)
    dx, dy = rng.uniform(-0.5, 0.5, (2, 60))
    star = galsim.Gaussian(fwhm=fwhm, flux=1e4)
    images = [star.drawImage(nx=31, ny=31, scale=1.0, offset=at).array for at in zip(dx, dy, strict=True)]
    found = measure(np.array(images), dx, dy)
    assert not found.failed.any()
    expected = np.sqrt((fwhm / 2.3548) ** 2 + 1 / 12)
    # pixels as wide as the star leave their mark on every single one
    assert np.median(np.sqrt(0.5 * (found.xx + found.yy))) == pytest.approx(expected, rel=0.08)
    assert np.median(found.flux) == pytest.approx(1e4, rel=0.03)


def test_defocused_stars_have_moments():
    ring = galsim.TopHat(9.0) - 0.16 * galsim.TopHat(3.6)
    image = galsim.Convolve(ring.withFlux(1.0), galsim.Gaussian(fwhm=2.5)).drawImage(nx=61, ny=61, scale=1.0).array
    free = measure(image[None])
    assert not free.failed[0]
    # an even disc of this radius with that hole has moments of (1 + 0.16) R^2 / 4 in each axis; a Gaussian sees more
    assert 20 < free.xx[0] < 50
    assert free.xx[0] == pytest.approx(free.yy[0], rel=0.01)
