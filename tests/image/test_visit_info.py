"""Visit information and its cards."""

import math
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from obs.image.visit_info import VISIT_INFO_CARDS, VisitInfo


def by_type(fact):
    if fact.default is None:
        return st.integers(0, 2**50)
    return st.from_regex(r"[A-Z0-9:-]{1,20}", fullmatch=True) if isinstance(fact.default, str) else st.floats(-1e6, 1e6)


@given(st.fixed_dictionaries({}, optional={fact.name: by_type(fact) for fact in fields(VisitInfo)}))
def test_round_trip(known):
    info = VisitInfo(**known)
    cards = info.to_header()
    assert cards.keys() <= VISIT_INFO_CARDS
    again = VisitInfo.from_header({name: value for name, (value, _) in cards.items()})
    assert str(again) == str(info)


def test_unknown_is_left_out():
    assert VisitInfo().to_header().keys() == {"TIMESYS"}
    assert math.isnan(VisitInfo.from_header({}).exposure_time)


def test_reads_numbers_given_as_text_and_ignores_others():
    info = VisitInfo.from_header({"EXPTIME": "53.907456", "AIRTEMP": "warm", "EXPID": object(), "DATE-AVG": 3})
    assert info.exposure_time == 53.907456
    assert math.isnan(info.air_temperature)
    assert (info.exposure_id, info.date_avg) == (None, "")
