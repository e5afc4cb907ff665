"""The fit of a WCS against the one that made the stars."""

import numpy as np
import pytest
from wcs_cases import PLACES, X, Y, astropy_wcs, make_wcs, separation

from obs.errors import MeasurementError
from obs.image.wcs_fit import fit_tan_sip


@pytest.mark.parametrize("crval", PLACES)
@pytest.mark.parametrize("order", [1, 3, 4])
def test_fit_recovers_the_wcs(crval, order):
    truth = make_wcs(crval, strength=0.0 if order == 1 else 1.0)
    ra, dec = truth.pixel_to_sky(x=X, y=Y)
    wcs = fit_tan_sip(x=X, y=Y, ra=ra, dec=dec, order=order, crpix=(1000.0, 700.0))
    x, y = wcs.sky_to_pixel(ra=ra, dec=dec)
    # A polynomial about another tangent point is not exactly a polynomial: a tenth of a milliarcsecond is left.
    np.testing.assert_allclose(x, X, atol=3e-4)
    np.testing.assert_allclose(y, Y, atol=3e-4)
    assert (wcs.a is None) == (order == 1)
    assert separation(*wcs.crval, *truth.pixel_to_sky(x=1000.0, y=700.0)) < 1e-8


def test_fitted_inverse_serves_programs_that_do_not_iterate():
    ra, dec = make_wcs().pixel_to_sky(x=X, y=Y)
    wcs = fit_tan_sip(x=X, y=Y, ra=ra, dec=dec, order=3, crpix=(1023.5, 680.0))
    focal = astropy_wcs(wcs).wcs_world2pix(np.c_[ra, dec], 0) - wcs.crpix
    x, y = (focal[:, i] + np.polynomial.polynomial.polyval2d(*focal.T, t) for i, t in ((0, wcs.ap), (1, wcs.bp)))
    np.testing.assert_allclose(x + wcs.crpix[0], X, atol=1e-3)
    np.testing.assert_allclose(y + wcs.crpix[1], Y, atol=1e-3)


def test_weight_zero_takes_a_star_out():
    ra, dec = make_wcs().pixel_to_sky(x=X, y=Y)
    weights = np.ones_like(X)
    weights[5] = 0
    spoilt = dec.copy()
    spoilt[5] += 0.01
    wcs = fit_tan_sip(x=X, y=Y, ra=ra, dec=spoilt, order=3, crpix=(1023.5, 680.0), weights=weights)
    np.testing.assert_allclose(wcs.pixel_to_sky(x=X, y=Y)[1], dec, atol=1e-9)


def test_fit_needs_stars():
    with pytest.raises(MeasurementError, match="order 3 needs 10 stars, got 4"):
        fit_tan_sip(x=[0, 1, 0, 1], y=[0, 0, 1, 1], ra=[0, 1, 0, 1], dec=[0, 0, 1, 1], order=3, crpix=(0, 0))


def test_fit_needs_stars_that_are_spread():
    x = np.arange(20.0)
    with pytest.raises(MeasurementError, match="20 stars do not fix a WCS of order 2: they are on one curve"):
        fit_tan_sip(x=x, y=x, ra=x / 1e4, dec=x / 1e4, order=2, crpix=(0, 0))


def test_fit_needs_one_side_of_the_sky():
    x = np.arange(4.0)
    with pytest.raises(MeasurementError, match="more than 90 degrees apart"):
        fit_tan_sip(x=x, y=x**2, ra=[0, 0, 0, 180], dec=[0, 1, 2, 0], order=1, crpix=(0, 0))


def test_fit_order_is_limited():
    with pytest.raises(ValueError, match="order is from 1 to 9, got 12"):
        fit_tan_sip(x=[0], y=[0], ra=[0], dec=[0], order=12, crpix=(0, 0))
