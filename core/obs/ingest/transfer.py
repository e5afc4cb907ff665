"""How a file gets to its place in a repository: by a link, a copy, a move, or not at all."""

import contextlib
import errno
import filecmp
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

from obs.errors import OutputError
from obs.repo.atomic import atomic_write

__all__ = ["MODES", "Mode", "finish_transfer", "is_same_file", "place_file"]

Mode = Literal["link", "copy", "move", "skip"]
MODES: tuple[Mode, ...] = get_args(Mode)


def is_same_file(source: Path, target: Path) -> bool:
    """Return whether a target is the source already: the file itself, a link to it, or a copy of the same bytes."""
    try:
        return os.path.samefile(source, target) or filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def place_file(source: Path, target: Path, mode: Mode, *, clobber: bool = False) -> bool:
    """Put a file in its place, whole or not at all; the source stays until `finish_transfer`.

    Parameters
    ----------
    source
        The file.
    target
        Its place.
    mode
        ``link`` makes an absolute symbolic link, ``copy`` and ``move`` a file, ``skip`` nothing.
    clobber
        Replace another file that is there.

    Returns
    -------
    bool
        Whether something new is there, which is to be removed if the file cannot be registered.

    Raises
    ------
    OutputError
        If there is another file in its place, or it cannot be written.
    """
    if mode == "skip":
        return False
    is_there = os.path.lexists(target)
    if is_there and is_same_file(source, target):
        return False
    if is_there and not clobber:
        raise OutputError(f"file {target} already exists; --clobber replaces it", path=target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == "link":
            _replace(target, lambda path: os.symlink(source.absolute(), path))
        elif mode == "copy" or not _is_hard_linked(source, target):
            with atomic_write(target) as file, source.open("rb") as original:
                shutil.copyfileobj(original, file, 1 << 20)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}", path=target) from error
    return not is_there


def finish_transfer(source: Path, targets: Sequence[Path], mode: Mode) -> None:
    """Remove the source of a move; nothing in the other modes, or if the source lies in its place already.

    Raises
    ------
    OutputError
        If it cannot be removed.
    """
    # One file may be seen by two paths, through a link to its folder.
    places = {target.parent.resolve() / target.name for target in targets}
    if mode != "move" or source.parent.resolve() / source.name in places:
        return
    try:
        if not any(target.is_symlink() and target.samefile(source) for target in targets):
            source.unlink()
    except OSError as error:
        raise OutputError(f"cannot remove {source}: {error.strerror or error}; it is ingested", path=source) from error


def _replace(target: Path, make: Callable[[Path], None]) -> None:
    """Make a file under another name and rename it to its own."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        make(temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _is_hard_linked(source: Path, target: Path) -> bool:
    """Try to give the file a second name, which takes no time; not possible on another disk, or for a link."""
    if source.is_symlink():
        return False
    try:
        _replace(target, lambda path: os.link(source, path))
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            return False
        raise
    return True
