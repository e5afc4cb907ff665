"""How a file gets to its place in a repository: by a link, a copy, a move, or not at all.

Nothing is removed that another process may need. A file is put in its place while the registry is locked, and taken
back only if no other process can have registered it. The source of a move stays until its copy is registered and
compared.
"""

import contextlib
import errno
import filecmp
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from obs.errors import OutputError
from obs.os_advice import write_advice
from obs.regular_file import open_regular
from obs.repo.atomic import remove_leftovers, sync_folder, temporary_path
from obs.repo.database_file import DATABASE_FILE
from obs.repo.key_sources import CALIB_REGISTRY, REGISTRY_FILE
from obs.repo.links_out import check_inside

__all__ = ["MODES", "Mode", "Transfer", "check_owner", "finish_move", "is_same_file", "is_same_place"]

Mode = Literal["link", "copy", "move", "skip"]
MODES: tuple[Mode, ...] = get_args(Mode)

_NO_HARD_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES, errno.ENOSYS)
_REGISTRIES = (REGISTRY_FILE, CALIB_REGISTRY, DATABASE_FILE)
#: What tells whether a file has been replaced or changed: device, inode, size, time of change in ns.
_Signature = tuple[int, int, int, int]


def is_same_file(source: Path, target: Path) -> bool:
    """Return whether a target is the source already: the file itself, a link to it, or a copy of the same bytes.

    Parameters
    ----------
    source, target : Path
        Files. A file that cannot be read is not the same.
    """
    try:
        return os.path.samefile(source, target) or filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def is_same_place(source: Path, target: Path) -> bool:
    """Return whether a file is in its place already, under this name or by way of folders that are links.

    Parameters
    ----------
    source, target : Path
        Paths, of which the last name is not resolved.
    """
    return source.parent.resolve() / source.name == target.parent.resolve() / target.name


def check_owner(source: Path, target: Path) -> None:
    """Refuse to move a file out of a repository whose registry may know it.

    Parameters
    ----------
    source, target : Path
        The file and its place, which may be in the same repository, or in the calibrations of that.

    Raises
    ------
    OutputError
        If the file is below a registry below which its place is not.
    """
    folders = source.parent.resolve(), *source.parent.resolve().parents
    owner = next((folder for folder in folders if any((folder / name).exists() for name in _REGISTRIES)), None)
    if owner is not None and not target.parent.resolve().is_relative_to(owner):
        raise OutputError(
            f"it belongs to the repository {owner}, and is not moved out of it: --mode copy or --mode link"
        )


class Transfer:
    """A file on the way to its place.

    `prepare` does what takes long, and may be done by several processes at once. `place` is quick, and to be called by
    one process at a time, which then registers the file or calls `undo`.

    Parameters
    ----------
    source : Path
        The file.
    target : Path
        Its place.
    mode : {"link", "copy", "move", "skip"}
        ``link`` makes an absolute symbolic link, ``copy`` and ``move`` a file, ``skip`` nothing.
    clobber : bool, default: False
        Replace another file that is there. A link that leads nowhere is always replaced.
    first : Transfer, optional
        The transfer of the same file to its first place, which is placed before: where the file system can do that,
        this place is a further name of that file, which takes no room.
    """

    def __init__(
        self, source: Path, target: Path, mode: Mode, *, clobber: bool = False, first: "Transfer | None" = None
    ) -> None:
        self.source, self.target, self.mode, self.clobber, self.first = source, target, mode, clobber, first
        self._copy: Path | None = None
        self._before: _Signature | None = None
        self._is_there = False
        self._placed: tuple[int, int] | None = None

    def prepare(self) -> None:
        """Compare the file with one that is in its place; copy it, where it must be copied, under a temporary name.

        Raises
        ------
        OutputError
            If there is another file in its place, or it cannot be written.
        """
        if self.mode == "skip":
            return
        self._before = _signature(self.target)
        self._is_there = self._before is not None and is_same_file(self.source, self.target)
        if self._is_there:
            return
        self._check_free()
        if not self.source.exists():
            raise OutputError(f"{self.source} is gone: it was moved or removed in the meantime", path=self.source)
        check_inside(self.target.parent)
        with self._errors():
            self.target.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.target.parent)
            if self.first is None and (self.mode == "copy" or (self.mode == "move" and not self._can_hard_link())):
                self._copy = self._copy or self._copied()

    def place(self) -> None:
        """Put the file in its place, whole or not at all.

        Raises
        ------
        OutputError
            If there is another file in its place, or it cannot be written.
        """
        if self.mode == "skip":
            return
        if _signature(self.target) != self._before:
            self.prepare()  # another process was here in the meantime
        if self._is_there:
            return
        if not self.source.exists() or (self.mode == "copy" and self._copy is None and self.first is None):
            self.prepare()
        with self._errors():
            make = self._make()
            if self._before is None:
                make(self.target)
                self._placed = _identity(self.target)
            else:
                temporary = temporary_path(self.target)
                try:
                    make(temporary)
                    os.replace(temporary, self.target)
                except BaseException:
                    _remove(temporary)
                    raise
        self.discard()

    def undo(self) -> None:
        """Remove what `place` made, unless it replaced something or has been replaced itself."""
        with contextlib.suppress(OSError):
            if self._placed is not None and _identity(self.target) == self._placed:
                self.target.unlink()
        self._placed = None
        self.discard()

    def discard(self) -> None:
        """Remove the temporary copy of a file."""
        if self._copy is not None:
            _remove(self._copy)
        self._copy = None

    def _check_free(self) -> None:
        is_dangling = self.target.is_symlink() and not self.target.exists()
        if self._before is not None and not self.clobber and not is_dangling:
            raise OutputError(f"file {self.target} already exists; --clobber replaces it", path=self.target)

    def _make(self) -> Callable[[Path], None]:
        """Return a function that gives the file a further name, which must be free."""
        if self.mode == "link":
            return lambda path: os.symlink(self.source.absolute(), path)
        original = self._copy or (self.source if self.first is None else self.first.target)

        def link_or_rename(path: Path) -> None:
            try:
                os.link(original, path)
            except OSError as error:  # a file system without hard links
                if error.errno not in _NO_HARD_LINK or (self._copy is None and self.first is None):
                    raise
                self._copy = self._copy or self._copied()
                os.replace(self._copy, path)

        return link_or_rename

    def _can_hard_link(self) -> bool:
        """Try to give the file a second name, which takes no time; not possible on another disk, or for a link."""
        if self.source.is_symlink():
            return False
        trial = temporary_path(self.target)
        try:
            os.link(self.source, trial)
        except OSError as error:
            if error.errno in _NO_HARD_LINK:
                return False
            raise
        trial.unlink()
        return True

    def _copied(self) -> Path:
        copy = temporary_path(self.target)
        try:
            with copy.open("xb") as file, open_regular(self.source) as original:
                shutil.copyfileobj(original, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            _remove(copy)
            raise
        return copy

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            raise OutputError(f"file {self.target} already exists; --clobber replaces it", path=self.target) from error
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write {self.target}: {write_advice(error)}", path=self.target) from error


def finish_move(source: Path, targets: Sequence[Path]) -> None:
    """Remove the source of a move after a comparison with what is in the repository.

    The source stays where it is the place itself, or where a place is only a link to it.

    Parameters
    ----------
    source : Path
        File that was moved.
    targets : sequence of Path
        Its places in the repository.

    Raises
    ------
    OutputError
        If the two differ, or it cannot be removed.
    """
    # One file may be seen by two paths, through a link to its folder.
    places = {target.parent.resolve() / target.name for target in targets}
    if not os.path.lexists(source) or source.parent.resolve() / source.name in places:
        return
    for target in targets:
        if target.is_symlink() and os.path.realpath(target) == os.path.realpath(source):
            return
        if not is_same_file(source, target):
            message = f"{source} stays where it is: {target} does not hold the same bytes"
            raise OutputError(message, path=source)
    try:
        for folder in {target.parent for target in targets}:
            sync_folder(folder)
        source.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {source}: {error.strerror or error}; it is ingested", path=source) from error


def _signature(path: Path) -> _Signature | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
