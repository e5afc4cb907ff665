"""YAML that remembers the line of every key.

One reader for all YAML that users write (policies, camera descriptions, configuration), so that a message about a
value can name file and line. Only plain data are built: tags that would make Python objects are refused.
"""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml
from yaml.constructor import ConstructorError

from obs.errors import ObsError
from obs.small_file import read_small_file

__all__ = ["YamlPath", "dump_yaml", "line_of", "load_yaml", "parse_yaml"]

#: Keys and list indices from the top of a document down to a value.
YamlPath = tuple[str | int, ...]

#: More values than this, aliases written out, are not settings.
_MOST_NODES = 5_000_000
_SEQUENCE = "tag:yaml.org,2002:seq"
_MERGE = "tag:yaml.org,2002:merge"
#: The C parser, where the wheel has it, is ten times faster.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
#: How bytes of a path that are not UTF-8 are written (PEP 383); the C parser refuses it.
_ESCAPED_BYTE = re.compile(rb"\\u[dD][cC][89a-fA-F]")


def dump_yaml(data: object, *, sort_keys: bool = False, allow_unicode: bool = False) -> str:
    """Return plain data as YAML.

    Parameters
    ----------
    data : object
        Mappings, lists and values as YAML has them.
    sort_keys : bool, default: False
        Whether keys are sorted.
    allow_unicode : bool, default: False
        Whether letters beyond ASCII are written as they are.
    """
    try:
        return str(yaml.dump(data, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=allow_unicode))
    except UnicodeEncodeError:
        # bytes of a path that are not UTF-8, which the C library refuses
        return str(yaml.dump(data, Dumper=yaml.SafeDumper, sort_keys=sort_keys, allow_unicode=allow_unicode))


class _ErrorClass(Protocol):
    """A class of `obs.errors` that takes a file and a line."""

    def __call__(self, message: str, *, path: Path | str | None = ..., line: int | None = ...) -> ObsError: ...


def load_yaml(
    path: Path | str, *, error: _ErrorClass, repeated_are_lists: bool = False
) -> tuple[Any, dict[YamlPath, int]]:
    """Read a YAML file with the lines of its keys.

    Parameters
    ----------
    path : Path or str
        The file.
    error : type
        Class of the exception to raise, for example `obs.errors.PolicyError`.
    repeated_are_lists : bool, default: False
        Take a key that is there several times for a list, as in files that were another format before; else it is a
        fault.

    Returns
    -------
    data
        Plain data: dict, list, str, int, float, bool, date or None (an empty file).
    lines
        For the path of every key and list item, its line, counted from 1. Ask with `line_of`.

    Raises
    ------
    ObsError
        ``error``, for a file that cannot be read, is not valid YAML, or has a key twice; with file and line.
    """
    text = read_small_file(path, error=error)
    return parse_yaml(text, error=error, path=path, repeated_are_lists=repeated_are_lists)


def parse_yaml(
    text: bytes | str, *, error: _ErrorClass, path: Path | str = "<text>", repeated_are_lists: bool = False
) -> tuple[Any, dict[YamlPath, int]]:
    """Read YAML from memory; ``path`` is only named in messages. See `load_yaml`.

    Parameters
    ----------
    text : bytes or str
        YAML.
    error : type
        Class of the error to raise.
    path : Path or str, default: "<text>"
        Name for messages.
    repeated_are_lists : bool, default: False
        Whether the values of a key that is repeated become a list.

    Returns
    -------
    data : object
        Content as plain data.
    lines : dict of tuple to int
        Line, from 1, of the value at each path of keys.

    Raises
    ------
    ObsError
        ``error``, for text that is not YAML or nested too deeply.
    """
    loader = None
    try:
        encoded = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        loader = (yaml.SafeLoader if _ESCAPED_BYTE.search(encoded) else _Loader)(text)
        root = loader.get_single_node()
        if root is None:
            return None, {(): 1}
        if repeated_are_lists:
            _join_repeated(root)
        _refuse_duplicates(root)
        _count_nodes(root, {})
        data = loader.construct_document(root)
        lines: dict[YamlPath, int] = {(): 1}
        _record_lines(loader, root, (), lines, set())
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
        reason = getattr(problem, "problem", None) or getattr(problem, "reason", None) or str(problem).split("\n")[0]
        raise error(f"invalid YAML: {reason}", path=path, line=None if mark is None else mark.line + 1) from None
    except RecursionError:
        raise error("invalid YAML: nested too deeply", path=path) from None
    except Exception as problem:  # noqa: BLE001 - such as 2020-13-45 or !!timestamp 2020: each tag fails in its own way
        reason = str(problem) if isinstance(problem, ValueError) else "a value does not agree with its tag"
        raise error(f"invalid YAML: {reason}", path=path) from None
    finally:
        if loader is not None:
            loader.dispose()
    return data, lines


def line_of(lines: Mapping[YamlPath, int], path: YamlPath) -> int | None:
    """Return the line of the value at ``path``, or of the nearest thing around it whose line is known.

    Parameters
    ----------
    lines : mapping of tuple to int
        Line of each path, as of `load_yaml`.
    path : tuple
        Keys and indices from the outermost one.
    """
    for end in range(len(path), -1, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None


def _refuse_duplicates(root: yaml.Node) -> None:
    """Raise YAML's own error where a mapping has a key twice; YAML would silently keep the last."""
    waiting, known = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            first: dict[Hashable, int] = {}
            for key, value in node.value:
                waiting.append(value)
                if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                    continue
                line, name = key.start_mark.line + 1, (key.tag, key.value)
                if name in first:
                    text = f"the key '{key.value}' is already on line {first[name]}"
                    raise ConstructorError(None, None, text, key.start_mark)
                first[name] = line


def _join_repeated(root: yaml.Node) -> None:
    """Make one list of the plain values of each key that is there several times."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, yaml.MappingNode):
            continue
        joined: dict[str, tuple[yaml.Node, list[yaml.Node]]] = {}
        for key, value in node.value:
            joined.setdefault(key.value if isinstance(value, yaml.ScalarNode) else str(id(key)), (key, []))[1].append(
                value
            )
            waiting.append(value)
        node.value = [
            (key, values[0] if len(values) == 1 else yaml.SequenceNode(_SEQUENCE, values, values[0].start_mark))
            for key, values in joined.values()
        ]


def _count_nodes(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node stands for, aliases written out; refuse one that contains itself, or too many."""
    if id(node) in known:
        if not known[id(node)]:
            raise ConstructorError(None, None, "an alias contains itself", node.start_mark)
        return known[id(node)]
    known[id(node)] = 0
    count = 1
    if isinstance(node, yaml.SequenceNode):
        count += sum(_count_nodes(item, known) for item in node.value)
    elif isinstance(node, yaml.MappingNode):
        count += sum(_count_nodes(key, known) + _count_nodes(value, known) for key, value in node.value)
    if count > _MOST_NODES:
        raise ConstructorError(None, None, f"its aliases expand to more than {_MOST_NODES} values", node.start_mark)
    known[id(node)] = count
    return count


def _record_lines(
    loader: yaml.SafeLoader, node: yaml.Node, path: YamlPath, lines: dict[YamlPath, int], known: set[int]
) -> None:
    """Fill ``lines`` below ``path``; what an alias repeats is described only at its first place."""
    if id(node) in known:
        return
    known.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            _record_lines(loader, item, (*path, index), lines, known)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            step = (*path, loader.construct_object(key, deep=True))
            lines[step] = key.start_mark.line + 1
            _record_lines(loader, value, step, lines, known)
