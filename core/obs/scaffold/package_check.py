"""Everything that can be wrong with a camera's package, with the place and how to mend it."""

from collections.abc import Callable, Iterator
from typing import Any

from obs.config.layers import ConfigLayers
from obs.errors import ObsError
from obs.ingest.translation import load_translator
from obs.instrument.instrument import Instrument
from obs.instrument.validate import contract_faults
from obs.policy.dataset_type import Template
from obs.scaffold.open_package import open_packages
from obs.scaffold.problem import Problem, last_place
from obs.simulate.config import SimulateConfig
from obs.tasks.process_config import ProcessConfig

__all__ = ["Problem", "check_package"]

_CONFIGS = {"process": ProcessConfig, "simulate": SimulateConfig}


def check_package(what: str) -> list[Problem]:
    """Check a camera's package; nothing need be installed.

    Parameters
    ----------
    what : str
        Name of an installed camera, or the folder of a package: the one with ``pyproject.toml``, or the Python package.

    Returns
    -------
    list of Problem
        What is wrong; empty if nothing is.

    Raises
    ------
    PluginError
        If there is no such package.
    """
    problems: list[Problem] = []
    for package in open_packages(what):
        problems += package.problems or (() if package.instrument is None else _check(package.instrument, package.name))
    return problems


def _check(instrument: Any, name: str) -> Iterator[Problem]:  # noqa: ANN401 - whatever the entry point gave
    faults = contract_faults(instrument, entry_point=name)
    yield from (Problem("contract", fault) for fault in faults)
    if faults:
        return
    checks: dict[str, Callable[[Instrument], Iterator[str]]] = {
        "policy": _check_policy,
        "camera": _check_camera,
        "translator": _check_translator,
        "filters": _check_filters,
        "config": _check_config,
        "exposure id": _check_exposure_id,
    }
    for part, check in checks.items():
        try:
            yield from (Problem(part, message) for message in check(instrument))
        except ObsError as error:
            cause = error.__cause__
            yield Problem(part, f"{'' if cause is None else last_place(cause, instrument.folder)}{error}")
        except Exception as error:  # noqa: BLE001 - a package can fail in any way
            yield Problem(part, f"{last_place(error, instrument.folder)}{type(error).__name__}: {error}")


def _check_policy(instrument: Instrument) -> Iterator[str]:
    policy = instrument.load_policy()
    raw = policy.dataset_types.get(instrument.raw_dataset_type)
    if raw is None or raw.template is None:
        yield f"{policy.path}: the dataset type '{instrument.raw_dataset_type}' has no template; add it to exposures"
        return
    if policy.camera is not None and policy.camera.resolve() != instrument.camera_folder.resolve():
        yield f"{policy.path}: camera is {policy.camera}, in the Instrument {instrument.camera_folder}; make them agree"
    missing = set(Template(instrument.detector).keys) - raw.keys.keys()
    if missing and "hdu" not in raw.keys and len(instrument.load_camera()) > 1:
        yield f"{policy.path}: the template of raw lacks {', '.join(sorted(missing))}, so that detectors share a file"


def _check_camera(instrument: Instrument) -> Iterator[str]:
    camera = instrument.load_camera()
    for detector in camera:
        covered = sum(amp.bbox.width * amp.bbox.height for amp in detector.amplifiers)
        if covered != detector.bbox.width * detector.bbox.height:
            yield (
                f"{instrument.camera_folder / 'amplifiers.csv'}: the amplifiers of detector '{detector.name}' cover "
                f"{covered} of {detector.bbox.width * detector.bbox.height} pixels"
            )
        for amp in detector.amplifiers:
            for part, box in (("serial", amp.raw_serial_overscan_bbox), ("parallel", amp.raw_parallel_overscan_bbox)):
                if not box.intersection(amp.raw_data_bbox).is_empty:
                    where = (
                        f"{instrument.camera_folder / 'amplifiers.csv'}: amplifier '{amp.name}' of '{detector.name}'"
                    )
                    yield f"{where}: its {part} overscan {box} and its data {amp.raw_data_bbox} overlap"


def _check_translator(instrument: Instrument) -> Iterator[str]:
    if instrument.translator is None:
        return
    reference = instrument.translator
    if instrument.raw_dataset_type != "raw":
        instrument.make_translator()
        return  # the frames are not ingested
    translator = load_translator(instrument)
    columns = {**translator.columns, "hdu": int} if translator.extensions else dict(translator.columns)
    if lacking := [name for name in (*translator.unique, *translator.visit) if name not in columns]:
        yield f"{reference}: {', '.join(lacking)} in unique or visit, but not in columns"
    raw = instrument.load_policy().dataset_types[instrument.raw_dataset_type]
    if lacking := sorted(set(raw.keys) - set(columns)):
        yield f"{reference}: the template of raw needs {', '.join(lacking)}, which is not in columns"
    if lacking := sorted(set(Template(instrument.detector).keys) - set(columns)):
        yield f"{reference}: the Instrument's template for detectors needs {', '.join(lacking)}, not in columns"


def _check_filters(instrument: Instrument) -> Iterator[str]:
    if not instrument.filters:
        yield "the Instrument has no filters; add one FilterDefinition for each, or one called 'none'"
    for known in instrument.filters:
        if not known.band:
            yield f"the filter '{known.physical_filter}' has no band; give its name in reference catalogs"


def _check_config(instrument: Instrument) -> Iterator[str]:
    folder = instrument.config_folder
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        kind: Any = _CONFIGS.get(path.stem)
        if kind is None:
            yield f"{path}: there is no task '{path.stem}'; call it {' or '.join(f'{name}.yaml' for name in _CONFIGS)}"
            continue
        layers: ConfigLayers[Any] = ConfigLayers(kind)
        layers.load(path)
        layers.build()


def _check_exposure_id(instrument: Instrument) -> Iterator[str]:
    """Check the numbers of one exposure of each detector."""
    if instrument.raw_dataset_type != "raw" or instrument.translator is None:
        return
    translator, template = load_translator(instrument), Template(instrument.detector)
    blank: dict[str, Any] = {name: kind(1) for name, kind in translator.columns.items()}
    numbers: dict[int, str] = {}
    for detector in instrument.load_camera():
        keys = next((found for text in (str(detector.id), detector.name) if (found := template.parse(text))), None)
        if keys is None:
            yield f"the Instrument's template '{instrument.detector}' gives no key for detector '{detector.name}'"
            return
        number = instrument.exposure_number({**blank, **keys})
        if number in numbers:
            yield f"detectors '{numbers[number]}' and '{detector.name}' of one exposure have the same number {number}"
            return
        numbers[number] = detector.name
