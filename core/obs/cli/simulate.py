"""`obs simulate`: raw frames with known truth."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import cast

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, config_options, run_options, words_option
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import show_config, split_show
from obs.executor import Outcome
from obs.instrument.discovery import load_instrument
from obs.runs.simulate import Observation, simulate_files, simulator_settings
from obs.simulator.files import FILE_FORMATS, FileFormat, FileOptions
from obs.simulator.shots import IMAGE_TYPES, ImageType

__all__ = ["simulate"]

_EXAMPLE = """\b
Examples:
  obs simulate necam --output raw --visits 5
  obs simulate hsc --output raw --type flat --filter HSC-R --detectors 40..59 --visits 5 -j 2
  obs simulate hsc --output raw --filter HSC-R --detectors 49,50 -c sky.level=2000 sources.density=4e5
"""
_DATE_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")


@click.command("simulate", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("camera", metavar="CAMERA")
@click.option("--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@click.option(
    "--type",
    "image_type",
    type=click.Choice(IMAGE_TYPES),
    default="science",
    show_default=True,
    help="What is observed.",
)
@click.option("--visits", metavar="N", type=click.IntRange(min=1), default=1, show_default=True, help="Exposures.")
@click.option("--first-visit", type=click.IntRange(min=1), help="Number of the first; else the next in the folder.")
@click.option("--filter", "filters", metavar="NAME", multiple=True, help="Filter; the camera's first. Repeatable.")
@click.option("--detectors", metavar="LIST", help="Ids or names such as 0..3,49; else all science detectors.")
@click.option(
    "--exposure-time", metavar="S", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds."
)
@click.option("--ra", type=float, default=150.0, show_default=True, help="Field center, degrees.")
@click.option("--dec", type=float, default=2.0, show_default=True, help="Field center, degrees.")
@click.option("--rotation", type=float, default=0.0, show_default=True, help="Angle of the rotator, degrees.")
@click.option("--dither", type=float, default=60.0, show_default=True, help="Radius of the dither pattern, arcsec.")
@click.option("--airmass", type=float, default=1.2, show_default=True, help="Airmass of the first science frame.")
@click.option("--date", type=click.DateTime(_DATE_FORMATS), default="2020-09-04", show_default=True, help="UTC.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="The same, the same frames.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FILE_FORMATS),
    default="fits.fz",
    show_default=True,
    help="Ending: plain, gzip, or Rice.",
)
@click.option("--multi-extension", is_flag=True, help="One file an exposure, an extension for each detector.")
@click.option(
    "--truth",
    type=click.Choice(["none", "catalog", "images"]),
    default="catalog",
    show_default=True,
    help="What of the truth is written.",
)
@config_options
@words_option("--show", metavar="WHAT...", text="Show config[=PATTERN] or history=PATTERN.")
@run_options
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
    date: datetime,
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
    """Make raw frames of the camera CAMERA, as obs ingest takes them.

    What they are made from is written beside them, in truth; science frames also come with reference.fits, a catalog
    of the stars in them for obs ingest-refcat. The same seed gives the same stars, detectors and noise.
    """
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
    click.echo(f"{len(made.raw_files)} raw files in {output}")
    if len(made.raw_files) == len(made.outcomes):
        return 0
    click.echo(failure_text(made.outcomes), err=True)
    return 1
