"""Metadata of the LSST stack as YAML: property sets and lists, as plain data."""

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from obs.errors import describe_fault
from obs.repo.yaml_fault import YamlFault

__all__ = ["is_lsst_yaml", "parse_lsst_yaml"]

_SET, _LIST = "lsst.daf.base.PropertySet", "lsst.daf.base.PropertyList"


class _Loader(yaml.SafeLoader):
    """Reads plain data, and the two classes of the stack."""


def _construct_set(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
    """Return the values of a set, each of which is written as its type and itself."""
    if not isinstance(node, yaml.MappingNode):
        raise ConstructorError(None, None, f"a {_SET} is a mapping", node.start_mark)
    data = loader.construct_mapping(node, deep=True)
    return {
        str(name): value[1] if isinstance(value, list) and len(value) == 2 else value for name, value in data.items()
    }


def _construct_list(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
    """Return the values of a list, whose entries are name, type, value and comment."""
    if not isinstance(node, yaml.SequenceNode):
        raise ConstructorError(None, None, f"a {_LIST} is a list", node.start_mark)
    entries = loader.construct_sequence(node, deep=True)
    return {str(entry[0]): entry[2] for entry in entries if isinstance(entry, list) and len(entry) > 2}


_Loader.add_constructor(_SET, _construct_set)
_Loader.add_constructor(_LIST, _construct_list)


def is_lsst_yaml(text: str) -> bool:
    """Return whether a text holds metadata of the stack."""
    return f"!<{_SET}>" in text or f"!<{_LIST}>" in text


def parse_lsst_yaml(text: str, path: Path) -> object:
    """Return the metadata as nested dicts.

    Parameters
    ----------
    text : str
        Content of the file.
    path : Path
        File, for the error.

    Raises
    ------
    FileFormatError
        If the text is not YAML, or holds objects of other classes.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        reason = getattr(error, "problem", None) or describe_fault(error, what="is not valid YAML")
        raise YamlFault(reason, path=path, line=line) from error
    finally:
        loader.dispose()
