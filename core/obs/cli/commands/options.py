"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["config_options", "id_option", "run_options", "words_option"]

F = TypeVar("F", bound=Callable[..., Any])


def words_option(*spellings: str, metavar: str, text: str) -> Callable[[F], F]:
    """Declare an option that `obs.cli.arguments.ManyWordsCommand` collects."""
    return click.option(*spellings, expose_value=False, multiple=True, metavar=metavar, help=text)


def id_option(function: F) -> F:
    """Add ``--id``."""
    text = "Data IDs: A^B alternatives, LOW..HIGH[:STEP] ranges; alone: everything. Repeatable."
    return words_option("--id", metavar="[KEY=VALUE]...", text=text)(function)


def config_options(function: F) -> F:
    """Add ``-c`` and ``-C``, which take effect from left to right."""
    function = words_option("-C", "--configfile", metavar="FILE...", text="Settings from YAML or LSST .py files.")(
        function
    )
    return words_option("-c", "--config", metavar="NAME=VALUE...", text="Settings.")(function)


def run_options(function: F) -> F:
    """Add the options that say how to run."""
    for option in (
        words_option(
            "-L", "--log-level", "--loglevel", metavar="[COMPONENT=]LEVEL...", text="debug, info, warning, error."
        ),
        click.option("--doraise", is_flag=True, help="Stop at the first failure, with its traceback."),
        click.option("-t", "--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for each data ID."),
        click.option("-j", "--processes", type=click.IntRange(min=1), default=1, help="Number of processes."),
    ):
        function = option(function)
    return function
