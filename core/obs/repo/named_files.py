"""Files below a repository: all of them, or those that patterns name, without a look at the others.

A folder of a night may have thousands of files. Where all of a name is known, it is asked for by name; only folders of
which a pattern leaves the name open are listed.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fnmatch import translate
from pathlib import Path

from obs.repo.file_keys import COMPRESSED
from obs.repo.layout import is_repository

__all__ = ["named_files", "repository_files"]

#: So many names of a folder are asked for one by one; for more, it is listed.
_FEW = 16
_ESCAPED = re.compile(r"\[([*?\[])\]")

#: What is left of the parts of a pattern, and the pattern.
_Rest = tuple[Sequence[str], str]


def repository_files(root: Path) -> Iterator[str]:
    """Yield the files below a repository, relative to it; other repositories inside it are left out.

    Parameters
    ----------
    root : Path
        The repository.
    """
    seen = _folders_above(root)
    length = len(str(root)) + 1
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or (folder != str(root) and is_repository(Path(folder))):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(filter(_may_enter, folders))
        relative = folder[length:]
        before = f"{relative}/" if relative else ""
        yield from [before + name for name in sorted(files) if name[0] != "."]


def named_files(root: Path, patterns: Iterable[str], met: set[str]) -> Iterator[str]:
    """Yield those files below a repository that shell patterns name, compressed or not; see `repository_files`.

    Parameters
    ----------
    root : Path
        The repository.
    patterns : iterable of str
        Patterns relative to it, such as ``*/v012-*.fits``; here ``*`` stands for no ``/``.
    met : set of str
        The patterns that name a file are added to it.
    """
    yield from _search(
        str(root), "", [(pattern.split("/"), pattern) for pattern in patterns], _folders_above(root), met
    )


def _folders_above(root: Path) -> set[str]:
    """Return the folders above a repository: a link to one of them would have the whole disk walked."""
    return {str(above) for above in Path(os.path.realpath(root)).parents}


def _may_enter(name: str) -> bool:
    return not name.startswith((".", "_parent"))


def _search(folder: str, before: str, patterns: Iterable[_Rest], seen: set[str], met: set[str]) -> Iterator[str]:
    real = os.path.realpath(folder)
    if real in seen or (before and is_repository(Path(folder))):
        return
    seen.add(real)
    files: dict[str, set[str]] = defaultdict(set)
    folders: dict[str, set[str]] = defaultdict(set)
    below: dict[str, list[_Rest]] = defaultdict(list)
    for (first, *rest), pattern in patterns:
        if rest:
            folders[first].add(first)
            below[first].append((rest, pattern))
        else:
            for ending in COMPRESSED:
                files[first + ending].add(pattern)
    there = _Names(folder, len(files) + len(folders) <= _FEW)
    found = {name: patterns for pattern, patterns in files.items() for name in there.matching(pattern)}
    for name in sorted(found):
        if name[0] != "." and not os.path.isdir(os.path.join(folder, name)):
            met |= found[name]
            yield before + name
    inside: dict[str, list[_Rest]] = defaultdict(list)
    for pattern in folders:
        for name in there.matching(pattern):
            inside[name] += below[pattern]
    for name in sorted(filter(_may_enter, inside)):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            yield from _search(path, f"{before}{name}/", inside[name], seen, met)


class _Names:
    """What is in a folder, which is listed only if it has to be."""

    def __init__(self, folder: str, are_few: bool) -> None:
        self._folder, self._are_few = folder, are_few
        self._listed: set[str] | None = None

    def matching(self, pattern: str) -> list[str]:
        """Return the names that fit a pattern."""
        name = _ESCAPED.sub(r"\1", pattern)
        if "*" in _ESCAPED.sub("", pattern):
            match = re.compile(translate(pattern)).match
            return [name for name in self._all() if match(name)]
        if self._are_few and self._listed is None:
            return [name] if name and os.path.lexists(os.path.join(self._folder, name)) else []
        return [name] if name in self._all() else []

    def _all(self) -> set[str]:
        if self._listed is None:
            self._listed = set()
            with suppress(OSError):  # as in a walk, what may not be listed is empty
                self._listed.update(os.listdir(self._folder))
        return self._listed
