"""Light beyond a circle, for profiles whose truth is known in closed form."""

import galsim
import numpy as np
import pytest

from obs.algorithms.psf.wings import Rings, enclosed_light, fit_flux_beyond_radius, fit_pedestal

RADIUS = 12.0
APERTURES = np.array([9.0, 12.0, 17.0, 25.0, 35.0])


def scale_of(fwhm, beta):
    return 0.5 * fwhm / np.sqrt(2.0 ** (1.0 / beta) - 1.0)


def beyond(radius, fwhm, beta):
    return (1.0 + (radius / scale_of(fwhm, beta)) ** 2) ** (1.0 - beta)


def moffat_stamp(fwhm, beta, size=31, pedestal=0.0):
    y, x = np.mgrid[:size, :size] - size // 2
    scale = scale_of(fwhm, beta)
    image = (beta - 1) / (np.pi * scale**2) * (1 + (x**2 + y**2) / scale**2) ** -beta + pedestal
    return (image / image.sum()).astype(np.float32)


def rings(fwhm, beta, pedestal=0.0):
    low, high = APERTURES[:-1], APERTURES[1:]
    light = (beyond(low, fwhm, beta) - beyond(high, fwhm, beta)) / (np.pi * (high**2 - low**2)) + pedestal
    return Rings(low, high, light / (1 - beyond(RADIUS, fwhm, beta)), np.full(4, 3e-7))


@pytest.mark.parametrize("fwhm", [3.0, 4.2, 5.5])
@pytest.mark.parametrize("beta", [2.0, 2.5, 3.0, 4.5])
def test_the_light_of_a_moffat_profile_beyond_a_circle(fwhm, beta):
    outside = beyond(RADIUS, fwhm, beta)
    truth = outside / (1 - outside)
    stamp = moffat_stamp(fwhm, beta)
    # half a step of the grid's exponents is 5 %; without rings the stamp's own sum is all that is known of its light
    assert fit_flux_beyond_radius(stamp, fwhm, RADIUS, rings(fwhm, beta)) == pytest.approx(truth, rel=0.06, abs=2e-4)
    assert fit_flux_beyond_radius(stamp, fwhm, RADIUS) == pytest.approx(truth, rel=0.15, abs=2e-4)


@pytest.mark.parametrize("with_rings", [True, False])
@pytest.mark.parametrize("core", [0.0, 0.4, 0.6])
def test_the_light_beyond_a_circle_of_what_turbulence_and_telescope_make(core, with_rings):
    """A Moffat profile that fits the core has 1 % less."""
    seeing = galsim.Kolmogorov(fwhm=4.2 * (1 - 0.6 * core**2))
    profile = galsim.Convolve(seeing, galsim.Gaussian(fwhm=4.2 * core)) if core else seeing
    image = profile.drawImage(nx=401, ny=401, scale=1.0, method="no_pixel").array
    within = np.array([image[np.hypot(*np.mgrid[-200:201, -200:201]) < radius].sum() for radius in APERTURES])
    low, high = APERTURES[:-1], APERTURES[1:]
    area = [np.count_nonzero(np.hypot(*np.mgrid[-200:201, -200:201]) < radius) for radius in APERTURES]
    about = Rings(low, high, np.diff(within) / np.diff(area) / within[1], np.full(4, 2e-6))
    stamp = image[185:216, 185:216].copy()
    fwhm = profile.calculateFWHM() if core else 4.2
    truth = 1 / within[1] - 1
    assert fit_flux_beyond_radius(stamp, fwhm, RADIUS, about if with_rings else None) == pytest.approx(
        truth, abs=2.5e-3
    )


def test_what_neighbors_leave_is_not_taken_for_wings_where_rings_tell():
    outside = beyond(RADIUS, 4.2, 3.0)
    truth = outside / (1 - outside)
    pedestal = 3e-6  # a seventh of what lies beyond the circle, were it the PSF's
    stamp = moffat_stamp(4.2, 3.0, pedestal=pedestal)
    assert fit_flux_beyond_radius(stamp, 4.2, RADIUS, rings(4.2, 3.0, pedestal)) == pytest.approx(truth, rel=0.08)
    assert fit_flux_beyond_radius(stamp, 4.2, RADIUS) > 1.1 * truth


@pytest.mark.parametrize("beta", [2.5, 3.5, 4.5])
def test_a_constant_under_a_profile_is_told_from_its_wings(beta):
    stamp = moffat_stamp(4.2, beta).astype(float)
    for pedestal in (2e-5, 0.0, -2e-5):  # 2 % of the light, and none
        # the wings end at 1e-6 (beta 4.5) to 3e-5
        assert fit_pedestal(stamp + pedestal, 4.2) == pytest.approx(pedestal, abs=1.5e-6)


def test_a_ring_of_light_has_no_profile():
    y, x = np.mgrid[:31, :31] - 15
    ring = ((np.hypot(x, y) > 8) & (np.hypot(x, y) < 13)) / 330.0 + 3e-5
    assert fit_pedestal(ring, 8.0) == pytest.approx(3e-5)


def test_a_stamp_with_too_few_rings_counts_as_it_is():
    stamp = moffat_stamp(4.2, 3.0, size=15)
    within = enclosed_light(stamp[None], 5.0)[0]
    assert fit_flux_beyond_radius(stamp, 4.2, 5.0) == pytest.approx(1 / within - 1)


def test_stamps_laid_side_by_side_know_nothing_of_each_other():
    stamps = np.stack([moffat_stamp(3.0, 3.0), 5 * moffat_stamp(5.0, 3.0)])
    expected = [enclosed_light(stamp[None], RADIUS)[0] for stamp in stamps]
    np.testing.assert_allclose(enclosed_light(stamps, RADIUS), expected, rtol=1e-6)
    assert enclosed_light(stamps, 15.5).tolist() == [1.0, 1.0]


def test_a_profile_that_does_not_fit_is_not_believed_where_that_is_asked_for():
    rows, columns = np.indices((41, 41)) - 20.0
    double = sum(np.exp(-((rows - at) ** 2 + columns**2) / 8) for at in (-6.0, 6.0)).astype(np.float32)
    assert np.isfinite(fit_flux_beyond_radius(double, 4.7, RADIUS))
    assert np.isnan(fit_flux_beyond_radius(double, 4.7, RADIUS, largest_chi2=1.2))
