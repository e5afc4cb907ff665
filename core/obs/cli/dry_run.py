"""What a command would work on."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from obs.plural import count_of
from obs.policy.data_id import format_data_id

__all__ = ["print_data_ids"]


def print_data_ids(data_ids: Iterable[Mapping[str, Any]], noun: str) -> int:
    """Print a data ID a line and their number, and return the exit status.

    Parameters
    ----------
    data_ids : iterable of mapping
        The data IDs.
    noun : str
        What each of them is.
    """
    lines = [format_data_id(dict(data_id)) for data_id in data_ids]
    for line in lines:
        click.echo(line)
    click.echo(count_of(len(lines), noun), err=True)
    return 0
