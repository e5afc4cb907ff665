"""`obs new`: a package for a camera."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import words_option
from obs.scaffold.questions import QUESTIONS

__all__ = ["new"]

_EXAMPLE = """\b
Examples:
  obs new mycam
  obs new mycam --from night1/*.fits
  obs new mycam --no-input --detectors "2 x 4" --gap-x 120 --amplifiers "1 x 2" --readout "LL LR"
"""

F = TypeVar("F", bound=Callable[..., Any])


def _question_options(function: F) -> F:
    """Add an option for each question."""
    for question in reversed(QUESTIONS):
        spelling = f"--{question.name.replace('_', '-')}"
        function = click.option(spelling, metavar="TEXT", help=f"{question.label}.")(function)
    return function


@click.command("new", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("name")
@words_option(
    "--from", metavar="FILE...", text="Raw files of the camera, or headers as text, to read the description from."
)
@click.option(
    "--only",
    metavar="TEXT",
    default="",
    help="Part of the name of the camera, or a binning such as '2 x 2', if files of several are given.",
)
@click.option(
    "--planes",
    type=click.Choice(["each", "mean", "colors"]),
    help="Meaning of the planes of a cube: an exposure each, parts of one that are averaged, or computed colors.",
)
@click.option(
    "--answers",
    "answer_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="YAML or JSON file with answers; at a terminal the rest is asked.",
)
@click.option("--no-input", is_flag=True, help="Ask nothing; every answer that is not given takes its default.")
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    default=".",
    help="Folder in which obs_NAME is made.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@_question_options
@calls("obs.cli.new:new")
def new() -> None:
    """Make a camera package, from raw files or answers.

    The package obs_NAME can be installed, tested and simulated at once.

    Raw files tell geometry, gains and headers; a table says what was found, from which card, and how sure it is.
    """
