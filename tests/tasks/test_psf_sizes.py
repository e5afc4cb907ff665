import pytest

from obs.tasks.background import BackgroundConfig
from obs.tasks.measure import MeasurementConfig
from obs.tasks.psf_sizes import psf_stamp_size, reference_radius, scale_background

RADII = MeasurementConfig().apertures


@pytest.mark.parametrize(("fwhm", "radius"), [(1.2, 6), (1.7, 9), (2.5, 12), (4.4, 12), (6, 17), (20, 54)])
def test_the_reference_aperture_follows_the_seeing(fwhm, radius):
    assert reference_radius(fwhm, RADII) == radius
    assert MeasurementConfig().scaled(fwhm).reference_radius == radius


def test_a_reference_aperture_that_was_set_is_kept():
    assert MeasurementConfig(reference_aperture=7.0).scaled(15.0).reference_radius == 7.0


def test_until_the_seeing_is_known_the_reference_aperture_is_that_of_ordinary_frames():
    assert MeasurementConfig().reference_radius == 12.0
    assert MeasurementConfig().scaled(float("nan")).reference_radius == 12.0


@pytest.mark.parametrize(("fwhm", "size"), [(1.0, 31), (5.0, 31), (8.0, 49), (20.0, 121), (60.0, 201)])
def test_stamps_hold_stars(fwhm, size):
    assert psf_stamp_size(fwhm) == size


def test_the_background_of_ordinary_seeing_is_as_it_was_set():
    config = BackgroundConfig(bin_size=64, grow=3)
    assert scale_background(config, 4.0) is config
    wide = scale_background(config, 18.0)
    assert (wide.bin_size, wide.grow) == (288, 12)


def test_drawn_out_stars_get_an_aperture_for_their_long_axis():
    assert reference_radius(6.0, RADII, 20.0, 2.1) == 33
    assert reference_radius(6.0, RADII, 20.0, 1.1) == reference_radius(6.0, RADII, 20.0)
