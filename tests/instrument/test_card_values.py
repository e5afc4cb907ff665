"""Numbers, units, angles and dates of headers."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import FileFormatError
from obs.instrument.card_values import (
    UNITS,
    date_to_mjd,
    format_date,
    mjd_to_date,
    parse_date,
    read_number,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        ("1.5E3", 1500.0),
        (" 12:30:00 ", 12.5),
        ("-00:30:00.0", -0.5),
        ("+01h15m36s", 1.26),
        ("10 30 00", 10.5),
    ],
)
def test_number_is_read(value, number):
    assert read_number(value) == pytest.approx(number)


def test_logical_values_are_no_numbers():
    for value, letter in ((True, "T"), (False, "F")):
        with pytest.raises(FileFormatError, match=f"^{letter} is a logical value, not a number$"):
            read_number(value)


@pytest.mark.parametrize("value", ["", "12:30", "noon", None])
def test_what_is_no_number_is_told(value):
    with pytest.raises(FileFormatError, match=f"^'{value}' is not a number$"):
        read_number(value)


@pytest.mark.parametrize(
    ("unit", "value", "standard"),
    [
        ("hourangle", 2.0, 30.0),
        ("K", 273.15, 0.0),
        ("hPa", 621.7, 62170.0),
        ("mmHg", 760.0, 101325.0),
        ("km", 4.139, 4139.0),
        ("ms", 1500.0, 1.5),
        ("fraction", 0.33, 33.0),
    ],
)
def test_units_are_turned_into_the_engines(unit, value, standard):
    assert UNITS[unit].to_standard(value) == pytest.approx(standard)


@given(unit=st.sampled_from(sorted(UNITS)), value=st.floats(-1e6, 1e6))
def test_units_go_both_ways(unit, value):
    assert UNITS[unit].from_standard(UNITS[unit].to_standard(value)) == pytest.approx(value, abs=1e-6)


def test_dates_are_read_as_they_are_written():
    assert parse_date(" 2020-09-04T21:30:00.5 ") == datetime(2020, 9, 4, 21, 30, 0, 500000)
    assert parse_date("2020-09-04T21:30:00Z") == datetime(2020, 9, 4, 21, 30)
    assert parse_date("04/09/20", "%Y%m%d", "%d/%m/%y") == datetime(2020, 9, 4)
    assert format_date(datetime(2020, 9, 4, 21, 30)) == "2020-09-04T21:30:00.000"


def test_date_in_another_format_is_told():
    with pytest.raises(FileFormatError, match=r"^'4 Sep' is not a date like '20200904' or '2020-09-04'$"):
        parse_date("4 Sep", "%Y%m%d", "%Y-%m-%d")
    with pytest.raises(FileFormatError, match=r"^'4 Sep' is not a date like '2020-09-04T21:30:00'$"):
        parse_date("4 Sep")


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_mjd_goes_both_ways(date):
    assert abs(mjd_to_date(date_to_mjd(date)) - date).total_seconds() < 1e-5


def test_mjd_is_counted_from_1858():
    assert date_to_mjd(datetime(2012, 1, 1)) == 55927.0
    with pytest.raises(FileFormatError, match=r"^1e\+20 is not a modified Julian day$"):
        mjd_to_date(1e20)


@pytest.mark.parametrize(
    ("text", "layouts"),
    [
        ("2024-03-01T01:30:00+02:00", ()),
        ("2024-02-29T23:30:00Z", ()),
        ("2024-02-29T23:30:00", ()),
        ("29.02.2024 20:30:00 -0300", ("%d.%m.%Y %H:%M:%S %z",)),
    ],
)
def test_an_offset_of_a_time_zone_leads_to_utc(text, layouts):
    assert parse_date(text, *layouts) == datetime(2024, 2, 29, 23, 30)
