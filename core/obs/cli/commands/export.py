"""`obs export`: results of a field or a night as files that need no repository."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.choices import TABLE_FORMATS
from obs.cli.commands.options import id_option

__all__ = ["export"]

_EXAMPLE = """\b
Examples:
  obs export DATA/rerun/first night1 --night 2024-03-01 --format parquet
  obs export DATA/rerun/first m67 --id field=M67 filter=g^r --format votable
  obs export DATA/rerun/first stack --id filter=r --for swarp
  obs export DATA/rerun/first deep --id tract=0 filter=r --for sextractor
"""


@click.command("export", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@id_option
@click.option("--night", metavar="DATE", help="Only the night that begins on this date, noon to noon at the site.")
@click.option(
    "--format", "kind", type=click.Choice(TABLE_FORMATS), default="fits", show_default=True, help="Format of tables."
)
@click.option(
    "--for",
    "program",
    type=click.Choice(["swarp", "scamp", "sextractor", "psfex", "ds9", "siril"]),
    help="Write files for this program, instead of tables and copies.",
)
@click.option("--split", is_flag=True, help="Write a table of sources for each image, instead of one for all.")
@click.option("--no-images", is_flag=True, help="Export tables only; do not copy the images.")
@click.option("--clobber", is_flag=True, help="Replace files that exist in OUT.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.export:export")
def export() -> None:
    """Export results to files that need no repository.

    Results of the repository REPO are written to the folder OUT.

    OUT gets a table "sources" (the catalogs src, with data ID, magnitudes, and the middle of the exposure as MJD in UTC
    and as BJD in TDB), a table "images" (a row for each image: time, seeing, zero point, ...), and copies of the images
    calexp.

    With --for, OUT gets images whose headers the program understands (TPV instead of SIP, GAIN, SATURATE, FLXSCALE),
    weights, flags, PSFs, catalogs and settings, and the commands to run are printed. They have the common calibration
    of obs calibrate-visits where there is one. With tract or patch in --id, they are coadds.

    Without --id and --night, everything is exported. The exit status is 1 if anything could not be read.
    """
