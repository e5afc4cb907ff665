"""Print what a run would do, and which results are stale."""

import click

from obs.policy.data_id import format_data_id
from obs.runs.pending import Plan

__all__ = ["print_plan", "warn_of_stale"]


def print_plan(plan: Plan) -> None:
    """Print a line for each data ID on stdout: NEW, STALE with the reasons, or CURRENT; then the numbers."""
    for data_id in plan.new:
        click.echo(f"NEW {format_data_id(data_id)}")
    for data_id, reasons in plan.stale:
        click.echo(f"STALE {format_data_id(data_id)}: {'; '.join(reasons)}")
    for data_id in plan.current:
        click.echo(f"CURRENT {format_data_id(data_id)}")
    click.echo(
        f"{len(plan.new)} new, {len(plan.stale)} stale, {len(plan.current)} current; "
        "--skip-existing keeps those that are current"
    )


def warn_of_stale(plan: Plan) -> None:
    """Print on stderr which results are made again, and why."""
    for data_id, reasons in plan.stale:
        click.echo(f"STALE {format_data_id(data_id)}: {'; '.join(reasons)}", err=True)
