"""`obs process-file`: FITS images that are in no repository."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, config_options, path_under, remove_output, run_options
from obs.cli.progress import show_progress
from obs.cli.report import report_outcomes
from obs.cli.show import show_config, split_show
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_FILE_NAMES
from obs.executor import run
from obs.pipeline import ProcessSummary
from obs.runs.process_file import is_file_output, record_file_run, settings_path
from obs.single_image import SCHEMA_FOLDER
from obs.single_image import process_file as process_image
from obs.tasks.process_config import ProcessFileConfig

__all__ = ["process_file"]


def _process_one(data_id: Mapping[str, Any], output: Path, config: ProcessFileConfig) -> ProcessSummary:
    """Process the image that the data ID names."""
    return process_image(Path(data_id["file"]), output, config)


_EXAMPLE = """\b
Example:
  obs process-file night/image17.fits --output out -c gain=2
"""


@click.command("process-file", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@config_options
@click.option(
    "--show", expose_value=False, multiple=True, metavar="WHAT...", help="Show config[=PATTERN] or history=PATTERN."
)
@run_options
@click.option("--clobber-output", is_flag=True, help="Remove the output folder first.")
@click.option("--clobber-config", is_flag=True, help="Go on in an output that was made with other settings.")
def process_file(
    images: tuple[Path, ...],
    output: Path,
    processes: int,
    timeout: float | None,
    doraise: bool,
    clobber_output: bool,
    clobber_config: bool,
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Find and measure the sources of FITS images, with no repository around them.

    Each image gives OUTPUT/NAME.fits and OUTPUT/NAME/src.fits and so on. The settings are recorded in OUTPUT/config,
    the columns of the catalogs in OUTPUT/schema. Relative paths start at the folders that PIPE_INPUT_ROOT and
    PIPE_OUTPUT_ROOT name, where these environment variables are set.
    """
    configure_logging(log_levels)
    shows = split_show(show)
    layers = ConfigLayers(ProcessFileConfig, PROCESS_FILE_NAMES)
    add_overrides(layers, overrides)
    config = layers.build()
    show_config(layers, shows)
    if shows and "run" not in {thing for thing, _ in shows}:
        return 0
    paths = [path_under("PIPE_INPUT_ROOT", image) for image in images]
    output = path_under("PIPE_OUTPUT_ROOT", output)
    if clobber_output:
        remove_output(output, *paths, is_output=is_file_output)
    record_file_run(output, config, clobber=clobber_config)
    data_ids = [{"file": str(path)} for path in paths]
    with show_progress(len(data_ids)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = run(
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
