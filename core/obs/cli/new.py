"""`obs new`: a package for a camera."""

import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from obs.cli.commands.new import QUESTIONS
from obs.cli.ingest import find_files
from obs.cli.table import format_table
from obs.errors import ConfigError, OutputError, PluginError
from obs.inspection.inspect import inspect_files
from obs.scaffold.answers import Answers, check_name, read_answers
from obs.scaffold.create import create_package, is_taken
from obs.scaffold.facts import template_facts
from obs.scaffold.verify import find_disagreements

__all__ = ["new"]

#: What raw files cannot tell.
_NOT_IN_FILES = ("title", "author", "visit_key", "detector_key")
#: Files that the last line names.
_NAMED = 8


def new(
    name: str,
    answer_file: Path | None,
    no_input: bool,
    output: Path,
    doraise: bool,
    from_files: list[str],
    **given: str | None,
) -> int:
    """Do what the command says; see obs.cli.commands.new."""
    check_name(name)
    if taken := is_taken(name):
        raise PluginError(f"the name '{name}' is taken by {taken}; choose another", plugin=name)
    target = output / f"obs_{name}"
    if target.exists():
        raise OutputError(f"{target} exists already; choose another name, or another folder by --output", path=target)
    values, facts = ({}, None) if answer_file is None else read_answers(answer_file)
    values |= {key: value for key, value in given.items() if value is not None} | {"camera": name}
    findings = inspect_files(find_files(from_files)) if from_files else None
    if not no_input and answer_file is None and sys.stdin.isatty():
        _ask(values, [key for key in QUESTIONS if findings is None or key in _NOT_IN_FILES])
    answers = _answers(values)
    if findings is not None:
        facts = template_facts(findings, visit_key=answers.visit_key, detector_key=answers.detector_key)
        click.echo(format_table(["quantity", "value", "from", "how sure", "note"], facts["report"]))
        for text in findings.warnings:
            click.echo(f"WARNING {text}", err=True)
        for kind in facts["corrected"]:
            click.echo(f"{kind} is out of the frames already: isr.do_{kind} is off in config/process.yaml")
        for kind in facts["absent"]:
            click.echo(
                f"no {kind} is among the files: isr.do_{kind} is off in config/process.yaml; set it when there are"
            )
        _tell_roles(findings.roles)
    path = create_package(answers, output, facts=facts)
    for text in () if findings is None else find_disagreements(path, findings):
        click.echo(f"WARNING {text}", err=True)
    click.echo(f"{path} is made; next:")
    for line in _next_steps(name, path, from_files):
        click.echo(f"  {line}")
    return 0


def _next_steps(name: str, path: Path, files: list[str]) -> list[str]:
    """Return the commands that come next, ready to be pasted."""
    steps = [f"pip install -e {shlex.quote(str(path))}", f"obs check {name}", f"obs demo {name}"]
    if files:
        more = f"  # and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        steps.append(f"obs doctor {name} {shlex.join(files[:_NAMED])}{more}")
    return steps


def _ask(values: dict[str, str], questions: list[str]) -> None:
    defaults = {field.name: str(field.default) for field in fields(Answers)}
    for key in questions:
        if key not in values:
            default = f"The camera {values['camera']}" if key == "title" else defaults[key]
            values[key] = click.prompt(QUESTIONS[key], default=default, show_default=bool(default))


def _answers(values: dict[str, str]) -> Answers:
    try:
        return Answers(**values)
    except TypeError as error:
        raise ConfigError(f"the answers are not understood: {error}") from error


def _tell_roles(roles: Any) -> None:  # noqa: ANN401 - Roles or None
    """Print what cards tell apart in several files."""
    if roles is None:
        return
    click.echo(f"the same in all frames: {len(roles.constant)} cards")
    for what, names in (("a detector", roles.detector), ("an exposure", roles.exposure)):
        click.echo(f"cards that identify {what}: {', '.join(names) or 'none'}")
