"""Magnitudes and times in catalogs."""

import numpy as np
import pytest

from obs.image.catalog import Catalog
from obs.image.flux_correction import FluxCorrection
from obs.image.photo_calib import PhotoCalib
from obs.image.visit_info import VisitInfo
from obs.tasks.calibrated_columns import add_magnitudes, add_times


def sources(flux="base_PsfFlux_instFlux", error="base_PsfFlux_instFluxErr", unit="deg"):
    catalog = Catalog()
    catalog.add(flux, [100.0, 1000.0, -5.0, np.nan], "ct", "flux")
    catalog.add(error, [10.0, 10.0, 10.0, 10.0], "ct", "error")
    angle = np.array([10.0, 20.0, 30.0, np.nan])
    catalog.add("coord_ra", np.radians(angle) if unit == "rad" else angle, unit, "")
    catalog.add("coord_dec", np.zeros(4), unit, "")
    return catalog


@pytest.mark.parametrize("flux", ["base_PsfFlux_instFlux", "base_PsfFlux_flux"])
@pytest.mark.parametrize("ending", ["Err", "Sigma"])
def test_magnitudes(flux, ending):
    catalog = sources(flux, flux + ending)
    add_magnitudes(catalog, PhotoCalib.from_zero_point(27.0))
    np.testing.assert_allclose(catalog["base_PsfFlux_mag"], [22.0, 19.5, np.nan, np.nan], rtol=1e-6)
    # 10 % and 1 % of flux, to first order
    np.testing.assert_allclose(catalog["base_PsfFlux_magErr"], [0.10857, 0.010857, np.nan, np.nan], rtol=1e-4)
    assert catalog.columns["base_PsfFlux_mag"].unit == "mag"


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ("AB", "AB magnitude of"),
        ("Vega", "Vega magnitude of"),
        ("", "magnitude in the system of the reference catalog"),
    ],
)
def test_the_description_says_the_magnitude_system(system, text):
    catalog = sources()
    add_magnitudes(catalog, PhotoCalib.from_zero_point(27.0, system=system))
    assert catalog.columns["base_PsfFlux_mag"].description.startswith(text)


def test_no_zero_point_no_magnitudes():
    catalog = sources()
    add_magnitudes(catalog, None)
    assert np.isnan(catalog["base_PsfFlux_mag"]).all()
    assert np.isnan(catalog["base_PsfFlux_magErr"]).all()


def test_times_take_degrees_and_radians():
    info = VisitInfo(date_avg="2024-03-01T00:00:00", longitude=10.0, latitude=50.0)
    degrees, radians = sources(), sources(unit="rad")
    for catalog in (degrees, radians):
        add_times(catalog, info)
    assert (degrees["mjd_mid"] == 60370.0).all()
    np.testing.assert_allclose(degrees["bjd_tdb"], radians["bjd_tdb"], rtol=0, atol=1e-9)
    # never further than the light travel time of the Earth's orbit, and 69.18 s between UTC and TDB
    assert (np.abs(degrees["bjd_tdb"][:3] - 2460370.5 - 69.18 / 86400) < 501.0 / 86400).all()
    assert np.isnan(degrees["bjd_tdb"][3])
    assert "Earth" not in degrees.columns["bjd_tdb"].description


def test_the_description_says_that_the_site_is_not_known():
    catalog = sources()
    add_times(catalog, VisitInfo(date_avg="2024-03-01T00:00:00"))
    assert "the place of the observatory is not known" in catalog.columns["bjd_tdb"].description


def test_a_zero_point_that_varies_is_taken_at_the_sources_or_its_mean():
    tilt = FluxCorrection(np.array([[0.0, 0.0], [0.1, 0.0]]), x_zero=0.0, y_zero=0.0, x_scale=100.0, y_scale=100.0)
    calib = PhotoCalib(10.0**10.8, 0.0, tilt)
    catalog = sources()
    add_magnitudes(catalog, calib)
    np.testing.assert_allclose(catalog["base_PsfFlux_mag"][:2], [22.0, 19.5], rtol=1e-6)
    catalog.add("base_SdssCentroid_x", [0.0, 100.0, 0.0, 0.0], "pix", "")
    catalog.add("base_SdssCentroid_y", np.zeros(4), "pix", "")
    add_magnitudes(catalog, calib)
    np.testing.assert_allclose(catalog["base_PsfFlux_mag"][:2], [22.0, 19.6], rtol=1e-6)
