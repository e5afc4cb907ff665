"""Headers of HSC, real and made ones."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.instrument.boresight_wcs import field_projection, sky_to_pixel
from obs.instrument.card_values import parse_date
from obs_hsc import instrument
from obs_hsc.translator import HscTranslator

OLD, NEW = "hsc", "hsc-HSCA04090107"
HEADER = {
    "EXP-ID": "HSCA90402400",
    "FRAMEID": "HSCA90402512",
    "DET-ID": 50,
    "OBJECT": "STRIPE82L",
    "FILTER01": "HSC-i",
    "MJD": 56598.26,
    "DATE-OBS": "2013-11-02",
    "EXPTIME": 30.0,
}


@pytest.fixture
def real(shared_data):
    """Read a real header."""
    return lambda name: read_header(shared_data / f"headers/{name}.hdr")


def read_header(path):
    text = path.read_text()
    cards = text.splitlines() if "\n" in text else [text[i : i + 80] for i in range(0, len(text), 80)]
    header = fits.Header.fromstring("".join(card.ljust(80) for card in cards))
    return {card.keyword: card.value for card in header.cards if card.keyword not in ("COMMENT", "HISTORY", "")}


@pytest.mark.parametrize("name", [OLD, NEW])
def test_what_lsst_expects_of_the_header(real, shared_data, name):
    expected = json.loads((shared_data / "headers/expected.json").read_text())[name]
    row, info = HscTranslator().registry_columns(real(name)), HscTranslator().visit_info(real(name))
    assert instrument.exposure_number(row) == expected["detector_exposure_id"]
    assert row["visit"] == expected["visit_id"]
    assert row["ccd"] == expected["detector_num"]
    assert row["proposal"] == expected["science_program"]
    assert instrument.find_filter(row["filter"]).physical_filter == expected["physical_filter"]
    assert instrument.find_detector(row).name.endswith(expected["detector_name"])
    assert instrument.find_detector(row).name == expected["detector_unique_name"]
    assert row["dateObs"].replace("-", "") == str(expected["observing_day"])
    assert info.exposure_time == expected["exposure_time"]["value"]
    assert info.dark_time == expected["dark_time"]["value"]
    assert info.air_pressure == pytest.approx(100 * expected["pressure"]["value"])
    assert info.air_temperature == pytest.approx(expected["temperature"]["value"] - 273.15)
    assert info.humidity == expected["relative_humidity"]
    assert info.rotation_type == expected["boresight_rotation_coord"].upper()


@pytest.mark.parametrize("name", [OLD, NEW])
def test_rough_wcs_of_the_header_is_that_of_boresight_and_camera(real, name):
    """The observatory's WCS has x running the other way, and knows the optics to some ten pixels."""
    header = real(name)
    info, camera = HscTranslator().visit_info(header), instrument.load_camera()
    detector = instrument.find_detector(HscTranslator().registry_columns(header))
    projection = field_projection(camera, ra=info.boresight_ra, dec=info.boresight_dec, rotation=info.rotation_angle)
    x, y = sky_to_pixel(camera, detector, projection, ra=[header["CRVAL1"]], dec=[header["CRVAL2"]])
    assert 2047 - x[0] == pytest.approx(header["CRPIX1"] - 1, abs=50)
    assert y[0] == pytest.approx(header["CRPIX2"] - 1, abs=50)
    # 10 arcsec north and east of there
    step = 10 / 3600
    ra, dec = header["CRVAL1"] + np.array([0, step]), header["CRVAL2"] + np.array([step, 0])
    moved_x, moved_y = sky_to_pixel(camera, detector, projection, ra=ra, dec=dec)
    cd = np.array([[header[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)])
    theirs = np.linalg.solve(cd, np.array([[0.0, step], [step, 0.0]]))
    np.testing.assert_allclose([x[0] - moved_x, moved_y - y[0]], theirs, atol=2.0)


@pytest.mark.parametrize(
    ("exposure", "frame", "visit"),
    [
        ("HSCE00012345", "HSCA00000000", 12345),
        ("HSCA90402400", "HSCA90402512", 904024),
        ("HSCB00000200", "HSCB00000312", 1000002),
        ("HSCZ99999900", "HSCZ99999900", 25999999),
        ("HSCA00000000", "HSCB12345712", 1123456),  # odd: rounded down
        ("HSCA00000000", "HSCA12345612", 123456),
        (" HSCA90402400 ", "", 904024),
    ],
)
def test_visit_is_the_number_of_the_exposure(exposure, frame, visit):
    assert HscTranslator().registry_columns(HEADER | {"EXP-ID": exposure, "FRAMEID": frame})["visit"] == visit


@pytest.mark.parametrize(
    ("exposure", "frame", "message"),
    [
        ("HSCA90402401", "HSCA90402512", r"^visit: Unable to interpret EXP-ID: HSCA90402401$"),
        ("HSCE0001234", "HSCA90402512", r"^visit: Unable to interpret EXP-ID: HSCE0001234$"),
        ("xHSCA90402400", "HSCA90402512", r"^visit: Unable to interpret EXP-ID: xHSCA90402400$"),
        ("HSCA00000000", "SUPA01234560", r"^visit: Unable to interpret FRAMEID: SUPA01234560$"),
    ],
)
def test_exposure_that_has_no_number_is_told(exposure, frame, message):
    with pytest.raises(FileFormatError, match=message):
        HscTranslator().registry_columns(HEADER | {"EXP-ID": exposure, "FRAMEID": frame})


@pytest.mark.parametrize(
    ("target", "field"), [(" ssp-wide 9h ", "SSP_WIDE_9H"), ("#", "UNKNOWN"), ("M31", "M31"), ("a.b/c", "A_B_C")]
)
def test_field_is_the_target_in_letters_and_digits(target, field):
    assert HscTranslator().registry_columns(HEADER | {"OBJECT": target})["field"] == field


@pytest.mark.parametrize(
    ("change", "pointing"),
    [
        ({"MJD": 56598.9}, 671),
        ({"MJD": "56598.26"}, 671),
        ({"MJD": "today"}, 671),
        ({"MJD": float("nan")}, 671),
        ({"MJD": "today", "DATE-OBS": "2012-01-01"}, 0),
    ],
)
def test_pointing_is_the_night(change, pointing):
    assert HscTranslator().registry_columns(HEADER | change)["pointing"] == pointing


def test_header_without_filter_has_an_unrecognized_one():
    header = {key: value for key, value in HEADER.items() if key != "FILTER01"}
    name = HscTranslator().registry_columns(header)["filter"]
    assert name == "Unrecognized"
    assert instrument.find_filter(name).physical_filter == "unknown"


def test_date_in_another_format_is_told():
    with pytest.raises(FileFormatError, match=r"^dateObs: '02/11/13' is not a date like '2020-09-04'$"):
        HscTranslator().registry_columns(HEADER | {"DATE-OBS": "02/11/13"})


def test_defaults_stand_in_for_cards_of_later_years():
    row = HscTranslator().registry_columns(HEADER)
    assert (row["autoguider"], row["ccdTemp"]) == (0, 0.0)
    assert "pa" not in row


@given(
    visit=st.integers(0, 25_999_999),
    ccd=st.integers(0, 111),
    physical_filter=st.sampled_from(["HSC-G", "HSC-R2", "NB0921"]),
    field=st.from_regex(r"[A-Z][A-Z0-9_]{0,15}", fullmatch=True),
    begin=st.datetimes(datetime(2012, 1, 1), datetime(2026, 1, 1)),
    seconds=st.floats(0, 1200),
    ra=st.floats(1e-3, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    rotation=st.floats(0, 360, exclude_max=True),
    image_type=st.sampled_from(["bias", "dark", "flat", "science"]),
)
def test_made_header_gives_the_data_id_and_circumstances(
    visit, ccd, physical_filter, field, begin, seconds, ra, dec, rotation, image_type
):
    begin = begin.replace(microsecond=begin.microsecond // 1000 * 1000)
    date = begin.date().isoformat()
    data_id = {"visit": visit, "ccd": ccd, "filter": physical_filter, "field": field}
    data_id |= {"dateObs": date, "taiObs": date, "expTime": seconds}
    info = VisitInfo(
        exposure_time=seconds,
        date_begin=begin.isoformat(timespec="milliseconds"),
        boresight_ra=ra,
        boresight_dec=dec,
        rotation_angle=rotation,
        airmass=1.2,
    )
    header = HscTranslator.make_header(
        data_id,
        visit_info=info,
        detector=instrument.load_camera().detector(ccd),
        physical_filter=physical_filter,
        image_type=image_type,
    )
    assert all(len(key) <= 8 for key in header)
    row = HscTranslator().registry_columns(header)
    assert data_id.items() <= row.items()
    assert row["dataType"] in ("BIAS", "DARK", "DOMEFLAT", "OBJECT")
    read = HscTranslator().visit_info(header)
    assert (read.exposure_time, read.airmass) == (seconds, 1.2)
    turn = (read.boresight_ra - ra + 180) % 360 - 180
    assert (turn, read.boresight_dec - dec) == pytest.approx((0.0, 0.0), abs=1e-7)
    assert (read.rotation_angle - rotation + 180) % 360 - 180 == pytest.approx(0.0, abs=1e-9)
    assert abs(parse_date(read.date_begin) - begin) <= timedelta(milliseconds=1)
