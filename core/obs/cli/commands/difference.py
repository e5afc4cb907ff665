"""`obs difference`: what changed between images and the coadd."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, run_options, words_option

__all__ = ["difference"]

_EXAMPLE = """\b
Examples:
  obs difference out
  obs difference DATA --rerun first --id filter=r
  obs difference out --id visit=11..20 --tract 0 -c detection.threshold=6
"""


@click.command("difference", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@click.option(
    "-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository that obs process wrote."
)
@click.option("--rerun", metavar="[IN:]OUT", help="Rerun of REPO that obs process wrote; results go there, too.")
@click.option("--tract", type=click.IntRange(min=0), help="Tract of the coadd and of the calibration.")
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Keep differences made of the same exposures, calibrations, coadds and settings.",
)
@click.option("--dry-run", is_flag=True, help="Print the images that would be subtracted from, and stop.")
@config_options
@words_option("--show", metavar="WHAT...", text="Show config[=PATTERN] or history=PATTERN, and stop.")
@run_options
@calls("obs.cli.difference:difference")
def difference() -> None:
    """Subtract coadds from images, and list what changed.

    The coadd of the same filter is subtracted from every calibrated image of the repository REPO.

    Coadds are resampled to the pixels of the image, and the sharper of both is convolved to the PSF of the other. The
    difference is written as deepDiff_differenceExp, the sources of both signs on it as deepDiff_diaSrc. Images have the
    common calibration of obs calibrate-visits where there is one. A coadd of which more than 2 % is the image itself
    (maximum_own_share) is made again without it, in memory. Objects that move from image to image are listed.
    """
