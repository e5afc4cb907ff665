"""Data IDs and descriptions of repositories, in the stack's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DataId", "RepositoryArgs"]


class DataId(dict[str, Any]):
    """Keys and values that name data, as in the LSST stack.

    Parameters
    ----------
    initial : mapping, optional
        Keys and values.
    tag : Any, optional
        What the stack marks repositories with, which has no effect here.
    **keys : Any
        Further keys.
    """

    def __init__(self, initial: Mapping[str, Any] | None = None, tag: Any = None, **keys: Any) -> None:  # noqa: ANN401
        super().__init__({**(initial or {}), **keys})
        self.tag = tag


@dataclass
class RepositoryArgs:
    """What describes a repository to a Butler, as in the LSST stack.

    Parameters
    ----------
    root, cfgRoot : str or Path, optional
        Its folder; ``cfgRoot`` counts where there is no ``root``.
    mapper : str or class, optional
        The mapper, where the repository itself does not say.
    mapperArgs : mapping, optional
        Arguments of the mapper, of which ``calibRoot`` counts.
    tags : Any, optional
        What the stack marks repositories with, which has no effect here.
    mode : str, optional
        ``r``, ``w`` or ``rw``.
    policy : mapping, optional
        What is otherwise than in the camera's policy.
    """

    root: str | Path | None = None
    cfgRoot: str | Path | None = None
    mapper: Any = None
    mapperArgs: Mapping[str, Any] | None = None
    tags: Any = None
    mode: str | None = None
    policy: Mapping[str, Any] | None = None
