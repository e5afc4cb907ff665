"""Keep the file that a new one is about to replace."""

import os
import shutil
from pathlib import Path

from obs.errors import OutputError

__all__ = ["keep_backup"]


def keep_backup(path: Path) -> None:
    """Keep a file's content as ``name~1``, what was there as ``name~2``, and so on; the file itself stays.

    Parameters
    ----------
    path : Path
        File; nothing happens if it does not exist.

    Raises
    ------
    OutputError
        If a backup cannot be written.
    """
    if not path.exists():
        return

    def numbered(number: int) -> Path:
        return path.with_name(f"{path.name}~{number}")

    count = 1
    while numbered(count).exists():
        count += 1
    try:
        for number in range(count, 1, -1):
            os.replace(numbered(number - 1), numbered(number))
        try:
            os.link(path, numbered(1))
        except OSError:  # some file systems have no links
            shutil.copy2(path, numbered(1))
    except OSError as error:
        raise OutputError(f"cannot keep a backup of {path}: {error.strerror}", path=path) from error
