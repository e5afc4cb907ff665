"""Cameras whose package of the second-generation LSST stack is only a folder: ``obs_mycam`` with ``policy/``.

Policy, tables of the camera, filters and columns of the registry are read. Python of the package is never run, so what
only its methods tell (the numbers of exposures, the columns that they work out of headers) is not that of the stack.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY
from functools import cached_property
from pathlib import Path
from typing import Any

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.python_config import load_python_camera
from obs.camera.yaml_camera import load_yaml_camera
from obs.errors import DataIdError, FileFormatError, ObsError, PluginError
from obs.frozen import frozen
from obs.instrument.exposure_packer import largest_exposure_id
from obs.instrument.instrument import Instrument
from obs.instrument.stack_mappers import read_mapper
from obs.instrument.stack_sources import read_filters
from obs.instrument.stack_translator import stack_translator
from obs.policy.dataset_type import Template
from obs.policy.policy import Policy, load_policy

__all__ = ["StackInstrument", "find_stack_package", "is_stack_package", "open_stack_package"]

#: Keys by which raw files of a camera name the detector, the usual ones first.
_DETECTOR_KEYS = ("ccd", "detector", "ccdnum", "ccdId", "ccdName", "chip", "detectorName", "sensor")
#: Keys that name a detector together, as in ``R:2,2 S:0,1`` and ``R22_S01``; data IDs have them as 2,2 and as 22.
_RAFT, _SENSOR = "raft", "sensor"
_RAFT_NAME = re.compile(r"(R:?)\d,?\d([ _])(S:?)\d,?\d")
_POLICIES = ("*Mapper.yaml", "*Mapper.paf")
_VARIABLE = re.compile(r"OBS_\w+_DIR")
_NUMBER = "_detector_number"
#: Keys that number an exposure by themselves: the usual one, and that of LSST's cameras, with day and 13 digits.
_VISIT, _EXPOSURE = "visit", "expId"
#: Bits of a number made of the latter.
_EXPOSURE_BITS = 52
#: Bits of the number of an exposure, and how many detectors a visit may have.
_BITS, _DETECTORS = 42, 1000
#: Keys that do not tell exposures apart.
_NOT_OF_EXPOSURES = ("rerun", "tract", "patch", "channel", "snap")
#: Bits of the number of an exposure without a visit, and those that say how many bits the next of its numbers has.
_LONG_BITS, _LENGTH_BITS = 46, 4
_OWN_CAMERA = "write a camera package with an exposure_id of its own (obs new NAME), and name it with --camera"


@frozen
class StackInstrument(Instrument):
    """A camera as a package of the LSST stack describes it.

    Parameters
    ----------
    source : Path
        The policy file that the user or the mapper names.
    mapper : str
        Name of the mapper class, if it was given.
    above : tuple of Path
        Policy files that win over ``policy``.
    """

    _: KW_ONLY
    source: Path = Path()
    mapper: str = ""
    above: tuple[Path, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return open_stack_package, (self.source, self.mapper)

    def load_policy(self, override: Mapping[str, Any] | None = None) -> Policy:
        """Read the policy, with those of which the mapper puts it together.

        Parameters
        ----------
        override : mapping, optional
            Nested keys and values above those of the files.

        Raises
        ------
        PolicyError
            For a fault in them.
        """
        return load_policy(self.policy_path, override=override, above=self.above) if override else self._whole

    @cached_property
    def _whole(self) -> Policy:
        return load_policy(self.policy_path, above=self.above)

    def load_camera(self) -> Camera:
        """Read the camera's tables, once.

        Raises
        ------
        FileFormatError
            If there are none that can be read.
        """
        return _load_camera(self.folder, self.load_policy().camera, self.name)

    def exposure_number(self, data_id: Mapping[str, Any]) -> int:
        """Return the number of a detector's exposure: visit and detector, not the number that the stack gives it.

        Of cameras whose raw files have no visit, such as SDSS, all numbers and filters of their data IDs count.

        Parameters
        ----------
        data_id : mapping
            Data ID with the visit, or with all keys of raw files; without a key of the detector, its number is 0.

        Raises
        ------
        DataIdError
            If the data ID does not have the keys, or its values give a number that does not fit.
        """
        keys = _exposure_keys(self.load_policy())
        if keys and ("visit" not in data_id or data_id.keys() >= set(keys)):
            return self._packed(keys, data_id)
        given = next((data_id[key] for key in _DETECTOR_KEYS if key in data_id), 0)
        number = given if isinstance(given, int) else self.find_detector(data_id).id
        if not 0 <= number < _DETECTORS:
            raise DataIdError(f"{self.name}: detector {number} is not from 0 to {_DETECTORS - 1}", data_id=data_id)
        # super() does not know the class that the decorator has returned
        return Instrument.exposure_number(self, {**data_id, _NUMBER: number})

    def find_detector(self, data_id: Mapping[str, Any]) -> Detector:
        """Return the detector of a data ID.

        Parameters
        ----------
        data_id : mapping
            Data ID with the key that names the detector.

        Raises
        ------
        DataIdError
            If the data ID does not name one; for policies whose raw files do not either, it says what to write.
        """
        if data_id.keys() >= Template(self.detector).keys.keys() >= {_RAFT, _SENSOR}:
            return self._find_of_raft(str(data_id[_RAFT]), str(data_id[_SENSOR]))
        try:
            return Instrument.find_detector(self, data_id)
        except DataIdError as error:
            raw = self.load_policy().dataset_types.get(self.raw_dataset_type)
            if raw is None or set(_DETECTOR_KEYS) & {*raw.keys, *raw.columns}:
                raise
            own = _OWN_CAMERA.replace("an exposure_id", "a detector key")
            raise DataIdError(f"no key of raw files in {self.source} names the detector ({error}); {own}") from error

    def _find_of_raft(self, raft: str, sensor: str) -> Detector:
        """Return the detector whose name has these digits; the number of a sensor alone would be one of every raft."""
        wanted = _digits(raft + sensor)
        detectors = self.load_camera().detectors
        found = [detector for detector in detectors if _digits(detector.name) == wanted]
        if len(found) != 1:
            message = f"camera '{self.name}' has no detector of raft={raft} sensor={sensor}; its first one is called "
            raise DataIdError(f"{message}'{detectors[0].name}'", key=_SENSOR)
        return found[0]

    def _packed(self, keys: Sequence[str], data_id: Mapping[str, Any]) -> int:
        """Return the number made of the numbers of a data ID, each after how many bits it has: never one for two."""
        code = "1"
        for key in keys:
            if key not in data_id:
                raise DataIdError(f"the exposure id of {self.name} needs the key '{key}'", data_id=data_id, key=key)
            if key == "filter":
                code += f"{self._filter_number(str(data_id[key])):0{len(self.filters).bit_length()}b}"
                continue
            value = int(data_id[key])
            digits = f"{value:b}" if value else ""
            if value < 0 or len(digits) >= 1 << _LENGTH_BITS:
                largest = (1 << ((1 << _LENGTH_BITS) - 1)) - 1
                message = f"{key}={value} of {self.name} has no room in its exposure id: expected 0 to {largest}"
                raise DataIdError(f"{message}; {_OWN_CAMERA}", data_id=data_id, key=key)
            code += f"{len(digits):0{_LENGTH_BITS}b}{digits}"
        number = int(code, 2)
        if number > largest_exposure_id(self.exposure_id_bits):
            given = ", ".join(f"{key}={data_id[key]}" for key in keys)
            message = f"{given} of {self.name} have no room in the {self.exposure_id_bits} bits of its exposure id"
            raise DataIdError(f"{message}; {_OWN_CAMERA}", data_id=data_id)
        return number

    def _filter_number(self, name: str) -> int:
        """Return the place of a filter among those of the camera; of several of one name the first."""
        for place, known in enumerate(self.filters):
            if name in (known.physical_filter, known.band, *known.aliases):
                return place
        message = (
            f"the exposure id of {self.name} needs the number of the filter '{name}', which the package does not define"
        )
        raise DataIdError(f"{message}; {_OWN_CAMERA}", key="filter")


def is_stack_package(place: str) -> bool:
    """Return whether a name of a camera is a folder of the stack, or a policy in one.

    Parameters
    ----------
    place : str
        What the user named.
    """
    path = Path(place).expanduser()
    return (path / "policy").is_dir() or (path.suffix in (".yaml", ".paf") and path.is_file())


def open_stack_package(place: Path | str, mapper: str = "") -> StackInstrument:
    """Return the camera of a package folder of the LSST stack.

    Parameters
    ----------
    place : Path or str
        The folder, or of one that describes several cameras the policy file.
    mapper : str, optional
        Name of the mapper class, which says which of several.

    Raises
    ------
    PluginError
        If the folder describes no camera, or several of which none is named.
    PolicyError
        For a fault in the policy.
    """
    path = Path(place).expanduser().absolute()
    own = mapper.rpartition(".")[2]
    source = path if path.is_file() else _choose_policy(path, own)
    folder = next((above for above in source.parents if above.name == "policy"), source.parent).parent
    mapper_class = read_mapper(folder, own or source.stem)
    *above, policy = mapper_class.policies if source in mapper_class.policies else _with_common(source, folder)
    described = load_policy(policy, above=above)
    stem = mapper_class.camera or source.stem.removesuffix("Mapper")
    name = stem[:1].lower() + stem[1:]
    return StackInstrument(
        name,
        folder=folder,
        policy=str(policy.relative_to(folder)),
        config=str(Path("config") / name),
        filters=read_filters(_sources(folder, stem)),
        exposure_id=_exposure_number,
        exposure_id_bits=_id_bits(described),
        detector=_detector_template(folder, described, name),
        translator=stack_translator(_ingest_settings(folder, name)),
        mapper_names=tuple(dict.fromkeys((source.stem, own or source.stem))),
        source=source,
        mapper=mapper,
        above=tuple(above),
    )


def find_stack_package(mapper: str) -> StackInstrument | None:
    """Return the camera of a mapper class, or of that name, whose package an environment variable of EUPS points to.

    Parameters
    ----------
    mapper : str
        Such as ``lsst.obs.ctio0m9.Ctio0m9Mapper``, which ``OBS_CTIO0M9_DIR`` has, or ``ctio0m9``.
    """
    name = mapper.rpartition(".")[2]
    wanted = name.lower() if name.lower().endswith("mapper") else f"{name}Mapper".lower()
    for variable, value in sorted(os.environ.items()):
        if value and _VARIABLE.fullmatch(variable):
            folder = Path(value).expanduser()
            for policy in _policies(folder):
                if policy.stem.lower() == wanted:
                    return open_stack_package(policy, mapper if "apper" in name else "")
            if policies := read_mapper(folder, wanted).policies:  # a class that has those of another
                return open_stack_package(policies[0], wanted if name.lower() != wanted else mapper)
    return None


def _policies(folder: Path) -> Iterator[Path]:
    """Yield the policies of a package; of one in both formats the YAML."""
    seen: set[str] = set()
    for pattern in _POLICIES:
        for path in (*sorted((folder / "policy").glob(pattern)), *sorted((folder / "policy").glob(f"*/{pattern}"))):
            if path.stem not in seen:
                seen.add(path.stem)
                yield path


def _with_common(source: Path, folder: Path) -> list[Path]:
    """Return a policy, behind it, where it is in a folder of its own, the one that all cameras of the package have."""
    common = list((folder / "policy").glob(_POLICIES[0]))
    is_own = source.parent.name != "policy" and source.parent.parent.name == "policy"
    return [source, *common] if is_own and len(common) == 1 else [source]


def _choose_policy(folder: Path, mapper: str) -> Path:
    found = list(_policies(folder))
    fitting = [path for path in found if path.stem.lower() == mapper.lower()] or found
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise PluginError(
            f"{folder} is not a package of a camera: it has no policy/*Mapper.yaml and no policy/*Mapper.paf"
        )
    names = ", ".join(str(path) for path in fitting)
    raise PluginError(f"{folder} describes {len(fitting)} cameras; name the policy of one: {names}")


def _sources(folder: Path, stem: str) -> Path:
    """Return the folder of the camera's own Python; that of all of the package if it has none."""
    top = folder / "python/lsst/obs"
    return next((path for path in top.glob("*") if path.name.lower() == stem.lower()), top)


def _ingest_settings(folder: Path, name: str) -> Path:
    own = folder / "config" / name / "ingest.py"
    return own if own.is_file() else folder / "config/ingest.py"


def _detector_template(folder: Path, policy: Policy, name: str) -> str:
    """Return how a data ID names the detector: the key of raw files, else of results, or the name of the only one."""
    calexp = policy.dataset_types.get("calexp")
    keys = {**({} if calexp is None else calexp.keys), **_raw_keys(policy)}
    key = next((key for key in _DETECTOR_KEYS if key in keys), None)
    if key == _SENSOR and _RAFT in keys:
        with suppress(ObsError):  # which is said where the camera is needed
            named = _RAFT_NAME.fullmatch(_load_camera(folder, policy.camera, name).detectors[0].name)
            if named is not None:
                return f"{named[1]}%({_RAFT})s{named[2]}{named[3]}%({_SENSOR})s"
    if key is not None:
        return f"%({key}){'s' if keys[key] is str else 'd'}"
    try:
        detectors = _load_camera(folder, policy.camera, name).detectors
    except ObsError:  # which is said where the camera is needed
        return "0"
    return detectors[0].name.replace("%", "%%") if len(detectors) == 1 else "%(ccd)d"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _raw_keys(policy: Policy) -> dict[str, type]:
    """Return the keys of raw files; of those that are put together from amplifiers, those of the parts."""
    types = policy.dataset_types
    raw = types.get("raw")
    if raw is None:
        return {}
    parts = [types[part] for part in raw.components.values() if part in types]
    return {
        key: kind
        for one in (raw, *parts)
        for key, kind in (*dict.fromkeys(one.columns, int).items(), *one.keys.items())
    }


def _load_camera(folder: Path, named: Path | None, name: str) -> Camera:
    built = folder / "policy" / f"{name}.yaml"
    places = [place for place in (named, built, folder / "policy", folder / "camera") if place is not None]
    for place in places:
        for path in (place / "camera.yaml", place):
            if path.suffix == ".yaml" and path.is_file():
                return load_yaml_camera(path)
        if (place / "camera.py").is_file():
            return load_python_camera(place)
    if (folder / "policy/SConscript").is_file():
        raise FileFormatError(f"there is no {built}, which the package makes when it is built: run scons in {folder}")
    tried = ", ".join(str(place) for place in dict.fromkeys(places) if place != built)
    raise FileFormatError(
        f"the package describes no camera that can be read: no camera.py or camera.yaml in {tried}; one that its "
        "Python makes is unknown: make a package from a raw file by obs new NAME --from FILE, and name it with --camera"
    )


def _exposure_number(data_id: Mapping[str, Any]) -> int:
    """Return a number of an exposure, made of its visit and detector."""
    key = _EXPOSURE if _EXPOSURE in data_id else _VISIT
    return int(data_id[key]) * _DETECTORS + int(data_id[_NUMBER])


def _id_bits(policy: Policy) -> int:
    if _EXPOSURE in _raw_keys(policy):
        return _EXPOSURE_BITS
    return _LONG_BITS if _exposure_keys(policy) else _BITS


def _exposure_keys(policy: Policy) -> list[str]:
    """Return the keys that tell exposures apart, for a camera whose raw files have no visit; else none."""
    raw = policy.dataset_types.get("raw")
    known = {} if raw is None else _raw_keys(policy) if raw.components else raw.keys
    keys = {key: kind for key, kind in known.items() if key not in _NOT_OF_EXPOSURES}
    return (
        []
        if _VISIT in keys or _EXPOSURE in keys
        else sorted(key for key, kind in keys.items() if kind is int or key == "filter")
    )
