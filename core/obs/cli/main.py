"""The `obs` command: finds the subcommand, and turns every error into one line and an exit status.

What a subcommand looks like is imported when it is called, and what it does when it runs, so that help needs nothing
but click.
"""

import errno
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from obs.errors import ObsError, suggest
from obs.memory import pause_collection
from obs.os_advice import write_advice
from obs.threads import use_one_thread
from obs.unmatched import unmatched_noted
from obs.url_secrets import hide_passwords
from obs.version import __version__

__all__ = ["COMMANDS", "FIRST_SIGNAL_STATUS", "command_line", "main"]

#: Name of each subcommand: where in `obs.cli.commands` it is, and its help in a line.
COMMANDS = {
    "init": ("init:init", "Make a repository for files of one camera."),
    "ingest": ("ingest:ingest", "Register raw files in a repository."),
    "ingest-refcat": ("ingest_refcat:ingest_refcat", "Add a reference catalog to a repository, from tables."),
    "refcat": ("refcat:refcat", "Download reference catalogs."),
    "calibs": ("calibs:calibs", "Build, ingest and list calibration frames."),
    "process": ("process:process", "Turn raw files into calibrated images and catalogs."),
    "skymap": ("skymap:skymap", "Divide the sky into tracts and patches, or show them."),
    "coadd": ("coadd:coadd", "Combine calibrated exposures to deep images."),
    "coadd-catalog": ("coadd_catalog:coadd_catalog", "Detect and measure the objects on coadds."),
    "difference": ("difference:difference", "Subtract coadds from images, and list what changed."),
    "process-file": ("process_file:process_file", "Find and measure the sources of FITS images."),
    "calibrate-visits": ("calibrate_visits:calibrate_visits", "Calibrate all visits of a field together."),
    "forced": ("forced:forced", "Measure fluxes at given positions on every image."),
    "lightcurve": ("lightcurve:lightcurve", "Measure the light curve of one object."),
    "simulate": ("simulate:simulate", "Simulate raw files of a camera, with known truth."),
    "demo": ("demo:demo", "Simulate a night, process it, compare with the truth."),
    "report": ("report:report", "Write one page on which a night is judged."),
    "query": ("query:query", "Print quality metrics of exposures."),
    "watch": ("watch:watch", "Process a night while it is observed."),
    "log": ("log:log", "Print what happened to data IDs in all runs."),
    "verify": ("verify:verify", "Check the files of a repository."),
    "info": ("info:info", "Print the contents of a repository."),
    "ls": ("ls:list_datasets", "List the datasets of a repository."),
    "where": ("where:where", "Print files of datasets, or what is at a position."),
    "display": ("display:display", "Draw an image, or show it in DS9."),
    "get": ("get:get", "Print a dataset, or write it to a file."),
    "export": ("export:export", "Export results to files that need no repository."),
    "provenance": ("provenance:provenance", "Print the inputs of a dataset, back to the raw files."),
    "diff-config": ("diff_config:diff_config", "Print how the settings of two runs differ."),
    "new": ("new:new", "Make a camera package, from raw files or answers."),
    "check": ("check:check", "Check a camera package."),
    "update": ("update:update", "Update a camera package to the current template."),
    "doctor": ("doctor:doctor", "Check raw files against a camera package."),
    "translate": ("translate:translate", "Print the values that are read from raw headers."),
    "camera": ("camera:camera", "Show a camera's focal plane, or write it as LSST's tables."),
    "export-gen3": ("export_gen3:export_gen3", "Write a third-generation LSST repository."),
    "lsst-command": ("lsst_command:lsst_command", "Run a command line of the LSST stack with obs."),
    "export-lsst": ("export_lsst:export_lsst", "Write a camera as a package of the LSST stack."),
    "cameras": ("cameras:cameras", "List the installed cameras."),
}

_FAILURE = 1
#: Why a file that the shell has opened, or one without a name, cannot be written.
_CANNOT_PRINT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
FIRST_SIGNAL_STATUS = 128
"""Added to the number of a signal, it is the exit status of a command that the signal ended."""


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"obs.cli.commands.{module}"), attribute)
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if name not in COMMANDS and not name.startswith("-"):
            context.fail(f"there is no command '{name}'{suggest(name, COMMANDS)}")
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


_EXAMPLE = """\b
Example:
  obs process DATA --id visit=903334 ccd=23..25 --output out
"""


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        # numpy, which help does not wait for, comes with it
        describe = importlib.import_module("obs.kernels.library").describe
        click.echo(f"obs, version {__version__} ({describe()})")
        context.exit()


@click.group(cls=_LazyGroup, epilog=_EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version, and which kernels are in use.",
)
def command_line() -> None:
    """Turn the frames of any CCD camera into calibrated images and source catalogs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `obs` and return its status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words behind ``obs``; those of this process if None.

    Returns
    -------
    int
        The exit status: 0; 1 if something failed; 2 for a command that cannot be understood; 130 after Ctrl-C (which
        ends a watch as usual), 143 after SIGTERM and 129 after SIGHUP.
    """
    use_one_thread()
    # Pydantic would look for plugins in all installed packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    if arguments is None:
        pause_collection()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _signals_raised(), unmatched_noted() as unmatched:
            status = command_line.main(words, prog_name="obs", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as problem:
        text = io.StringIO()
        problem.show(text)
        click.echo(hide_passwords(text.getvalue()), err=True, nl=False)
        return problem.exit_code
    except (KeyboardInterrupt, click.Abort) as problem:
        ended = problem if isinstance(problem, _Terminated) else problem.__cause__
        if isinstance(ended, _Terminated):
            return _report(
                f"ended by {ended.signal.name}; what was finished is kept", FIRST_SIGNAL_STATUS + ended.signal
            )
        return _report("interrupted; what was finished is kept", FIRST_SIGNAL_STATUS + signal.SIGINT)
    except BrokenPipeError:
        _drop_output()
        return _FAILURE
    except ObsError as problem:
        if "--doraise" in words:
            raise
        return _report(" ".join(str(problem).split()), _FAILURE)
    except Exception as problem:
        if "--doraise" in words:
            raise
        if isinstance(problem, OSError) and problem.filename is not None:
            return _report(f"cannot use {problem.filename}: {write_advice(problem)}", _FAILURE)
        if isinstance(problem, OSError) and problem.errno in _CANNOT_PRINT:
            _drop_output()
            return _report(f"cannot write what is printed: {write_advice(problem)}", _FAILURE)
        kind = type(problem).__name__
        return _report(f"unexpected {kind}: {problem} (a fault of obs; --doraise shows where)", _FAILURE)
    return status if isinstance(status, int) and status else int(bool(unmatched))


def _drop_output() -> None:
    """Let go of what could not be printed: Python flushes stdout once more when it ends, and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Terminated(KeyboardInterrupt):
    """The request to end, by a signal that would end Python without a word and without cleaning up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP into an exception; a second one ends the process."""

    def end(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise _Terminated(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:  # nohup has SIGHUP ignored
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(message: str, status: int) -> int:
    """Print an error on one line and return the exit status."""
    click.echo(f"obs: error: {hide_passwords(message)}", err=True)
    return status
