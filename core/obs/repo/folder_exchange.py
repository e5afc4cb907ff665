"""A folder in the place of another one, so that one of the two is there at any moment."""

import ctypes
import errno
import os
import sys
from pathlib import Path

__all__ = ["replace_folder", "restore_folder"]

#: Of ``renameat2`` of Linux: paths are relative to the working folder; the two names change places.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
#: What the system says of a folder, or of a link or a file, that is in the place of a folder.
_IN_THE_WAY = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
#: How the name of a folder begins that was in the way, where a file system cannot let two names change places.
_BEFORE = "before-"


def replace_folder(source: Path, target: Path, *, clobber: bool = True) -> None:
    """Let a folder take the place of another one, which goes into the folder of the first.

    Another process may do the same: nothing is decided from whether the other folder was there a moment ago.

    Parameters
    ----------
    source : Path
        The new folder, in one that is removed afterwards.
    target : Path
        Its place, on the same disk.
    clobber : bool, default: True
        Whether a folder that is there is replaced. An empty one is in any case.

    Raises
    ------
    FileExistsError
        If a folder is there that is not to be replaced.
    OSError
        If they cannot be renamed.
    """
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        if not clobber:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
    else:
        return
    if not _exchange(source, target):
        before = source.parent / f"{_BEFORE}{target.name}"
        os.replace(target, before)
        os.replace(source, target)


def restore_folder(scratch: Path) -> None:
    """Put a folder back that a run had moved away when it was killed, before the new one was in its place.

    Parameters
    ----------
    scratch : Path
        Folder that the killed run has left, hidden beside that of the two: ``.PARENT.*.tmp``.
    """
    parent = scratch.parent / scratch.name[1:].rsplit(".", 2)[0]
    for before in scratch.glob(f"{_BEFORE}*"):
        target = parent / before.name.removeprefix(_BEFORE)
        if not os.path.lexists(target):
            os.replace(before, target)


def _exchange(one: Path, other: Path) -> bool:
    """Let two names change places at one moment; return whether system and disk can do that."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)
