"""`obs calibrate-visits`: positions and magnitudes of all visits of a field together."""

from pathlib import Path

import click

from obs.cli.dry_run import print_data_ids
from obs.cli.logs import configure_logging
from obs.cli.output_repository import open_output
from obs.cli.show import settle_config
from obs.runs.calibrate_visits import calibrate_visits as calibrate
from obs.runs.calibrate_visits import calibrate_visits_settings, find_processed, take_tract
from obs.visits.report import format_fit, format_motions

__all__ = ["calibrate_visits"]


def calibrate_visits(
    root: Path,
    output: Path | None,
    rerun: str | None,
    tract: int | None,
    dry_run: bool,
    doraise: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.calibrate_visits."""
    configure_logging(log_levels)
    butler = open_output(root, output=output, rerun=rerun, camera=None)
    config = settle_config(calibrate_visits_settings(butler.instrument), overrides, show)
    if config is None:
        return 0
    ids, tract = take_tract(ids, tract)
    if dry_run:
        return print_data_ids(find_processed(butler, ids), "image")
    done = calibrate(butler, ids, tract=tract or 0, config=config)
    for fit in done.fits:
        for line in format_fit(fit.physical_filter, len(fit.data_ids), fit.n_visit, fit.astrometry, fit.photometry):
            click.echo(line)
        for warning in fit.warnings:
            click.echo(f"warning: {fit.physical_filter}: {warning}", err=True)
    for line in format_motions(done.motions, config.astrometry.motions.minimum_years):
        click.echo(line)
    for name, reason in done.skipped:
        click.echo(f"left out: {name}: {reason}", err=True)
    return 1 if done.skipped else 0
