"""`obs init`: a new data repository."""

from pathlib import Path

import click

from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument

__all__ = ["init"]

_EXAMPLE = """\b
Example:
  obs init DATA --camera hsc
"""


@click.command("init", epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.option("--camera", metavar="NAME", required=True, help="The camera; see obs cameras.")
@click.option("--registry", metavar="URL", help="Database for the registry, such as postgresql+psycopg://host/name.")
@click.option("--doraise", is_flag=True, help="Show the traceback of an error.")
def init(root: Path, camera: str, registry: str | None, doraise: bool) -> int:
    """Make the folder REPO a data repository for frames of one camera."""
    instrument = load_instrument(camera)
    if make_repository(root, instrument, registry=registry):
        click.echo(f"{root} is now a data repository of the camera {camera}; fill it with: obs ingest {root} FILES...")
    else:
        click.echo(f"{root} is a data repository of the camera {camera} already")
    return 0
