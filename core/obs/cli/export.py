"""`obs export`: results of a field or a night as files that need no repository."""

from pathlib import Path

import click

from obs.exports.export import export as export_results
from obs.exports.table_files import TableFormat
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler

__all__ = ["export"]


def export(
    root: Path,
    folder: Path,
    ids: list[list[str]],
    night: str | None,
    kind: TableFormat,
    split: bool,
    no_images: bool,
    clobber: bool,
    camera: str | None,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.export."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    done = export_results(
        butler,
        folder,
        [" ".join(words) for words in ids],
        night=night,
        format=kind,
        split=split,
        images=not no_images,
        clobber=clobber,
    )
    for name, reason in done.failed:
        click.echo(f"not exported: {name}: {reason}", err=True)
    images = "1 image" if done.n_image == 1 else f"{done.n_image} images"
    click.echo(f"{done.n_source} sources of {images} exported to {folder}")
    return 1 if done.failed else 0
