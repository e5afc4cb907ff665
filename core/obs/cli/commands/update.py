"""`obs update`: a package of an older project template, brought to that of today."""

import click

from obs.cli.commands.calls import calls

__all__ = ["update"]

_EXAMPLE = """\b
Examples:
  obs update obs_mycam --dry-run
  obs update mycam
  obs update obs_mycam --conflicts markers
"""


@click.command("update", epilog=_EXAMPLE)
@click.argument("package", metavar="PATH|NAME")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and change nothing.")
@click.option(
    "--conflicts",
    type=click.Choice(["show", "markers", "keep"]),
    default="show",
    show_default=True,
    help="Files that you and the template changed at the same place: show the template's changes, write them into the "
    "file between markers, or keep yours for good.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.update:update", reads_images=False)
def update() -> None:
    """Update a camera package to the current template.

    It merges changes of the template of this obs-toolkit into a package that obs new made.

    Files that you have not changed are replaced; into those that you have, the template's changes are merged. What
    meets your changes is a conflict: the file stays as it is, and the exit status is 1.
    """
