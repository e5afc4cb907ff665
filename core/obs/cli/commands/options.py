"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["config_options", "id_option", "run_option", "run_options", "words_option"]

F = TypeVar("F", bound=Callable[..., Any])


def words_option(*spellings: str, metavar: str, text: str) -> Callable[[F], F]:
    """Declare an option that `obs.cli.arguments.ManyWordsCommand` collects."""
    return click.option(*spellings, expose_value=False, multiple=True, metavar=metavar, help=text)


def id_option(function: F) -> F:
    """Add the option ``--id`` to a command."""
    text = "Data IDs: A^B alternatives, LOW..HIGH[:STEP] ranges; alone: everything. Repeatable."
    return words_option("--id", metavar="[KEY=VALUE]...", text=text)(function)


def config_options(function: F) -> F:
    """Add ``-c`` and ``-C``, which take effect from left to right."""
    function = words_option("-C", "--configfile", metavar="FILE...", text="Files of settings, YAML or LSST .py.")(
        function
    )
    return words_option("-c", "--config", metavar="NAME=VALUE...", text="Settings by name, with values as in YAML.")(
        function
    )


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> object:
    """Keep the value of an option that says how to run, for whoever asks for it by `run_option`."""
    context.meta[f"{__name__}.{parameter.name}"] = value
    return value


def run_option(name: str) -> Any:  # noqa: ANN401 - a value of any type
    """Return the value of an option that says how to run; None if the command does not have it."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(f"{__name__}.{name}")


def _kept_option(*spellings: str, **settings: Any) -> Callable[[F], F]:
    """Declare an option whose value `run_option` returns, and which is not a parameter of the command."""
    return click.option(*spellings, expose_value=False, callback=_keep, **settings)


def run_options(function: F) -> F:
    """Add the options that say how to run."""
    for option in (
        words_option(
            "-L",
            "--log-level",
            "--loglevel",
            metavar="[COMPONENT=]LEVEL...",
            text="Lowest level of messages: debug, info, warning or error.",
        ),
        _kept_option(
            "-T",
            "--trace",
            nargs=2,
            type=(int, str),
            multiple=True,
            metavar="LEVEL COMPONENT",
            help="Print debug messages of a component; level 0 prints none.",
        ),
        _kept_option(
            "--site",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="YAML file with settings of the site for --cluster.",
        ),
        _kept_option(
            "--cluster",
            type=click.Choice(["local", "slurm", "htcondor", "pbs"]),
            help="Batch system on which -j Dask workers are started.",
        ),
        _kept_option(
            "--scheduler",
            metavar="ADDRESS",
            help="Address of a running Dask scheduler, such as tcp://host:8786.",
        ),
        _kept_option(
            "--executor",
            metavar="NAME",
            help="Place to run: local, dask, or one that a package adds.",
        ),
        _kept_option("--debug", is_flag=True, help="Print debug messages of all components."),
        _kept_option(
            "--longlog",
            is_flag=True,
            help="Print messages with time, host and component.",
        ),
        _kept_option(
            "--logdest",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="File to which messages are appended.",
        ),
        _kept_option(
            "--profile",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="File for a profile that Python's pstats reads; needs -j 1.",
        ),
        click.option("--doraise", is_flag=True, help="Stop at the first failure, with its traceback."),
        click.option(
            "-t", "--timeout", type=click.FloatRange(min=0, min_open=True), help="Time limit for each data ID, seconds."
        ),
        _kept_option(
            "--threads",
            type=click.IntRange(min=1),
            metavar="N",
            envvar="OBS_THREADS",
            help="Threads for each image, else 1 or OBS_THREADS: for few images on many cores.",
        ),
        click.option(
            "-j",
            "--processes",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Number of processes; each uses one core.",
        ),
    ):
        function = option(function)
    return function
