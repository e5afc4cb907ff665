"""`obs cameras`: which cameras are installed."""

import click

from obs.cli.table import format_table
from obs.errors import ObsError
from obs.instrument.discovery import Broken, Found, discover

__all__ = ["cameras"]


def cameras() -> int:
    """Do what the command says; see obs.cli.commands.cameras."""
    discovery = discover()
    broken = list(discovery.broken)
    rows = []
    for found in discovery.instruments.values():
        try:
            rows.append(_describe(found))
        except ObsError as problem:
            broken.append(Broken(found.name, found.distribution, found.version, str(problem)))
    if rows:
        click.echo(format_table(("name", "package", "version", "detectors", "filters"), rows, right="lllr"))
    elif not broken:
        click.echo("no camera is installed; a camera is a package with an entry point in the group obs.cameras")
    for camera in broken:
        click.echo(f"BROKEN {camera.name} ({camera.distribution}=={camera.version}): {camera.cause}")
    return 0


def _describe(found: Found) -> tuple[str, str, str, str, str]:
    """Return the row of a camera; reads its tables."""
    detectors = found.instrument.load_camera().detectors
    filters = " ".join(known.physical_filter for known in found.instrument.filters)
    return found.name, found.distribution, found.version, str(len(detectors)), filters
