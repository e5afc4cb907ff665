"""What ``--show`` prints about data, settings and tasks."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import click
from pydantic import BaseModel

from obs.cli.options import add_overrides
from obs.config.base import TaskConfig
from obs.config.layers import IN_THIS_CASE, ConfigLayers
from obs.config.schema import section_class
from obs.errors import suggest
from obs.policy.data_id import DataId, format_data_id
from obs.repo.butler import Butler
from obs.runs.selection import with_known_keys

__all__ = ["settle_config", "show_config", "show_data", "split_show"]

C = TypeVar("C", bound=TaskConfig)

#: What ``--show data=`` takes: the line of LSST's command.
_STACK = "lsst"
_THINGS = ("data", "config", "history", "tasks", "run")


def split_show(words: Sequence[str]) -> list[tuple[str, str]]:
    """Split ``config=PATTERN`` and its like into what and pattern.

    Raises
    ------
    click.UsageError
        For a word that names nothing to show, or a ``history`` without pattern.
    """
    shows = []
    for word in words:
        thing, _, pattern = word.partition("=")
        if thing not in _THINGS:
            message = f"--show cannot show '{thing}'{suggest(thing, _THINGS)}; it shows {', '.join(_THINGS)}"
            raise click.UsageError(message)
        if thing == "history" and not pattern:
            raise click.UsageError("--show history needs a pattern, for example --show history='*bin_size'")
        if thing == "data" and pattern not in ("", _STACK):
            raise click.UsageError(f"--show data={pattern} is not known; --show data={_STACK} prints the stack's lines")
        shows.append((thing, pattern))
    return shows


def show_config(layers: ConfigLayers[Any], shows: Sequence[tuple[str, str]]) -> None:
    """Print what was asked for of settings, their history and the tree of tasks.

    Raises
    ------
    ConfigError
        If no setting matches a pattern.
    """
    for thing, pattern in shows:
        if thing == "config":
            if pattern != pattern.lower() and not pattern.endswith(IN_THIS_CASE):
                click.echo(
                    f"Matching '{pattern}' without regard to case (append {IN_THIS_CASE} to prevent this)", err=True
                )
            click.echo(layers.show(pattern or "*"), nl=False)
        elif thing == "history":
            click.echo(layers.history(pattern), nl=False)
        elif thing == "tasks":
            click.echo("\n".join(_task_lines(layers.config_class, "")))


def settle_config(layers: ConfigLayers[C], overrides: Sequence[tuple[str, str]], show: Sequence[str]) -> C | None:
    """Return the settings of a run after those of the command line, or None if ``--show`` only prints them.

    Parameters
    ----------
    layers : ConfigLayers
        Settings of the camera.
    overrides : sequence of tuple of str
        Values of ``-c`` and ``-C``.
    show : sequence of str
        Values of ``--show``.

    Raises
    ------
    ConfigError
        If a setting is wrong, or none matches a pattern.
    """
    add_overrides(layers, overrides)
    config = layers.build()
    shows = split_show(show)
    show_config(layers, shows)
    return None if shows and "run" not in {thing for thing, _ in shows} else config


def show_data(butler: Butler, data_ids: Sequence[DataId], shows: Sequence[tuple[str, str]]) -> None:
    """Print data IDs with all keys that are known of them, or as the stack does."""
    for _, form in (show for show in shows if show[0] == "data"):
        for data_id in with_known_keys(butler, data_ids, for_stack=form == _STACK):
            line = f"id dataRef.dataId = {data_id}" if form == _STACK else format_data_id(data_id)
            click.echo(line)


def _task_lines(config_class: type[BaseModel], indent: str) -> Iterator[str]:
    """Yield a line for every section, those inside it indented below it."""
    for name, field in config_class.model_fields.items():
        section = section_class(field)
        if section is not None:
            yield f"{indent}{name}: {field.description}"
            yield from _task_lines(section, indent + "  ")
