"""`obs camera`: what a camera's focal plane is."""

from pathlib import Path

import click

from obs.camera.draw import draw_camera
from obs.camera.fits_table import amplifier_file_name, write_amplifiers
from obs.cli.table import format_table
from obs.errors import OutputError
from obs.instrument.discovery import load_instrument
from obs.repo.atomic import atomic_write

__all__ = ["camera"]

_EXAMPLE = """\b
Examples:
  obs camera show hsc --output hsc.png
  obs camera build hsc --output camera
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


@camera.command("build", epilog=_BUILD_EXAMPLE)
@click.argument("name", metavar="NAME")
@click.option("--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
def build(name: str, output: Path) -> int:
    """Write the amplifiers of the camera NAME as LSST's FITS tables, one file a detector.

    Files are named after the detectors, with underscores for blanks; those of an earlier time are replaced.
    """
    detectors = load_instrument(name).load_camera().detectors
    for detector in detectors:
        path = output / amplifier_file_name(detector.name)
        try:
            with atomic_write(path) as file:
                write_amplifiers(detector.amplifiers, file)
        except ValueError as error:
            raise OutputError(f"{path}: {error}", path=path) from error
    click.echo(f"{len(detectors)} files in {output}")
    return 0


@camera.command("show", epilog=_SHOW_EXAMPLE)
@click.argument("name", metavar="NAME")
@click.option("--output", metavar="PNG", type=click.Path(path_type=Path), help="Draw it to this file, not list it.")
def show(name: str, output: Path | None) -> int:
    """List the detectors of the camera NAME, or draw its focal plane.

    The drawing has each detector with its name and id, its amplifiers with their read-out corners in red, and green
    arrows along its x axis (the long one) and y axis.
    """
    found = load_instrument(name).load_camera()
    if output is not None:
        with atomic_write(output) as file:
            draw_camera(found, file)
        click.echo(str(output))
        return 0
    rows = [
        (
            str(detector.id),
            detector.name,
            detector.type,
            f"{detector.bbox.width} x {detector.bbox.height}",
            str(len(detector.amplifiers)),
            f"{detector.offset_x:.3f}",
            f"{detector.offset_y:.3f}",
            f"{detector.yaw:.4f}",
        )
        for detector in found
    ]
    titles = ("id", "name", "type", "pixels", "amplifiers", "x (mm)", "y (mm)", "yaw (deg)")
    click.echo(format_table(titles, rows, right="rlllrrrr"))
    return 0
