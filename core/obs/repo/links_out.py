"""Links that lead out of a repository: nothing is written through one that its description does not name."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from obs.errors import OutputError, RepositoryError
from obs.repo.layout import is_repository, open_repository

__all__ = ["check_inside", "find_links_out"]

#: Outputs within a repository, each a repository by itself.
_OUTPUTS = "rerun"
#: The link by which the LSST stack names the repository that an output comes from; nothing is written below it.
_PARENT = "_parent"


def check_inside(path: Path) -> None:
    """Raise an error if what is written at a path would be outside of the repository that the path is in.

    A repository, the folder of its reruns, or one of them, may itself be reached through links. Outside of
    repositories any path is right.

    Parameters
    ----------
    path : Path
        A file that is opened where it is, or the folder of one that gets to its place by its name. It need not exist.

    Raises
    ------
    OutputError
        If a link on the way leads out, and the ``obs.yaml`` of its repository does not list it under ``linked``.
    """
    absolute = Path(os.path.abspath(path))
    if os.path.realpath(path) == str(absolute):
        return
    for link in (place for place in reversed([absolute, *absolute.parents]) if place.is_symlink()):
        root = next((parent for parent in link.parents if is_repository(parent)), None)
        if root is None or link.resolve().is_relative_to(root.resolve()):
            continue
        name = link.relative_to(root)
        if not _is_open(name, _linked(root)):
            raise OutputError(
                f"cannot write {path}: {link} is a link to {link.resolve()}, outside of the repository {root}; if that "
                f"is where results go, add the line 'linked: [{name}]' to {root / 'obs.yaml'}",
                path=path,
            )


def find_links_out(root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the links to folders below a repository that lead out of it, and whether something is written there.

    Parameters
    ----------
    root : Path
        Repository.

    Yields
    ------
    link : Path
        Link to a folder outside of the repository.
    is_written : bool
        Whether something is written there.
    """
    top, linked = root.resolve(), _linked(root)
    for place, folders, _ in os.walk(root):
        for path in (Path(place, name) for name in sorted(folders) if name != _PARENT):
            if path.is_symlink() and not path.resolve().is_relative_to(top):
                yield path, _is_open(path.relative_to(root), linked)


def _is_open(link: Path, linked: Sequence[str]) -> bool:
    """Return whether results go through a link of a repository, which is given relative to it."""
    is_output = link.parts[0] == _OUTPUTS and len(link.parts) <= 2
    return is_output or str(link) in linked


def _linked(root: Path) -> tuple[str, ...]:
    try:
        return open_repository(root).linked
    except RepositoryError:
        return ()
