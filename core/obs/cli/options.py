"""What options stand for that several commands share."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from obs.config.base import TaskConfig
from obs.config.layers import ConfigLayers
from obs.errors import OutputError, RepositoryError, suggest
from obs.repo.layout import is_repository, open_repository

__all__ = [
    "add_overrides",
    "calib_folder",
    "output_under",
    "path_under",
    "remove_output",
]

C = TypeVar("C", bound=TaskConfig)


def add_overrides(layers: ConfigLayers[C], overrides: Iterable[tuple[str, str]]) -> None:
    """Apply ``-c`` and ``-C`` in the order given.

    Raises
    ------
    ConfigError
        For a setting that does not exist, or a file that cannot be read.
    """
    for kind, text in overrides:
        if kind == "c":
            layers.set(text)
        else:
            layers.load(text)


def path_under(variable: str, path: Path) -> Path:
    """Return a path, relative to the folder that an environment variable names if it is set, as in the LSST stack.

    Parameters
    ----------
    variable : str
        PIPE_INPUT_ROOT, PIPE_CALIB_ROOT or PIPE_OUTPUT_ROOT.
    path : Path
        Path from the command line; an absolute one is returned as it is.
    """
    return Path(os.environ.get(variable, "")) / path


def calib_folder(root: Path, calib: Path | None) -> Path | None:
    """Return the folder of calibrations that a user names: as in the LSST stack, or else one in the repository.

    Parameters
    ----------
    root : Path
        The repository, as the user names it.
    calib : Path or None
        The value of ``--calib``. It is taken from the current folder where it is there, or begins with the name of the
        repository (``DATA --calib DATA/CALIB``); else from the repository (``DATA --calib CALIB``).
    """
    if calib is None or calib.is_absolute():
        return calib
    within = root != Path() and calib.is_relative_to(root)
    return calib.absolute() if within or calib.exists() else calib


def output_under(root: Path, rerun: str | None) -> Path:
    """Return the folder of a rerun, or the root if no rerun is named.

    Raises
    ------
    RepositoryError
        If there is no repository, or no such rerun; names those that there are.
    """
    if rerun is None:
        return root
    folder = root / "rerun" / rerun
    if not is_repository(folder):
        open_repository(root)
        top = root / "rerun"
        names = sorted(path.name for path in top.iterdir() if is_repository(path)) if top.is_dir() else []
        hint = suggest(rerun, names) or (
            f"; there are: {', '.join(names)}" if names else "; obs process --rerun NAME makes one"
        )
        raise RepositoryError(f"no rerun '{rerun}' in {root}{hint}", path=folder)
    return folder


def remove_output(output: Path, *inputs: Path, is_output: Callable[[Path], bool] = is_repository) -> None:
    """Remove an output folder with everything in it.

    Parameters
    ----------
    output : Path
        The folder; it need not exist.
    *inputs : Path
        Input repository or files, which must not be lost with it.
    is_output : callable, optional
        Called with the folder, returns whether obs made it.

    Raises
    ------
    OutputError
        If the folder is or holds an input, was not made by obs, or cannot be removed.
    """
    if not output.exists():
        return
    for place in inputs:
        if place.resolve().is_relative_to(output.resolve()):
            raise OutputError(f"--clobber-output would remove the input {place}; choose another output", path=output)
    if not is_output(output):
        raise OutputError(f"{output} is not an output of obs; --clobber-output does not remove it", path=output)
    try:
        shutil.rmtree(output)
    except OSError as problem:
        raise OutputError(f"cannot remove {output}: {problem.strerror}", path=output) from None
