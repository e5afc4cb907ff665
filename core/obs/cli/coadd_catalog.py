"""`obs coadd-catalog`: catalogs of coadds over all filters."""

from pathlib import Path

import click

from obs.cli.dry_run import print_data_ids
from obs.cli.logs import configure_logging
from obs.cli.output_repository import open_output
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import settle_config
from obs.cli.table import format_table
from obs.plural import count_of
from obs.policy.data_id import format_data_id
from obs.repo.filter_words import read_ids
from obs.runs.coadd_catalog import catalog_jobs, catalog_settings, make_catalogs, write_object_tables
from obs.runs.results import warn_of_absent

__all__ = ["coadd_catalog"]

_KEYS = {"tract": int, "patch": str, "filter": str}


def coadd_catalog(
    root: Path,
    ids: list[list[str]],
    output: Path | None,
    rerun: str | None,
    camera: str | None,
    skip_existing: bool,
    clobber_config: bool,
    dry_run: bool,
    processes: int,
    timeout: float | None,
    doraise: bool,
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.coadd_catalog."""
    configure_logging(log_levels)
    butler = open_output(root, output=output, rerun=rerun, camera=camera)
    config = settle_config(catalog_settings(butler.instrument), overrides, show)
    if config is None:
        return 0
    jobs = catalog_jobs(butler, read_ids(butler, ids, _KEYS))
    warn_of_absent(butler, "deepCoadd", ids)
    if dry_run:
        return print_data_ids([data_id for data_id, _ in jobs], "catalog")
    with show_progress(len(jobs)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = make_catalogs(
            butler,
            config,
            jobs,
            skip_existing=skip_existing,
            clobber_config=clobber_config,
            processes=processes,
            timeout=timeout,
            on_done=progress.done,
            raise_errors=doraise,
        )
    rows = [
        (
            format_data_id(outcome.data_id),
            str(summary.n_object),
            " ".join(f"{name}:{count}" for name, count in sorted(summary.n_detected.items())),
            f"{outcome.seconds:.1f}",
        )
        for outcome in outcomes
        if (summary := outcome.result) is not None
    ]
    if rows:
        click.echo(format_table(("patch", "objects", "detected in", "seconds"), rows, right="lrlr"))
    if len(outcomes) < len(jobs):
        click.echo(f"{len(jobs) - len(outcomes)} of {len(jobs)} patches have catalogs that stay", err=True)
    counts = write_object_tables(butler, sorted({int(data_id["tract"]) for data_id, _ in jobs}))
    for tract, count in counts.items():
        if count:
            click.echo(f"tract {tract}: {count_of(count, 'object')} in {butler.path('objectTable', tract=tract)}")
    if all(outcome.ok for outcome in outcomes):
        return 0
    click.echo(failure_text(outcomes), err=True)
    return 1
