"""`obs refcat`: reference catalogs from the Virtual Observatory."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls
from obs.cli.commands.choices import SURVEYS

__all__ = ["get", "refcat"]

_EXAMPLE = """\b
Examples:
  obs refcat get DATA --from gaia
  obs refcat get DATA --from ps1 --faintest 20
  obs refcat get DATA --from gaia@http://mirror.example.org/tap
"""


@click.group("refcat", epilog=_EXAMPLE)
def refcat() -> None:
    """Download reference catalogs."""


@refcat.command("get", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SURVEY",
    help=f"{', '.join(SURVEYS)}; SURVEY@URL for a mirror; or the URL of a TAP service, with --table.",
)
@click.option("--table", metavar="TABLE", help="Table of the service, where it differs from the survey's.")
@click.option("--name", metavar="NAME", help="Name of the reference catalog; the survey's by default.")
@click.option("--faintest", type=float, default=None, metavar="MAG", help="Faintest magnitude to download.")
@click.option(
    "--radius", type=click.FloatRange(0, 30, min_open=True), metavar="DEG", help="Radius of the field, degrees."
)
@click.option(
    "--ra", type=float, metavar="DEG", help="Right ascension of the center, degrees; by default all pointings of REPO."
)
@click.option("--dec", type=click.FloatRange(-90, 90), metavar="DEG", help="Declination of the center, degrees.")
@click.option("--clobber", is_flag=True, help="Replace a catalog of that name.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.refcat:get")
def get() -> None:
    """Download a reference catalog for a repository.

    It covers all pointings of the raw files in the repository REPO.

    Downloads are kept in the folder OBS_CACHE, or in ~/.cache/obs. Gaia comes with proper motions and with estimated
    magnitudes in B, V, R, I (Vega) and g, r, i (AB).
    """
