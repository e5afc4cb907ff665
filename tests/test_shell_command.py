"""Commands that messages tell a user to copy do what they say, whatever the names in them are."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import obs as package
from obs.shell_command import shell_command

#: The beginning of a command in a text, up to where a sentence ends, with its values in braces.
_COMMAND = re.compile(
    r"\bobs (?:ls|skymap|coadd|ingest|get|where|display|verify|calibs|process|report|query|log)\b[^;,]*"
)
_PATHS = re.compile(r"\{[^}]*\b(?:root|roots|output|places?|folder|path|repo)\b[^}]*\}")


@pytest.mark.parametrize(
    "name", ["a b", "x; rm -rf y", "$(touch z)", "`id`", "it's", 'say "x"', "two\nlines", "*", "~"]
)
def test_a_shell_takes_each_word_as_one(name):
    assert shlex.split(shell_command("obs", "ls", Path(name), "raw")) == ["obs", "ls", name, "raw"]


def test_no_message_has_a_command_with_a_bare_path():
    found = []
    for path in Path(package.__file__).parent.rglob("*.py"):
        text = path.read_text()
        if not re.search(r"obs [a-z]+ \{", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.JoinedStr):
                parts = (x.value if isinstance(x, ast.Constant) else f"{{{ast.unparse(x)}}}" for x in node.values)
                commands = _COMMAND.findall("".join(map(str, parts)))
                found += [f"{path.name}:{node.lineno}: {words}" for words in commands if _PATHS.search(words)]
    # the commands of a report begin with a path that was quoted before
    assert [line for line in found if not line.startswith("page.py")] == []


def test_a_repository_with_a_hostile_name(tmp_path, obs):
    root = tmp_path / "x; touch $(echo y) 'z"
    status, out, _ = obs("init", root, "--camera", "necam")
    assert (status, shlex.split(out.split("fill it with: ")[1])) == (0, ["obs", "ingest", str(root), "FILES..."])
    status, _, err = obs("where", root, "raw", "--id", "visit=1")
    assert (status, shlex.split(err.split("fits; ")[1])[:4]) == (1, ["obs", "ls", str(root), "raw"])
