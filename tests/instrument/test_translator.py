"""The base of translators: tables and methods, both ways."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.visit_info import VisitInfo
from obs.instrument.card_values import parse_date
from obs.instrument.header import Header
from obs.instrument.translator import Translator

BOX = Box(0, 0, 4, 3)
DETECTOR = Detector(
    id=2,
    name="two",
    bbox=BOX,
    raw_shape=(3, 4),
    amplifiers=(Amplifier(name="a", bbox=BOX, raw_bbox=BOX, raw_data_bbox=BOX),),
)


class ToyTranslator(Translator):
    columns = {
        "visit": int,
        "ccd": int,
        "filter": str,
        "dateObs": str,
        "taiObs": str,
        "expTime": float,
        "temp": float,
        "guided": int,
    }
    unique = ("visit", "ccd")
    visit = ("visit", "filter", "dateObs")
    constants = {"longitude": 15.0, "time_scale": "TAI"}
    translation = {
        "visit": "RUN",
        "ccd": "DETECTOR",
        "filter": ("FILTER", {"default": "none"}),
        "expTime": "EXPTIME",
        "temp": "CCDTEMP",
        "guided": "GUIDER",
        "exposure_time": ("EXPTIME", {"unit": "s"}),
        "boresight_ra": ("RA", {"unit": "hourangle"}),
        "boresight_dec": ("DEC", {"unit": "deg"}),
        "air_temperature": ("AIRTEMP", {"unit": "K"}),
        "air_pressure": ("PRESSURE", {"unit": "hPa", "default": 80000.0}),
        "airmass": "AIRMASS",
    }
    defaults = {"guided": 0}
    translators = {"dateObs": "translate_day", "taiObs": "translate_day"}

    def translate_day(self, md):
        return parse_date(md.getScalar("DATE-OBS"), "%Y%m%d").date().isoformat()

    def translate_date_begin(self, md):
        return f"{self.translate_day(md)}T{md['UT']}" if "UT" in md else None


HEADER = {
    "RUN": 12,
    "DETECTOR": "2  ",
    "FILTER": "r ",
    "DATE-OBS": "20200904",
    "UT": "21:30:00",
    "EXPTIME": "60.0",
    "CCDTEMP": -90.5,
    "GUIDER": True,
    "RA": "10:30:00.0",
    "DEC": "-05:30:00.0",
    "AIRTEMP": 283.15,
    "PRESSURE": 750.0,
    "AIRMASS": 1.2,
}


def without(*keywords):
    return {key: value for key, value in HEADER.items() if key not in keywords}


def test_columns_have_their_types_and_order():
    row = ToyTranslator().registry_columns(HEADER)
    assert list(row.items()) == [
        ("visit", 12),
        ("ccd", 2),
        ("filter", "r"),
        ("dateObs", "2020-09-04"),
        ("taiObs", "2020-09-04"),
        ("expTime", 60.0),
        ("temp", -90.5),
        ("guided", 1),
    ]
    assert [type(value) for value in row.values()] == list(ToyTranslator.columns.values())


def test_missing_cards_leave_columns_out_or_at_their_default():
    row = ToyTranslator().registry_columns(without("FILTER", "CCDTEMP", "GUIDER", "EXPTIME"))
    assert row == {
        "visit": 12,
        "ccd": 2,
        "filter": "none",
        "dateObs": "2020-09-04",
        "taiObs": "2020-09-04",
        "guided": 0,
    }


def test_empty_card_is_a_missing_one():
    assert ToyTranslator().registry_columns(HEADER | {"FILTER": "  "})["filter"] == "none"


def test_wrong_value_of_a_lesser_column_leaves_it_out_or_at_its_default():
    for value in ("cold", True):
        assert "temp" not in ToyTranslator().registry_columns(HEADER | {"CCDTEMP": value})
    row = ToyTranslator().registry_columns(HEADER | {"GUIDER": "yes"})
    assert row["guided"] == 0


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER | {"RUN": "twelve"}, r"^visit: 'twelve' is not a number$"),
        (HEADER | {"RUN": True}, r"^visit: T is a logical value$"),
        (HEADER | {"RUN": -5}, r"^visit: -5 is below zero, as where nobody counted$"),
        (HEADER | {"RUN": 12.5}, r"^visit: 12\.5 is not a whole number$"),
        (HEADER | {"DATE-OBS": "2020-09-04"}, r"^dateObs: '2020-09-04' is not a date like '20200904'$"),
        (HEADER | {"DATE-OBS": "20200931"}, r"^dateObs: '20200931' is not a date like '20200904'$"),
        (without("DATE-OBS"), r"^dateObs: the header does not have DATE-OBS$"),
    ],
)
def test_wrong_value_of_a_column_that_names_the_exposure_is_told(header, message):
    with pytest.raises(FileFormatError, match=message):
        ToyTranslator().registry_columns(header)


def test_circumstances_are_in_the_engines_units():
    info = ToyTranslator().visit_info(HEADER, exposure_id=99)
    assert info.exposure_id == 99
    assert (info.exposure_time, info.dark_time) == (60.0, 60.0)
    assert (info.boresight_ra, info.boresight_dec) == (157.5, -5.5)
    assert info.air_temperature == pytest.approx(10.0)
    assert (info.air_pressure, info.airmass) == (75000.0, 1.2)
    assert (info.longitude, info.time_scale) == (15.0, "TAI")
    assert math.isnan(info.latitude)


def test_middle_and_end_follow_from_begin_and_duration():
    info = ToyTranslator().visit_info(HEADER)
    assert (info.date_begin, info.date_avg, info.date_end) == (
        "2020-09-04T21:30:00",
        "2020-09-04T21:30:30.000",
        "2020-09-04T21:31:00.000",
    )


def test_what_is_not_known_stays_unknown():
    info = ToyTranslator().visit_info(without("EXPTIME", "UT", "RA", "PRESSURE"))
    assert (info.exposure_id, info.date_begin, info.date_avg) == (None, "", "")
    assert math.isnan(info.exposure_time)
    assert math.isnan(info.dark_time)
    assert math.isnan(info.boresight_ra)
    assert info.air_pressure == 80000.0  # the default is in the engine's unit


def test_exposure_time_that_is_no_number_gives_no_dates():
    info = ToyTranslator().visit_info(HEADER | {"EXPTIME": float("nan")})
    assert math.isnan(info.exposure_time)
    assert (info.date_begin, info.date_avg) == ("2020-09-04T21:30:00", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"EXPTIME": "long"}, r"^exposure_time: EXPTIME = 'long' is not a number$"),
        ({"RA": "north"}, r"^boresight_ra: RA = 'north' is not a number$"),
        ({"AIRMASS": "thick"}, r"^airmass: 'thick' is not a number$"),
        ({"DATE-OBS": "today"}, r"^date_begin: 'today' is not a date like '20200904'$"),
    ],
)
def test_wrong_circumstances_are_told(change, message):
    with pytest.raises(FileFormatError, match=message):
        ToyTranslator().visit_info(HEADER | change)


finite = {"allow_nan": False, "allow_infinity": False}


@given(
    data_id=st.fixed_dictionaries(
        {"visit": st.integers(0, 10**9), "ccd": st.integers(0, 99), "filter": st.sampled_from(["g", "r", "H-alpha"])}
    ),
    seconds=st.floats(0, 8e4, **finite),
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    pressure=st.floats(5e4, 1.1e5),
)
def test_made_header_is_read_again(data_id, seconds, ra, dec, pressure):
    assume((ra, dec) != (0.0, 0.0))  # which stands for what nobody filled in
    info = VisitInfo(exposure_time=seconds, boresight_ra=ra, boresight_dec=dec, air_pressure=pressure)
    header = ToyTranslator.make_header(
        data_id, visit_info=info, detector=DETECTOR, physical_filter=data_id["filter"], image_type="science"
    )
    header |= {"DATE-OBS": "20200904"}
    assert data_id.items() <= ToyTranslator().registry_columns(header).items()
    read = ToyTranslator().visit_info(header)
    assert (read.exposure_time, read.boresight_ra, read.boresight_dec) == pytest.approx((seconds, ra, dec))
    assert read.air_pressure == pytest.approx(pressure)


def test_made_header_leaves_out_what_is_not_known_and_what_methods_read():
    header = ToyTranslator.make_header(
        {"visit": 1, "dateObs": "2020-09-04"},
        visit_info=VisitInfo(),
        detector=DETECTOR,
        physical_filter="r",
        image_type="bias",
    )
    assert header == {"RUN": 1}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"translation": {"airmas": "AIRMASS"}},
            r"^Bad: 'airmas' in translation is neither .*; did you mean 'airmass'\?$",
        ),
        (
            {"constants": {"weather": "fine"}},
            r"^Bad: 'weather' in constants is neither a column nor a field of VisitInfo$",
        ),
        ({"unique": ("visit",)}, r"^Bad: 'visit' in unique is neither a column nor a field of VisitInfo"),
        ({"translate_run": lambda self, md: 1}, r"^Bad: 'run' in its methods is neither a column nor a field"),
        (
            {"translators": {"airmass": "read_it"}},
            r"^Bad: translators names a method read_it for 'airmass', which is not",
        ),
        (
            {"translation": {"airmass": ("AM", {"units": "m"})}},
            r"^Bad: 'airmass' has the option 'units', not one of unit,",
        ),
        ({"translation": {"elevation": ("H", {"unit": "ft"})}}, r"^Bad: 'elevation' has the unknown unit 'ft'"),
        (
            {"translation": {"exposure_time": ("T", {"unit": "deg"})}},
            r"^Bad: 'exposure_time' is not a quantity in deg: \[s\] exposure time$",
        ),
    ],
)
def test_slip_in_the_tables_shows_at_once(tables, message):
    with pytest.raises(TypeError, match=message):
        type("Bad", (Translator,), tables)


def test_header_answers_in_all_ways():
    md = Header({"A": "x  ", "B": 1, "C": (2.5, "comment")})
    assert (md["A"], md.getScalar("A"), md.get("A"), md.get("D"), md.get("D", 3)) == ("x", "x", "x", None, 3)
    assert (md.exists("B"), md.exists("D"), "B" in md, len(md), list(md)) == (True, False, True, 3, ["A", "B", "C"])
    assert md["C"] == 2.5
    with pytest.raises(KeyError, match="'D'"):
        md.getScalar("D")
