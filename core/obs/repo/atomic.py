"""Files that appear whole or not at all."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from obs.errors import ObsError, OutputError

__all__ = ["atomic_write"]

_ADVICE = {
    errno.ENOSPC: "free some space or choose an output folder on another disk",
    errno.EDQUOT: "free some of your quota or choose an output folder on another disk",
    errno.EFBIG: "raise the limit on file sizes or choose an output folder on another disk",
    errno.EACCES: "choose an output folder that you may write to",
    errno.EPERM: "choose an output folder that you may write to",
    errno.EROFS: "choose an output folder that is not read-only",
    errno.EISDIR: "move the folder of that name away",
    errno.ENOTDIR: "move the file that is in the place of a folder away",
    errno.EEXIST: "move the file that is in the place of a folder away",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an error.

    Missing folders are made. A reader sees the old file or the whole new one, also when the process is killed.

    Parameters
    ----------
    path : Path or str
        The file to write.

    Yields
    ------
    BinaryIO
        The temporary file, open for writing; write nothing else in the block.

    Raises
    ------
    OutputError
        If the file cannot be written; the temporary file is then removed.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and not isinstance(error, ObsError):
            reason = error.strerror or str(error)
            advice = _ADVICE.get(error.errno or 0, "check the output folder and its disk")
            raise OutputError(f"cannot write {path}: {reason}; {advice}", path=path) from error
        raise


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    file = open(path, "wb")  # noqa: SIM115 - closed below, where a second failure must not hide the first
    try:
        yield file
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()
        raise
    file.close()
