"""The profile of turbulence against GalSim's."""

import galsim
import numpy as np
import pytest

from obs.algorithms.psf.kolmogorov import kolmogorov_beyond, kolmogorov_profile


def test_the_profile_is_that_of_galsim():
    theirs = galsim.Kolmogorov(fwhm=4.0)
    distance = np.array([0.0, 0.5, 2.0, 5.0, 10.0, 20.0])
    expected = [theirs.xValue(x, 0.0) for x in distance]
    np.testing.assert_allclose(kolmogorov_profile(distance, 4.0), expected, rtol=5e-3)


def test_half_of_the_maximum_is_at_half_of_the_width():
    center, half = kolmogorov_profile(np.array([0.0, 1.5]), 3.0)
    assert half == pytest.approx(center / 2, rel=1e-3)


def test_the_light_beyond_a_circle_is_the_integral_of_the_profile():
    distance = np.linspace(0, 400, 400_001)
    ring = 2 * np.pi * distance * kolmogorov_profile(distance, 4.0)
    for radius in (2.0, 6.0, 12.0, 23.0, 60.0):
        outside = np.trapezoid(ring[distance >= radius], distance[distance >= radius])
        outside += kolmogorov_beyond(np.array(400.0), 4.0)
        assert kolmogorov_beyond(np.array(radius), 4.0) == pytest.approx(outside, rel=0.03)
    assert kolmogorov_beyond(np.array(0.0), 4.0) == pytest.approx(1.0, abs=1e-3)


def test_widths_and_distances_are_broadcast():
    distance, widths = np.array([3.0, 9.0]), np.array([[3.0], [4.0], [5.0]])
    table = kolmogorov_profile(distance, widths)
    assert table.shape == (3, 2)
    assert table[2, 1] == pytest.approx(kolmogorov_profile(np.array([9.0]), 5.0)[0])
