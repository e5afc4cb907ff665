"""`obs process-file`: FITS images that are in no repository."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, run_options

__all__ = ["process_file"]

_EXAMPLE = """\b
Example:
  obs process-file night/image17.fits --output out -c gain=2
"""


@click.command("process-file", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder to write into."
)
@config_options
@click.option(
    "--show", expose_value=False, multiple=True, metavar="WHAT...", help="Show config[=PATTERN] or history=PATTERN."
)
@run_options
@click.option("--shard", metavar="N/COUNT", help="Share of the data IDs to process, such as 3/20, for job arrays.")
@click.option("--clobber-output", is_flag=True, help="Remove the output folder first.")
@click.option("--no-backup-config", is_flag=True, help="With --clobber-config: do not keep a copy of the old settings.")
@click.option(
    "--clobber-versions", is_flag=True, help="Continue with other versions of the software without a warning."
)
@click.option("--no-versions", is_flag=True, help="Neither record nor compare versions of the software.")
@click.option("--clobber-config", is_flag=True, help="Continue in an output that was made with other settings.")
@calls("obs.cli.process_file:process_file")
def process_file() -> None:
    """Find and measure the sources of FITS images.

    The images do not have to be in a repository.

    Each image gives OUTPUT/NAME.fits and OUTPUT/NAME/src.fits and so on. The settings are recorded in OUTPUT/config,
    the columns of the catalogs in OUTPUT/schema. Relative paths start at the folders that PIPE_INPUT_ROOT and
    PIPE_OUTPUT_ROOT name, where these environment variables are set.
    """
