import numpy as np
import pytest

from obs.algorithms.photometry.transmission import TransmissionCurve, multiply_curves


def curve(low, high, throughput):
    return TransmissionCurve(np.array([low, high]), np.array([throughput, throughput]))


def test_product_is_zero_where_one_curve_is():
    product = multiply_curves([curve(400.0, 700.0, 0.5), curve(500.0, 900.0, 0.4)])
    inside = (product.wavelength >= 500) & (product.wavelength <= 700)
    assert product.throughput[inside] == pytest.approx(0.2)
    assert not product.throughput[~inside].any()


def test_effective_wavelength_of_a_box_is_its_middle():
    assert curve(400.0, 700.0, 0.5).effective_wavelength == pytest.approx(550.0)
    assert np.isnan(curve(400.0, 700.0, 0.0).effective_wavelength)


def test_wrong_curves_are_told():
    with pytest.raises(ValueError, match="wavelengths must increase"):
        curve(500.0, 400.0, 1.0)
    with pytest.raises(ValueError, match=r"\(2,\) wavelengths for \(3,\) throughputs"):
        TransmissionCurve(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="no transmission curve"):
        multiply_curves([])
