"""Conditions of users: one grammar, whether facts are in memory or in a database."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import ConfigError, DataIdError
from obs.expression import Condition
from obs.repo.metric_query import parse_condition

FACTS = {"seeing": 0.8, "airmass": 1.3, "filter": "r", "zero_point": None, "visit": -5}
TYPES = {"seeing": float, "airmass": float, "filter": str, "zero_point": float, "visit": int}


def holds_in_database(text, facts=FACTS):
    clause = parse_condition(text, TYPES)
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE facts (seeing FLOAT, airmass FLOAT, filter TEXT, zero_point FLOAT, visit BIGINT)")
    connection.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", [facts[name] for name in TYPES])
    rows = connection.execute(f"SELECT * FROM facts WHERE {clause.sql}", clause.values).fetchall()  # noqa: S608 - what is tested
    connection.close()
    return len(rows) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("seeing < 0.9", True),
        ("seeing < 0.9 and airmass > 1.5", False),
        ("seeing > 0.9 or not (airmass > 1.5)", True),
        ("0.5 < seeing <= 0.8", True),
        ("filter == 'r'", True),
        ("filter = 'r'", True),
        ('filter != "r" or filter <> "r"', False),
        ("visit >= -5", True),
        ("visit=-5 && !(seeing>1) || airmass<0", True),
        ("filter IN ('g', 'r') AND NOT seeing > 1", True),
        ("filter in ['g','i']", False),
        ("visit in (-9..-1)", True),
        ("visit in (-9..-1:2)", True),
        ("visit in (-8..-1:2, 3)", False),
        ("seeing between .7 and 1e0", True),
        ("filter like 'R%' and filter not like '_%r'", True),
        ("zero_point > 20", False),
        ("not zero_point > 20", False),  # not known is neither
        ("zero_point is null and seeing is measured", True),
        ("zero_point is not None", False),
        ("zero_point > 20 or seeing < 1", True),
        ("airmass > seeing", True),
    ],
)
def test_conditions_mean_the_same_everywhere(text, expected):
    assert Condition(text).holds(FACTS) is expected
    assert holds_in_database(text) is expected


numbers = st.sampled_from(["0.8", "1.3", "-5", "2e0", ".5"])
atoms = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["seeing", "airmass", "zero_point", "visit"]),
              st.sampled_from(["<", "<=", ">", ">=", "=", "==", "!=", "<>"]), numbers),
    st.builds("{} in ({}, -7..{})".format, st.sampled_from(["visit", "zero_point"]), numbers, st.integers(-6, 0)),
    st.builds("filter {} 'r'".format, st.sampled_from(["=", "!=", "like", "not like"])),
    st.builds("{} is {}".format, st.sampled_from(list(FACTS)), st.sampled_from(["measured", "not measured", "null"])),
)  # fmt: skip
texts = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


@given(texts)
def test_any_condition_means_the_same_in_memory_and_in_a_database(text):
    assert Condition(text).holds(FACTS) is holds_in_database(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeing <", "at character 9: expected a name or a value, got the end"),
        ("seeing", "at character 7: expected a comparison after 'seeing'"),
        ("seeing.real < 1", "at character 7: cannot read '.real < 1'"),
        ("__import__('os') < 1", r"at character 11: expected a comparison after '__import__'"),
        ("seeing in 1", r"at character 11: expected '\(' after 'in'"),
        ("seeing is 1", "at character 11: expected 'measured' or 'null'"),
        ("seeing + 1 < 2", r"at character 8: cannot read '\+ 1 < 2'"),
        ("filter = 'r", "at character 10: cannot read ''r'; a quote is not closed"),
        ("filter in (r)", "at character 12: expected a value, got the name 'r'; text needs quotes"),
        ("visit in (1..9:0.5)", "at character 16: a range with a step has whole numbers"),
        ("visit in (1..'a')", "at character 14: 1 and 'a' are not of one type"),
        ("(" * 500 + "a<1" + ")" * 500, "more than 40 brackets"),
        ("a < 1 or " * 500 + "a<1", "at most 4000 are read"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        Condition(text)
    with pytest.raises(DataIdError, match=message):
        parse_condition(text, TYPES | {"a": float})


def test_names_that_there_are_not():
    with pytest.raises(
        ConfigError, match=r"at character 18: there is no 'seing' to select by; did you mean 'seeing'\?"
    ):
        Condition("airmass < 2 and  seing < 1").holds(FACTS)
    with pytest.raises(ConfigError, match="at character 10: there is no 'R' to select by"):
        Condition("filter = R").holds(FACTS)


@pytest.mark.parametrize(("text", "place"), [("filter < 3", 8), ("visit in (1, 'a')", 14), ("visit like 'a'", 1)])
def test_texts_are_not_compared_with_numbers(text, place):
    for ask in (lambda: Condition(text).holds(FACTS), lambda: parse_condition(text, TYPES)):
        with pytest.raises((ConfigError, DataIdError), match=f"at character {place}: .*(is a number|compares text)"):
            ask()
