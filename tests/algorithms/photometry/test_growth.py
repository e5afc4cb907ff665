import numpy as np
import pytest

from obs.algorithms.measure.aperture_flux import measure_aperture_flux
from obs.algorithms.photometry.growth import predict_growth
from obs.image.psf import PixelPsf
from star_field import Gaussian, Moffat, pixel_psf, stamp

SHAPE = (300, 500)


def test_growth_is_that_of_the_profile():
    profile = Moffat(3.2)
    growth = predict_growth(pixel_psf(profile, half=25), SHAPE, (5.0, 12.0), maximum_sinc_radius=0.0)
    whole = stamp(profile, 0.0, 0.0, 25).sum()
    for radius, found in growth.apertures.items():
        # pixels widen the profile by a twelfth of a square pixel, which takes half a percent out of the small circle
        assert found * whole == pytest.approx(profile.within(radius), abs=5e-3)
    assert growth.gaussian == pytest.approx(growth.gaussian[0])
    assert 0.8 < growth.gaussian[0] < 1.0


@pytest.mark.parametrize("maximum_sinc_radius", [0.0, 10.0])
def test_growth_follows_a_psf_that_changes_over_the_detector(maximum_sinc_radius):
    """The model is interpolated between nodes: it agrees with what the PSF at a place says."""
    wide, narrow = (stamp(Gaussian(s, s), 0.0, 0.0, 15) for s in (4.0, 2.5))
    psf = PixelPsf(
        np.array([wide, 0.3 * (narrow - wide), 0.1 * (narrow - wide)], np.float32),
        1,
        x_zero=250.0,
        x_scale=250.0,
        y_zero=150.0,
        y_scale=150.0,
    )
    growth = predict_growth(psf, SHAPE, (4.0,), maximum_sinc_radius=maximum_sinc_radius)
    x, y = np.array([20.0, 333.0]), np.array([280.0, 77.0])
    there = np.pad(psf.evaluate(x=x, y=y), ((0, 0), (10, 10), (10, 10)))
    zero = np.zeros(2)
    inside = np.ones(there.shape, bool)
    flux = measure_aperture_flux(there, np.ones_like(there), inside, zero, zero, 4.0, sinc=maximum_sinc_radius > 0).flux
    factor = growth.factor(np.ones(81), growth.apertures[4.0])
    np.testing.assert_allclose(factor.evaluate(x=x, y=y), flux, rtol=1e-5)
    assert abs(flux[0] / flux[1] - 1) > 0.01
