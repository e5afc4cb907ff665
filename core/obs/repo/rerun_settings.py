"""Compare the settings of a rerun with those that its output was made with, and keep them there.

All datasets of one output are made with the same settings: a later run with others is refused, unless the user wants
them replaced.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from obs.errors import ConfigError, OutputError
from obs.repo.atomic import atomic_write
from obs.repo.backup import keep_backup
from obs.yaml_lines import dump_yaml, load_yaml

__all__ = ["compare_config", "config_path", "find_differences", "record_config"]

#: How many differing settings a message names.
_NAMED = 3


def config_path(output: Path, task: str) -> Path:
    """Return where the settings of a task are kept.

    Parameters
    ----------
    output : Path
        Output folder.
    task : str
        Name of the task, for example "process".
    """
    return output / "config" / f"{task}.yaml"


def record_config(
    output: Path,
    task: str,
    config: Mapping[str, Any],
    *,
    clobber: bool = False,
    backup: bool = True,
    free: Collection[str] = (),
) -> None:
    """Keep the settings of a task, or compare them with those that are kept.

    Parameters
    ----------
    output : Path
        The output repository.
    task : str
        Name of the task, ``processCcd``.
    config : mapping
        The settings as plain data (dict, list, str, int, float, bool, None).
    clobber : bool, default: False
        Replace settings that differ.
    backup : bool, default: True
        Keep what is replaced as ``TASK.yaml~1``.
    free : collection of str, optional
        Names of settings that may change from run to run: ``isr.allow_missing``.

    Raises
    ------
    OutputError
        If the output was made with other settings, or cannot be written.
    """
    path = config_path(output, task)
    text = _to_yaml(config)
    if not path.exists() and _write_first(path, text.encode()):
        return
    if path.exists():
        differences = _differences(path, text, free)
        if not differences:
            return
        if not clobber:
            raise _refusal(output, task, differences)
        if backup:
            keep_backup(path)
    with atomic_write(path) as file:
        file.write(text.encode())


def _write_first(path: Path, content: bytes) -> bool:
    """Write the settings of a new output; of two runs that begin at the same moment, one is the first."""
    try:
        with atomic_write(path, replace=False) as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def compare_config(output: Path, task: str, config: Mapping[str, Any], *, free: Collection[str] = ()) -> None:
    """Compare the settings of a task with those that are kept, if there are any; nothing is written.

    Parameters and errors are those of `record_config`.
    """
    path = config_path(output, task)
    if path.exists():
        differences = _differences(path, _to_yaml(config), free)
        if differences:
            raise _refusal(output, task, differences)


def _differences(path: Path, text: str, free: Collection[str]) -> list[str]:
    # Compared as YAML gives them back, so that a tuple equals the list that it is written as.
    before, _ = load_yaml(path, error=ConfigError)
    lines = find_differences(before, yaml.safe_load(text), may_be_new=True)
    return [line for line in lines if line.partition(":")[0] not in free]


def _refusal(output: Path, task: str, differences: list[str]) -> OutputError:
    more = f" and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
    return OutputError(
        f"{output} was made with other settings of {task}: {', '.join(differences[:_NAMED])}{more}; "
        "use another --output or --rerun, or --clobber-config to replace the settings",
        path=config_path(output, task),
    )


def _to_yaml(config: Mapping[str, Any]) -> str:
    return dump_yaml(_plain(config), allow_unicode=True)


def find_differences(before: object, now: object, name: str = "", *, may_be_new: bool = False) -> list[str]:
    """Return where two nested settings differ, as ``calibrate.sigma: was 5, now 6``.

    With ``may_be_new``, a switch that is off and a list that is empty do not count where they were not set before: an
    earlier version did not have that step.

    Parameters
    ----------
    before, now : object
        Settings as nested dicts, lists and values.
    name : str
        Name of the section that they are of; empty for all settings.
    may_be_new : bool, default: False
        Whether settings that were not set before may be off or empty.

    Returns
    -------
    list of str
        One line for each setting that differs.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*now, *(key for key in before if key not in now)]
        return [
            line
            for key in keys
            for line in find_differences(
                before.get(key, _ABSENT),
                now.get(key, _ABSENT),
                f"{name}.{key}" if name else str(key),
                may_be_new=may_be_new,
            )
        ]
    same = before == now or (before != before and now != now)  # NaN is as NaN was
    same = same or (may_be_new and before is _ABSENT and (now is False or now == [] or now == {}))
    return [] if same else [f"{name or 'all'}: was {before!r}, now {now!r}"]


class _Absent:
    def __repr__(self) -> str:
        return "not set"


_ABSENT = _Absent()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any setting
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(item) for item in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    if value is None or isinstance(value, bool):
        return value
    # Subclasses, such as numpy's float64, are not known to YAML.
    return next((kind(value) for kind in (int, float) if isinstance(value, kind)), str(value))
