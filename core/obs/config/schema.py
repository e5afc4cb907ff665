"""The fields of a configuration class by their dotted names, and what each wants, in words."""

from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from obs.config.base import TaskConfig

__all__ = ["comment", "describe_type", "dump_yaml", "iterate_fields", "one_line_text", "section_class"]

_LIMITS = {
    annotated_types.Ge: ">=",
    annotated_types.Gt: ">",
    annotated_types.Le: "<=",
    annotated_types.Lt: "<",
}
_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "none",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}
_PLURALS: dict[Any, str] = {int: "whole numbers", float: "numbers", str: "texts"}


def section_class(field: FieldInfo) -> type[BaseModel] | None:
    """Return the configuration class of a field that is a section, else None."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and get_origin(field.annotation) in (None, UnionType):
            return kind
    return None


def iterate_fields(config_class: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield dotted name and declaration of every field that holds a value, sections unfolded, in order.

    Parameters
    ----------
    config_class : type
        Configuration class.
    prefix : str, default: ""
        Text before each name.

    Yields
    ------
    name : str
        Full name, with the prefix.
    field : FieldInfo
        Declaration.
    """
    for name, field in config_class.model_fields.items():
        section = section_class(field)
        if section is None:
            yield prefix + name, field
        else:
            yield from iterate_fields(section, f"{prefix}{name}.")


def describe_type(field: FieldInfo) -> str:
    """Return in words what a field takes, for example ``a whole number >= 1``."""
    lengths = [
        f"with at least {limit.min_length} {'characters' if field.annotation is str else 'items'}"
        for limit in field.metadata
        if isinstance(limit, annotated_types.MinLen)
    ]
    kind, none, _ = _kind_in_words(field.annotation).partition(" or none")
    return " ".join(part for part in (kind, _limits_in_words(field.metadata), *lengths) if part) + none


def _limits_in_words(metadata: Iterable[object]) -> str:
    return " and ".join(
        f"{sign} {getattr(limit, kind.__name__.lower()):g}"
        for limit in metadata
        for kind, sign in _LIMITS.items()
        if isinstance(limit, kind)
    )


def _kind_in_words(kind: Any) -> str:  # noqa: ANN401 - an annotation can be any object
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(repr(value) for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_kind_in_words(argument) for argument in arguments)
    if origin in (list, tuple) and arguments:
        items = dict.fromkeys(argument for argument in arguments if argument is not Ellipsis)
        return "a list of " + " or ".join(map(_plural_in_words, items))
    return _WORDS.get(origin or kind, getattr(kind, "__name__", str(kind)))


def _plural_in_words(kind: Any) -> str:  # noqa: ANN401 - an annotation can be any object
    if get_origin(kind) is Literal:
        return ", ".join(repr(value) for value in get_args(kind))
    if get_origin(kind) is Annotated:
        kind, *metadata = get_args(kind)
        return f"{_plural_in_words(kind)} {_limits_in_words(metadata)}"
    return _PLURALS.get(kind, getattr(kind, "__name__", str(kind)))


def comment(field: FieldInfo) -> str:
    """Return description, unit and range of a field on one line."""
    extra = field.json_schema_extra
    unit = extra.get("unit") if isinstance(extra, dict) else None
    text = " ".join((field.description or "").split())
    return f"{text} [{unit}] ({describe_type(field)})" if unit else f"{text} ({describe_type(field)})"


class _OneLine(yaml.SafeDumper):
    """YAML without line breaks inside a text."""


_OneLine.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'
    ),
)


def one_line_text(value: object) -> str:
    """Return a value as it would be written behind ``-c name=``, in YAML on one line."""
    text = yaml.dump(
        _plain(value), Dumper=_OneLine, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def dump_yaml(config: TaskConfig) -> str:
    """Return a configuration as YAML with every field's description; `obs.config.layers` reads it back.

    Parameters
    ----------
    config : TaskConfig
        Settings.
    """
    return "\n".join(_dump_lines(config, "")) + "\n"


def _dump_lines(config: BaseModel, indent: str) -> Iterator[str]:
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        yield f"{indent}# {comment(field) if section_class(field) is None else field.description}"
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:"
            yield from _dump_lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {one_line_text(value)}"


def _plain(value: object) -> object:
    """Return ``value`` as YAML's plain types."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
