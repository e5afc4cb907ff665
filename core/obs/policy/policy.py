"""A mapper policy: the YAML that says where a camera's datasets are stored and how their keys are found."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from obs.errors import PolicyError, suggest
from obs.frozen import frozen
from obs.policy.dataset_type import DatasetType, Template, placed_part, split_hdu
from obs.policy.keys import ENTRY_KEYS, GROUPS, TOP_KEYS
from obs.policy.paf import is_paf, load_paf, was_paf
from obs.yaml_lines import YamlPath, line_of, load_yaml

__all__ = ["DEFAULTS", "Policy", "find_policy_faults", "load_policy"]

#: What the engine knows of dataset types.
DEFAULTS = Path(__file__).with_name("defaults.yaml")


def _attributes(kind: str) -> dict[str, str]:
    """Return the keys of an entry that are written alike, and the fields of `DatasetType` that hold them."""
    return {name: key.attribute for name, key in ENTRY_KEYS.items() if key.kind == kind}


_TEXTS, _LISTS, _FLAGS = _attributes("text"), _attributes("list"), _attributes("flag")


@frozen
class Policy:
    """A mapper policy, defaults filled in.

    Parameters
    ----------
    path : Path
        The file.
    dataset_types : mapping
        By name.
    default_level : str
        Level that is used where a user names none.
    levels : mapping
        Level to the keys that a data ID at this level lacks.
    default_sub_levels : mapping
        Level to the level below it.
    camera : Path or None
        The camera folder that the policy names.
    need_calib_registry : bool
        Whether calibrations must be found through a registry.
    calib_root, registry_path, calib_registry_path : str or None
        Places that the policy fixes, as written.
    """

    path: Path
    dataset_types: Mapping[str, DatasetType]
    default_level: str
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_sub_levels: Mapping[str, str] = field(default_factory=dict)
    camera: Path | None = None
    need_calib_registry: bool = False
    calib_root: str | None = None
    registry_path: str | None = None
    calib_registry_path: str | None = None


def load_policy(path: Path | str, *, override: Mapping[str, Any] | None = None, above: Sequence[Path] = ()) -> Policy:
    """Read a mapper policy and fill in the engine's defaults where the camera says nothing.

    Parameters
    ----------
    path : Path or str
        The YAML file, or one of the older format ``.paf``; published LSST mapper policies are read as they are.
    override : mapping, optional
        What a repository sets otherwise, wins over the file key by key.
    above : sequence of Path, optional
        Files whose keys win over those of the file; of them the first to have a key wins.

    Raises
    ------
    PolicyError
        For a file that cannot be read or a fault in it, with file, line and key.
    """
    data, lines = _load(path)
    given: Any = override or {}
    for file in above:
        given = _merge(given, _load(file)[0])
    return _Reader(Path(path), lines).read(data, given)


def _load(path: Path | str) -> tuple[Any, Mapping[YamlPath, int]]:
    """Return the plain data of a policy and the lines of its keys."""
    return load_paf(path) if is_paf(path) else load_yaml(path, error=PolicyError, repeated_are_lists=was_paf(path))


def find_policy_faults(path: Path | str) -> list[PolicyError]:
    """Return every fault of a mapper policy: what is found is left out, and the rest looked at again.

    Parameters
    ----------
    path : Path or str
        The YAML file.
    """
    faults: list[PolicyError] = []
    try:
        data, lines = _load(path)
        while True:
            try:
                _Reader(Path(path), lines).read(data, {})
            except PolicyError as error:
                if error.key is not None or not faults:  # else it may be missing only because it was left out
                    faults.append(error)
                if error.key is None or not _leave_out(data, error.key):
                    return faults
            else:
                return faults
    except PolicyError as error:
        return [*faults, error]


def _leave_out(data: object, key: str) -> bool:
    """Remove a key such as ``exposures.raw.template`` from plain data; return whether it was there."""
    *above, last = key.split(".")
    for part in above:
        data = data.get(part) if isinstance(data, dict) else None
    if not isinstance(data, dict) or last not in data:
        return False
    del data[last]
    return True


class _Reader:
    """Turns plain data into a `Policy`, and knows the line of each key."""

    def __init__(self, path: Path, lines: Mapping[YamlPath, int]) -> None:
        self.path, self.lines = path, lines

    def fault(self, where: YamlPath, message: str) -> PolicyError:
        return PolicyError(
            message, path=self.path, line=line_of(self.lines, where), key=".".join(map(str, where)) or None
        )

    def read(self, data: object, override: Mapping[str, Any]) -> Policy:
        top = self.mapping((), data)
        if not top:
            raise self.fault((), "the policy is empty; it needs at least 'camera', 'defaultLevel' and 'exposures'")
        top = _merge(override, top)
        for key in top:
            # Strange keys are let pass, policies in use have some; only what looks like a slip is not.
            if key not in TOP_KEYS and (hint := suggest(str(key), TOP_KEYS)):
                raise self.fault((key,), f"unknown key{hint}")
        if "defaultLevel" not in top:
            raise self.fault((), "the key 'defaultLevel' is missing; name the level of one detector, such as 'sensor'")
        camera = self.text(("camera",), top)
        return Policy(
            path=self.path,
            dataset_types=self.with_defects(self.dataset_types(top), self.text(("defects",), top)),
            default_level=self.text(("defaultLevel",), top) or "",
            levels={
                str(level): self.texts(("levels", level), keys)
                for level, keys in self.mapping(("levels",), top.get("levels")).items()
            },
            default_sub_levels={
                str(level): str(below)
                for level, below in self.mapping(("defaultSubLevels",), top.get("defaultSubLevels")).items()
            },
            camera=None if camera is None else self.path.parent / camera,
            need_calib_registry=self.flag(("needCalibRegistry",), top),
            calib_root=self.text(("calibRoot",), top),
            registry_path=self.text(("registryPath",), top),
            calib_registry_path=self.text(("calibRegistryPath",), top),
        )

    def dataset_types(self, top: Mapping[str, Any]) -> dict[str, DatasetType]:
        defaults, default_lines = load_yaml(DEFAULTS, error=PolicyError)
        own = {group: self.mapping((group,), top[group]) for group in GROUPS if group in top}
        types: dict[str, DatasetType] = {}
        for group, entries in own.items():
            for name in entries:
                if name in types:
                    first = types[name]
                    message = f"the dataset type '{name}' is already in '{first.group}' (line {first.line})"
                    raise self.fault((group, name), f"{message}; keep one of the two")
                types[name] = self.dataset_type(group, name, _merge(entries[name], defaults.get(group, {}).get(name)))
        for group in own:
            for name, entry in defaults.get(group, {}).items():
                if name not in types:
                    line = line_of(default_lines, (group, name))
                    default = _Reader(DEFAULTS, {(): line or 1}).dataset_type(group, name, entry)
                    # Whatever it lacks is to be set in the camera's policy.
                    types[name] = replace(default, path=self.path, line=line_of(self.lines, (group,)))
        raw = types.get("raw")
        if raw is not None and not raw.template and raw.components:
            raw = types.get(placed_part(raw, types) or "")
        return {name: _fill_template(kind, raw) for name, kind in types.items()}

    def with_defects(self, types: dict[str, DatasetType], folder: str | None) -> dict[str, DatasetType]:
        """Return dataset types with defects in a folder, where the policy has one and they have no place else."""
        known = types.get("defects")
        if not folder or (known is not None and known.template):
            return types
        dated = (kind.observation_time for kind in types.values() if kind.is_calibration and kind.valid_range)
        defects = DatasetType(
            name="defects",
            group="calibrations",
            template="%(path)s",
            python="lsst.ip.isr.Defects",
            storage="FitsCatalogStorage",
            tables=("defect",),
            reference=("raw",),
            valid_range=True,
            observation_time=next(dated, "taiObs"),
            level="Ccd",
            description="Boxes of pixels that are not to be used.",
            folder=Path(os.path.normpath(self.path.parent / folder)),
            path=self.path,
            line=line_of(self.lines, ("defects",)),
        )
        return {**types, "defects": defects}

    def dataset_type(self, group: str, name: str, data: object) -> DatasetType:
        where = (group, name)
        entry = self.mapping(where, data)
        for key in entry:
            if key not in ENTRY_KEYS and (hint := suggest(str(key), ENTRY_KEYS)):
                raise self.fault((*where, key), f"unknown key{hint}")
        values: dict[str, Any] = {}
        for key, attribute in _TEXTS.items():
            if (text := self.text((*where, key), entry)) is not None:
                values[attribute] = text
        for key, attribute in _LISTS.items():
            if key in entry:
                values[attribute] = self.texts((*where, key), entry[key])
        for key, attribute in _FLAGS.items():
            values[attribute] = self.flag((*where, key), entry)
        components = self.mapping((*where, "composite"), entry.get("composite"))
        parts = {part: self.mapping((*where, "composite", part), value) for part, value in components.items()}
        return DatasetType(
            name=str(name),
            group=group,
            template=self.template((*where, "template"), entry),
            components={part: str(value.get("datasetType", part)) for part, value in parts.items()},
            input_only=frozenset(part for part, value in parts.items() if value.get("inputOnly")),
            subsets=frozenset(part for part, value in parts.items() if value.get("subset")),
            path=self.path,
            line=line_of(self.lines, where),
            **values,
        )

    def template(self, where: YamlPath, entry: Mapping[str, Any]) -> str | None:
        template = self.text(where, entry)
        # The defaults' word for "made by the mapper, not stored".
        if not template or template == "ignored":
            return None
        try:
            Template(template)
        except ValueError as error:
            raise self.fault(where, str(error)) from None
        return template

    def mapping(self, where: YamlPath, value: object) -> dict[Any, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.fault(where, f"expected a mapping, got {_describe(value)}")
        return value

    def text(self, where: YamlPath, entry: Mapping[str, Any]) -> str | None:
        value = entry.get(str(where[-1]))
        if isinstance(value, dict | list):
            raise self.fault(where, f"expected a string, got {_describe(value)}")
        return None if value is None else str(value)

    def texts(self, where: YamlPath, value: object) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(item, dict | list) for item in items) or isinstance(value, dict):
            raise self.fault(where, f"expected a name or a list of names, got {_describe(value)}")
        return tuple(str(item) for item in items)

    def flag(self, where: YamlPath, entry: Mapping[str, Any]) -> bool:
        value = entry.get(str(where[-1]), False)
        if not isinstance(value, bool):
            raise self.fault(where, f"expected true or false, got {_describe(value)}")
        return value


def _merge(winner: object, filler: object) -> Any:  # noqa: ANN401 - either may be any YAML value
    """Return ``winner`` with what only ``filler`` has, key by key, at any depth; neither is changed."""
    if not isinstance(winner, Mapping) or not isinstance(filler, Mapping):
        return deepcopy(filler if winner is None else winner)
    merged = {key: _merge(winner[key], filler[key]) if key in filler else deepcopy(winner[key]) for key in winner}
    return merged | {key: deepcopy(value) for key, value in filler.items() if key not in winner}


def _fill_template(kind: DatasetType, raw: DatasetType | None) -> DatasetType:
    """Put the raw template into a default's ``{raw}``."""
    if kind.template is None or "{raw}" not in kind.template:
        return kind
    template = None
    if raw is not None and raw.template:
        path, hdu = split_hdu(raw.template)
        stem = re.sub(r"(\.(fits?|fts|gz|fz))+$", "", path, flags=re.IGNORECASE)
        template = kind.template.replace("{raw}", stem + (f"-{hdu}" if hdu and "%" in hdu else ""))
    return replace(kind, template=template)


def _describe(value: object) -> str:
    words: Iterable[tuple[type, str]] = ((dict, "a mapping"), (list, "a list"), (bool, str(value).lower()))
    return next((word for kind, word in words if isinstance(value, kind)), repr(value))
