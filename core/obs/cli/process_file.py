"""`obs process-file`: FITS images that are in no repository."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, path_under, remove_output
from obs.cli.progress import show_progress
from obs.cli.report import report_outcomes
from obs.cli.show import show_config, split_show
from obs.config.earlier_names import EARLIER_PROCESS_NAMES
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES
from obs.executor.outcome import Unfinished
from obs.executor.shard import Shard
from obs.memory import keep_freed_memory
from obs.process_summary import ProcessSummary
from obs.runs.process_file import is_file_output, record_file_run, settings_path
from obs.runs.record import RecordOptions
from obs.runs.two_passes import run_in_two_passes
from obs.single_image import SCHEMA_FOLDER, begin_file
from obs.tasks.process_config import ProcessFileConfig

__all__ = ["process_file"]


def _process_one(
    data_id: Mapping[str, Any], /, output: Path, config: ProcessFileConfig, *, may_wait: bool
) -> Unfinished[ProcessSummary]:
    """Process the image that the data ID names, but for writing the results."""
    keep_freed_memory()
    return begin_file(Path(data_id["file"]), output, config, may_wait=may_wait)


def process_file(
    images: tuple[Path, ...],
    output: Path,
    processes: int,
    timeout: float | None,
    doraise: bool,
    shard: str | None,
    clobber_output: bool,
    clobber_config: bool,
    no_backup_config: bool,
    clobber_versions: bool,
    no_versions: bool,
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.process_file."""
    configure_logging(log_levels)
    shows = split_show(show)
    layers = ConfigLayers(ProcessFileConfig, PROCESS_FILE_NAMES | EARLIER_PROCESS_NAMES)
    add_overrides(layers, overrides)
    config = layers.build()
    show_config(layers, shows)
    if shows and "run" not in {thing for thing, _ in shows}:
        return 0
    paths = [path_under("PIPE_INPUT_ROOT", image) for image in images]
    output = path_under("PIPE_OUTPUT_ROOT", output)
    if clobber_output:
        remove_output(output, *paths, is_output=is_file_output)
    record = RecordOptions(
        clobber=clobber_config, backup=not no_backup_config, versions=not no_versions, new_versions=clobber_versions
    )
    record_file_run(output, config, record)
    data_ids = [{"file": str(path)} for path in paths]
    if shard is not None:
        data_ids = Shard.parse(shard).take(data_ids)
    with show_progress(len(data_ids)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = run_in_two_passes(
            partial(_process_one, output=output, config=config),
            data_ids,
            processes=processes,
            timeout=timeout,
            on_done=progress.done,
            raise_errors=doraise,
        )
    status = report_outcomes(outcomes)
    click.echo(f"settings: {settings_path(output)}; columns of the catalogs: {output / SCHEMA_FOLDER}", err=True)
    return status
