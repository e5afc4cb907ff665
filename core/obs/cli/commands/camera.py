"""`obs camera`: what a camera's focal plane is."""

from pathlib import Path

import click

from obs.cli.commands.calls import calls

__all__ = ["adjust", "build", "camera", "show"]

_EXAMPLE = """\b
Examples:
  obs camera show hsc --output hsc.png
  obs camera build hsc --output camera
"""

_ADJUST_EXAMPLE = """\b
Examples:
  obs camera adjust DATA/rerun/first
  obs camera adjust DATA/rerun/first --write
  obs camera adjust DATA/rerun/first --all --write
"""

_BUILD_EXAMPLE = """\b
Example:
  obs camera build hsc --output camera
"""

_SHOW_EXAMPLE = """\b
Examples:
  obs camera show hsc
  obs camera show hsc --output hsc.png
"""


@click.group("camera", epilog=_EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
def camera() -> None:
    """Show a camera's focal plane, or write it as LSST's tables."""


@camera.command("adjust", epilog=_ADJUST_EXAMPLE)
@click.argument("output", metavar="OUTPUT", type=click.Path(path_type=Path))
@click.option("--camera", "name", metavar="NAME", help="Camera, if the repository does not record it; see obs cameras.")
@click.option("--write", is_flag=True, help="Write the measured values into camera.yaml of the camera.")
@click.option("--all", "all_places", is_flag=True, help="Move detectors that are displaced by less than half, too.")
@calls("obs.cli.camera:adjust")
def adjust() -> None:
    """Measure how a camera is turned, mirrored and scaled.

    It is measured on the exposures of OUTPUT, a repository with results of obs process.

    The fitted WCS of each exposure is compared with the one that camera.yaml and the header promise. Exposures behind a
    meridian flip count like the others. Where they agree, --write puts rotation, flip_x and plate_scale into
    camera.yaml, and detectors of a mosaic that are displaced by more than half of their width into detectors.csv. By
    less, optics may displace them: --all moves those, too, for example where the gaps were a guess.
    """


@camera.command("build", epilog=_BUILD_EXAMPLE)
@click.argument("name", metavar="NAME")
@click.option(
    "-o", "--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder to write into."
)
@calls("obs.cli.camera:build")
def build() -> None:
    """Write the amplifiers of a camera as LSST's tables.

    FITS tables of the camera NAME are written, one file for each detector.

    Files are named after the detectors, with underscores for blanks; those of an earlier time are replaced.
    """


@camera.command("show", epilog=_SHOW_EXAMPLE)
@click.argument("name", metavar="NAME")
@click.option(
    "-o", "--output", metavar="PNG", type=click.Path(path_type=Path), help="File to draw to, instead of a list."
)
@calls("obs.cli.camera:show")
def show() -> None:
    """List the detectors of a camera, or draw them.

    NAME is the name of an installed camera.

    The drawing has each detector with its name and id, its amplifiers with their read-out corners in red, and green
    arrows along its x axis (the long one) and y axis.
    """
