"""`obs difference`: what changed between images and the coadd."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from obs.cli.dry_run import print_data_ids
from obs.cli.logs import configure_logging
from obs.cli.output_repository import open_output
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import settle_config
from obs.cli.table import format_table
from obs.coadds.difference import DifferenceSummary
from obs.coadds.moving_objects import MovingObject, find_moving_objects
from obs.executor.outcome import Outcome
from obs.policy.data_id import format_data_id
from obs.runs.calibrate_visits import find_processed, take_tract
from obs.runs.difference import difference_settings, make_differences

__all__ = ["difference"]

_HEADERS = (
    "data ID",
    "brighter",
    "fainter",
    "dipoles",
    "suspect",
    "stars",
    "flux ratio",
    "noise",
    "convolved",
    "seconds",
)


def difference(
    root: Path,
    output: Path | None,
    rerun: str | None,
    tract: int | None,
    skip_existing: bool,
    dry_run: bool,
    processes: int,
    timeout: float | None,
    doraise: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.difference."""
    configure_logging(log_levels)
    butler = open_output(root, output=output, rerun=rerun, camera=None)
    config = settle_config(difference_settings(butler.instrument), overrides, show)
    if config is None:
        return 0
    ids, tract = take_tract(ids, tract)
    data_ids = find_processed(butler, ids)
    if dry_run:
        return print_data_ids(data_ids, "image")
    with show_progress(len(data_ids)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = make_differences(
            butler,
            data_ids,
            config,
            tract=tract,
            skip_existing=skip_existing,
            processes=processes,
            timeout=timeout,
            on_done=progress.done,
            raise_errors=doraise,
        )
    if len(outcomes) < len(data_ids):
        click.echo(f"{len(data_ids) - len(outcomes)} of {len(data_ids)} differences are current and stay", err=True)
    status = _report(outcomes)
    for line in _moving(find_moving_objects(butler, data_ids)):
        click.echo(line)
    return status


def _moving(objects: Sequence[MovingObject]) -> Iterator[str]:
    """Yield a line for each moving object, and one for each of its detections."""
    for number, one in enumerate(objects, 1):
        yield (
            f"moving object {number}: {len(one.mjd)} detections, {one.rate:.2f} arcsec an hour toward "
            f"{one.angle:.0f} degrees (north to east), {one.scatter:.2f} arcsec from a line"
        )
        for mjd, ra, dec, magnitude, name in zip(one.mjd, one.ra, one.dec, one.magnitude, one.name, strict=True):
            yield f"  MJD {mjd:.6f}  {ra:.6f}, {dec:+.6f}  {magnitude:.2f} mag  {name}"


def _report(outcomes: Sequence[Outcome[DifferenceSummary]]) -> int:
    done = [(outcome, outcome.result) for outcome in outcomes if outcome.result is not None]
    rows = [
        (
            format_data_id(outcome.data_id),
            str(summary.n_positive),
            str(summary.n_negative),
            str(summary.n_dipole),
            str(summary.n_suspect),
            str(summary.n_star) if summary.n_star else "PSFs",
            f"{summary.flux_ratio:.4f}",
            f"{summary.noise_ratio:.2f}",
            summary.convolved,
            f"{outcome.seconds:.1f}",
        )
        for outcome, summary in done
    ]
    if rows:
        click.echo(format_table(_HEADERS, rows, right="lrrrrrrrlr"))
    for calibration in dict.fromkeys(summary.calibration for _, summary in done):
        click.echo(f"calibration: {calibration}")
    if len(done) == len(outcomes):
        return 0
    click.echo(failure_text(outcomes), err=True)
    return 1
