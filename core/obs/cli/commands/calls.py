"""The bridge from what a command looks like to what it does, which is imported when it is needed."""

import cProfile
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

import click

from obs.cli.commands.options import run_option
from obs.errors import OutputError
from obs.lean_astropy import import_fits
from obs.memory import resume_collection
from obs.threads import use_threads

__all__ = ["calls"]


def calls(place: str, *, reads_images: bool = True) -> Callable[[Callable[[], None]], Callable[..., Any]]:
    """Return a decorator for a declaration without body, which hands all parameters on to a function.

    Commands are declared here and carried out elsewhere, so that help and completion need nothing but click.

    Parameters
    ----------
    place : str
        The function, as ``package.module:name``; its parameters have the names of those declared.
    reads_images : bool, default: True
        Whether its module imports astropy, which then comes first.
    """

    def decorate(declaration: Callable[[], None]) -> Callable[..., Any]:
        def call(**parameters: object) -> object:
            module, _, name = place.partition(":")
            if reads_images:
                import_fits()
            action = partial(getattr(importlib.import_module(module), name), **parameters)
            resume_collection()
            path = run_option("profile")
            with use_threads(run_option("threads") or 1), _executor(parameters.get("processes")):
                return action() if path is None else _profile(action, path, parameters.get("processes"))

        update_wrapper(call, declaration)
        call.__dict__["place"] = place
        return call

    return decorate


def _executor(processes: object) -> AbstractContextManager[None]:
    """Return the context in which data IDs are worked on where the user asks for it."""
    asked = {name: run_option(name) for name in ("executor", "scheduler", "cluster", "site")}
    if not any(asked.values()):
        return nullcontext()
    choose = importlib.import_module("obs.executor.choose")
    options = choose.ExecutorOptions(
        name=asked.pop("executor"), **asked, processes=processes if isinstance(processes, int) else 1
    )
    chosen: AbstractContextManager[None] = choose.chosen_executor(options)
    return chosen


def _profile(action: Callable[[], object], path: Path, processes: object) -> object:
    """Run an action under Python's profiler, and write what it found, also if the action fails.

    Raises
    ------
    click.UsageError
        For several processes, of which only the first would be seen.
    OutputError
        If the file cannot be written.
    """
    if processes != 1:
        raise click.UsageError("--profile sees one process only; leave out -j")
    profile = cProfile.Profile()
    try:
        return profile.runcall(action)
    finally:
        try:
            profile.dump_stats(path)
        except OSError as error:
            raise OutputError(f"cannot write the profile {path}: {error.strerror}", path=path) from error
