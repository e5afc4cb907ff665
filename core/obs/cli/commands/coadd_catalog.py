"""`obs coadd-catalog`: catalogs of coadds over all filters."""

from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.commands.calls import calls
from obs.cli.commands.options import config_options, id_option, run_options

__all__ = ["coadd_catalog"]

_EXAMPLE = """\b
Examples:
  obs coadd-catalog out
  obs coadd-catalog out --id tract=0 patch=0,0^1,0 filter=g^r -c merge.priority=[r,g]
"""


@click.command("coadd-catalog", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@id_option
@click.option("--dry-run", is_flag=True, help="Print the patches whose catalogs would be made, and stop.")
@config_options
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository to write into.")
@click.option("--rerun", metavar="[IN:]OUT", help="Write into REPO/rerun/OUT, and read from REPO/rerun/IN.")
@click.option("--camera", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--skip-existing", is_flag=True, help="Keep catalogs made of the same coadds with the same settings.")
@click.option("--clobber-config", is_flag=True, help="Continue in an output that was made with other settings.")
@click.option("--show", expose_value=False, multiple=True, metavar="WHAT...", help="Show config[=PATTERN] and stop.")
@run_options
@calls("obs.cli.coadd_catalog:coadd_catalog")
def coadd_catalog() -> None:
    """Detect and measure the objects on coadds.

    The coadds are those of the repository REPO, which obs coadd has made.

    Sources are detected in each filter and merged to one list of objects. They are measured in each filter at their own
    positions (deepCoadd_meas) and at those of their reference filter (deepCoadd_forced_src, deepCoadd_ref). The objects
    of all patches of a tract become one table without duplicates: objectTable (Parquet) and objectCatalog (FITS).
    """
