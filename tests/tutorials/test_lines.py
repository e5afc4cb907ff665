"""Every line of the tutorials is tested, or has a reason not to be."""

import re
from pathlib import Path

import pytest
from lines import ELSEWHERE, REASONS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TESTED = {
    number
    for path in HERE.glob("test_*.py")
    if path.name != Path(__file__).name
    for number in re.findall(r'"(\d\.\d+)"', path.read_text())
}


def test_every_line_is_tested_once_or_has_a_reason(shared_data):
    text = (shared_data.parent / "TUTORIALS.md").read_text()
    numbers = set(re.findall(r"^\| (\d\.\d+) \|", text, flags=re.MULTILINE))
    assert len(numbers) > 90
    assert numbers == TESTED | set(ELSEWHERE) | set(REASONS)


@pytest.mark.parametrize("number", ELSEWHERE)
def test_the_tests_of_other_folders_are_there(number):
    path, _, name = ELSEWHERE[number].partition("::")
    assert re.search(rf"^def {name or 'test_'}", (ROOT / path).read_text(), flags=re.MULTILINE)


def test_no_line_is_in_two_places():
    assert not set(ELSEWHERE) & set(REASONS)
    assert not TESTED & (set(ELSEWHERE) | set(REASONS))
