"""Files are opened only if they are files: to read a pipe or a device may never end, whatever its name."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

__all__ = ["open_regular"]


def open_regular(path: Path | str) -> BufferedReader:
    """Open a file to read its bytes.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    OSError
        If it cannot be opened, or is a folder, a pipe, a socket or a device.
    """
    # Opened without waiting, as a pipe that nobody writes to would make us do.
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is a pipe or a device instead of a file", str(path))
    return file
