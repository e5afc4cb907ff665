"""`obs diff-config`: how the settings of two runs differ."""

from pathlib import Path
from typing import Any

import click

from obs.errors import ConfigError
from obs.repo.rerun_settings import find_differences
from obs.yaml_lines import load_yaml

__all__ = ["diff_config"]


def diff_config(before: Path, after: Path) -> int:
    """Do what the command says; see obs.cli.commands.diff_config."""
    first, second = _settings(before), _settings(after)
    shared = first.keys() & second.keys()
    if not shared and (first or second):
        raise ConfigError(
            f"{before} has settings of {', '.join(sorted(first))}, {after} of {', '.join(sorted(second))}; "
            "name outputs of the same task"
        )
    lines = [
        f"{task}: {line}" if task else line
        for task in sorted(shared)
        for line in find_differences(first[task], second[task])
    ]
    for task in sorted(first.keys() ^ second.keys()):
        lines.append(f"{task}: only in {before if task in first else after}")
    for line in lines:
        click.echo(line)
    return 1 if lines else 0


def _settings(place: Path) -> dict[str, Any]:
    """Return the settings of each task of an output, or of a file under an empty name."""
    if place.is_dir():
        files = {path.stem: path for path in sorted((place / "config").glob("*.yaml"))}
        if not files:
            raise ConfigError(
                f"{place} holds no settings: it has no files config/*.yaml; name an output of obs process"
            )
        return {task: load_yaml(path, error=ConfigError)[0] for task, path in files.items()}
    if not place.is_file():
        raise ConfigError(f"there is no {place}; name an output of obs process, or a file of settings")
    return {"": load_yaml(place, error=ConfigError)[0]}
