"""Ask a person for the answers that a camera package is made from, and keep each one as it is typed."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import click
import yaml

from obs.errors import ConfigError, OutputError
from obs.repo.atomic import atomic_write
from obs.scaffold.answer_checks import check_answer
from obs.scaffold.answers import Answers, check_together
from obs.scaffold.questions import Question

__all__ = ["HELP", "AnswersFile", "ask_questions", "is_terminal"]

HELP = "Press Enter to take the answer in brackets. Type ? for more about a question, < to go back to the last one."
"""What to say before the first question."""
_BACK, _MORE, _UNKNOWN = "<", "?", "unknown"
_DEFAULTS = {field.name: str(field.default) for field in fields(Answers)}


def is_terminal() -> bool:
    """Return whether a person can answer."""
    return sys.stdin.isatty()


class AnswersFile:
    """A file of answers, written anew after each one.

    Parameters
    ----------
    path : Path
        The file; its folder is made if it is missing.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent} cannot be made: {error.strerror}", path=path) from None

    def write(self, answers: Mapping[str, str]) -> None:
        """Replace the file by these answers."""
        text = yaml.safe_dump(dict(answers), sort_keys=False, allow_unicode=True, width=1000)
        with atomic_write(self.path) as file:
            file.write(text.encode())


def ask_questions(
    questions: Sequence[Question], answers: dict[str, str], file: AnswersFile, proposed: Mapping[str, str]
) -> None:
    """Ask until every question that is due has an answer.

    Parameters
    ----------
    questions : sequence of Question
        What to ask; those that ``answers`` has an answer to are left out.
    answers : dict
        Answers so far; those that are typed are added.
    file : AnswersFile
        Where each answer is kept at once.
    proposed : mapping
        Answers of an earlier run, which are offered in brackets.

    Raises
    ------
    OutputError
        If the answers cannot be kept.
    """
    asked = [question for question in questions if question.name not in answers]
    offered, history, place = dict(proposed), list[int](), 0
    while place < len(asked):
        question = asked[place]
        if not question.is_due(answers):
            place += 1
            continue
        answer = _ask(question, answers, offered)
        if answer is not None:
            answers[question.name] = answer
            file.write(offered | answers)
            history.append(place)
            place += 1
        elif history:
            place = history.pop()
            offered[asked[place].name] = answers.pop(asked[place].name)


def _ask(question: Question, answers: Mapping[str, str], offered: Mapping[str, str]) -> str | None:
    """Return a checked answer; None to go back."""
    default = _propose(question, answers, offered)
    click.echo(f"\n{question.line}")
    while True:
        text = _prompt(question, default)
        if text == _BACK:
            return None
        if text == _MORE:
            click.echo(click.wrap_text(question.more, width=100, initial_indent="  ", subsequent_indent="  "))
            continue
        if text.lower() == _UNKNOWN and _DEFAULTS[question.name] == "" and question.name != "title":
            text = ""
        try:
            check_answer(question.name, text)
            check_together({**answers, question.name: text})
        except ConfigError as error:
            click.echo(f"  {error}")
            continue
        return text


def _propose(question: Question, answers: Mapping[str, str], offered: Mapping[str, str]) -> str:
    """Return the answer in brackets: what was typed before, or what is usual."""
    if question.name in offered:
        return offered[question.name]
    if question.name == "title":
        return f"The camera {answers['camera']}"
    return question.default(answers) if question.default is not None else _DEFAULTS[question.name]


def _prompt(question: Question, default: str) -> str:
    """Return what is typed, without spaces around it."""
    while True:
        try:
            text = click.prompt(question.label, default=default, show_default=bool(default))
        except UnicodeDecodeError:
            click.echo("  this is not text in the encoding of your terminal")
            continue
        return str(text).strip()
