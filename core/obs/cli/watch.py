"""`obs watch`: process a night while it is observed."""

from pathlib import Path

import click

from obs.cli.interruption import until_interrupted
from obs.cli.logs import configure_logging
from obs.cli.night_report import report_output
from obs.cli.options import add_overrides
from obs.errors import ObsError, RepositoryError, describe_fault
from obs.executor.outcome import Outcome
from obs.ingest.report import ALREADY
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id
from obs.process_summary import ProcessSummary
from obs.repo.butler import Butler
from obs.report.live_verdicts import LiveVerdicts
from obs.report.page import REPORT_NAME
from obs.report.pictures import Pictures
from obs.runs.process import record_run
from obs.runs.record import RecordOptions
from obs.runs.watch import Step, watch_folder
from obs.tasks.process_settings import process_settings

__all__ = ["watch"]


def watch(
    root: Path,
    folder: Path,
    rerun: str,
    camera: str | None,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    settle: float,
    idle: float | None,
    gates: Path | None,
    processes: int,
    log_levels: list[str],
    doraise: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.watch."""
    configure_logging(log_levels)
    if not folder.is_dir():
        raise RepositoryError(f"there is no folder {folder} to watch; make it, or correct its name", path=folder)
    butler = Butler(root, rerun=rerun, instrument=None if camera is None else load_instrument(camera))
    layers = process_settings(butler.instrument)
    # what is not there yet must not stop the night
    add_overrides(layers, [*overrides, ("c", "isr.allow_missing=true")])
    config = layers.build()
    record_run(butler, config, RecordOptions())
    output = Path(str(butler.output))
    pictures, verdicts, n_failed, told = Pictures(), LiveVerdicts(), 0, {ALREADY}
    missing: set[Path] = set()

    def done(outcome: Outcome[ProcessSummary]) -> None:
        nonlocal n_failed
        n_failed += not outcome.ok
        end = f"{outcome.seconds:.1f} s" if outcome.ok else f"FAILED: {outcome.error}"
        click.echo(f"{format_data_id(outcome.data_id)}: {end}")

    steps = watch_folder(butler, folder, config, ids=ids, processes=processes, settle=settle, idle=idle, on_done=done)
    with until_interrupted("stopped; the same command continues"):
        click.echo(f"watching {folder}; report: {output / REPORT_NAME}; end with Ctrl-C", err=True)
        for step in steps:
            _print_files(step, told)
            missing |= set(step.stopped)
            for file in step.files:  # one that was copied again is in
                (missing.add if file.status == "failed" else missing.discard)(file.path)
            if not step.outcomes:
                continue
            try:
                night, _ = report_output(
                    butler, output, output / REPORT_NAME, rerun=rerun, gates_file=gates, live=True, known=pictures
                )
            except (ObsError, OSError, ValueError) as error:
                click.echo(f"WARNING no report: {describe_fault(error)}", err=True)
                continue
            names = {format_data_id(outcome.data_id) for outcome in step.outcomes}
            click.echo("\n".join(verdicts.describe(night, names)))
    return 1 if n_failed or missing else 0


def _print_files(step: Step, told: set[str]) -> None:
    """Print which files were taken; of those that are left out the first for each reason, which joins ``told``."""
    for path, reason in step.stopped.items():
        click.echo(f"WARNING {path} {reason}: it waits; copy it again, or let it be read", err=True)
    for file in step.files:
        if file.status == "failed":
            click.echo(f"FAILED {file.path}: {file.reason}", err=True)
        elif file.status == "ingested":
            click.echo(f"took {file.path}")
        elif file.reason not in told:
            told.add(file.reason)
            click.echo(f"left out {file.path}: {file.reason}; others like it are left out without a word", err=True)
