"""Cards of an extension above those of the primary header."""

import math

from obs.instrument.header import merge_headers

PRIMARY = {"FILTER": "R", "RA": 10.0, "DEC": -3.0, "GAIN": 2.0, "CRVAL1": 1.0}


def test_blank_cards_hide_nothing():
    merged = merge_headers(PRIMARY, {"FILTER": "  ", "GAIN": math.nan, "OBJECT": " "})
    assert merged == PRIMARY | {"OBJECT": " "}


def test_the_pointing_of_the_telescope_is_that_of_the_primary_header():
    merged = merge_headers(PRIMARY, {"RA": 10.2, "DEC": -3.1, "CRVAL1": 10.2, "GAIN": 1.5})
    assert merged == PRIMARY | {"CRVAL1": 10.2, "GAIN": 1.5}


def test_an_extension_tells_a_pointing_that_the_primary_header_lacks():
    assert merge_headers({"RA": 10.0}, {"RA": 10.2, "DEC": -3.1}) == {"RA": 10.2, "DEC": -3.1}
