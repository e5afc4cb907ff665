"""Data IDs: the keys and values that name one dataset, or a set of them on the command line."""

import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product
from typing import Any, TypeAlias

from obs.errors import DataIdError, suggest

__all__ = ["DataId", "DataIdValue", "cast_data_id", "cast_value", "format_data_id", "parse_ids"]

DataIdValue: TypeAlias = int | float | str
DataId: TypeAlias = dict[str, DataIdValue]

_RANGE = re.compile(r"(\d+)\.\.(\d+)(?::(\d+))?")
#: More data IDs than this from one ``--id`` are a slip of the finger, not a night's work.
_MAX_DATA_IDS = 1_000_000
#: Largest integer of a data ID: databases keep 63 bits.
_LARGEST = 10**18
_SHOWN = 40
_KIND = {int: "an integer", float: "a number", str: "text"}


def format_data_id(data_id: Mapping[str, Any]) -> str:
    """Return ``visit=1228 detector=49``, in the order of the keys."""
    return " ".join(f"{key}={value}" for key, value in data_id.items())


def cast_value(key: str, value: Any, kind: type) -> DataIdValue:  # noqa: ANN401 - what it may be is the question
    """Return ``value`` as ``kind`` (int, float or str).

    Parameters
    ----------
    key : str
        Name of the key, for the error.
    value : object
        Value. Texts of numbers are read; logical values and None are refused.
    kind : type
        ``int``, ``float`` or ``str``.

    Raises
    ------
    DataIdError
        If the value cannot be read as that type without loss.
    """
    try:
        if isinstance(value, bool) or value is None:
            raise TypeError
        if kind is int:
            whole = int(value) if isinstance(value, str) else operator.index(value)
            if abs(whole) > _LARGEST:
                raise DataIdError(f"{key}={str(whole)[:_SHOWN]}: {key} must be below 10^18", key=key)
            return whole
        return float(value) if kind is float else str(value)
    except DataIdError:
        raise
    except (TypeError, ValueError):
        raise DataIdError(f"{key}={str(value)[:_SHOWN]}: {key} must be {_KIND[kind]}", key=key) from None


def cast_data_id(data_id: Mapping[str, Any], key_types: Mapping[str, type]) -> DataId:
    """Return the data ID with every value as its key's type; keys without a type keep their value.

    Parameters
    ----------
    data_id : mapping
        Keys and values.
    key_types : mapping of str to type
        Key to ``int``, ``float`` or ``str``.

    Raises
    ------
    DataIdError
        If a value cannot be read as the type of its key.
    """
    return {
        key: cast_value(key, value, key_types[key]) if key in key_types else value for key, value in data_id.items()
    }


def parse_ids(tokens: Sequence[str], key_types: Mapping[str, type]) -> list[DataId]:
    """Read the ``KEY=VALUE`` words of one ``--id``.

    ``a^b`` are alternatives, ``2..8`` and ``2..8:2`` inclusive ranges, and both can be joined: ``1^4..6``. Several keys
    give every combination, the first key varying slowest.

    Parameters
    ----------
    tokens : sequence of str
        The words; none stands for every data ID and gives one empty data ID.
    key_types : mapping of str to type
        The allowed keys and their types.

    Returns
    -------
    list of dict
        The data IDs.

    Raises
    ------
    DataIdError
        For a word without ``=``, an unknown or repeated key, an empty range, or a value of another type.
    """
    choices: dict[str, list[DataIdValue]] = {}
    for token in tokens:
        key, equals, text = token.partition("=")
        if not equals or not key or not text:
            raise DataIdError(f"--id takes KEY=VALUE, got '{token}'", key=key or None)
        if key in choices:
            raise DataIdError(f"--id has the key '{key}' twice; write {key}=A^B for alternatives", key=key)
        if key not in key_types:
            allowed = ", ".join(key_types)
            raise DataIdError(f"unknown key '{key}' in --id{suggest(key, key_types)}; keys: {allowed}", key=key)
        choices[key] = [cast_value(key, value, key_types[key]) for value in _alternatives(key, text)]
    data_ids = [
        dict(zip(choices, values, strict=True)) for values in islice(product(*choices.values()), _MAX_DATA_IDS + 1)
    ]
    if len(data_ids) > _MAX_DATA_IDS:
        raise DataIdError(f"--id {' '.join(tokens)} names more than {_MAX_DATA_IDS} data IDs; name fewer")
    return data_ids


def _alternatives(key: str, text: str) -> Iterable[str]:
    """Split ``1^4..6`` into its values; a value given twice counts once."""
    values: dict[str, None] = {}
    for part in text.split("^"):
        if not part:
            raise DataIdError(f"{key}={text}: there is an empty value beside '^'", key=key)
        match = _RANGE.fullmatch(part)
        if match is None:
            values[part] = None
            continue
        first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if step == 0 or last < first:
            raise DataIdError(f"{key}={part}: an empty range; write LOW..HIGH or LOW..HIGH:STEP", key=key)
        if (last - first) // step >= _MAX_DATA_IDS:
            raise DataIdError(f"{key}={part}: more than {_MAX_DATA_IDS} values; name fewer", key=key)
        values.update((str(value), None) for value in range(first, last + 1, step))
    return values
