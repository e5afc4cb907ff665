"""`obs new`: a package for a camera."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import click

from obs.cli.ask import HELP, AnswersFile, ask_questions, is_terminal
from obs.cli.files import find_files
from obs.cli.table import format_table
from obs.errors import ConfigError, OutputError, PluginError
from obs.inspection.inspect import Findings, inspect_files
from obs.inspection.whole_files import find_planes, whole_files
from obs.repo.cube_planes import Planes
from obs.scaffold.answer_checks import check_name
from obs.scaffold.answers import Answers, read_answers
from obs.scaffold.create import create_package, is_taken
from obs.scaffold.facts import template_facts
from obs.scaffold.filter_bands import gives_bands, with_bands
from obs.scaffold.questions import QUESTIONS, Question
from obs.scaffold.verify import find_disagreements

__all__ = ["new"]

#: Files that the last line names.
_NAMED = 8


def new(
    name: str,
    answer_file: Path | None,
    no_input: bool,
    output: Path,
    doraise: bool,
    from_files: list[str],
    only: str,
    planes: str | None,
    **given: str | None,
) -> int:
    """Make obs_NAME, the package of a camera; return the exit status."""
    check_name(name)
    if taken := is_taken(name):
        raise PluginError(f"the name '{name}' is taken by {taken}; choose another", plugin=name)
    target = output / f"obs_{name}"
    if target.exists():
        raise OutputError(f"{target} exists already; choose another name, or another folder by --output", path=target)
    values, facts = ({}, None) if answer_file is None else read_answers(answer_file)
    typed = {key: value for key, value in given.items() if value is not None}
    values |= typed | {"camera": name}
    paths = find_files(from_files) if from_files else []
    wanted, said = (cast("Planes", planes), "") if planes else find_planes(paths)
    with whole_files(paths, wanted) as (files, amplifier_files):
        findings = inspect_files(files, amplifier_files, only=only) if files else None
        if findings is not None:
            told = (*([said] if said else []), *_unused(typed))
            findings = replace(findings, warnings=(*told, *findings.warnings))
        return _make(
            name, values, facts, findings, no_input=no_input, output=output, from_files=from_files, planes=wanted or ""
        )


def _make(
    name: str,
    values: dict[str, str],
    facts: dict[str, Any] | None,
    findings: Findings | None,
    *,
    no_input: bool,
    output: Path,
    from_files: list[str],
    planes: str,
) -> int:
    """Ask what is not known, print what is, and write the package."""
    if not no_input and is_terminal():
        is_known = findings is not None or facts is not None
        questions = [
            question
            for question in QUESTIONS
            if not (is_known and question.in_files) or (question.name == "site" and _is_placeless(findings))
        ]
        _ask(values, questions, output, ["--from", *from_files] if from_files else [])
    elif not no_input and findings is None and facts is None:
        click.echo("no question was asked, because standard input is not a terminal: defaults are in force", err=True)
    answers = _answers(values)
    if findings is not None:
        facts = template_facts(findings, visit_key=answers.visit_key, detector_key=answers.detector_key, planes=planes)
        if gives_bands(answers.filters):
            facts["filters"] = with_bands(facts["filters"], answers.filters)
        click.echo(format_table(["quantity", "value", "from", "how sure", "note"], facts["report"]))
        for text in findings.warnings:
            click.echo(f"WARNING {text}", err=True)
        for kind in facts["corrected"]:
            click.echo(f"{kind} is out of the frames already: isr.do_{kind} is off in config/process.yaml")
        for kind in facts["absent"]:
            click.echo(
                f"no {kind} is among the files: isr.do_{kind} is off in config/process.yaml; set it when there are"
            )
        if seconds := facts.get("long_dark"):
            click.echo(
                f"no bias is among the files: the darks of {seconds} s stand in, as README.md says, and isr.do_dark is "
                "off in config/process.yaml, since they hold the dark current; set it when there are biases"
            )
        _print_roles(findings.roles)
    path = create_package(answers, output, facts=facts)
    for text in () if findings is None else find_disagreements(path, findings):
        click.echo(f"WARNING {text}", err=True)
    click.echo(f"{path} is made; next:")
    for line in _next_steps(name, path, from_files):
        click.echo(f"  {line}")
    return 0


def _unused(typed: dict[str, str]) -> list[str]:
    """Return what is wrong with options that files answer."""
    names = [
        "--" + question.name.replace("_", "-")
        for question in QUESTIONS
        if question.in_files and question.name in typed and not _is_used(question.name, typed[question.name])
    ]
    more = "; --filters NAME=BAND gives the band of a filter that they have" if "--filters" in names else ""
    advice = "what they do not tell is to be written into the package, in camera.yaml and amplifiers.csv"
    return [f"not used with --from, where the files answer: {', '.join(names)}{more}; {advice}"] if names else []


def _is_used(name: str, answer: str) -> bool:
    return name == "site" or (name == "filters" and gives_bands(answer))


def _is_placeless(findings: Findings | None) -> bool:
    """Return whether files were read that do not say where the telescope is."""
    if findings is None:
        return False
    return all(findings[name].confidence not in ("certain", "likely") for name in ("longitude", "latitude"))


def _next_steps(name: str, path: Path, files: list[str]) -> list[str]:
    """Return the commands that come next, ready to be pasted."""
    steps = [f"pip install -e {shlex.quote(str(path))}", f"obs check {name}", f"obs demo {name}"]
    if files:
        more = f"  # and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        steps.append(f"obs doctor {name} {shlex.join(files[:_NAMED])}{more}")
    return steps


def _ask(values: dict[str, str], questions: list[Question], output: Path, options: list[str]) -> None:
    """Ask what is not answered yet; say how to continue where a person stops."""
    _answers(values)  # what was given is checked before a person types more
    if all(question.name in values for question in questions):
        return
    file = AnswersFile(output / f"obs_{values['camera']}.answers.yaml")
    proposed = read_answers(file.path)[0] if file.path.exists() else {}
    file.write(proposed | values)
    earlier = ", which has those of an earlier run" if proposed else ""
    click.echo(f"{HELP}\nEach answer is kept in {file.path}{earlier}.")
    try:
        ask_questions(questions, values, file, proposed)
    except (click.Abort, KeyboardInterrupt):
        words = ["obs", "new", values["camera"], *options, "--answers", str(file.path)]
        words += [] if output == Path() else ["--output", str(output)]
        click.echo(f"\nYour answers are kept in {file.path}. Continue with:\n  {shlex.join(words)}", err=True)
        raise


def _answers(values: dict[str, str]) -> Answers:
    try:
        return Answers(**values)
    except TypeError as error:
        raise ConfigError(f"the answers are not understood: {error}") from error


def _print_roles(roles: Any) -> None:  # noqa: ANN401 - Roles or None
    """Print what cards tell apart in several files."""
    if roles is None:
        return
    click.echo(f"the same in all frames: {len(roles.constant)} cards")
    for what, names in (("a detector", roles.detector), ("an exposure", roles.exposure)):
        click.echo(f"cards that identify {what}: {', '.join(names) or 'none'}")
