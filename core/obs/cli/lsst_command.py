"""What `obs lsst-command` does: run a command line of the LSST stack."""

import shlex

import click

from obs.cli.lsst_lines import translate_line
from obs.cli.main import main

__all__ = ["lsst_command"]


def lsst_command(words: tuple[str, ...], dry_run: bool) -> int:
    """Do what the command says; see obs.cli.commands.lsst_command."""
    line = words if len(words) > 1 else tuple(shlex.split(words[0]))
    if not line:
        raise click.UsageError("give a command line of the LSST stack, as in obs lsst-command processCcd.py DATA --id")
    translated = translate_line(line)
    for note in translated.notes:
        click.echo(f"NOTE {note}", err=True)
    lines = [translated.words, *translated.later]
    for number, one in enumerate(lines):
        click.echo(f"$ obs {shlex.join(one)}", err=True)
        status = 0 if dry_run else main(one)
        if status:
            left = "".join(f"\n  obs {shlex.join(later)}" for later in lines[number + 1 :])
            click.echo(f"not run, because this line failed:{left}" if left else "", err=True, nl=bool(left))
            return status
    return 0
