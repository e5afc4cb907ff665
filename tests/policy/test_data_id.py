"""Data IDs on the command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import DataIdError
from obs.policy.data_id import cast_data_id, format_data_id, parse_ids

KEYS = {"visit": int, "ccd": int, "filter": str, "expTime": float}


def test_alternatives_and_ranges():
    ids = parse_ids(["visit=1^4..6", "ccd=0..4:2"], KEYS)
    assert [(d["visit"], d["ccd"]) for d in ids] == [(v, c) for v in (1, 4, 5, 6) for c in (0, 2, 4)]


def test_first_key_varies_slowest_and_order_is_kept():
    assert [format_data_id(d) for d in parse_ids(["filter=r^g", "visit=2^1"], KEYS)] == [
        "filter=r visit=2",
        "filter=r visit=1",
        "filter=g visit=2",
        "filter=g visit=1",
    ]


def test_no_words_mean_everything():
    assert parse_ids([], KEYS) == [{}]


def test_types_follow_the_keys():
    assert parse_ids(["visit=007", "filter=2", "expTime=30"], KEYS) == [{"visit": 7, "filter": "2", "expTime": 30.0}]


def test_a_value_given_twice_counts_once():
    assert len(parse_ids(["visit=1^1..2"], KEYS)) == 2


def test_a_value_may_hold_dots_and_equals():
    assert parse_ids(["filter=a..b=c"], KEYS) == [{"filter": "a..b=c"}]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["visit"], r"--id takes KEY=VALUE, got 'visit'"),
        (["visit="], r"--id takes KEY=VALUE, got 'visit='"),
        (["=1"], r"--id takes KEY=VALUE, got '=1'"),
        (["visit=1", "visit=2"], r"the key 'visit' twice; write visit=A\^B"),
        (["vist=1"], r"unknown key 'vist' in --id; did you mean 'visit'\?; keys: visit, ccd, filter, expTime"),
        (["visit=one"], r"visit=one: visit must be an integer"),
        (["visit=1.5"], r"visit=1\.5: visit must be an integer"),
        (["expTime=long"], r"expTime=long: expTime must be a number"),
        (["visit=5..3"], r"visit=5\.\.3: an empty range; write LOW\.\.HIGH"),
        (["visit=1..3:0"], r"visit=1\.\.3:0: an empty range"),
        (["visit=1^^2"], r"visit=1\^\^2: there is an empty value beside '\^'"),
        (["visit=1..99999999999"], r"more than 1000000 values; name fewer"),
        (["visit=1..2000", "ccd=1..2000"], r"names more than 1000000 data IDs; name fewer"),
    ],
)
def test_faults(tokens, message):
    with pytest.raises(DataIdError, match=message):
        parse_ids(tokens, KEYS)


@given(
    st.dictionaries(st.sampled_from(["visit", "ccd"]), st.integers(0, 10**9)),
    st.one_of(st.none(), st.text(st.characters(exclude_characters="^", exclude_categories=["Cs"]), min_size=1)),
)
def test_a_written_data_id_reads_back(numbers, name):
    data_id = numbers if name is None or ".." in name else {**numbers, "filter": name}
    tokens = [f"{key}={value}" for key, value in data_id.items()]
    assert parse_ids(tokens, KEYS) == [data_id]


@pytest.mark.parametrize("value", [True, None, 1.5, "x", [1]])
def test_values_that_are_no_integers(value):
    with pytest.raises(DataIdError, match="visit must be an integer"):
        cast_data_id({"visit": value}, KEYS)


def test_keys_without_a_type_are_kept():
    assert cast_data_id({"visit": "3", "extra": "x"}, KEYS) == {"visit": 3, "extra": "x"}
