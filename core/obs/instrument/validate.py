"""Does a plugin hold to the contract? Both sides of a mismatch are named."""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from obs.instrument.instrument import FilterDefinition, Instrument
from obs.instrument.translator import Translator

__all__ = ["contract_faults"]

_FIELDS: dict[str, tuple[Any, str]] = {
    "name": (str, "a str"),
    "folder": (Path, "a pathlib.Path"),
    "policy": (str, "a str, relative to folder"),
    "camera": (str, "a str, relative to folder"),
    "config": (str, "a str, relative to folder"),
    "filters": (tuple, "a tuple of FilterDefinition"),
    "exposure_id_bits": (int, "an int"),
    "detector": (str, "a template such as '%(detector)d'"),
    "translator": ((str, Translator, type(None)), "a reference 'package.module:name', a Translator, or None"),
    "mapper_names": (tuple, "a tuple of str"),
    "readers": (Mapping, "a mapping from dataset type to 'package.module:function'"),
    "isr": ((str, type(None)), "a reference 'package.module:function' or None"),
    "raw_dataset_type": (str, "a str"),
}


def contract_faults(instrument: object, *, entry_point: str | None = None) -> list[str]:
    """Return what is wrong with a plugin's object, in words; empty if nothing is. Reads no file.

    Parameters
    ----------
    instrument : object
        What the entry point gave.
    entry_point : str, optional
        Name of the entry point, with which the instrument's name must agree.
    """
    if not isinstance(instrument, Instrument):
        return [f"the entry point gives {_describe(instrument)}; expected an obs Instrument"]
    faults = [
        f"{name} is {_describe(getattr(instrument, name))}; expected {wanted}"
        for name, (kind, wanted) in _FIELDS.items()
        if not isinstance(getattr(instrument, name), kind)
    ]
    return faults or list(_value_faults(instrument, entry_point))


def _value_faults(instrument: Instrument, entry_point: str | None) -> Iterator[str]:
    if entry_point is not None and instrument.name != entry_point:
        yield f"the entry point is called '{entry_point}' but the Instrument '{instrument.name}'; they must agree"
    if not instrument.folder.is_absolute():
        yield f"folder is '{instrument.folder}'; expected an absolute path, such as Path(__file__).parent"
    if not 1 <= instrument.exposure_id_bits <= 48:
        yield f"exposure_id_bits is {instrument.exposure_id_bits}; expected 1 to 48, the rest numbers sources"
    yield from _call_faults("exposure_id", instrument.exposure_id)
    for reference in (instrument.translator, instrument.isr, *instrument.readers.values()):
        if isinstance(reference, Translator | None):
            continue
        if not isinstance(reference, str) or reference.count(":") != 1:
            yield f"{_describe(reference)} is not a reference; expected 'package.module:name'"
    names: dict[str, str] = {}
    for known in instrument.filters:
        if not isinstance(known, FilterDefinition):
            yield f"filters holds {_describe(known)}; expected FilterDefinition"
            continue
        for name in (known.physical_filter, *known.aliases):
            if name in names:
                yield f"the filter name '{name}' belongs to '{names[name]}' and to '{known.physical_filter}'; keep one"
            names[name] = known.physical_filter


def _call_faults(name: str, function: object) -> Iterator[str]:
    """Yield a fault if ``function`` cannot be called with one data ID."""
    if isinstance(function, str):
        if function.count(":") != 1:
            yield f"{name} is '{function}'; expected a function or 'package.module:function'"
        return
    if not callable(function):
        yield f"{name} is {_describe(function)}; expected a function or 'package.module:function'"
        return
    signature = inspect.signature(function)
    try:
        signature.bind({})
    except TypeError:
        yield f"{name} is defined as {name}{signature}; the contract calls {name}(data_id)"


def _describe(value: object) -> str:
    return (
        f"{value!r} ({type(value).__name__})" if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    )
