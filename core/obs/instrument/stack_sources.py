"""What the Python files of a camera package of the LSST stack say in so many words: they are parsed, never run."""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import FileFormatError
from obs.instrument.instrument import FilterDefinition
from obs.small_file import read_small_text

__all__ = ["read_filters", "read_ingest_settings"]

#: Calls that define a filter, by the names of their arguments for its name, its wavelength and its other names.
_FILTER_CALLS = {
    "FilterDefinition": (("physical_filter", "band", "lambdaEff"), "physical_filter", "alias"),
    "defineFilter": (("name", "lambdaEff", "alias"), "name", "alias"),
}
_INGEST = ("parse.translation", "parse.defaults", "register.columns", "register.unique", "register.visit")


def read_filters(folder: Path) -> tuple[FilterDefinition, ...]:
    """Return the filters that the Python files below a folder define by plain values.

    Parameters
    ----------
    folder : Path
        Such as ``python/lsst/obs/mycam`` of the package.
    """
    found: dict[str, FilterDefinition] = {}
    taken: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        for arguments, (_, name_key, alias_key) in _filter_calls(path):
            name = str(arguments.get(name_key) or arguments.get("afw_name") or "")
            given = arguments.get(alias_key) or ()
            others = [given] if isinstance(given, str) else list(given) if isinstance(given, list | set | tuple) else []
            wavelength = arguments.get("lambdaEff")
            if not name or name in taken:
                continue
            aliases = tuple(sorted({str(other) for other in others} - taken - {name}))
            taken |= {name, *aliases}
            is_known = isinstance(wavelength, int | float) and wavelength > 0
            found[name] = FilterDefinition(
                physical_filter=name,
                band=str(arguments.get("band") or name),
                aliases=aliases,
                effective_wavelength=float(wavelength) if is_known else math.nan,  # type: ignore[arg-type]
            )
    return tuple(found.values())


def _filter_calls(path: Path) -> Iterator[tuple[dict[str, Any], tuple[tuple[str, ...], str, str]]]:
    for node in ast.walk(_parse(path)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if (call := _FILTER_CALLS.get(name)) is not None:
            pairs = [*zip(call[0], node.args, strict=False), *((word.arg, word.value) for word in node.keywords)]
            values = {key: value for key, given in pairs if key and (value := _literal(given)) is not None}
            yield values, call


def read_ingest_settings(path: Path) -> dict[str, Any]:
    """Return the tables of ``config/ingest.py``, as far as they are plain values.

    Parameters
    ----------
    path : Path
        The file; one that is not there sets nothing.

    Returns
    -------
    dict
        The settings by their names, such as ``register.columns``.
    """
    found: dict[str, Any] = {}
    for node in _parse(path).body if path.is_file() else ():
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            name = ast.unparse(node.targets[0]).partition(".")[2]
            value = _literal(node.value)
            if name in _INGEST and isinstance(value, Mapping | Sequence):
                found[name] = value
    return found


def _literal(node: ast.expr) -> Any:  # noqa: ANN401 - any literal
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _parse(path: Path) -> ast.Module:
    """Return the statements of a file; none where it is not Python of today."""
    try:
        return ast.parse(read_small_text(path, error=FileFormatError))
    except (SyntaxError, ValueError, FileFormatError):
        return ast.Module([], [])
