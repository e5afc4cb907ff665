import pytest

from obs.errors import ConfigError
from obs.expression import Condition

FACTS = {"seeing": 0.8, "airmass": 1.3, "filter": "r", "zero_point": None, "visit": -5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("seeing < 0.9", True),
        ("seeing < 0.9 and airmass > 1.5", False),
        ("seeing > 0.9 or not (airmass > 1.5)", True),
        ("0.5 < seeing <= 0.8", True),
        ("filter == 'r'", True),
        ('filter != "r"', False),
        ("zero_point > 20", False),
        ("visit >= -5", True),
    ],
)
def test_conditions(text, expected):
    assert Condition(text).holds(FACTS) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeing <", "cannot be read"),
        ("seeing", "is not made of comparisons"),
        ("seeing.real < 1", "neither a name nor a number nor a text"),
        ("__import__('os') < 1", "neither a name"),
        ("seeing in [1]", "neither a name"),
        ("seeing is 1", "none of < <= > >= == !="),
        ("seeing + 1 < 2", "neither a name"),
        ("(" * 500 + "a<1" + ")" * 500, "cannot be read"),
        ("a < 1 or " * 300 + "a<1", "at most 2000 characters"),
    ],
)
def test_other_texts_are_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        Condition(text)


def test_names_that_there_are_not():
    with pytest.raises(ConfigError, match=r"there is no 'seing' to select by; did you mean 'seeing'\?"):
        Condition("seing < 1").holds(FACTS)


def test_texts_are_not_compared_with_numbers():
    with pytest.raises(ConfigError, match="compares a number with a text"):
        Condition("filter < 3").holds(FACTS)
