"""`obs export-lsst`: a camera for the third-generation LSST stack."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import words_option

__all__ = ["export_lsst"]

_EXAMPLE = """\b
Examples:
  obs export-lsst mycam
  obs export-lsst obs_mycam --from night1/*.fits --output packages
"""


@click.command("export-lsst", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("name", metavar="NAME")
@words_option("--from", metavar="FILE...", text="Raw files, or headers as text: they become tests of the translator.")
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    default=".",
    help="Folder in which lsst_obs_NAME is made.",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.export_lsst:export_lsst")
def export_lsst() -> None:
    """Write a camera as a package of the LSST stack.

    The package is one of the third generation.

    NAME is an installed camera or the folder of a package. The new package has a header translator, an instrument,
    camera.yaml, filters, a raw formatter, pipelines, an EUPS table, tests, and a README that says what to do next.
    """
