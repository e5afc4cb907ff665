"""`obs check`: whether the package of a camera is sound."""

import click

from obs.cli.commands.calls import calls

__all__ = ["check"]

_EXAMPLE = """\b
Examples:
  obs check obs_mycam
  obs check hsc
"""


@click.command("check", epilog=_EXAMPLE)
@click.argument("package", metavar="PATH|NAME")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.check:check")
def check() -> None:
    """Check a camera package.

    It checks policy, camera tables, translator, settings and filters of a package in a folder, or of an installed
    one.

    Every problem is printed with its file and line and how to fix it; the exit status is 1 if there are any.
    """
