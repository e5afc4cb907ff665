"""`obs translate`: what a camera's translator makes of headers."""

import click

from obs.cli.commands.calls import calls

__all__ = ["translate"]

_EXAMPLE = """\b
Examples:
  obs translate hsc night1/*.fits.fz
  obs translate obs_mycam header.hdr --format json
  obs translate --lsst DECam night1/*.fits.fz
"""


@click.command("translate", epilog=_EXAMPLE)
@click.argument("words", metavar="NAME FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Format of the output.",
)
@click.option(
    "--lsst",
    metavar="TRANSLATOR",
    help="In place of NAME: a translator of the package astro_metadata_translator, such as DECam (extra lsst).",
)
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.translate:translate")
def translate() -> None:
    """Print the values that are read from raw headers.

    It prints each value that the translator of the camera NAME reads from FILEs, and the card that it comes from.

    NAME is an installed camera or the folder of a package. Files are FITS, plain, gzipped or tile-compressed, with one
    image or many, or headers as text (.hdr). Each detector of an exposure in a file is listed: the registry's columns,
    then the circumstances of the exposure, each with its unit and the cards that it comes from; `constant` is what the
    translator has for all frames, `default` what replaces a card that is missing, `derived` what follows from the
    others. A file that cannot be read is reported in a line, and the others are read; the exit status is then 1.
    """
