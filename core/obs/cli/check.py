"""`obs check`: whether the package of a camera is sound."""

import click

from obs.checks.package import check_package

__all__ = ["check"]


def check(package: str, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.check."""
    problems = check_package(package)
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(f"{package}: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
    return 1 if problems else 0
