"""Against GalSim, which integrates profiles over pixels in Fourier space."""

import galsim
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.simulator.moffat import MoffatShapes, moffat_radius, moffat_stamps


def _drawn(fwhm, beta, g1, g2, x, y, size):
    profile = galsim.Moffat(beta=beta, fwhm=fwhm).shear(g1=g1, g2=g2)
    parameters = galsim.GSParams(folding_threshold=1e-4, maxk_threshold=1e-5, maximum_fft_size=32768)
    return profile.withGSParams(parameters).drawImage(nx=size, ny=size, scale=1.0, offset=(x, y)).array


def _shapes(fwhm, beta, g1, g2):
    return MoffatShapes(np.array([fwhm]), np.array([g1]), np.array([g2]), beta)


@pytest.mark.parametrize("fwhm", [2.0, 3.1, 4.2, 6.5])
@pytest.mark.parametrize(("x", "y", "g1", "g2"), [(0.0, 0.0, 0.0, 0.0), (0.31, -0.47, 0.06, -0.04), (0.5, 0.5, 0, 0.1)])
def test_stars_are_galsims_to_a_ten_thousandth_of_the_peak(fwhm, x, y, g1, g2):
    ours = moffat_stamps(_shapes(fwhm, 3.0, g1, g2), x=np.array([x]), y=np.array([y]), half=30)[0]
    theirs = _drawn(fwhm, 3.0, g1, g2, x, y, 61)
    assert np.abs(ours - theirs).max() < 2e-4 * theirs.max()
    assert ours.sum() == pytest.approx(theirs.sum(), abs=1e-4)
    first, second = (galsim.hsm.FindAdaptiveMom(galsim.Image(np.ascontiguousarray(a))) for a in (ours, theirs))
    assert first.moments_centroid.x == pytest.approx(second.moments_centroid.x, abs=2e-4)
    assert first.moments_centroid.y == pytest.approx(second.moments_centroid.y, abs=2e-4)
    assert first.moments_sigma == pytest.approx(second.moments_sigma, rel=2e-4)
    assert first.observed_shape.g1 == pytest.approx(second.observed_shape.g1, abs=2e-4)
    assert first.observed_shape.g2 == pytest.approx(second.observed_shape.g2, abs=2e-4)


def test_center_is_at_an_integer_pixel():
    stamp = moffat_stamps(_shapes(4.0, 3.0, 0.0, 0.0), x=np.zeros(1), y=np.zeros(1), half=12)[0]
    assert np.unravel_index(stamp.argmax(), stamp.shape) == (12, 12)
    np.testing.assert_allclose(stamp, stamp[::-1, ::-1], rtol=1e-5)


def test_light_outside_of_a_stamp_is_that_of_the_profile():
    """In a circle of radius R lies 1 - (1 + R^2 / a^2)^(1 - beta) of the light."""
    shapes = _shapes(4.0, 2.5, 0.0, 0.0)
    stamp = moffat_stamps(shapes, x=np.zeros(1), y=np.zeros(1), half=60)[0].astype(np.float64)
    yy, xx = np.mgrid[-60:61, -60:61]
    within = stamp[np.hypot(xx, yy) <= 50.3].sum()
    assert within == pytest.approx(1 - (1 + 50.3**2 / float(shapes.scale[0]) ** 2) ** -1.5, abs=2e-4)


def test_samples_between_pixels_are_integrals_over_whole_pixels():
    shapes = _shapes(2.5, 3.0, 0.05, 0.02)
    fine = moffat_stamps(shapes, x=np.array([0.2]), y=np.array([-0.1]), half=10, sampling=3)[0]
    coarse = moffat_stamps(shapes, x=np.array([0.2]), y=np.array([-0.1]), half=10)[0]
    np.testing.assert_allclose(fine[::3, ::3], coarse, atol=1e-6)


@given(
    fwhm=st.floats(1.5, 10),
    beta=st.floats(2, 5),
    flux=st.floats(1, 1e8),
    cutoff=st.floats(1e-3, 1),
    g=st.floats(0, 0.3),
)
def test_profile_is_as_faint_as_the_cutoff_at_the_radius(fwhm, beta, flux, cutoff, g):
    shapes = _shapes(fwhm, beta, g, 0.0)
    radius = float(moffat_radius(shapes, np.array([flux]), cutoff)[0])
    scale = float(shapes.scale[0])
    peak = flux * (beta - 1) / (np.pi * scale**2)
    if radius == 0:
        assert peak <= cutoff * (1 + 1e-9)
    else:
        xx = float(shapes.quadratic[0][0])
        assert peak * (1 + xx * radius**2) ** -beta == pytest.approx(cutoff, rel=1e-6)
