"""`obs calibs build`: calibration frames from raw frames."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from obs.calibration_frames.build import build_calibration
from obs.calibration_frames.detector_scales import detector_scales, rescale_calibration
from obs.calibration_frames.previous_frame import measure_change
from obs.calibration_frames.summary import BuildSummary
from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, calib_folder
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import show_config, split_show
from obs.cli.table import format_table
from obs.errors import DataIdError, OutputError
from obs.executor.outcome import Outcome
from obs.executor.run import run
from obs.ingest.calib_jobs import BuildJob, leave_out_other_types, plan_calibrations, usual_inputs
from obs.ingest.calib_staging import recover_builds, staging
from obs.ingest.calib_store import CalibStore
from obs.instrument.discovery import load_instrument
from obs.metrics.master import record_masters
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.repo.butler import Butler
from obs.repo.filter_words import read_ids
from obs.runs.results import warn_of_absent
from obs.runs.selection import check_filters
from obs.tasks.calibs_settings import calibs_settings

__all__ = ["build", "calibs_settings"]


def build(
    name: str,
    root: Path,
    validity: int,
    no_ingest: bool,
    clobber: bool,
    calib: Path | None,
    camera: str | None,
    allow_missing: bool,
    processes: int,
    timeout: float | None,
    doraise: bool,
    ids: list[list[str]],
    calib_ids: list[list[str]],
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.calibs_build."""
    configure_logging(log_levels)
    shows = split_show(show)
    calib, instrument = calib_folder(root, calib), None if camera is None else load_instrument(camera)
    open_repository = partial(Butler, root, calib=calib, instrument=instrument)
    butler = open_repository()
    switch = [("c", "isr.allow_missing=true")] if allow_missing else []
    layers = calibs_settings(butler.instrument)
    add_overrides(layers, [*overrides, *switch])
    config = layers.build()
    show_config(layers, shows)
    things = {thing for thing, _ in shows}
    if shows and not things & {"data", "run"}:
        return 0
    store = CalibStore(butler)
    jobs = plan_calibrations(butler, store, name, _wanted(butler, name, ids), override=_override(store, calib_ids))
    if "data" in things:
        for job in jobs:
            click.echo(f"{format_data_id(job.data_id)}: {'; '.join(map(format_data_id, job.inputs))}")
    if shows and "run" not in things:
        return 0
    recover_builds(store)
    planned, kept = jobs, {} if clobber else _find_kept(store, jobs)
    jobs = [job for job in planned if format_data_id(job.data_id) not in kept]
    run_all = partial(run, processes=processes, timeout=timeout, raise_errors=doraise)
    with staging(store) as build_folder:
        work = partial(
            build_calibration,
            butler=open_repository(),  # anew, since the store may have made the folder of calibrations just now
            jobs={format_data_id(job.data_id): job for job in jobs},
            config=config,
            root=build_folder.folder,
        )
        with show_progress(len(jobs)) as progress:
            configure_logging(log_levels, progress.write)
            outcomes = run_all(work, [job.data_id for job in jobs], on_done=progress.done)
        summaries = {format_data_id(outcome.data_id): outcome.result for outcome in outcomes if outcome.result}
        scales = detector_scales(planned, summaries, kept)
        if len(scales) > 1 or kept:
            paths = {key: summary.path for key, summary in summaries.items()}
            again = [job.data_id for job in jobs if format_data_id(job.data_id) in scales]
            rescale = partial(rescale_calibration, paths=paths, scales=scales)
            outcomes += [outcome for outcome in run_all(rescale, again) if not outcome.ok]
        failed = {format_data_id(outcome.data_id) for outcome in outcomes if not outcome.ok}
        done = [job for job in jobs if format_data_id(job.data_id) not in failed]
        build_folder.install([(name, job.data_id) for job in done], None if no_ingest else validity)
    for job in done:
        summaries[format_data_id(job.data_id)].path = store.target(name, job.data_id)
    made = [(job.data_id, summaries[format_data_id(job.data_id)]) for job in done]
    broken = [(outcome.data_id, outcome.error) for outcome in outcomes if not outcome.ok]
    changes = [measure_change(store, name, job.data_id) for job in done]
    record_masters(store.root, name, made, broken, changes)
    return _report(outcomes, summaries, scales)


def _wanted(butler: Butler, name: str, ids: Sequence[Sequence[str]]) -> list[DataId]:
    if not ids:
        return usual_inputs(butler, name)
    keys = butler.id_keys(butler.instrument.raw_dataset_type)
    wanted = read_ids(butler, ids, keys)
    warn_of_absent(butler, butler.instrument.raw_dataset_type, ids)
    for data_id in wanted:
        check_filters(butler.instrument, {k: v for k, v in data_id.items() if v != "NONE"})
    return leave_out_other_types(butler, name, wanted)


def _override(store: CalibStore, words: Sequence[Sequence[str]]) -> Mapping[str, Any]:
    found = [data_id for group in words for data_id in parse_ids(group, {**store.keys, "calibDate": str})]
    if len(found) > 1:
        raise DataIdError("--calib-id sets one value for each key")
    return found[0] if found else {}


def _find_kept(store: CalibStore, jobs: Sequence[BuildJob]) -> dict[str, Path]:
    """Return what is there already of a build that was not completed, and say so.

    Raises
    ------
    OutputError
        If nothing is missing, or a file that is there is not registered.
    """
    known = store.known()
    there = {format_data_id(job.data_id): store.path(job.name, job.data_id) for job in jobs}
    kept = {name: path for name, path in there.items() if path is not None}
    for job in jobs:
        name = format_data_id(job.data_id)
        is_registered = (job.name, name) in known
        if name in kept and (len(kept) == len(jobs) or not is_registered):
            how = "" if is_registered else ", which is not registered"
            raise OutputError(
                f"there is a {job.name} with {name} already, {kept[name]}{how}; "
                "--clobber replaces it, --calib-id calibDate=... gives the new one another date",
                path=kept[name],
            )
    if kept:
        first, more = next(iter(kept)), f" and {len(kept) - 1} more" if len(kept) > 1 else ""
        click.echo(f"kept, since it is there already: {first}{more}; --clobber makes all anew", err=True)
    return kept


def _report(
    outcomes: Sequence[Outcome[BuildSummary]], summaries: Mapping[str, BuildSummary], scales: Mapping[str, float]
) -> int:
    """Print what was made, warnings, and what failed; return the exit status."""
    rows = []
    for outcome in outcomes:
        name = format_data_id(outcome.data_id)
        summary = summaries.get(name)
        if summary is None:
            continue
        for data_id, reason in summary.dropped.items():
            click.echo(f"WARNING {name}: left out {data_id}: {reason}", err=True)
        for warning in summary.warnings:
            click.echo(f"WARNING {name}: {warning}", err=True)
        noise = summary.noise_factors
        rows.append(
            (
                name,
                str(len(summary.levels)),
                str(summary.n_clipped),
                f"{min(noise):.2f}..{max(noise):.2f}" if noise else "-",
                f"{scales[name]:.4f}" if name in scales else "-",
                f"{summary.peak_memory:.0f}",
                f"{outcome.seconds:.1f}",
                str(summary.path),
            )
        )
    if rows:
        headers = ("calibration", "frames", "rejected", "noise/expected", "scale", "peak MB", "seconds", "file")
        click.echo(format_table(headers, rows, right="lrrrrrrl"))
    failures = [outcome for outcome in outcomes if not outcome.ok]
    if not failures:
        return 0
    click.echo(failure_text(outcomes), err=True)
    return 1
