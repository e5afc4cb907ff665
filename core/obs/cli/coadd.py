"""`obs coadd`: combine exposures on the patches of a sky map."""

from collections.abc import Sequence
from pathlib import Path

import click

from obs.cli.logs import configure_logging
from obs.cli.output_repository import open_output
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import settle_config
from obs.cli.table import format_table
from obs.coadds.coadd import CoaddSummary
from obs.coadds.select import select_candidates
from obs.executor.outcome import Outcome
from obs.policy.data_id import format_data_id
from obs.repo.filter_words import read_ids
from obs.runs.coadd import coadd_jobs, coadd_settings, make_coadds
from obs.runs.results import warn_of_absent

__all__ = ["coadd"]

_HEADERS = ("coadd", "exposures", "depth", "seeing/arcsec", "limit/mag", "clipped", "PSF error", "seconds")
_KEYS = {"tract": int, "patch": str, "filter": str}


def coadd(
    root: Path,
    ids: list[list[str]],
    select_ids: list[list[str]],
    select: str | None,
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
    """Do what the command says; see obs.cli.commands.coadd."""
    configure_logging(log_levels)
    butler = open_output(root, output=output, rerun=rerun, camera=camera)
    chosen = [] if select is None else [("c", f"select.expression={select!r}")]
    config = settle_config(coadd_settings(butler.instrument), [*overrides, *chosen], show)
    if config is None:
        return 0
    types = butler.id_keys("calexp")
    frames_wanted = read_ids(butler, select_ids, types)
    jobs = coadd_jobs(butler, read_ids(butler, ids, _KEYS), frames_wanted)
    warn_of_absent(butler, "calexp", select_ids)
    if dry_run:
        configure_logging(log_levels)
        rows = [
            (format_data_id(data_id), str(len(select_candidates(butler, frames, config.select))))
            for data_id, frames in jobs
        ]
        click.echo(format_table(("coadd", "exposures"), rows, right="lr"))
        return 0
    with show_progress(len(jobs)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = make_coadds(
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
    return _report(outcomes, len(jobs))


def _report(outcomes: Sequence[Outcome[CoaddSummary]], n_job: int) -> int:
    rows = [
        (
            format_data_id(outcome.data_id),
            str(summary.n_input),
            f"{summary.depth:g}",
            f"{summary.seeing:.2f}",
            f"{summary.limit:.2f}",
            str(summary.n_clipped),
            f"{summary.psf_error:.4f}",
            f"{outcome.seconds:.1f}",
        )
        for outcome in outcomes
        if (summary := outcome.result) is not None
    ]
    if rows:
        click.echo(format_table(_HEADERS, rows, right="lrrrrrrr"))
    if len(outcomes) < n_job:
        click.echo(f"{n_job - len(outcomes)} of {n_job} coadds were there and stay", err=True)
    if all(outcome.ok for outcome in outcomes):
        return 0
    click.echo(failure_text(outcomes), err=True)
    return 1
