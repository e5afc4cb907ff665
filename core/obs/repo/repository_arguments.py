"""Repositories as LSST's Butler takes them: ``inputs=`` and ``outputs=``."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from obs.errors import RepositoryError, suggest
from obs.frozen import frozen
from obs.repo.layout import open_repository

__all__ = ["RepositoryArguments", "as_root_and_output", "read_repository_arguments"]

_KEYS = ("root", "cfgRoot", "mapper", "mapperArgs", "tags", "mode", "policy")


@frozen
class RepositoryArguments:
    """Arguments that describe one repository of a Butler.

    Parameters
    ----------
    root : Path
        Its folder.
    mapper : str or None
        Name of the mapper class, where the repository itself does not say.
    calib : str or None
        Folder of the calibrations.
    policy : mapping
        What is otherwise than in the camera's policy.
    """

    root: Path
    mapper: str | None = None
    calib: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)


def read_repository_arguments(given: Any, *, writes: bool = False) -> list[RepositoryArguments]:  # noqa: ANN401
    """Return repositories from a path, a mapping with the key ``root``, or a list of these.

    Parameters
    ----------
    given : str, Path, mapping, object with these attributes, or list
        What the user says; None is an empty list.
    writes : bool, optional
        Whether they are outputs.

    Raises
    ------
    RepositoryError
        If one names no folder, has an unknown key, or a mode that does not fit.
    """
    if given is None:
        return []
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [one for item in given for one in read_repository_arguments(item, writes=writes)]
    if isinstance(given, str | Path):
        return [RepositoryArguments(Path(given))]
    values = given if isinstance(given, Mapping) else {key: getattr(given, key, None) for key in _KEYS}
    for key in values:
        if key not in _KEYS:
            raise RepositoryError(f"unknown key '{key}' of a repository{suggest(key, _KEYS)}; keys: {', '.join(_KEYS)}")
    root = values.get("root") or values.get("cfgRoot")
    if not root:
        raise RepositoryError("a repository needs the key 'root', its folder")
    if writes and values.get("mode") == "r":
        raise RepositoryError(f"the output {root} has the mode 'r'; outputs are 'w' or 'rw'", path=root)
    if not writes and values.get("mode") == "w":
        raise RepositoryError(f"the input {root} has the mode 'w'; inputs are 'r' or 'rw'", path=root)
    mapper, arguments = values.get("mapper"), values.get("mapperArgs") or {}
    name = mapper if isinstance(mapper, str) or mapper is None else getattr(mapper, "__name__", type(mapper).__name__)
    return [RepositoryArguments(Path(root), name, arguments.get("calibRoot"), values.get("policy") or {})]


def as_root_and_output(inputs: Any, outputs: Any) -> tuple[list[RepositoryArguments], Path | None]:  # noqa: ANN401
    """Return the repositories to read and the one to write that LSST's arguments name.

    Parameters
    ----------
    inputs : object
        Repositories to read: a folder, a mapping with ``root``, or a list of these.
    outputs : object
        Repository to write, in the same forms. Alone, it is read with its parents.

    Returns
    -------
    inputs : list of RepositoryArguments
        Repositories to read.
    output : Path or None
        Repository to write.

    Raises
    ------
    RepositoryError
        If there are several outputs, or no inputs.
    """
    read, written = read_repository_arguments(inputs), read_repository_arguments(outputs, writes=True)
    if len(written) > 1:
        raise RepositoryError(f"one output is written at a time, got {len(written)}: name one")
    if read:
        return read, written[0].root if written else None
    parents = open_repository(written[0].root).parents
    if not parents:
        raise RepositoryError(f"the output {written[0].root} has no inputs yet; name them with inputs=")
    return [replace(written[0], root=parent) for parent in parents], written[0].root
