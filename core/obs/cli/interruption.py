"""Ctrl-C as the usual end of a command that has no other."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

__all__ = ["until_interrupted"]


@contextmanager
def until_interrupted(message: str) -> Iterator[None]:
    """Leave this context with a line at Ctrl-C; other requests to end go on.

    Parameters
    ----------
    message : str
        The line.
    """
    try:
        yield
    except KeyboardInterrupt as request:
        if type(request) is not KeyboardInterrupt:  # SIGTERM or SIGHUP, which are derived from it
            raise
        click.echo(message, err=True)
