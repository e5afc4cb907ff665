"""`obs export`: results of a field or a night as files that need no repository."""

import shlex
from pathlib import Path

import click

from obs.exports.export import export as export_results
from obs.exports.for_programs import Program, export_for
from obs.exports.table_files import TableFormat
from obs.instrument.discovery import load_instrument
from obs.plural import count_of
from obs.repo.butler import Butler

__all__ = ["export"]


def export(
    root: Path,
    folder: Path,
    ids: list[list[str]],
    night: str | None,
    kind: TableFormat,
    program: Program | None,
    split: bool,
    no_images: bool,
    clobber: bool,
    camera: str | None,
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.export."""
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    if program is not None:
        if night is not None:
            raise click.UsageError("--night does not go with --for; choose the images with --id")
        return _export_for(program, butler, folder, ids, clobber=clobber)
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
    click.echo(f"{count_of(done.n_source, 'source')} of {count_of(done.n_image, 'image')} exported to {folder}")
    return 1 if done.failed else 0


def _export_for(program: Program, butler: Butler, folder: Path, ids: list[list[str]], *, clobber: bool) -> int:
    """Write files for another program, and print what to do with them."""
    done = export_for(program, butler, folder, ids, clobber=clobber)
    for name, reason in done.failed:
        click.echo(f"not exported: {name}: {reason}", err=True)
    click.echo(f"{count_of(len(done.files), 'file')} for {program} in {folder}; {', '.join(done.calibrations)}")
    if done.commands:
        click.echo(f"cd {shlex.quote(str(folder))}")
        for command in done.commands:
            click.echo(command)
    return 1 if done.failed else 0
