"""`obs log`: what happened to a data ID."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option

__all__ = ["log"]

_EXAMPLE = """\b
Examples:
  obs log DATA --rerun first --id visit=21
  obs log out --failed
"""


@click.command("log", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@click.option("--rerun", metavar="NAME", help="Name of the rerun whose logs are read.")
@click.option("--failed", is_flag=True, help="Print only failures, with their tracebacks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON documents, one a line.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.log:log", reads_images=False)
def log() -> None:
    """Print what happened to data IDs in all runs.

    It prints what the logs in the repository REPO record about the data IDs of --id, oldest first.

    Without --id, events of all data IDs are printed. Each run writes DIR/logs/RUN.jsonl and the same as text.
    """
