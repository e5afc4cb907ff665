"""Three-way merge: what two sides did apart is brought together, what they did at one place is a conflict."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.scaffold.merge import merge_texts, with_markers

LINES = st.lists(st.sampled_from("abcd"), max_size=8).map(lambda lines: "".join(f"{line}\n" for line in lines))


def merged(base, mine, theirs):
    return with_markers(merge_texts(base, mine, theirs), mine="yours", theirs="template 2")


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "wanted"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", "a\nb\nc\n", "a\nB\nc\n"),
        ("a\nb\nc\n", "a\nb\nc\n", "a\nb\nC\n", "a\nb\nC\n"),
        ("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", "A\nb\nc\nD\n"),
        ("a\nb\nc\n", "a\nX\nc\n", "a\nX\nc\n", "a\nX\nc\n"),
        ("a\nb\nc\n", "b\nc\n", "a\nb\nc\nd\n", "b\nc\nd\n"),
        ("", "", "new\n", "new\n"),
        (
            "a\nb\nc\n",
            "a\nB\nc\n",
            "a\nX\nc\n",
            "a\n<<<<<<< yours\nB\n=======\nX\n>>>>>>> template 2\nc\n",
        ),
        ("a", "b", "c", "<<<<<<< yours\nb\n=======\nc\n>>>>>>> template 2\n"),
    ],
)
def test_two_changes_of_one_text(base, mine, theirs, wanted):
    assert merged(base, mine, theirs) == wanted


@given(base=LINES, mine=LINES)
def test_a_side_without_changes_leaves_the_other(base, mine):
    assert merged(base, mine, base) == mine
    assert merged(base, base, mine) == mine
    assert merged(base, mine, mine) == mine


@given(base=LINES, mine=LINES, theirs=LINES)
def test_no_line_of_either_side_gets_lost(base, mine, theirs):
    chunks = merge_texts(base, mine, theirs)
    kept = [line for chunk in chunks for line in (*chunk.mine, *(chunk.theirs or ()))]
    for line in set(mine.splitlines(keepends=True)) - set(base.splitlines(keepends=True)):
        assert kept.count(line) >= mine.count(line)
    for line in set(theirs.splitlines(keepends=True)) - set(base.splitlines(keepends=True)):
        assert line in kept


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_changes_far_apart_are_merged_as_git_does(tmp_path):
    base = [f"line {n}\n" for n in range(30)]
    mine, theirs = base.copy(), base.copy()
    mine[3:5] = ["mine\n"]
    mine.insert(20, "more\n")
    theirs[10] = "theirs\n"
    del theirs[26:28]
    for name, lines in (("base", base), ("mine", mine), ("theirs", theirs)):
        (tmp_path / name).write_text("".join(lines))
    command = ["git", "merge-file", "-p", "mine", "base", "theirs"]
    theirs_merged = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert merged("".join(base), "".join(mine), "".join(theirs)) == theirs_merged
