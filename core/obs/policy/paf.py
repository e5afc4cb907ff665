"""Policies in the format that the LSST stack had before YAML.

A file begins with ``#<?cfg paf policy ?>``. ``name: value`` sets a value, ``name: { ... }`` a mapping; a repeated name,
and several values behind one name, make a list. Texts are quoted or bare, ``#`` begins a comment.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from obs.errors import PolicyError
from obs.frozen import frozen
from obs.small_file import read_small_text
from obs.yaml_lines import YamlPath

__all__ = ["is_paf", "load_paf", "was_paf"]

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<open>\{)|(?P<close>\})
    |(?P<quoted>"[^"\n]*"|'[^'\n]*')|(?P<name>[A-Za-z_][\w.]*[ \t]*:(?=[\s{"'@]))|(?P<comma>,)
    |(?P<bare>[^\s{}"',\#]+)""",
    re.VERBOSE,
)
_FIRST = b"#<?cfg paf policy"
_NUMBER = re.compile(r"[+-]?\d+")
_WORDS = {"true": True, "false": False}


@frozen
class _Token:
    kind: str
    text: str
    line: int


def is_paf(path: Path | str) -> bool:
    """Return whether a file name is that of such a policy."""
    return Path(path).suffix == ".paf"


def was_paf(path: Path | str) -> bool:
    """Return whether a YAML file was such a policy before, as its first line says; then keys are repeated there."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_FIRST)) == _FIRST
    except OSError:  # for the reader to say
        return False


def load_paf(path: Path | str) -> tuple[dict[str, Any], dict[YamlPath, int]]:
    """Read a policy as plain data, and the line of each key, as `obs.yaml_lines.load_yaml` gives both.

    Parameters
    ----------
    path : Path or str
        Policy in the format that the LSST stack had before YAML.

    Raises
    ------
    PolicyError
        For a file that cannot be read or a fault in it, with file and line.
    """
    text = read_small_text(path, error=PolicyError)
    lines: dict[YamlPath, int] = {}
    tokens = list(_tokens(text, path))
    data, end = _read_mapping(tokens, 0, (), lines, path)
    if end < len(tokens):
        raise PolicyError("'}' without a '{' before it", path=path, line=tokens[end].line)
    return data, lines


def _tokens(text: str, path: Path | str) -> Iterator[_Token]:
    place, line = 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise PolicyError(f"cannot read {text[place : place + 20].splitlines()[0]!r} here", path=path, line=line)
        if match.lastgroup not in ("space", "comment", "newline", "comma"):
            yield _Token(match.lastgroup, match[0], line)
        line += match[0].count("\n")
        place = match.end()


def _read_mapping(
    tokens: list[_Token], place: int, where: YamlPath, lines: dict[YamlPath, int], path: Path | str
) -> tuple[dict[str, Any], int]:
    """Read names and values up to the closing bracket or the end, and return where that is."""
    data: dict[str, Any] = {}
    while place < len(tokens) and tokens[place].kind != "close":
        token = tokens[place]
        if token.kind != "name":
            raise PolicyError(f"expected a name such as 'template:', got {token.text!r}", path=path, line=token.line)
        name, place = token.text.rstrip()[:-1].rstrip(), place + 1
        lines.setdefault((*where, name), token.line)
        values: list[Any] = []
        while place < len(tokens) and tokens[place].kind in ("open", "quoted", "bare"):
            value, place = _read_value(tokens, place, (*where, name), lines, path)
            values.append(value)
        if not values:
            raise PolicyError("a value is missing", path=path, line=token.line, key=".".join(map(str, (*where, name))))
        _add(data, name.split("."), values)
    return data, place


def _read_value(
    tokens: list[_Token], place: int, where: YamlPath, lines: dict[YamlPath, int], path: Path | str
) -> tuple[Any, int]:
    token = tokens[place]
    if token.kind == "quoted":
        return token.text[1:-1], place + 1
    if token.kind == "bare":
        return _plain(token.text), place + 1
    value, end = _read_mapping(tokens, place + 1, where, lines, path)
    if end == len(tokens):
        raise PolicyError("'{' is never closed", path=path, line=token.line)
    return value, end + 1


def _plain(text: str) -> Any:  # noqa: ANN401 - any plain value
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


def _add(data: dict[str, Any], names: list[str], values: list[Any]) -> None:
    """Set a value, below the names that stand before a point; a name that comes again makes a list."""
    *above, last = names
    for name in above:
        data = data.setdefault(name, {})
    if last not in data:
        data[last] = values[0] if len(values) == 1 else values
        return
    held = data[last]
    data[last] = [*(held if isinstance(held, list) else [held]), *values]
