"""Files that appear whole or not at all."""

import contextlib
import functools
import logging
import os
import platform
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from obs.errors import ObsError, OutputError
from obs.os_advice import write_advice
from obs.repo.folder_exchange import restore_folder
from obs.repo.links_out import check_inside

__all__ = [
    "TOGETHER",
    "atomic_write",
    "check_writable",
    "is_leftover",
    "remove_leftovers",
    "sync_folder",
    "temporary_path",
    "written_together",
]

logger = logging.getLogger(__name__)

#: ``.NAME.HOST-PID-RANDOM.tmp``, which says whose it is.
_TEMPORARY = re.compile(r"\..*\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}\.(tmp|build|together)")
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
#: How names of files end that wait for others: no other run than the next of the same kind may remove them.
TOGETHER = ".together"
#: Letters of the name that a temporary name repeats, so that it is not too long where the name is not.
_NAME_LENGTH = 40
#: A temporary file of another computer is left over if nobody has written to it for this long, s.
_FORSAKEN = 86400.0
#: Finished temporary files of `written_together`, each with its place; None outside of it.
_waiting: ContextVar[list[tuple[Path, Path]] | None] = ContextVar("waiting", default=None)


def temporary_path(path: Path, ending: str = ".tmp") -> Path:
    """Return a new name beside ``path`` for what is to take its place; a killed process may leave it behind.

    Parameters
    ----------
    path : Path
        File or folder that is to be written.
    ending : str, default: ".tmp"
        End of the name.

    Returns
    -------
    Path
        Hidden name with host, process and a random part, so that `is_leftover` recognizes it.
    """
    return path.with_name(f".{path.name[:_NAME_LENGTH]}.{_HOST}-{os.getpid()}-{secrets.token_hex(4)}{ending}")


def is_leftover(path: Path | os.DirEntry[str]) -> bool:
    """Return whether a path is a temporary file or folder of a process that has ended.

    Parameters
    ----------
    path : Path or os.DirEntry
        Path with a name of `temporary_path`.
    """
    match = _TEMPORARY.fullmatch(path.name)
    if match is None:
        return False
    if match["host"] == _HOST:
        return not _is_alive(int(match["pid"]))
    with contextlib.suppress(OSError):
        return time.time() - path.stat(follow_symlinks=False).st_mtime > _FORSAKEN
    return False


@functools.lru_cache(maxsize=1024)
def remove_leftovers(folder: Path) -> None:
    """Remove temporary files that killed processes have left in a folder; looked for once by each process."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".tmp", TOGETHER)) and is_leftover(entry):
                logger.info("removed %s, which a killed run left behind", entry.path)
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        restore_folder(Path(entry.path))
                        shutil.rmtree(entry.path)
                    else:
                        os.unlink(entry.path)


def check_writable(folder: Path) -> None:
    """Raise an error if no file can be made in a folder.

    Parameters
    ----------
    folder : Path
        Folder; it is made if it does not exist.

    Raises
    ------
    OutputError
        If it cannot, with the reason.
    """
    check_inside(folder)
    probe = temporary_path(folder / "probe")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {write_advice(error)}", path=folder) from error


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user
    return True


@contextlib.contextmanager
def atomic_write(path: Path | str, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an error.

    Missing folders are made. A reader sees the old file or the whole new one, also when the process is killed.

    Parameters
    ----------
    path : Path or str
        The file to write.
    replace : bool
        Replace a file that is there.

    Yields
    ------
    BinaryIO
        The temporary file, open for writing; write nothing else in the block.

    Raises
    ------
    OutputError
        If the file cannot be written; the temporary file is then removed.
    FileExistsError
        If it is there and must not be replaced.
    """
    path = Path(path)
    waiting = _waiting.get() if replace else None
    temporary = temporary_path(path, ".tmp" if waiting is None else TOGETHER)
    try:
        check_inside(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        with _opened(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if waiting is not None:
            waiting.append((temporary, path))
        elif replace:
            os.replace(temporary, path)
        else:
            _rename_to_free(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, FileExistsError) and not replace:
            raise
        if isinstance(error, OSError) and not isinstance(error, ObsError):
            raise OutputError(f"cannot write {path}: {write_advice(error)}", path=path) from error
        raise


@contextlib.contextmanager
def written_together() -> Iterator[None]:
    """Let files that `atomic_write` replaces appear when the block ends, all of them, or none after an error.

    For files that mean something only together: a full disk shows before the first of them is replaced. If the process
    is killed between two of them, those that wait stay, and ``obs verify`` says so until they are written anew.

    Raises
    ------
    OutputError
        If a file cannot be put in its place.
    """
    if _waiting.get() is not None:
        yield
        return
    waiting: list[tuple[Path, Path]] = []
    token = _waiting.set(waiting)
    try:
        yield
        for temporary, path in waiting:
            try:
                os.replace(temporary, path)
            except OSError as error:
                raise OutputError(f"cannot write {path}: {write_advice(error)}", path=path) from error
    finally:
        _waiting.reset(token)
        for temporary, _ in waiting:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _rename_to_free(temporary: Path, path: Path) -> None:
    """Rename a file; of several processes that do this at once, one succeeds."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        os.replace(temporary, path)
    else:
        temporary.unlink()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    file = open(path, "w+b")  # noqa: SIM115 - closed below, where a second failure must not hide the first
    try:
        yield file
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()
        raise
    file.close()
