"""Log messages on the terminal, each with the data ID that it is about."""

import logging
from collections.abc import Callable, Sequence

import click

from obs.errors import suggest
from obs.executor import current_data_id

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
    levels
        ``LEVEL`` for all, or ``COMPONENT=LEVEL``; later ones win. Without any, warnings and worse are shown.
    write
        Called with each line; prints to stderr if None.

    Raises
    ------
    click.BadParameter
        For a level that does not exist.
    """
    handler = _LineHandler(write or (lambda line: click.echo(line, err=True)))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for text in levels:
        component, _, name = text.rpartition("=")
        if name.lower() not in LEVELS:
            raise click.BadParameter(
                f"'{name}' is no log level{suggest(name.lower(), LEVELS)}; levels: {', '.join(LEVELS)}",
                param_hint="--log-level",
            )
        logging.getLogger(component or None).setLevel(LEVELS[name.lower()])


class _LineHandler(logging.Handler):
    """Writes ``WARNING visit=1 ccd=2: message``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self.write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            data_id = getattr(record, "data_id", None) or current_data_id.get()
            message = record.getMessage()
            if record.name == "py.warnings":  # the second line quotes source code
                message = message.split("\n")[0].split(": ", 1)[-1]
            self.write(f"{record.levelname} {data_id}{': ' if data_id else ''}{message}")
            if record.exc_info:
                self.write(logging.Formatter().formatException(record.exc_info))
        except Exception:  # noqa: BLE001 - a message that cannot be written must not end the run
            self.handleError(record)
