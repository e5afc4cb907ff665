"""Where in a camera's package a fact stands: file, line, key."""

import ast
import inspect
import os
from collections.abc import Iterator
from pathlib import Path

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.errors import FileFormatError, ObsError
from obs.instrument.instrument import Instrument
from obs.instrument.rule_translator import RuleTranslator
from obs.instrument.translator import Translator
from obs.yaml_lines import line_of, load_yaml

__all__ = ["amplifier_place", "camera_place", "detector_place", "instrument_place", "shown", "translator_place"]

_TABLES = ("translation", "constants", "defaults")
_RULES = {
    **dict.fromkeys(("date_begin", "dateObs", "taiObs"), "dates"),
    **dict.fromkeys(("boresight_ra", "boresight_dec"), "pointings"),
    "filter": "filter_cards",
    "dataType": "image_type_cards",
}
"""Tables of a `RuleTranslator`, by what they tell."""


def shown(path: Path, line: int | None = None) -> str:
    """Return a path as the user can open it from where he is, with a line behind it.

    Parameters
    ----------
    path : Path
        File; it is shown relative to the present folder if it is below that.
    line : int, optional
        Line, from 1.
    """
    relative = os.path.relpath(path)
    text = str(path) if relative.startswith(os.pardir) else relative
    return text if line is None else f"{text}:{line}"


def amplifier_place(instrument: Instrument, detector: Detector, amp: Amplifier, column: str) -> str:
    """Return where a column of an amplifier stands.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    detector : Detector
        One of its detectors.
    amp : Amplifier
        One of its amplifiers.
    column : str
        Column of amplifiers.csv.
    """
    path = instrument.camera_folder / "amplifiers.csv"
    line = _row(path, {"detector": detector.name, "name": amp.name})
    return f"{shown(path, line)}, column {column} of amplifier '{amp.name}'"


def detector_place(instrument: Instrument, detector: Detector, column: str) -> str:
    """Return where a column of a detector stands.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    detector : Detector
        One of its detectors.
    column : str
        Column of detectors.csv.
    """
    path = instrument.camera_folder / "detectors.csv"
    return f"{shown(path, _row(path, {'name': detector.name}))}, column {column} of detector '{detector.name}'"


def camera_place(instrument: Instrument, key: str) -> str:
    """Return where a key of camera.yaml stands.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    key : str
        Key of camera.yaml at the top level.
    """
    path = instrument.camera_folder / "camera.yaml"
    try:
        line = line_of(load_yaml(path, error=_fault)[1], (key,))
    except ObsError:
        line = None
    return f"{shown(path, line)}, {key}"


def _fault(message: str, *, path: Path | str | None = None, line: int | None = None) -> FileFormatError:
    return FileFormatError(message, path=path)


def _row(path: Path, wanted: dict[str, str]) -> int | None:
    """Return the line of the row that has these cells."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    header: list[str] = []
    for number, text in enumerate(lines, 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        cells = [cell.strip() for cell in text.split(",")]
        if not header:
            header = cells
        elif wanted.items() <= dict(zip(header, cells, strict=False)).items():
            return number
    return None


def instrument_place(instrument: Instrument, argument: str) -> str:
    """Return where an argument of the `Instrument` stands.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    argument : str
        Name of the argument.
    """
    path = instrument.folder / "__init__.py"
    lines = [node.value.lineno for node in _nodes(path) if isinstance(node, ast.keyword) and node.arg == argument]
    return f"{shown(path, lines[0] if lines else None)}, {argument}"


def translator_place(translator: Translator, name: str) -> str:
    """Return where a translator says how a name is read: its method, or its row in a table; else the class.

    Parameters
    ----------
    translator : Translator
        The translator.
    name : str
        Column of the registry, or field of `VisitInfo`.
    """
    kind = type(translator)
    try:
        path = Path(str(inspect.getsourcefile(kind)))
    except (TypeError, OSError):
        return f"the translator {kind.__name__}"
    table = _RULES.get(name, "") if isinstance(translator, RuleTranslator) else ""
    if table and (number := _attribute_line(path, table)) is not None:
        return f"{shown(path, number)}, {table}"
    method = translator.translators.get(name, f"translate_{name}")
    line = None
    for node in _nodes(path):
        if isinstance(node, ast.FunctionDef) and node.name == method:
            return f"{shown(path, node.lineno)}, {method}"
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            line = node.lineno
    for table in _TABLES:
        found = _table_line(path, table, name)
        if found is not None:
            return f"{shown(path, found)}, {table}['{name}']"
    return f"{shown(path, line)}, the table translation of {kind.__name__}"


def _attribute_line(path: Path, name: str) -> int | None:
    for node in _nodes(path):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return node.lineno
    return None


def _table_line(path: Path, table: str, name: str) -> int | None:
    for node in _nodes(path):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = [target.id for target in targets if isinstance(target, ast.Name)]
        if table in named and isinstance(node.value, ast.Dict):
            for key in node.value.keys:
                if isinstance(key, ast.Constant) and key.value == name:
                    return key.lineno
    return None


def _nodes(path: Path) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(path.read_bytes()))
    except (OSError, SyntaxError, ValueError):
        return
