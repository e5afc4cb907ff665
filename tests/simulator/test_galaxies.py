import galsim
import numpy as np
import pytest

from obs.simulator.galaxies import GalaxyShapes, galaxy_radius, galaxy_stamps, profile_mixture
from obs.simulator.moffat import MoffatShapes


def _ellipse(half_light_radius, axis_ratio, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([half_light_radius**2, (axis_ratio * half_light_radius) ** 2]) @ turn.T


def _galsim_mixture(half_light_radius, axis_ratio, angle, *, de_vaucouleurs):
    parts = zip(*profile_mixture(de_vaucouleurs=de_vaucouleurs), strict=True)
    round_radius = half_light_radius * np.sqrt(axis_ratio)
    profile = galsim.Add([galsim.Gaussian(sigma=np.sqrt(v) * round_radius, flux=a) for a, v in parts])
    return profile.shear(galsim.Shear(q=axis_ratio, beta=angle * galsim.radians))


@pytest.mark.parametrize("fwhm", [1.8, 4.2])
@pytest.mark.parametrize("de_vaucouleurs", [False, True])
@pytest.mark.parametrize(("axis_ratio", "angle"), [(1.0, 0.0), (0.5, 0.7), (0.35, 2.4)])
def test_galaxies_are_galsims_to_a_ten_thousandth_of_the_peak(fwhm, de_vaucouleurs, axis_ratio, angle):
    matrix = _ellipse(2.5, axis_ratio, angle)
    shapes = GalaxyShapes(
        *(np.array([v]) for v in (matrix[0, 0], matrix[0, 1], matrix[1, 1])), np.array([de_vaucouleurs])
    )
    psf = MoffatShapes(np.array([fwhm]), np.array([0.03]), np.array([-0.02]), 3.0)
    ours = galaxy_stamps(shapes, psf, x=np.array([0.3]), y=np.array([-0.4]), half=48)[0]
    profile = galsim.Convolve(
        galsim.Moffat(beta=3.0, fwhm=fwhm).shear(g1=0.03, g2=-0.02),
        _galsim_mixture(2.5, axis_ratio, angle, de_vaucouleurs=de_vaucouleurs),
    )
    theirs = profile.drawImage(nx=97, ny=97, scale=1.0, offset=(0.3, -0.4)).array
    assert np.abs(ours - theirs).max() < 1e-4 * theirs.max()
    assert ours.sum() == pytest.approx(theirs.sum(), abs=1e-3)


@pytest.mark.parametrize(("de_vaucouleurs", "kind"), [(False, galsim.Exponential), (True, galsim.DeVaucouleurs)])
def test_mixtures_hold_half_of_the_light_within_the_radius(de_vaucouleurs, kind):
    amplitude, variance = profile_mixture(de_vaucouleurs=de_vaucouleurs)
    assert amplitude.sum() == pytest.approx(1.0)
    assert 1 - (amplitude * np.exp(-0.5 / variance)).sum() == pytest.approx(
        0.5, abs=0.01 if not de_vaucouleurs else 0.03
    )
    for radius in (0.3, 1.0, 2.0):
        real = kind(half_light_radius=1.0).xValue(radius, 0.0)
        ours = (amplitude / (2 * np.pi * variance) * np.exp(-(radius**2) / (2 * variance))).sum()
        assert ours == pytest.approx(real, rel=0.12)


def test_radius_reaches_to_the_cutoff():
    shapes = GalaxyShapes(np.array([9.0, 9.0]), np.zeros(2), np.array([4.0, 4.0]), np.array([False, True]))
    radius = galaxy_radius(shapes, np.array([1e5, 1e5]), 0.02)
    for reach, de_vaucouleurs in zip(radius, (False, True), strict=True):
        amplitude, variance = profile_mixture(de_vaucouleurs=de_vaucouleurs)
        along = 1e5 * (amplitude / (2 * np.pi * variance * 6.0) * np.exp(-(reach**2) / (2 * variance * 9.0))).sum()
        assert 0.02 <= along < 0.05
    assert galaxy_radius(shapes, np.array([1e-9, 1e-9]), 0.02).tolist() == [0.0, 0.0]
