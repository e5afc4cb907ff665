"""`obs forced`: fluxes at given positions on every image."""

from pathlib import Path

import click

from obs.cli.dry_run import print_data_ids
from obs.cli.logs import configure_logging
from obs.cli.output_repository import open_output
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import settle_config
from obs.plural import count_of
from obs.repo.input_files import inputs_noted
from obs.runs.calibrate_visits import find_processed, take_tract
from obs.runs.forced import forced_settings, measure_images
from obs.runs.targets import coadd_targets, read_targets
from obs.tasks.forced.measure import BLENDED

__all__ = ["forced"]


def forced(
    root: Path,
    output: Path | None,
    rerun: str | None,
    table: Path | None,
    names: tuple[str, ...],
    tract: int | None,
    dry_run: bool,
    processes: int,
    timeout: float | None,
    doraise: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.forced."""
    configure_logging(log_levels)
    if names and table is None:
        raise click.UsageError("--name chooses rows of a table; give it with --table FILE")
    butler = open_output(root, output=output, rerun=rerun, camera=None)
    config = settle_config(forced_settings(butler.instrument), overrides, show)
    if config is None:
        return 0
    ids, tract = take_tract(ids, tract)
    with inputs_noted() as sources:
        targets = coadd_targets(butler, tract) if table is None else read_targets(table, names)
    data_ids = find_processed(butler, ids)
    if dry_run:
        return print_data_ids(data_ids, "image")
    with show_progress(len(data_ids)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = measure_images(
            butler,
            data_ids,
            targets,
            config,
            tract=tract,
            sources=tuple(sources.values()),
            processes=processes,
            timeout=timeout,
            on_done=progress.done,
            raise_errors=doraise,
        )
    done = [outcome.result for outcome in outcomes if outcome.result is not None]
    count = sum(one.count for one in done)
    click.echo(f"{count} fluxes of {count_of(len(targets), 'position')} on {count_of(len(done), 'image')}")
    for calibration in dict.fromkeys(one.calibration for one in done):
        click.echo(f"calibration: {calibration}")
    if blended := sum(one.blended for one in done):
        click.echo(
            f"warning: {blended} of {count} fluxes are shared with another star, or their positions are inexact "
            f"({BLENDED}): add the other star to the table, or choose a reference catalog that has it",
            err=True,
        )
    if not count and len(done) == len(outcomes):
        click.echo("none of the positions is on an image; check that they are ICRS, degrees", err=True)
        return 1
    if len(done) == len(outcomes):
        return 0
    click.echo(failure_text(outcomes), err=True)
    return 1
