import math

import pytest

from obs.inspection.cards import parse_cards
from raw_frames import card_line


def test_values_and_comments():
    cards = parse_cards([card_line("GAIN", 1.5, "e-/ADU"), card_line("OBJECT", "it''s M31"), card_line("OPEN", True)])
    assert cards.find("GAIN").comment == "e-/ADU"
    assert [cards.get(name) for name in ("GAIN", "OBJECT", "OPEN")] == [1.5, "it's M31", True]
    assert cards.problems == []


@pytest.mark.parametrize(
    ("line", "keyword", "value", "problem"),
    [
        ("GAIN    =                      / not measured", "GAIN", None, "GAIN is undefined"),
        ("EXPTIME = 12.5s", "EXPTIME", "12.5s", "EXPTIME is text without quotes: 12.5s"),
        ("OBJECT  = 'Galaxi\xeb'", "OBJECT", "Galaxi\xeb", "OBJECT has letters that are not ASCII"),
        ("OBJECT  = 'no end", "OBJECT", "no end", "OBJECT is malformed: 'no end"),
        ("RA = '10:00:00'", "RA", "10:00:00", "RA has its equals sign out of place"),
    ],
)
def test_malformed_cards_are_kept_and_told(line, keyword, value, problem):
    cards = parse_cards([line, card_line("AFTER", 1)])
    assert cards.get(keyword) == value
    assert cards.get("AFTER") == 1
    assert problem in cards.problems


def test_duplicates_are_told_and_the_last_counts():
    cards = parse_cards([card_line("OBSTYPE", "OBJECT"), card_line("OBSTYPE", 1)])
    assert cards.get("OBSTYPE") == 1
    assert cards.contradicts_itself("OBSTYPE")
    assert cards.problems == ["OBSTYPE is there 2 times"]


def test_hierarch_and_continued_cards():
    cards = parse_cards(
        [
            "HIERARCH ESO DET OUT1 CONAD = 1.9 / e-/ADU",
            "TITLE   = 'first &'",
            "CONTINUE  'second&'",
            "CONTINUE  ' third'",
        ]
    )
    assert cards.get("ESO DET OUT1 CONAD") == 1.9
    assert cards.get("TITLE") == "first second third"


@pytest.mark.parametrize("value", ["UNKNOWN", "N/A", "", "##NODATA##", math.nan])
def test_words_for_no_value_are_none(value):
    text = "NaN" if value != value else f"'{value}'"
    assert parse_cards([f"DETSEC  = {text}"]).find("DETSEC") is None


def test_cards_over_others_hide_those_with_a_value_only():
    above = parse_cards([card_line("GAIN", 2.0), card_line("DETSEC", "UNKNOWN")])
    below = parse_cards([card_line("GAIN", 0.0), card_line("DETSEC", "[1:2,1:2]"), card_line("SITE", "x")])
    merged = above.over(below)
    assert (merged.get("GAIN"), merged.get("DETSEC"), merged.get("SITE")) == (2.0, "[1:2,1:2]", "x")
