"""Connections to SQLite files, by the standard library alone: for what needs no other database."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

__all__ = ["BUSY_SECONDS", "FAILURES", "begin", "connect", "describe_failure"]

#: How long to wait for another process that writes, s.
BUSY_SECONDS = 60
#: What SQLite, or the conversion of a value for it, raises.
FAILURES = (sqlite3.Error, OverflowError, UnicodeError, ValueError)
_BUSY = ("database is locked", "lock timeout")


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Connect to a file; no transaction begins by itself.

    Parameters
    ----------
    path : Path
        The file; made if it is not there and may be written.
    read_only : bool
        Open it so that nothing can be written, neither to it nor beside it.
    """
    # The bytes of the path, which need not be UTF-8.
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode={'ro' if read_only else 'rwc'}"
    if read_only and _is_settled_wal(path):
        uri += "&immutable=1"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


@contextmanager
def begin(path: Path, *, read_only: bool, is_writing: bool) -> Iterator[sqlite3.Connection]:
    """Begin a transaction on a connection of its own; it is committed if the block raises nothing.

    Parameters
    ----------
    path : Path
        The file; made if it is missing and may be written.
    read_only : bool
        Whether neither the file nor its folder may be written.
    is_writing : bool
        No other process then writes at the same time; it is waited for up to `BUSY_SECONDS`.
    """
    connection = connect(path, read_only=read_only)
    try:
        connection.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def describe_failure(error: BaseException) -> str:
    """Return what a database says in one line, with the next step if another process holds it."""
    while "no such savepoint" in str(error) and error.__context__ is not None:
        error = error.__context__  # SQLite has taken back the whole transaction, for a reason that it gave before
    text = " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__
    if any(sign in text for sign in _BUSY):
        return f"another process has been writing to it for more than {BUSY_SECONDS} s; run the command again later"
    return text


def _is_settled_wal(path: Path) -> bool:
    """Return whether the file is in write-ahead mode with nothing left to merge; to open it would then make files."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError as error:  # SQLite would say no more than that it cannot open the file
        raise sqlite3.OperationalError(error.strerror or str(error)) from error
    log = path.with_name(f"{path.name}-wal")
    return header[18:20] == b"\x02\x02" and not (log.exists() and log.stat().st_size)
