"""`obs log`: what happened to a data ID."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import click

from obs.cli.options import output_under
from obs.errors import DataIdError, RepositoryError
from obs.repo.layout import open_repository
from obs.runs.run_log import LOG_FOLDER, read_run_logs
from obs.shell_command import shell_command

__all__ = ["log"]


def log(root: Path, ids: list[list[str]], rerun: str | None, failed: bool, as_json: bool, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.log."""
    folder = output_under(root, rerun)
    open_repository(folder)
    if not any((folder / LOG_FOLDER).glob("*.jsonl")):
        raise RepositoryError(f"no logs in {folder / LOG_FOLDER}: obs process writes them to its output", path=folder)
    wanted = [[_pattern(word) for word in words] for words in ids]
    n_event = n_printed = 0
    fitting: set[int] = set()
    for event in read_run_logs(folder):
        data_id = str(event.get("data_id", ""))
        fits = [number for number, words in enumerate(wanted) if _fits(data_id, words)]
        if wanted and not fits:
            continue
        fitting.update(fits)
        n_event += 1
        if failed and event.get("kind") != "failed":
            continue
        n_printed += 1
        if as_json:
            click.echo(json.dumps(event, ensure_ascii=False))
            continue
        where = f"{data_id}: " if data_id else ""
        moment = str(event.get("time", ""))[:19].replace("T", " ")
        click.echo(f"{moment} {event.get('level', '')} {where}{event.get('message', '')}")
        if event.get("traceback"):
            click.echo(event["traceback"])
    if not n_event:
        text = " or ".join(" ".join(words) for words in ids)
        advice = f"{shell_command('obs', 'log', folder)} prints all"
        raise RepositoryError(
            f"the logs in {folder / LOG_FOLDER} have no entry{f' of {text}' * bool(text)}; {advice}",
            path=folder,
        )
    if not n_printed:
        click.echo("no failure is logged", err=True)
    unmatched = [" ".join(words) for number, words in enumerate(ids) if number not in fitting]
    if unmatched:
        click.echo(f"no entry of {'; '.join(unmatched)}", err=True)
    return 1 if unmatched else 0


def _pattern(word: str) -> tuple[str, set[str] | range]:
    """Return the key of a word of --id, and the values that it stands for.

    Raises
    ------
    DataIdError
        If it is not KEY=VALUE.
    """
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise DataIdError(f"expected KEY=VALUE, got '{word}'", key=word)
    if bounds := re.fullmatch(r"(\d+)\.\.(\d+)(?::(\d+))?", text):
        return key, range(int(bounds[1]), int(bounds[2]) + 1, int(bounds[3] or 1) or 1)
    return key, set(text.split("^"))


def _fits(data_id: str, wanted: Sequence[tuple[str, set[str] | range]]) -> bool:
    found = dict(word.split("=", 1) for word in data_id.split() if "=" in word)
    if not found:
        return False
    for key, values in wanted:
        value = found.get(key)
        if value is None:
            return False
        known: object = int(value) if isinstance(values, range) and value.isdecimal() else value
        if known not in values:
            return False
    return True
