"""What can be wrong with a camera whose `Instrument` is at hand; `obs check` and `obs.testing` ask the same here."""

import ast
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from obs.camera.load import find_camera_faults
from obs.checks.dated_tables import dated_table_faults
from obs.checks.exposure_numbers import exposure_number_faults
from obs.checks.geometry import geometry_faults
from obs.checks.problem import Problem, last_place
from obs.checks.templates import template_faults
from obs.coadds.catalog_config import CoaddCatalogConfig
from obs.coadds.config import CoaddConfig
from obs.config.base import TaskConfig
from obs.config.earlier_names import EARLIER_PROCESS_NAMES, EARLIER_SIMULATE_NAMES
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import CALIBS_NAMES, CATALOG_NAMES, PROCESS_NAMES
from obs.errors import ConfigError, ObsError, PolicyError, place, suggest
from obs.ingest.translation import load_translator
from obs.instrument.instrument import Instrument
from obs.instrument.validate import contract_faults
from obs.metrics.gates import load_gates
from obs.policy.dataset_type import Template
from obs.policy.policy import find_policy_faults
from obs.simulator.config import SimulateConfig
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.difference.config import DifferenceConfig
from obs.tasks.forced.config import ForcedConfig
from obs.tasks.process_config import ProcessConfig
from obs.tasks.relative.config import CalibrateVisitsConfig
from obs.yaml_lines import line_of, load_yaml

__all__ = ["PARTS", "check_instrument"]

#: Files of settings that a camera can have: the class of each, and other names of its settings.
_CONFIGS: dict[str, tuple[type[TaskConfig], Mapping[str, str]]] = {
    "process": (ProcessConfig, PROCESS_NAMES | EARLIER_PROCESS_NAMES),
    "calibs": (CalibsConfig, CALIBS_NAMES),
    "calibrateVisits": (CalibrateVisitsConfig, {}),
    "coadd": (CoaddConfig, {}),
    "coaddCatalog": (CoaddCatalogConfig, CATALOG_NAMES | EARLIER_PROCESS_NAMES),
    "forced": (ForcedConfig, {}),
    "difference": (DifferenceConfig, {}),
    "simulate": (SimulateConfig, EARLIER_SIMULATE_NAMES),
}
_GATES = "gates"


def check_instrument(instrument: object, name: str, folder: Path | None = None) -> list[Problem]:
    """Check what a camera's package gives for its entry point.

    Parameters
    ----------
    instrument : object
        What it gave.
    name : str
        Name of the entry point.
    folder : Path, optional
        Folder of the Python package that defines it; that of the Instrument if None.

    Returns
    -------
    list of Problem
        What is wrong; empty if nothing is.
    """
    if folder is None and isinstance(instrument, Instrument):
        folder = Path(instrument.folder)
    module_file = None if folder is None else folder / "__init__.py"
    faults = contract_faults(instrument, entry_point=name)
    if faults or not isinstance(instrument, Instrument):
        return [Problem("contract", f"{_keyword_place(module_file, fault)}{fault}") for fault in faults]
    problems = []
    for part, check in _CHECKS.items():
        try:
            problems += [Problem(part, message) for message in check(instrument)]
        except ObsError as error:
            # What a table or a setting lacks is reported once, by the part that it belongs to.
            if not any(str(error) in known.message for known in problems):
                problems.append(Problem(part, f"{_place_of(error, instrument)}{error}"))
        except Exception as error:  # noqa: BLE001 - a package can fail in any way
            message = f"{last_place(error, instrument.folder)}{type(error).__name__}: {error}"
            problems.append(Problem(part, message))
    return problems


def _place_of(error: ObsError, instrument: Instrument) -> str:
    """Return where to fix an error that does not say it itself."""
    if error.__cause__ is not None and (where := last_place(error.__cause__, instrument.folder)):
        return where
    if getattr(error, "path", None) is not None:
        return ""
    return _keyword_place(instrument.folder / "__init__.py", str(error))


def _keyword_place(path: Path | None, message: str) -> str:
    """Return file and line of the argument of ``Instrument(...)`` that a message speaks of, else of the call."""
    if path is None or not path.is_file():
        return ""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Instrument"
    ]
    if not calls:
        return place(path)
    arguments = {keyword.arg: keyword.value.lineno for keyword in calls[0].keywords if keyword.arg is not None}
    texts = {keyword.arg: ast.unparse(keyword.value) for keyword in calls[0].keywords if keyword.arg is not None}
    words = message.replace("'", " ").replace(":", " ").split()
    named = next((name for name in arguments if {name, name.removesuffix("s")} & set(words[:2])), None)
    quoted = next((name for name, text in texts.items() if len(text) > 2 and text.strip("'") in message), None)
    return place(path, arguments.get(named or quoted or "", calls[0].lineno))


def _check_policy(instrument: Instrument) -> Iterator[str]:
    if faults := find_policy_faults(instrument.policy_path):
        yield from map(str, faults)
        return
    policy = instrument.load_policy()
    raw = policy.dataset_types.get(instrument.raw_dataset_type)
    if raw is None or raw.template is None:
        yield f"{policy.path}: the dataset type '{instrument.raw_dataset_type}' has no template; add it to exposures"
        return
    if policy.camera is not None and policy.camera.resolve() != instrument.camera_folder.resolve():
        where = place(policy.path, line_of(load_yaml(policy.path, error=PolicyError)[1], ("camera",)))
        yield f"{where}camera is {policy.camera}, in the Instrument {instrument.camera_folder}; make them agree"
    missing = set(Template(instrument.detector).keys) - raw.keys.keys()
    if missing and "hdu" not in raw.keys and len(instrument.load_camera()) > 1:
        yield (
            f"{place(policy.path, raw.line)}the template of raw does not contain {', '.join(sorted(missing))}, so "
            "that detectors share a file; add it"
        )
    for name in instrument.readers:
        if name not in policy.dataset_types:
            hint = suggest(name, policy.dataset_types)
            yield f"{_keyword_place(instrument.folder / '__init__.py', 'readers')}no dataset type '{name}'{hint}"


def _check_templates(instrument: Instrument) -> Iterator[str]:
    yield from template_faults(instrument, instrument.load_policy())


def _check_camera(instrument: Instrument) -> Iterator[str]:
    yield from map(str, find_camera_faults(instrument.camera_folder))


def _check_geometry(instrument: Instrument) -> Iterator[str]:
    yield from geometry_faults(instrument.load_camera(), instrument.camera_folder)


def _check_translator(instrument: Instrument) -> Iterator[str]:
    if instrument.translator is None:
        return
    kind: Any = instrument.translator
    if isinstance(kind, str):
        kind = instrument.load(kind)
    if instrument.raw_dataset_type != "raw":
        return  # the frames are not ingested
    translator, where = load_translator(instrument), _class_place(kind)
    columns = {**translator.columns, "hdu": int} if translator.extensions else dict(translator.columns)
    if lacking := [name for name in (*translator.unique, *translator.visit) if name not in columns]:
        yield f"{where}{', '.join(lacking)} in unique or visit, but not in columns; add it there"
    policy = instrument.load_policy()
    raw = policy.dataset_types[instrument.raw_dataset_type]
    if lacking := sorted(set(raw.keys) - set(columns)):
        written = place(policy.path, raw.line).rstrip(": ")
        yield f"{where}the template of raw needs {', '.join(lacking)}, which is not in columns ({written})"
    if lacking := sorted(set(Template(instrument.detector).keys) - set(columns)):
        yield f"{where}the Instrument's template for detectors needs {', '.join(lacking)}, not in columns"


def _class_place(kind: Any) -> str:  # noqa: ANN401 - a class, or an object of one
    kind = kind if isinstance(kind, type) else type(kind)
    try:
        return place(inspect.getsourcefile(kind), inspect.getsourcelines(kind)[1])
    except (OSError, TypeError):
        return f"{kind.__module__}: "


def _check_filters(instrument: Instrument) -> Iterator[str]:
    where = _keyword_place(instrument.folder / "__init__.py", "filters")
    if not instrument.filters:
        yield f"{where}the Instrument has no filters; add one FilterDefinition for each, or one called 'none'"
    for known in instrument.filters:
        if not known.band:
            yield f"{where}the filter '{known.physical_filter}' has no band; give its name in reference catalogs"


def _check_config(instrument: Instrument) -> Iterator[str]:
    folder = instrument.config_folder
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        if path.stem == _GATES:
            try:
                load_gates(folder)
            except ConfigError as error:
                yield str(error)
        elif path.stem in _CONFIGS:
            yield from map(str, ConfigLayers(*_CONFIGS[path.stem]).find_faults(path))
        else:
            names = ", ".join(f"{name}.yaml" for name in _CONFIGS)
            yield f"{path}: no command reads this file; call it {names} or {_GATES}.yaml"


_CHECKS: dict[str, Callable[[Instrument], Iterator[str]]] = {
    "policy": _check_policy,
    "camera": _check_camera,
    "geometry": _check_geometry,
    "templates": _check_templates,
    "translator": _check_translator,
    "filters": _check_filters,
    "config": _check_config,
    "exposure id": exposure_number_faults,
    "dated tables": dated_table_faults,
}
PARTS: Collection[str] = ("entry point", "code", "contract", *_CHECKS)
"""What is looked at, in this order; of a package whose code does not run or breaks the contract, no more than that."""
