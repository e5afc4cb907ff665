"""`obs process`: from the data IDs of a repository to calibrated images and catalogs."""

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, calib_folder, path_under, remove_output
from obs.cli.plan import print_plan, warn_of_stale
from obs.cli.progress import show_progress
from obs.cli.report import report_outcomes
from obs.cli.show import show_config, show_data, split_show
from obs.executor.shard import Shard
from obs.instrument.discovery import load_instrument
from obs.metrics.gather import gather_metrics
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.frame_types import leave_out_other_frames
from obs.repo.layout import open_repository
from obs.runs.pending import Plan, plan_run
from obs.runs.process import compare_run, process_data_ids, record_run
from obs.runs.record import RecordOptions
from obs.runs.selection import select_data_ids
from obs.tasks.process_settings import process_settings

__all__ = ["process"]

logger = logging.getLogger(__name__)

_NO_DATA = "Not running the task because there is no data to process; you may preview data using --show data"


def process(
    root: Path,
    camera: str | None,
    calib: Path | None,
    output: Path | None,
    rerun: str | None,
    processes: int,
    timeout: float | None,
    doraise: bool,
    shard: str | None,
    allow_missing: bool,
    skip_existing: bool,
    reuse_outputs_from: str | None,
    dry_run: bool,
    clobber_output: bool,
    clobber_config: bool,
    no_backup_config: bool,
    clobber_versions: bool,
    no_versions: bool,
    report: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.process."""
    configure_logging(log_levels)
    root = path_under("PIPE_INPUT_ROOT", root)
    if calib is not None or "PIPE_CALIB_ROOT" in os.environ:
        calib = calib_folder(root, path_under("PIPE_CALIB_ROOT", calib or Path()))
    output = None if output is None else path_under("PIPE_OUTPUT_ROOT", output)
    shows = split_show(show)
    skip_existing = skip_existing or reuse_outputs_from is not None
    things = {thing for thing, _ in shows}
    writing = not shows or "run" in things
    if output is not None and rerun is not None:
        raise click.UsageError("--output and --rerun exclude each other; give one of them")
    if skip_existing and clobber_output:
        raise click.UsageError("--skip-existing keeps results and --clobber-output removes them; give one of them")
    if writing and output is None and rerun is None:
        open_repository(root)  # an input that is none comes first
        raise click.UsageError("there is nowhere to write; give --output DIR or --rerun NAME")
    open_input = partial(Butler, root, calib=calib, instrument=None if camera is None else load_instrument(camera))
    open_both = partial(open_input, output=output, rerun=rerun)
    # An output that is to be removed is not opened, and stays until everything else is known to be right.
    butler = open_both() if writing and not clobber_output else open_input()
    if calib is not None and not butler.calib_root.is_dir():
        logger.warning("--calib: there is no folder %s, so no calibration is found", butler.calib_root)
    without = [("c", "isr.allow_missing=true")] if allow_missing else []
    layers = process_settings(butler.instrument)
    add_overrides(layers, [*overrides, *without])
    config = layers.build()
    show_config(layers, shows)
    chosen = select_data_ids(butler, ids if writing or "data" in things else [])
    share = None if shard is None else Shard.parse(shard)
    show_data(butler, chosen.data_ids if share is None else share.take(chosen.data_ids), shows)
    if not writing:
        return 0 if chosen.is_complete else 1
    wanted = leave_out_other_frames(butler, chosen.asked)
    data_ids: Sequence[DataId] = wanted if share is None else share.take(wanted)
    if not data_ids and wanted:
        click.echo(f"there are {len(wanted)} data IDs, none of them in the share {shard}", err=True)
        return 0 if chosen.is_complete else 1
    if not data_ids:
        click.echo(
            _NO_DATA if ids else f"{_NO_DATA}; no --id was given, --id alone selects every frame of the sky", err=True
        )
        return 1
    if dry_run:
        if not clobber_output:
            compare_run(butler, config, clobber=clobber_config)
        print_plan(Plan(new=list(data_ids)) if clobber_output else plan_run(butler, config, data_ids))
        return 0 if chosen.is_complete else 1
    if clobber_output:
        remove_output(output or root / "rerun" / str(rerun).split(":")[-1], root)
        butler = open_both(instrument=butler.instrument)
    if skip_existing:
        compare_run(butler, config, clobber=clobber_config)
        plan = plan_run(butler, config, data_ids)
        warn_of_stale(plan)
        click.echo(f"{len(plan.current)} of {len(data_ids)} have results that stay", err=True)
        data_ids = plan.to_process
        if not data_ids:
            # a run that was killed after its last data ID has not come so far
            gather_metrics(Path(str(butler.output)), again=False)
            _write_report(butler, rerun, wanted=report)
            return 0 if chosen.is_complete else 1
    record = RecordOptions(
        clobber=clobber_config, backup=not no_backup_config, versions=not no_versions, new_versions=clobber_versions
    )
    record_run(butler, config, record)
    with show_progress(len(data_ids)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = process_data_ids(
            butler,
            config,
            data_ids,
            processes=processes,
            timeout=timeout,
            on_done=progress.done,
            raise_errors=doraise,
        )
    status = report_outcomes(outcomes)
    _write_report(butler, rerun, wanted=report)
    return status if chosen.is_complete else 1


def _write_report(butler: Butler, rerun: str | None, *, wanted: bool) -> None:
    if wanted:
        # imported here, because most runs write no report and pages take 30 modules
        from obs.cli.night_report import try_report  # noqa: PLC0415

        try_report(butler, Path(str(butler.output)), rerun=rerun or "")
