"""`obs simulate`: raw frames with known truth."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import cast

import click

from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import show_config, split_show
from obs.executor.outcome import Outcome
from obs.instrument.discovery import load_instrument
from obs.plural import count_of
from obs.runs.simulate import Observation, simulate_files
from obs.simulator.files import FileFormat, FileOptions
from obs.simulator.settings import simulator_settings
from obs.simulator.shots import ImageType

__all__ = ["simulate"]


def simulate(
    camera: str,
    output: Path,
    image_type: str,
    visits: int,
    first_visit: int | None,
    filters: tuple[str, ...],
    detectors: str | None,
    exposure_time: float,
    ra: float,
    dec: float,
    rotation: float,
    dither: float,
    airmass: float,
    date: datetime | None,
    seed: int,
    file_format: str,
    multi_extension: bool,
    truth: str,
    processes: int,
    timeout: float | None,
    doraise: bool,
    overrides: list[tuple[str, str]],
    show: list[str],
    log_levels: list[str],
) -> int:
    """Do what the command says; see obs.cli.commands.simulate."""
    configure_logging(log_levels)
    shows = split_show(show)
    layers = simulator_settings(load_instrument(camera))
    add_overrides(layers, overrides)
    config = layers.build()
    show_config(layers, shows)
    if shows and "run" not in {thing for thing, _ in shows}:
        return 0
    observation = Observation(
        image_type=cast(ImageType, image_type),
        visits=visits,
        first_visit=first_visit,
        filters=filters,
        detectors=detectors,
        exposure_time=exposure_time,
        ra=ra,
        dec=dec,
        rotation=rotation,
        dither=dither,
        airmass=airmass,
        date=date,
        seed=seed,
    )
    options = FileOptions(
        folder=output,
        file_format=cast(FileFormat, file_format),
        multi_extension=multi_extension,
        truth=truth != "none",
        truth_images=truth == "images",
    )
    with ExitStack() as stack:

        def start(total: int) -> Callable[[Outcome[Path]], None]:
            progress = stack.enter_context(show_progress(total))
            configure_logging(log_levels, progress.write)
            return progress.done

        made = simulate_files(
            camera,
            observation,
            config,
            options,
            processes=processes,
            timeout=timeout,
            on_start=start,
            raise_errors=doraise,
        )
    if made.reference is not None:
        click.echo(f"{made.reference}: the stars in these frames, for obs ingest-refcat")
    click.echo(f"{count_of(len(made.raw_files), 'raw file')} in {output}")
    if len(made.raw_files) == len(made.outcomes):
        return 0
    click.echo(failure_text(made.outcomes), err=True)
    return 1
