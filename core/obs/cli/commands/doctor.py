"""`obs doctor`: what is still wrong with a camera's package."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["doctor"]

_EXAMPLE = """\b
Examples:
  obs doctor mycam night1/*.fits
  obs doctor obs_mycam flat1.fits flat2.fits bias1.fits bias2.fits --write
"""


@click.command("doctor", epilog=_EXAMPLE)
@click.argument("name", metavar="NAME")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default="doctor",
    show_default=True,
    help="Folder in which pictures are written.",
)
@click.option("--no-picture", is_flag=True, help="Do not draw pictures.")
@click.option("--no-trial", is_flag=True, help="Do not process an exposure.")
@click.option(
    "--write",
    is_flag=True,
    help="Write measured gains and read noises, and with --refcat how the camera is mounted, into the package.",
)
@click.option(
    "--refcat",
    "reference",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Stars with positions and magnitudes, a file or a folder: they show rotation, parity and scale of the camera.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="Print every check of every file, and draw each.")
@click.option("-q", "--quiet", is_flag=True, help="Print only problems and values to look at.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
@calls("obs.cli.doctor:doctor")
def doctor() -> None:
    """Check raw files against a camera package.

    It follows FILEs through each step of the processing, and reports the first problem to fix.

    NAME is an installed camera or the folder of a package, which may be unfinished or broken. Each exposure in the
    files goes through the translator, the geometry, the overscan, assembly, and signature removal without calibration
    frames. Two flats of one filter give the gains by their photon noise, two biases the read noises; --write puts them
    into the camera where its cells are empty or wrong. If all is well,
    one science exposure is processed to a catalog, with calibration frames made from the files given.

    The page shows what is the same in all files, what differs, and each problem once with the files that have it:
    `WRONG` has to be fixed, `look` may be right. The last line is the first problem to fix, with file, line and key;
    the exit status is 0 if there is none, else 1.
    """
