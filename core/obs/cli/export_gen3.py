"""What `obs export-gen3` does: write a third-generation LSST repository."""

from pathlib import Path

import click

from obs.cli.table import format_table
from obs.gen3_repository.library import import_butler
from obs.repo.butler import Butler
from obs.shell_command import shell_command

__all__ = ["export_gen3"]


def export_gen3(root: Path, out: Path, transfer: str, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.export_gen3."""
    import_butler()
    from obs.gen3_repository.export import export_gen3 as export  # noqa: PLC0415 - needs a library that is an extra

    butler = Butler(root)
    report = export(butler, out, transfer=transfer)
    rows = [(name, str(count)) for name, count in report.counts.items()]
    click.echo(format_table(("dataset type", "exported"), rows, right="lr"))
    if report.n_absent:
        click.echo(f"{report.n_absent} raw frames are listed and have no file", err=True)
    if report.note:
        click.echo(f"NOTE {report.note}", err=True)
    for parent in butler.roots[1:-1]:
        line = shell_command("obs", "export-gen3", parent, out)
        click.echo(f"NOTE results of the parent {parent} are not among them; {line} adds them", err=True)
    if report.left:
        left = ", ".join(f"{name} ({count})" for name, count in sorted(report.left.items()))
        click.echo(f"not exported, because they have no place there: {left}", err=True)
    for line in report.failures:
        click.echo(f"FAILED {line}", err=True)
    return 1 if report.failures else 0
