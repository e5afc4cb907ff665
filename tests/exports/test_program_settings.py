"""Names of images, which may come from headers, are words of the commands that are printed, and run nothing."""

import shlex

import pytest

from obs.exports.program_settings import PROGRAM_FILES, run_lines


@pytest.mark.parametrize("program", sorted(PROGRAM_FILES))
@pytest.mark.parametrize("name", ["$(touch x)", "a b;id", "`id`", "a'b", "-rf", "a|b", "a\nid"])
def test_a_shell_takes_names_as_they_are(program, name):
    words = [word for line in run_lines(program, [(name, 27.0, 3.0)], {f"{name}.reg"}) for word in shlex.split(line)]
    mine = [word for word in words if name in word]
    assert all(word.removeprefix("./").startswith(f"{name}.") for word in mine)
    assert bool(mine) == (program != "siril")
    assert not [word for word in words if word.startswith(name) and name.startswith("-")]
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.0123456789")
    assert not [word for word in words if word not in mine and set(word) - allowed]
