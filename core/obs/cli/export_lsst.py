"""`obs export-lsst`: a camera for the third-generation LSST stack."""

from pathlib import Path

import click

from obs.checks.open_package import open_package
from obs.cli.files import find_files
from obs.gen3.export import export_package

__all__ = ["export_lsst"]


def export_lsst(name: str, output: Path, doraise: bool, from_files: list[str]) -> int:
    """Do what the command says; see obs.cli.commands.export_lsst."""
    with open_package(name) as opened:
        exported = export_package(opened, output, raw_files=find_files(from_files) if from_files else ())
    for note in exported.notes:
        click.echo(f"WARNING {note}", err=True)
    click.echo(f"{exported.folder} is made; {exported.folder / 'README.md'} says what to do next")
    return 0
