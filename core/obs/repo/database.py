"""Connections to the database of a registry, and the right to write to it, which one process has at a time.

SQLite stays in its ordinary rollback mode: write-ahead logging needs shared memory, which network disks do not have.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from obs.errors import RepositoryError
from obs.repo.links_out import check_inside
from obs.repo.registry_reader import Question, check_registry_file
from obs.repo.sqlite_file import BUSY_SECONDS, FAILURES, connect
from obs.url_secrets import hide_passwords

__all__ = [
    "UNWRITABLE",
    "as_statement",
    "begin_read",
    "begin_write",
    "has_lost_connection",
    "open_engine",
]

logger = logging.getLogger(__name__)

#: What a database, its driver, or the conversion of a value for it raises.
UNWRITABLE = (SQLAlchemyError, *FAILURES)
#: What a server says that is being restarted, and what the system says where none listens or one breaks off: it may be
#: between its end and its new start, also for a process that begins only now and has never reached it.
_RESTARTING = (
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting connections",
    "administrator command",
    "closed the connection unexpectedly",
    "Connection reset",
    "Connection refused",
    "No such file or directory",
)
#: A longer wait is reported, s.
_SILENT = 2.0
#: Time between two attempts to reach a server that is being restarted, s.
_PAUSE = 0.25
#: A colon in the name of a column or table, which does not begin the place of a value.
_OTHER_COLON = re.compile(r":(?!(p\d+|between)\b)")
#: URLs of databases that have answered this process before: one that does not answer now is waited for.
_ANSWERED: set[sa.URL] = set()


def open_engine(place: str, *, read_only: bool) -> sa.Engine:
    """Return the engine for a SQLite file or a database URL; a connection is made for each use.

    Parameters
    ----------
    place : str
        SQLite file, or URL such as ``postgresql+psycopg://host/name``.
    read_only : bool
        Open a file so that nothing can be written, neither to it nor beside it.

    Raises
    ------
    RepositoryError
        If there is no such file, or no driver for the URL.
    """
    if "://" in place:
        try:
            url = sa.make_url(place)
            return sa.create_engine(url, poolclass=sa.NullPool, connect_args=_patience(url))
        except ImportError as error:
            hint = "; install it with pip install 'obs-toolkit[postgres]'" if "psycopg" in str(error) else ""
            scheme = place.partition(":")[0]
            raise RepositoryError(f"cannot open the registry {scheme}://...: {error}{hint}", path=scheme) from error
        except (SQLAlchemyError, ValueError) as error:  # the latter for a port that is no number
            raise RepositoryError(
                f"cannot open the registry: {error}; a URL is like postgresql+psycopg://user@host/name"
            ) from error
    path = Path(place)
    if not read_only:
        check_inside(path)
    if read_only or path.exists():
        check_registry_file(path)
    # No connection is carried over into a forked process.
    return sa.create_engine("sqlite://", creator=partial(connect, path, read_only=read_only), poolclass=sa.NullPool)


def _patience(url: sa.URL) -> dict[str, int]:
    """Return arguments of a driver that end the wait for a server that does not answer, or whose host has died."""
    if not url.drivername.startswith(("postgresql+psycopg", "postgresql+psycopg2")):
        return {}
    usual = {
        "connect_timeout": max(2, int(BUSY_SECONDS)),
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    return {name: value for name, value in usual.items() if name not in url.query}


def as_statement(question: Question) -> sa.TextClause:
    """Return a question as SQLAlchemy asks it."""
    text, values = question
    return sa.text(_OTHER_COLON.sub(r"\\:", text)).bindparams(**values)


@contextmanager
def begin_read(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Begin a transaction that sees one state of the database.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Database.
    """
    with _connect(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        yield connection


@contextmanager
def begin_write(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Begin a transaction that no other process has at the same time; it is committed if the block raises nothing.

    What is read in it is still true when it is committed. Another process is waited for up to `BUSY_SECONDS`, and so is
    a server that is restarted while this process waits for its turn.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Database.
    """
    with _connect_alone(engine) as connection:
        yield connection
        connection.commit()


def _connect_alone(engine: sa.Engine) -> sa.Connection:
    """Connect to a database, and begin a transaction that no other process has at the same time."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        connection = _connect(engine)
        try:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
                connection.exec_driver_sql(
                    "SELECT pg_advisory_xact_lock(hashtext('obs registry'), hashtext(current_schema()))"
                )
        except BaseException as error:
            connection.close()
            if time.monotonic() > end or not has_lost_connection(error):
                raise
        else:
            return connection


def _connect(engine: sa.Engine) -> sa.Connection:
    """Connect to a database; a server that is being restarted is waited for up to `BUSY_SECONDS`."""
    start = time.monotonic()
    is_reported = False
    while True:
        try:
            connection = engine.connect()
        except OperationalError as error:
            waited = time.monotonic() - start
            if waited > BUSY_SECONDS or not _may_come_back(engine, str(error.orig)):
                raise
            if waited > _SILENT and not is_reported:
                is_reported = True
                place = hide_passwords(str(engine.url))
                logger.warning("%s does not answer; waiting for it for up to %.0f s", place, BUSY_SECONDS)
            time.sleep(_PAUSE)
        else:
            _ANSWERED.add(engine.url)
            return connection


def _may_come_back(engine: sa.Engine, text: str) -> bool:
    """Return whether a server that cannot be reached, for the reason given, may be in the middle of a restart."""
    if engine.dialect.name != "postgresql":
        return False
    return engine.url in _ANSWERED or any(sign in text for sign in _RESTARTING)


def has_lost_connection(error: BaseException | None) -> bool:
    """Return whether an error comes from a connection to a server that broke, so that it may work on a new one."""
    while error is not None:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        error = error.__cause__ or error.__context__
    return False
