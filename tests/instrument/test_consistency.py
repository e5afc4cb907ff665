"""Circumstances that agree with each other, and some that cannot be."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from obs.image.visit_info import VisitInfo
from obs.instrument.consistency import compute_azimuth_altitude, visit_faults

# HSC on Mauna Kea
INFO = VisitInfo(
    exposure_time=150.0,
    dark_time=150.0,
    date_begin="2015-10-10T08:20:06.598",
    date_avg="2015-10-10T08:21:21.598",
    date_end="2015-10-10T08:22:36.598",
    boresight_ra=21.1572375,
    boresight_dec=1.2597583,
    boresight_azimuth=115.557,
    boresight_altitude=52.6496,
    airmass=1.25728,
    longitude=-155.476667,
    latitude=19.825556,
    elevation=4139.0,
    humidity=8.6,
)


def test_a_real_exposure_is_possible():
    assert list(visit_faults(INFO)) == []


def test_nothing_is_said_of_what_is_not_known():
    assert list(visit_faults(VisitInfo())) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exposure_time": -1.0}, "exposure_time is -1, not from 0 to 86400 s"),
        ({"boresight_ra": 21.1572375 + 360}, "boresight_ra is 381.157, not from 0 to 360 deg"),
        ({"airmass": 0.5}, "airmass is 0.5, not from 0.99 to 40"),
        ({"humidity": 860.0}, "humidity is 860, not from 0 to 110 %"),
        ({"date_end": "2015-10-10T08:20:00.000"}, "date_end 2015-10-10T08:20:00.000 is before date_begin"),
        (
            {"date_end": "2015-10-10T08:22:30.000"},
            "date_end 2015-10-10T08:22:30.000 is earlier than date_begin 2015-10-10T08:20:06.598 and the exposure time "
            "of 150 s allow",
        ),
        ({"date_avg": "2015-10-10T09:00:00"}, "date_avg 2015-10-10T09:00:00 is not between"),
        ({"date_begin": "yesterday"}, "date: 'yesterday' is not a date like"),
        ({"airmass": 1.4}, "airmass is 1.4, at an altitude of 52.6496 deg it is 1.258"),
        ({"boresight_ra": 21.1572375 / 15}, "RA 1.4105, Dec 1.2598 stood at altitude"),
        ({"longitude": 155.476667}, "at longitude 155.477, latitude 19.8256"),
        ({"boresight_azimuth": 64.4}, "altitude 52.65, azimuth 64.40 deg; but RA 21.1572"),
        ({"boresight_azimuth": math.nan, "boresight_altitude": 40.0, "airmass": 1.555}, "altitude 40.00 deg; but RA"),
    ],
)
def test_what_cannot_be_is_told(change, message):
    assert any(message in fault for fault in visit_faults(replace(INFO, **change)))


def test_pointing_does_not_count_where_the_telescope_did_not_follow_the_sky():
    parked = replace(INFO, boresight_altitude=90.0, boresight_azimuth=0.0, airmass=1.2)
    assert len(list(visit_faults(parked))) == 2
    assert list(visit_faults(parked, on_sky=False)) == []


@pytest.mark.parametrize("end", ["2015-10-10T08:22:36", "2015-10-10T08:22:37"])
def test_dates_of_whole_seconds_are_rounded(end):
    assert list(visit_faults(replace(INFO, date_end=end))) == []


def test_the_horizon_of_the_end_of_a_long_exposure_counts_too():
    hour = timedelta(hours=1)
    begin = datetime.fromisoformat(INFO.date_begin)
    azimuth, altitude = compute_azimuth_altitude(INFO, begin + hour)
    late = replace(
        INFO,
        exposure_time=3600.0,
        date_end=(begin + hour).isoformat(),
        boresight_azimuth=azimuth,
        boresight_altitude=altitude,
        airmass=1 / math.sin(math.radians(altitude)),
    )
    assert list(visit_faults(late)) == []
    assert len(list(visit_faults(replace(late, exposure_time=1.0)))) == 1


def test_a_star_at_the_pole_stands_at_the_latitude():
    azimuth, altitude = compute_azimuth_altitude(replace(INFO, boresight_dec=90.0), datetime(2000, 1, 1, 12))
    assert altitude == pytest.approx(INFO.latitude, abs=0.01)
    assert min(azimuth, 360 - azimuth) == pytest.approx(0, abs=0.01)


def test_the_sky_turns_while_a_long_exposure_lasts():
    """The airmass may be that of the middle, the altitude that of the begin."""
    setting = replace(INFO, boresight_azimuth=math.nan, boresight_altitude=30.0, airmass=2.25, longitude=math.nan)
    assert [text.split(",")[0] for text in visit_faults(replace(setting, exposure_time=1.0))] == ["airmass is 2.25"]
    long = {"exposure_time": 1800.0, "date_avg": "", "date_end": ""}
    assert list(visit_faults(replace(setting, **long))) == []


def test_near_the_horizon_the_airmass_is_not_judged():
    low = replace(INFO, boresight_azimuth=math.nan, boresight_altitude=6.0, airmass=8.0, longitude=math.nan)
    assert list(visit_faults(low)) == []
