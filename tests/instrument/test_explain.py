"""What a translator makes of a header, with units and sources."""

import pytest

from obs.instrument.explain import explain
from obs.instrument.translator import Translator


class ToldTranslator(Translator):
    columns = {"visit": int, "filter": str, "temp": float, "guided": int}
    unique = ("visit",)
    constants = {"longitude": 15.0, "time_scale": "TAI"}
    translation = {
        "visit": "RUN",
        "filter": ("FILTER", {"default": "none"}),
        "temp": "CCDTEMP",
        "guided": "GUIDER",
        "exposure_time": ("EXPTIME", {"unit": "ms"}),
        "airmass": "AIRMASS",
    }
    defaults = {"guided": 0}

    def translate_date_begin(self, md):
        return f"{md['DATE']}T{md.get('UT', '00:00:00')}"

    def translate_humidity(self, md):
        return [][1]

    def translate_elevation(self, md):
        return {"high": 1}[md["PLACE"]]


@pytest.fixture
def told():
    header = {"RUN": 5, "CCDTEMP": "cold", "GUIDER": "odd", "EXPTIME": 3000, "DATE": "2020-01-02", "PLACE": "low"}
    return {item.name: item for item in explain(ToldTranslator(), header, 77)}


def test_values_units_and_cards(told):
    assert (told["visit"].value, told["visit"].source, told["visit"].is_column) == (5, "RUN", True)
    assert (told["exposure_time"].value, told["exposure_time"].unit, told["exposure_time"].source) == (
        3.0,
        "s",
        "EXPTIME",
    )
    assert told["date_begin"].cards == {"DATE": True, "UT": False}
    assert told["date_begin"].source == "DATE"


def test_where_else_values_come_from(told):
    assert (told["filter"].value, told["filter"].source) == ("none", "default")
    assert (told["longitude"].value, told["longitude"].source) == (15.0, "constant")
    assert (told["date_end"].value, told["date_end"].source) == ("2020-01-02T00:00:03.000", "derived")
    assert (told["dark_time"].value, told["exposure_id"].value) == (3.0, 77)
    assert (told["airmass"].value, told["airmass"].source, told["airmass"].cards) == (None, "", {"AIRMASS": False})


def test_what_cannot_be_read_is_told(told):
    assert (told["temp"].value, told["temp"].error) == (None, "'cold' is not a number")
    assert (told["guided"].value, told["guided"].error) == (0, "")  # the default stands in, as in ingest


def test_a_method_that_fails_is_told_with_its_line(told):
    path = __file__
    assert told["humidity"].error.startswith(f"{path}:27: IndexError: ")
    assert told["elevation"].error == f"{path}:30: KeyError: 'low'"


def test_a_begin_that_is_no_date_leaves_the_rest():
    told = {item.name: item for item in explain(ToldTranslator(), {"RUN": 5, "DATE": "soon", "EXPTIME": 1000})}
    assert (told["date_begin"].value, told["date_end"].value) == ("soonT00:00:00", None)
    assert told["exposure_time"].value == 1.0
