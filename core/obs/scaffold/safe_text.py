"""Answers and facts are data: none of their text may become code of the package that is written.

Answers come from the command line and from files. Facts come from headers of raw files, and from the answers file of a
package that somebody else has made. The template engine never evaluates them, and what the template writes between
quotes or into comments has neither quotes nor line breaks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from obs.errors import ConfigError
from obs.instrument.date_rules import DateRule
from obs.instrument.pointing_rules import PointingRule

__all__ = ["as_template_literal", "check_facts", "is_safe"]

#: Text that the template engine leaves alone.
_PLAIN = re.compile(r"[\w .,:;/+-]*")
#: What ends a string of Python, begins an expression in it, or ends a comment.
_UNSAFE = re.compile(r"[\"'\\{}`]")
_DETECTOR_TYPES = ("int", "str")
#: Facts that are regular expressions and formats of dates, of which the template knows these only.
_PATTERNS = ("", r"(\d+)$", r"(?<!\d)(\d{3,6})(?!\d)")
#: Facts that are written as they are where a number is wanted.
_NUMBERS = ("first", "size", "per_second", "add", "longitude", "latitude", "elevation", "rotation", "plate_scale")
#: Arguments of rules, whose names are written as they are.
_ARGUMENTS = frozenset(field.name for rule in (DateRule, PointingRule) for field in fields(rule))
#: Facts that are written into tables of data, or as JSON, only.
_DATA = ("headers", "files", "filters")


def as_template_literal(text: str) -> str:
    """Return a template that is rendered to ``text``, whatever that holds."""
    if _PLAIN.fullmatch(text):
        return text
    letters = "".join(f"\\U{ord(letter):08x}" for letter in text)
    return '{{ "' + letters + '" }}'


def check_facts(facts: Mapping[str, Any]) -> None:
    """Check that facts from raw files can be written into Python and YAML.

    Raises
    ------
    ConfigError
        For a text that could be code, or one where a number is wanted.
    """
    if facts.get("detector_type", "int") not in _DETECTOR_TYPES:
        raise ConfigError(f"detector_type = {facts['detector_type']!r} must be one of {', '.join(_DETECTOR_TYPES)}")
    for name, value in _leaves({key: value for key, value in facts.items() if key not in _DATA}):
        path = name.split(".")
        if path[-1] in _NUMBERS:
            _check_number(name, value)
        elif isinstance(value, str):
            _check_text(name, value, is_pattern=path[-1] == "pattern", is_code=path[0] == "translator")


def is_safe(text: str) -> bool:
    """Return whether a text of a header can be written into the package."""
    return bool(text) and text.isprintable() and _UNSAFE.search(text) is None


def _check_number(name: str, value: object) -> None:
    try:
        float(str(value) or 0)
    except ValueError:
        raise ConfigError(f"{name} = {value!r} is not a number") from None


def _check_text(name: str, text: str, *, is_pattern: bool, is_code: bool) -> None:
    if is_pattern:
        if text not in _PATTERNS:
            raise ConfigError(f"{name} = {text!r} is not one of the patterns that obs new writes")
    elif not text.isprintable():
        raise ConfigError(f"{name} = {text!r} has a line break or a control character")
    elif is_code and (match := _UNSAFE.search(text)):
        raise ConfigError(f"{name} = {text!r} cannot be written into the package: it has the character {match[0]}")


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Yield the name and value of everything in nested facts; keys are checked as text too."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if name.endswith(".options") and key not in _ARGUMENTS:
                raise ConfigError(f"{name}: {key!r} is not an argument of a rule")
            yield f"{name} (key)", str(key)
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value
