"""Times of exposures, against astropy's own reduction to the barycenter."""

import math
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time
from astropy.utils import iers

from obs.image.visit_info import VisitInfo
from obs.instrument.barycenter import barycentric_julian_date, mid_exposure_mjd

DATES = ("1998-09-19T05:00:00", "2013-11-02T09:10:11.123", "2020-02-29T23:59:59.5", "2024-07-01T00:00:00")
SITES = ((-155.476667, 19.825, 4139.0), (15.3, -48.2, 200.0))
RA, DEC = np.array([0.0, 90.0, 180.0, 270.0, 320.0]), np.array([0.0, 66.0, -23.0, -89.0, 5.0])
#: A Julian day has 15 to 16 digits in float64.
ROUNDING = 6e-5


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("site", SITES)
def test_bjd_is_that_of_astropy(date, site):
    longitude, latitude, elevation = site
    info = VisitInfo(date_avg=date, longitude=longitude, latitude=latitude, elevation=elevation)
    found = barycentric_julian_date(mid_exposure_mjd(info), RA, DEC, info)
    with iers.conf.set_temp("auto_download", False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time = Time(date, scale="utc", location=EarthLocation.from_geodetic(longitude, latitude, elevation))
        moved = time.tdb + time.light_travel_time(SkyCoord(RA * u.deg, DEC * u.deg), ephemeris="builtin")
    assert np.abs((found - moved.jd1 - moved.jd2) * 86400.0).max() < ROUNDING


def test_without_a_site_the_error_is_less_than_the_radius_of_the_earth():
    info = VisitInfo(date_avg=DATES[1], longitude=15.0, latitude=0.0, elevation=0.0)
    mjd = mid_exposure_mjd(info)
    difference = barycentric_julian_date(mjd, RA, DEC, info) - barycentric_julian_date(mjd, RA, DEC, None)
    assert 0.001 < np.abs(difference).max() * 86400.0 < 0.0214


@pytest.mark.parametrize("scale", ["TAI", "TT"])
def test_other_scales_become_utc(scale):
    utc = Time(DATES[1], scale="utc")
    info = VisitInfo(date_avg=getattr(utc, scale.lower()).isot, time_scale=scale)
    assert mid_exposure_mjd(info) == pytest.approx(utc.mjd, abs=2e-8)


def test_the_middle_follows_from_begin_and_exposure_time():
    info = VisitInfo(date_begin="2024-03-01T00:00:00", exposure_time=120.0)
    assert mid_exposure_mjd(info) == pytest.approx(60370.0 + 60.0 / 86400.0, abs=1e-9)


@pytest.mark.parametrize(
    "info",
    [
        None,
        VisitInfo(),
        VisitInfo(date_begin="2024-03-01T00:00:00"),
        VisitInfo(date_avg="yesterday"),
        VisitInfo(date_avg=DATES[0], time_scale="GPS"),
    ],
)
def test_a_time_that_is_not_known(info):
    assert math.isnan(mid_exposure_mjd(info))
    assert np.isnan(barycentric_julian_date(math.nan, RA, DEC, info)).all()
