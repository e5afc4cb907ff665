"""Distortions and their inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from obs.camera.distortion import PolynomialDistortion, RadialDistortion, triangle, triangle_size

within = st.floats(-100, 100)
TERMS = triangle_size(3)


def polynomial(unit=1.0, **terms):
    """An identity of third order with a few terms more, named like ``x21`` for that of x^2 y in x."""
    matrices = {"x": np.zeros((4, 4)), "y": np.zeros((4, 4))}
    matrices["x"][1, 0] = matrices["y"][0, 1] = 1.0
    for name, value in terms.items():
        matrices[name[0]][int(name[1]), int(name[2])] = value
    flat = {axis: tuple(m[i, j] for i in range(4) for j in range(4 - i)) for axis, m in matrices.items()}
    return PolynomialDistortion(3, flat["x"], flat["y"], unit)


def test_terms_are_laid_out_with_the_power_of_y_running_first():
    assert triangle([1, 2, 3, 4, 5, 6], 2).tolist() == [[1, 2, 3], [4, 5, 0], [6, 0, 0]]


def test_radial_is_a_series_in_even_powers():
    distortion = RadialDistortion((1e-3, 1e-5))
    x, y = distortion.apply(x=np.array([3.0, 0.0]), y=np.array([4.0, 0.0]))
    stretch = 1 + 1e-3 * 25 + 1e-5 * 625
    assert_allclose([x, y], [[3 * stretch, 0], [4 * stretch, 0]])


def test_polynomial_counts_in_its_unit():
    distortion = polynomial(0.5, x20=1e-3, y11=2e-3)
    x, y = distortion.apply(x=np.array([3.0]), y=np.array([4.0]))
    assert_allclose([x, y], [[3 + 0.5 * 1e-3 * 6**2], [4 + 0.5 * 2e-3 * 6 * 8]])


@pytest.mark.parametrize(
    "distortion",
    [
        RadialDistortion(),
        RadialDistortion((2e-6, -1e-11)),
        RadialDistortion((-3e-6,)),
        polynomial(x30=1e-6, x12=1e-6, y03=1e-6, y21=1e-6, x00=0.1, y20=1e-5),
        polynomial(0.015, x30=1e-10, x12=1e-10, y03=1e-10, y21=1e-10),
    ],
)
@given(x=within, y=within)
def test_inverse_goes_back(distortion, x, y):
    far = distortion.apply(x=np.array([x]), y=np.array([y]))
    back = distortion.invert(x=far[0], y=far[1])
    assert_allclose(np.ravel(back), [x, y], atol=1e-9)


@pytest.mark.parametrize(
    "distortion", [RadialDistortion((-3e-6,)), polynomial(x30=-3e-6, x12=-3e-6, y03=-3e-6, y21=-3e-6)]
)
def test_there_is_no_inverse_beyond_the_turning_point(distortion):
    x, y = distortion.invert(x=np.array([100.0, 5000.0]), y=np.zeros(2))
    assert np.isfinite([x[0], y[0]]).all()
    assert np.isnan([x[1], y[1]]).all()


@pytest.mark.parametrize(
    ("terms", "unit", "message"),
    [
        (({"x": (0.0,) * 9}), 1.0, r"^a polynomial of order 3 has 10 terms, x has 9$"),
        (({"y": (0.0,) * 11}), 1.0, r"^a polynomial of order 3 has 10 terms, y has 11$"),
        ({}, 0.0, r"^unit must be positive, got 0\.0 mm$"),
    ],
)
def test_polynomial_is_checked(terms, unit, message):
    good = {"x": (0.0,) * TERMS, "y": (0.0,) * TERMS}
    with pytest.raises(ValueError, match=message):
        PolynomialDistortion(3, **(good | terms), unit=unit)
