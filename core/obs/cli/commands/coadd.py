"""`obs coadd`: combine exposures on the patches of a sky map."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, run_options, words_option

__all__ = ["coadd"]

_EXAMPLE = """\b
Examples:
  obs coadd out
  obs coadd out --id tract=0 patch=0,0^1,0 filter=r --select "seeing < 0.9"
  obs coadd out --select "airmass < 1.5 and visit not in (7, 12..15)"
  obs coadd out --id filter=g --select-id visit=21..30 -c statistic=clipped
"""


@click.command("coadd", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@words_option(
    "--select-id",
    "--selectId",
    metavar="[KEY=VALUE]...",
    text="Data IDs of the exposures that may be used; without it all. Repeatable.",
)
@click.option(
    "--select", metavar="CONDITION", help="Use exposures for which this is true, such as 'seeing < 0.9'; see obs query."
)
@config_options
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository to write into.")
@click.option("--rerun", metavar="[IN:]OUT", help="Write into REPO/rerun/OUT, and read from REPO/rerun/IN.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option(
    "--skip-existing", is_flag=True, help="Keep coadds made of the same exposures, calibrations and settings."
)
@click.option("--clobber-config", is_flag=True, help="Continue in an output that was made with other settings.")
@click.option("--dry-run", is_flag=True, help="Print the coadds and how many exposures reach each, and stop.")
@click.option("--show", expose_value=False, multiple=True, metavar="WHAT...", help="Show config[=PATTERN] and stop.")
@run_options
@calls("obs.cli.coadd:coadd")
def coadd() -> None:
    """Combine calibrated exposures to deep images.

    The exposures of the repository REPO are combined on the patches of its sky map.

    Each patch and filter becomes one image, deepCoadd, with zero point 27, its variance, mask and PSF, the number of
    exposures of each pixel (deepCoadd_nImage) and a table of the exposures (deepCoadd_inputs). Keys of --id are tract,
    patch and filter; what is left out stands for all that exposures reach. obs skymap makes the sky map.
    """
