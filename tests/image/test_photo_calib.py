"""Counts to magnitudes."""

import math

import numpy as np
import pytest

from obs.image.photo_calib import PhotoCalib, common_system


def test_magnitudes():
    calib = PhotoCalib(1e10)
    assert calib.zero_point == pytest.approx(25.0)
    np.testing.assert_allclose(calib.magnitude([1e10, 1e8]), [0.0, 5.0], atol=1e-12)
    assert np.isnan(calib.magnitude([0.0, -1.0, np.nan])).all()
    assert math.isnan(calib.flux_mag0_err)


def test_nanojansky():
    assert PhotoCalib(1e10).nanojansky(1e10) == pytest.approx(3.630780547701e12)


def test_from_zero_point():
    calib = PhotoCalib.from_zero_point(25.0, 0.01)
    assert calib.zero_point == pytest.approx(25.0)
    assert calib.flux_mag0_err / calib.flux_mag0 == pytest.approx(0.00921, rel=1e-3)


def test_zero_points_in_several_systems_have_none_in_common():
    vega, ab = (PhotoCalib(1e10, system=system) for system in ("Vega", "AB"))
    assert common_system([vega, vega]) == "Vega"
    assert common_system([vega, ab]) == common_system([vega, PhotoCalib(1e10)]) == common_system([vega, None]) == ""


@pytest.mark.parametrize("flux", [0.0, -9999.0, math.nan, math.inf])
def test_needs_a_positive_number(flux):
    with pytest.raises(ValueError, match="flux_mag0 is a positive number of counts, got"):
        PhotoCalib(flux)
