"""Render the project template: from answers and facts to a package on disk."""

import importlib.util
import logging
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from obs.errors import OutputError, PluginError
from obs.instrument.discovery import discover
from obs.repo.atomic import remove_leftovers, temporary_path
from obs.repo.folder_exchange import replace_folder
from obs.repo.scratch_folder import scratch_folder
from obs.resources import project_template
from obs.scaffold.answers import Answers
from obs.scaffold.exposure_room import exposure_room
from obs.scaffold.safe_text import as_template_literal, check_facts

__all__ = ["create_package", "is_taken", "render_template"]

#: How the library tells that the template's last step failed, whose exit status is the system's number of the reason.
_HOOK_FAILED = re.compile(r"Hook script failed \(exit status: ([2-9]|\d\d+)\)")


def is_taken(name: str) -> str:
    """Return what has the name of a camera already; empty if nothing has."""
    discovery = discover()
    if name in discovery.instruments:
        return f"the camera of {discovery.instruments[name].distribution}"
    if any(broken.name == name for broken in discovery.broken):
        return "a camera that is installed but broken"
    return f"the Python package obs_{name}" if importlib.util.find_spec(f"obs_{name}") is not None else ""


def create_package(answers: Answers, folder: Path, *, facts: Mapping[str, Any] | None = None) -> Path:
    """Write the package of a camera.

    Parameters
    ----------
    answers : Answers
        What was asked.
    folder : Path
        Folder in which the package's own, ``obs_NAME``, is made.
    facts : mapping, optional
        Facts from raw files; see `obs.scaffold.facts.template_facts`. It wins over the answers.

    Returns
    -------
    Path
        The package's folder.

    Raises
    ------
    PluginError
        If the name is taken.
    OutputError
        If the folder exists, or cannot be written.
    """
    if taken := is_taken(answers.camera):
        raise PluginError(f"the name '{answers.camera}' is taken by {taken}; choose another", plugin=answers.camera)
    target = folder / f"obs_{answers.camera}"
    there = OutputError(f"{target} exists already; choose another name, or another folder by --output", path=target)
    if target.exists():
        raise there
    context = answers.as_context() | ({} if facts is None else {"_facts": dict(facts)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        # made beside its place, so that a run that is interrupted leaves no half package
        scratch = temporary_path(target)
        scratch.mkdir()
        try:
            replace_folder(render_template(context, scratch), target, clobber=False)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        if isinstance(error, FileExistsError) and error.filename == str(target):
            raise there from None  # another run was faster
        cause = error.__cause__ if isinstance(error, OutputError) else error
        why = (isinstance(cause, OSError) and cause.strerror) or str(error)
        raise OutputError(f"{target} cannot be written: {why}", path=target) from error
    return target


def render_template(context: Mapping[str, Any], folder: Path, *, template: Path | None = None) -> Path:
    """Render the template of a camera package.

    Parameters
    ----------
    context : mapping
        Its variables; those that are not given have their defaults.
    folder : Path
        Folder in which the package's own is made.
    template : Path, optional
        Another template than the engine's.

    Returns
    -------
    Path
        The package's folder.

    Raises
    ------
    OutputError
        If it cannot be rendered or written.
    ConfigError
        If facts from raw files could become code.
    """
    from cookiecutter.exceptions import CookiecutterException  # noqa: PLC0415 - slow to import
    from cookiecutter.main import cookiecutter  # noqa: PLC0415 - slow to import

    check_facts(context.get("_facts", {}))
    literal = {key: as_template_literal(value) if isinstance(value, str) else value for key, value in context.items()}
    with scratch_folder("new") as scratch:
        # The library keeps replays and clones in the home folder, which is none of ours.
        config = scratch / "config.yaml"
        config.write_text(
            yaml.safe_dump({"replay_dir": f"{scratch}/replay", "cookiecutters_dir": f"{scratch}/templates"})
        )
        # the library logs failures of the template's last step with a traceback; they are told below
        logging.getLogger("cookiecutter").setLevel(logging.CRITICAL)
        try:
            made = cookiecutter(
                str(template or project_template()),
                no_input=True,
                extra_context={**literal, "_room": exposure_room(context)},
                output_dir=str(folder),
                config_file=str(config),
            )
        except (CookiecutterException, OSError) as problem:
            failed = _HOOK_FAILED.search(str(problem))
            error = OSError(int(failed[1]), os.strerror(int(failed[1]))) if failed else problem
            raise OutputError(f"the package cannot be written in {folder}: {error}", path=folder) from error
    return Path(made)
