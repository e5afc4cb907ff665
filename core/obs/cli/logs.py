"""Log messages on the terminal, each with the data ID that it is about."""

import logging
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from obs.cli.commands.options import run_option
from obs.errors import OutputError, suggest
from obs.executor.outcome import current_data_id
from obs.url_secrets import hide_passwords

__all__ = ["LEVELS", "configure_logging"]

#: Names of levels, LSST's included.
LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}


def configure_logging(levels: Sequence[str], write: Callable[[str], None] | None = None) -> None:
    """Send log messages to the terminal.

    Parameters
    ----------
    levels : sequence of str
        ``LEVEL`` for all, or ``COMPONENT=LEVEL``; later ones win. Without any, warnings and worse are shown.
    write : callable, optional
        Called with each line; prints to stderr if None.

    Raises
    ------
    click.BadParameter
        For a level that does not exist.
    """
    long = bool(run_option("longlog"))
    handlers: list[logging.Handler] = [_LineHandler(write or (lambda line: click.echo(line, err=True)), long=long)]
    if (path := run_option("logdest")) is not None:
        handlers.append(_open_log(path, long))
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    logging.captureWarnings(True)
    logging.getLogger("obs").setLevel(logging.DEBUG if run_option("debug") else logging.NOTSET)
    for level, component in run_option("trace") or ():
        logging.getLogger(component).setLevel(logging.DEBUG if level else logging.INFO)
    for text in levels:
        component, _, name = text.rpartition("=")
        if name.lower() not in LEVELS:
            raise click.BadParameter(
                f"'{name}' is not a log level{suggest(name.lower(), LEVELS)}; levels: {', '.join(LEVELS)}",
                param_hint="--log-level",
            )
        logging.getLogger(component or None).setLevel(LEVELS[name.lower()])


def _open_log(path: Path, long: bool) -> logging.Handler:
    """Return a handler that appends lines to a file.

    Raises
    ------
    OutputError
        If the file cannot be opened.
    """
    try:
        file = path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise OutputError(f"cannot write the log {path}: {error.strerror}", path=path) from error
    handler = _LineHandler(lambda line: print(line, file=file), long=long)
    handler.close_file = file.close
    return handler


class _LineHandler(logging.Handler):
    """Writes ``WARNING visit=1 ccd=2: message``; with --longlog time, host and component stand before that."""

    close_file: Callable[[], None] | None = None

    def __init__(self, write: Callable[[str], None], *, long: bool) -> None:
        super().__init__()
        self.write, self.long = write, long

    def _front(self, record: logging.LogRecord) -> str:
        if not self.long:
            return ""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return f"{moment} {platform.node()} {record.name} "

    def close(self) -> None:
        if self.close_file is not None:
            self.close_file()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            data_id = getattr(record, "data_id", None) or current_data_id.get()
            message = record.getMessage()
            if record.name == "py.warnings":  # the second line quotes source code
                message = message.split("\n")[0].split(": ", 1)[-1]
            line = f"{self._front(record)}{record.levelname} {data_id}{': ' if data_id else ''}{message}"
            self.write(hide_passwords(line))
            if record.exc_info:
                self.write(hide_passwords(logging.Formatter().formatException(record.exc_info)))
        except Exception:  # noqa: BLE001 - a message that cannot be written must not end the run
            self.handleError(record)
