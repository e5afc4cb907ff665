"""`obs new`: a package for a camera."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import words_option

__all__ = ["QUESTIONS", "new"]

_EXAMPLE = """\b
Examples:
  obs new mycam
  obs new mycam --from night1/*.fits
  obs new mycam --no-input --detectors 4 --amplifiers 2 --visit-key run
"""

#: Answer of `obs.scaffold.answers.Answers`: the question.
QUESTIONS = {
    "title": "A line that describes the camera",
    "author": "Who holds the copyright",
    "visit_key": "What data IDs call an exposure",
    "detector_key": "What data IDs call a detector",
    "detectors": "Number of detectors",
    "amplifiers": "Amplifiers side by side in each",
    "width": "Columns of data of an amplifier",
    "height": "Rows of data of an amplifier",
    "overscan": "Columns of overscan behind them",
    "gain": "Gain, e-/ADU (empty: not known)",
    "read_noise": "Read noise, e- (empty: not known)",
    "saturation": "Saturation, ADU (empty: not known)",
    "filters": "Names of the filters, with blanks or commas between",
    "pixel_scale": "Pixel scale, arcsec",
    "pixel_size": "Pixel size, mm",
}
F = TypeVar("F", bound=Callable[..., Any])


def _question_options(function: F) -> F:
    """Add an option for each question."""
    for name, text in reversed(QUESTIONS.items()):
        function = click.option(f"--{name.replace('_', '-')}", metavar="TEXT", help=f"{text}.")(function)
    return function


@click.command("new", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("name")
@words_option("--from", metavar="FILE...", text="Raw files of the camera, or headers as text, that tell what they can.")
@click.option(
    "--answers", "answer_file", metavar="FILE", type=click.Path(path_type=Path), help="Answers, YAML or JSON."
)
@click.option("--no-input", is_flag=True, help="Ask nothing; what is not given takes its default.")
@click.option(
    "--output", metavar="FOLDER", type=click.Path(path_type=Path), default=".", help="Where obs_NAME is made."
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@_question_options
@calls("obs.cli.new:new")
def new() -> None:
    """Make obs_NAME, the package of a camera: it can be installed, tested and simulated at once.

    Raw files tell geometry, gains and headers; a table says what was found, from which card, and how sure it is.
    """
