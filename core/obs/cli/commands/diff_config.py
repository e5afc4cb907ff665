"""`obs diff-config`: how the settings of two runs differ."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["diff_config"]

_EXAMPLE = """\b
Examples:
  obs diff-config DATA/rerun/a DATA/rerun/b
  obs diff-config DATA/rerun/a/config/process.yaml DATA/rerun/a/config/process.yaml~1
"""


@click.command("diff-config", epilog=_EXAMPLE)
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@calls("obs.cli.diff_config:diff_config", reads_images=False)
def diff_config() -> None:
    """Print how the settings of two runs differ.

    It prints each setting that differs between A and B in a line of its own.

    A and B are outputs of obs, or files of settings. Of outputs the settings of all tasks that both have and the
    versions of the software are compared. The exit status is 1 if anything differs.
    """
