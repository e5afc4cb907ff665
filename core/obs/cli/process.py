"""`obs process`: from the data IDs of a repository to calibrated images and catalogs."""

import os
from functools import partial
from pathlib import Path

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, config_options, id_option, path_under, remove_output, run_options
from obs.cli.plan import print_plan, warn_of_stale
from obs.cli.progress import show_progress
from obs.cli.report import report_outcomes
from obs.cli.show import show_config, split_show
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import format_data_id
from obs.repo.butler import Butler
from obs.runs.pending import Plan, plan_run
from obs.runs.process import compare_run, process_data_ids, process_settings, record_run
from obs.runs.selection import select_data_ids

__all__ = ["process"]

_NO_DATA = "Not running the task because there is no data to process; you may preview data using --show data"


_EXAMPLE = """\b
Examples:
  obs process DATA --id run=4192 camcol=4 field=300 filter=g^r --output out
  obs process DATA --rerun test --id visit=903334 ccd=0..9 -c isr.do_flat=False -j 4
  obs process DATA --rerun test --id --skip-existing --dry-run
  obs process DATA --show config='*psf*'
"""


@click.command("process", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--camera", metavar="NAME", help="The camera, where the repository does not say; see obs cameras.")
@click.option("--calib", metavar="DIR", type=click.Path(path_type=Path), help="Where the calibration frames are.")
@id_option
@click.option("--output", metavar="DIR", type=click.Path(path_type=Path), help="Repository to write into.")
@click.option("--rerun", metavar="[IN:]OUT", help="Write into INPUT/rerun/OUT, and read from INPUT/rerun/IN.")
@config_options
@click.option(
    "--show",
    expose_value=False,
    multiple=True,
    metavar="WHAT...",
    help="Show data, config[=PATTERN], history=PATTERN or tasks and stop, unless 'run' is there too.",
)
@run_options
@click.option("--allow-missing", is_flag=True, help="Go on without a calibration that is missing, and say so.")
@click.option(
    "--skip-existing", is_flag=True, help="Keep results made with the same settings, inputs and calibrations."
)
@click.option("--dry-run", is_flag=True, help="Print what would be processed and why, and stop.")
@click.option("--clobber-output", is_flag=True, help="Remove the output repository first.")
@click.option("--clobber-config", is_flag=True, help="Go on in an output that was made with other settings.")
def process(
    root: Path,
    camera: str | None,
    calib: Path | None,
    output: Path | None,
    rerun: str | None,
    processes: int,
    timeout: float | None,
    doraise: bool,
    allow_missing: bool,
    skip_existing: bool,
    dry_run: bool,
    clobber_output: bool,
    clobber_config: bool,
    ids: list[list[str]],
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Turn exposures of the repository INPUT into calibrated images and catalogs.

    INPUT is a folder made by obs or by the second-generation LSST stack; it is only read. Every data ID goes through
    instrument-signature removal, characterization and calibration. One that fails does not stop the others. @FILE
    stands for the words in a file. Relative paths start at the folders that PIPE_INPUT_ROOT, PIPE_CALIB_ROOT and
    PIPE_OUTPUT_ROOT name, where these environment variables are set.

    With --skip-existing, a run that was stopped goes on where it was: results stay if they were made with the same
    settings, software, raw file, calibrations and reference catalog. Others are named as STALE, and made again.
    """
    configure_logging(log_levels)
    root = path_under("PIPE_INPUT_ROOT", root)
    if calib is not None or "PIPE_CALIB_ROOT" in os.environ:
        calib = path_under("PIPE_CALIB_ROOT", calib or Path())
    output = None if output is None else path_under("PIPE_OUTPUT_ROOT", output)
    shows = split_show(show)
    things = {thing for thing, _ in shows}
    writing = not shows or "run" in things
    if output is not None and rerun is not None:
        raise click.UsageError("--output and --rerun exclude each other; give one of them")
    if skip_existing and clobber_output:
        raise click.UsageError("--skip-existing keeps results and --clobber-output removes them; give one of them")
    if writing and output is None and rerun is None:
        raise click.UsageError("there is nowhere to write; give --output DIR or --rerun NAME")
    open_input = partial(Butler, root, calib=calib, instrument=None if camera is None else load_instrument(camera))
    open_both = partial(open_input, output=output, rerun=rerun)
    # An output that is to be removed is not opened, and stays until everything else is known to be right.
    butler = open_both() if writing and not clobber_output else open_input()
    without = [("c", "isr.allow_missing=true")] if allow_missing else []
    layers = process_settings(butler.instrument)
    add_overrides(layers, [*overrides, *without])
    config = layers.build()
    show_config(layers, shows)
    chosen = select_data_ids(butler, ids if writing or "data" in things else [])
    data_ids = chosen.data_ids
    if "data" in things:
        click.echo("".join(f"{format_data_id(data_id)}\n" for data_id in data_ids), nl=False)
    if not writing:
        return 0 if chosen.is_complete else 1
    if not data_ids:
        click.echo(_NO_DATA if ids else f"{_NO_DATA}; no --id was given, --id alone stands for everything", err=True)
        return 1
    if dry_run:
        if not clobber_output:
            compare_run(butler, config, clobber=clobber_config)
        print_plan(Plan(new=data_ids) if clobber_output else plan_run(butler, config, data_ids))
        return 0 if chosen.is_complete else 1
    if clobber_output:
        remove_output(output or root / "rerun" / str(rerun).split(":")[-1], root)
        butler = open_both()
    if skip_existing:
        compare_run(butler, config, clobber=clobber_config)
        plan = plan_run(butler, config, data_ids)
        warn_of_stale(plan)
        click.echo(f"{len(plan.current)} of {len(data_ids)} have results that stay", err=True)
        data_ids = plan.to_process
        if not data_ids:
            return 0 if chosen.is_complete else 1
    record_run(butler, config, clobber=clobber_config)
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
    return status if chosen.is_complete else 1
