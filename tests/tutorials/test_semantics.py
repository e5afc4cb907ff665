"""Every rule of the stack on data access, arguments and processing has a test, or a reason not to have one."""

import re
from pathlib import Path

import pytest
from semantics import RULES

ROOT = Path(__file__).parents[2]


def read_rules(text):
    """Yield sections with the first cells of their tables, and sections that have none."""
    for section in re.split(r"^##+ (?=[456]\.)", text, flags=re.MULTILINE)[1:]:
        number = re.match(r"[456](\.\d)?", section)[0]
        body = re.split(r"^## ", section, flags=re.MULTILINE)[0]
        cells = re.findall(r"^\| (.+?) \|(?= )", body, flags=re.MULTILINE)
        heads = re.findall(r"^\| (.+?) \|.*\n\|---", body, flags=re.MULTILINE)
        rules = [cell for cell in cells if cell not in heads]
        yield from (f"{number} {cell}" for cell in rules)
        if not rules and len(number) > 1:
            yield number


def test_every_rule_has_a_test_or_a_reason(shared_data):
    found = set(read_rules((shared_data.parent / "SEMANTICS.md").read_text()))
    assert len(found) > 70
    assert sorted(found - set(RULES)) == []
    assert sorted(set(RULES) - found) == []


@pytest.mark.parametrize("rule", RULES)
def test_the_tests_are_there(rule):
    place = RULES[rule]
    if place.startswith("("):
        assert len(place.split()) > 4
        return
    path, _, name = place.partition("::")
    assert re.search(
        rf"^def {name or 'test_'}\(" if name else "^def test_", (ROOT / path).read_text(), flags=re.MULTILINE
    )
