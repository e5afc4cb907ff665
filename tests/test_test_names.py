"""Files of tests have names of their own: two of one name in different folders stop the collection of all tests."""

from collections import Counter
from pathlib import Path


def test_no_two_files_of_tests_share_a_name():
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
