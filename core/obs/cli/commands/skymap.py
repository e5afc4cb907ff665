"""`obs skymap`: make and show the division of the sky into tracts and patches."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import id_option, words_option

__all__ = ["make", "show", "skymap"]

_EXAMPLE = """\b
Examples:
  obs skymap make out --discrete
  obs skymap make out rings -c n_ring=120 pixel_scale=0.168
  obs skymap show out --output tracts.png
"""

_SHOW_EXAMPLE = """\b
Examples:
  obs skymap show out
  obs skymap show out --id filter=r --output tracts.png
"""


@click.group("skymap", epilog=_EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
def skymap() -> None:
    """Divide the sky into tracts and patches, or show them."""


@skymap.command("make", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("kind", metavar="[TYPE]", required=False)
@click.option("--discrete", is_flag=True, help="One tract around the calibrated exposures of the repository.")
@id_option
@words_option("-c", "--config", metavar="NAME=VALUE...", text="Settings of the sky map.")
@click.option("--border", type=float, default=0.0, metavar="DEG", help="With --discrete: margin around the exposures.")
@click.option("--append", is_flag=True, help="With --discrete: add the tract to the sky map that is there.")
@click.option("--replace", is_flag=True, help="Replace another sky map that is there.")
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository to write into.")
@click.option("--rerun", metavar="[IN:]OUT", help="Write into REPO/rerun/OUT, and read from REPO/rerun/IN.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.skymap:make")
def make() -> None:
    """Make the sky map of a repository.

    It is written to deepCoadd/skyMap.yaml of the repository REPO.

    TYPE is discrete, rings, dodecahedron, equatorial or healpix. With --discrete and without TYPE, one tract is made
    that holds all calibrated exposures, or those that --id names, and its corners are printed. Settings have our names
    (n_ring) or those of the LSST stack (numRings).
    """


@skymap.command("show", cls=ManyWordsCommand, epilog=_SHOW_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@click.option("--tract", type=int, multiple=True, metavar="N", help="Number of a tract to show. Repeatable.")
@click.option(
    "-o", "--output", metavar="PNG", type=click.Path(path_type=Path), help="File to draw to, instead of a list."
)
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.skymap:show")
def show() -> None:
    """List or draw the patches that exposures overlap.

    For each patch of the sky map of REPO it prints the number of exposures.

    --id chooses among the calibrated exposures.
    """
