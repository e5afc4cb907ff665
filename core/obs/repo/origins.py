"""Where the files of repositories came from."""

from collections.abc import Iterable
from pathlib import Path

from obs.frozen import frozen
from obs.policy.policy import Policy
from obs.repo.key_sources import registry_place
from obs.repo.layout import open_repository
from obs.repo.registry import Registry

__all__ = ["Origin", "find_origins"]


@frozen
class Origin:
    """Where a file came from.

    Parameters
    ----------
    source : str
        The file that was ingested, absolute; several where files of single amplifiers were put together.
    mode : str
        How it got to its place: ``link``, ``copy``, ``move`` or ``skip``.
    """

    source: str
    mode: str


def find_origins(roots: Iterable[Path], policy: Policy) -> dict[Path, Origin]:
    """Return the origins of ingested files by their places; those of repositories of other programs are not known.

    Parameters
    ----------
    roots : iterable of Path
        Folders of repositories.
    policy : Policy
        May say where the registry is.
    """
    found: dict[Path, Origin] = {}
    for root in roots:
        place = registry_place(root, policy)
        if open_repository(root).is_own and ("://" in place or Path(place).is_file()):
            found |= {root / file: Origin(source, mode) for file, source, mode in Registry(place).origins()}
    return found
