"""`obs init`: a new data repository."""

from pathlib import Path

import click

from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.shell_command import shell_command

__all__ = ["init"]


def init(root: Path, camera: str, registry: str | None, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.init."""
    instrument = load_instrument(camera)
    if make_repository(root, instrument, registry=registry):
        command = shell_command("obs", "ingest", root)
        click.echo(f"{root} is now a data repository of the camera {camera}; fill it with: {command} FILES...")
    else:
        click.echo(f"{root} is a data repository of the camera {camera} already")
    return 0
