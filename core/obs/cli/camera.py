"""`obs camera`: what a camera's focal plane is."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from obs.algorithms.astrometry.detector_places import DetectorPlace
from obs.camera.camera import Camera
from obs.camera.draw import draw_camera
from obs.camera.fits_table import amplifier_file_name, write_amplifiers
from obs.cli.table import format_table
from obs.doctor.detector_places import find_places, write_places
from obs.doctor.orientation import find_mount, write_mount
from obs.errors import OutputError
from obs.instrument.discovery import load_instrument
from obs.plural import count_of
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler

__all__ = ["adjust", "build", "show"]

_NAMED = 8
"""Detectors that are named, of those without a place."""


def adjust(output: Path, name: str | None, write: bool, all_places: bool) -> int:
    """Do what the command says; see obs.cli.commands.camera."""
    butler = Butler(output, instrument=None if name is None else load_instrument(name))
    camera = butler.instrument.load_camera()
    measured, hidden = find_places(butler)
    places = [place for place in measured if place.is_elsewhere]
    mount = find_mount(butler, {place.id for place in places})
    if all_places:
        places = measured
    rows = [
        ("orientation.rotation", f"{camera.rotation:.3f}", f"{mount.rotation:.3f}", "degrees, north through east"),
        ("orientation.flip_x", str(camera.flip_x).lower(), str(mount.flip_x).lower(), ""),
        ("plate_scale", f"{camera.plate_scale:.7g}", f"{mount.plate_scale:.7g}", "arcsec/mm"),
    ]
    click.echo(format_table(("camera.yaml", "now", "the stars show", ""), rows, right="lrrl"))
    flipped = f", {mount.n_flipped} of them behind a meridian flip" if mount.n_flipped else ""
    click.echo(f"from {mount.n_exposure} exposures{flipped}")
    if places:
        click.echo(_show_places(camera, places))
    others = [] if all_places else [place for place in measured if not place.is_elsewhere]
    far = max(others, key=lambda place: place.moved, default=None)
    if far is not None and far.moved >= 1.0:
        click.echo(
            f"{'the others' if places else 'detectors'} lie within {far.moved:.0f} pixels of where detectors.csv has "
            f"them (most: {far.detector.name}); optics can displace them by as much, so they stay there; "
            "to move them, too, where the gaps were a guess: --all"
        )
    if measured and hidden:
        more = f" and {len(hidden) - _NAMED} more" if len(hidden) > _NAMED else ""
        click.echo(f"not measured, because no WCS of theirs was fitted to stars: {', '.join(hidden[:_NAMED])}{more}")
    if write:
        click.echo(f"written: {write_mount(butler.instrument, mount)}")
        if places:
            click.echo(f"written: {write_places(butler.instrument, places)}")
    else:
        command = shlex.join(["obs", "camera", "adjust", str(output), *(["--all"] if all_places else []), "--write"])
        click.echo(f"to write this into the camera:\n  {command}")
    return 0


def _show_places(camera: Camera, places: Sequence[DetectorPlace]) -> str:
    """Return a table of detectors that lie elsewhere than the camera says."""
    rows = []
    for place in places:
        now = camera.detector(place.id)
        for column in ("yaw", "offset_x", "offset_y"):
            values = (f"{getattr(one, column):.4f}" for one in (now, place.detector))
            rows.append((f"{now.name} {column}", *values, "degrees" if column == "yaw" else "mm"))
    return format_table(("detectors.csv", "now", "the stars show", ""), rows, right="lrrl")


def build(name: str, output: Path) -> int:
    """Do what the command says; see obs.cli.commands.camera."""
    detectors = load_instrument(name).load_camera().detectors
    for detector in detectors:
        path = output / amplifier_file_name(detector.name)
        try:
            with atomic_write(path) as file:
                write_amplifiers(detector.amplifiers, file)
        except ValueError as error:
            raise OutputError(f"{path}: {error}", path=path) from error
    click.echo(f"{count_of(len(detectors), 'file')} in {output}")
    return 0


def show(name: str, output: Path | None) -> int:
    """Do what the command says; see obs.cli.commands.camera."""
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
