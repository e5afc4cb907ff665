"""`obs update`: a package of an older project template, brought to that of today."""

from collections import Counter
from typing import Literal, cast

import click

from obs.scaffold.update import Update, apply_update, find_package, plan_update

__all__ = ["update"]


def update(package: str, dry_run: bool, conflicts: str, doraise: bool) -> int:
    """Do what the command says; see obs.cli.commands.update."""
    plan = plan_update(find_package(package))
    _print_update(plan, show_diff=conflicts == "show")
    if not dry_run:
        apply_update(plan, conflicts=cast(Literal["show", "markers", "keep"], conflicts))
    return 1 if plan.conflicts and conflicts != "keep" else 0


def _print_update(plan: Update, *, show_diff: bool) -> None:
    version = f"template {plan.after}" if plan.before == plan.after else f"from template {plan.before} to {plan.after}"
    click.echo(f"{plan.package}: {version}")
    for note in plan.notes:
        click.echo(f"WARNING {note}", err=True)
    for change in plan.changes:
        click.echo(f"  {change.kind:9} {change.path}{f' ({change.note})' if change.note else ''}")
        if change.kind == "conflict" and show_diff:
            click.echo(change.diff, nl=False)
    count = Counter(change.kind for change in plan.changes)
    done = ", ".join(f"{count[kind]} {kind}" for kind in ("added", "replaced", "merged", "removed") if count[kind])
    left = f"; {count['conflict']} with conflicts" if count["conflict"] else ""
    click.echo(f"{done or 'nothing to do'}{left}")
