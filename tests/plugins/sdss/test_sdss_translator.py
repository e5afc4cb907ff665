"""Header to registry columns and visit information."""

import json
import sqlite3
from datetime import datetime

import pytest
from astropy.io import fits
from astropy.time import Time
from sdss_files import header_of

from obs.errors import FileFormatError
from obs.instrument.header import Header
from obs_sdss import instrument
from obs_sdss.fpc import read_fpc
from obs_sdss.translator import SdssTranslator


@pytest.fixture
def header(frame):
    return header_of(frame)


def tai_obs(header):
    return SdssTranslator().translate_taiObs(Header(header))


def test_registry_columns(header):
    assert SdssTranslator().registry_columns(header) == {  # the rerun is in the path only
        "run": 94,
        "camcol": 2,
        "field": 11,
        "filter": "g",
        "taiObs": "1998-09-20T06:00:51.730000000",
        "strip": "82S",
    }


@pytest.mark.parametrize(
    ("date", "time", "utc"),
    [
        ("2003-10-19", "04:43:34.68", "2003-10-19T04:43:02.680000000"),
        ("2006-09-20", "06:01:22.73", "2006-09-20T06:00:49.730000000"),
        ("20/09/98", "06:01:22.73", "1998-09-20T06:00:51.730000000"),
        ("01/02/03", "00:00:10.00", "2003-01-31T23:59:38.000000000"),
        ("2005-12-31", "23:59:60.00", "2005-12-31T23:59:28.000000000"),
        ("2009-01-01", "00:01:00.00", "2009-01-01T00:00:26.000000000"),
    ],
)
def test_time_of_the_registry_is_utc(header, date, time, utc):
    assert tai_obs(header | {"DATE-OBS": date, "TAIHMS": time}) == utc


@pytest.mark.parametrize("date", ["1998-09-20", "2001-03-04", "2006-01-01", "2008-12-31", "2009-11-18"])
def test_leap_seconds_are_those_of_astropy(header, date):
    utc = tai_obs(header | {"DATE-OBS": date, "TAIHMS": "12:00:00.00"})
    assert abs(Time(utc, scale="utc") - Time(f"{date}T12:00:00", scale="tai")).sec < 1e-6


@pytest.mark.parametrize(
    ("date", "time"), [("yesterday", "06:01:22.73"), ("2003-10-19", "noon"), ("31/02/99", "0:0:0")]
)
def test_date_that_is_none_is_told(header, date, time):
    with pytest.raises(FileFormatError, match=f"^DATE-OBS '{date}' and TAIHMS '{time}' are not date and time$"):
        tai_obs(header | {"DATE-OBS": date, "TAIHMS": time})


def test_date_before_the_survey_is_told(header):
    with pytest.raises(FileFormatError, match="before the survey"):
        tai_obs(header | {"DATE-OBS": "01/02/90"})


def test_visit_info(header):
    info = SdssTranslator().visit_info(header, exposure_id=7)
    assert info.exposure_time == 53.907456  # text in the header
    assert (info.exposure_id, info.time_scale) == (7, "TAI")
    assert (info.boresight_ra, info.boresight_dec) == (352.27586, 0.0)
    begin, middle, end = map(datetime.fromisoformat, (info.date_begin, info.date_avg, info.date_end))
    assert abs(begin - datetime(1998, 9, 20, 6, 0, 28, 822544)).total_seconds() < 1e-3
    assert (end - begin).total_seconds() == pytest.approx(53.907 + 1360 * 0.026322, abs=2e-3)
    assert (middle - begin).total_seconds() == pytest.approx((end - begin).total_seconds() / 2, abs=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"EXPTIME": "long"}, "^exposure_time: EXPTIME = 'long' is not a number$"),
        ({"RA": None}, "^the header does not have RA$"),
    ],
)
def test_fault_in_the_header_is_told(header, change, message):
    changed = {key: value for key, value in (header | change).items() if value is not None}
    with pytest.raises(FileFormatError, match=message):
        SdssTranslator().visit_info(changed)


def test_real_header(shared_data):
    header = fits.Header.fromstring((shared_data / "headers/sdss-fpC-006377-g4-0399.hdr").read_text(), sep="\n")
    expected = json.loads((shared_data / "headers/expected.json").read_text())["sdss-fpC-006377-g4-0399"]
    translator = SdssTranslator()
    data_id = {"run": 6377, "rerun": 40, "camcol": 4, "field": 399, "filter": "g"}
    columns = translator.registry_columns(header)
    assert columns["taiObs"] == "2006-09-20T06:00:49.730000000"
    assert columns["filter"] == expected["physical_filter"]
    assert columns["run"] == expected["exposure_id"]
    info = translator.visit_info(header)
    assert info.exposure_time == expected["exposure_time"]["value"]
    assert info.dark_time == expected["dark_time"]["value"]
    assert info.rotation_type.lower() == expected["boresight_rotation_coord"]
    assert instrument.exposure_number(data_id) == expected["detector_exposure_id"]
    detector = instrument.find_detector(data_id)
    assert (detector.id, detector.name) == (expected["detector_num"], expected["detector_unique_name"])


@pytest.mark.parametrize("band", "gr")
def test_real_registry_has_the_same_row(shared_data, stripe82, band):
    header = read_fpc(stripe82 / f"corr/4/fpC-004192-{band}4-0300.fit.gz", {}).header
    columns = SdssTranslator().registry_columns(header)
    database = f"file:{shared_data / 'sdss_stripe82/registry.sqlite3'}?mode=ro"
    connection = sqlite3.connect(database, uri=True)
    row = connection.execute(
        "SELECT taiObs, strip FROM raw WHERE run=4192 AND filter=? AND camcol=4 AND field=300", (band,)
    ).fetchone()
    connection.close()
    assert abs(Time(columns["taiObs"]) - Time(row[0])).sec < 1e-6
    assert columns["strip"] == row[1].strip()
