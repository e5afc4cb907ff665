"""`obs simulate`: raw frames with known truth."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import click

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.cli.arguments import ManyWordsCommand
from obs.cli.logs import configure_logging
from obs.cli.options import add_overrides, config_options, run_options, words_option
from obs.cli.progress import show_progress
from obs.cli.report import failure_text
from obs.cli.show import show_config, split_show
from obs.config.layers import ConfigLayers
from obs.errors import DataIdError
from obs.executor import run
from obs.image.catalog import Catalog
from obs.instrument.discovery import load_instrument
from obs.instrument.instrument import Instrument
from obs.policy.data_id import parse_ids
from obs.repo.fits_catalog import read_catalog
from obs.simulator.config import SimulateConfig
from obs.simulator.files import FILE_FORMATS, FileFormat, FileOptions, next_visit, simulate_file, write_reference
from obs.simulator.shots import IMAGE_TYPES, READOUT, ImageType, Shot, plan_shots

__all__ = ["simulate"]

#: Name of the camera's own settings in its folder of settings.
TASK = "simulate"

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
    instrument = load_instrument(camera)
    layers = load_settings(instrument)
    add_overrides(layers, overrides)
    config = layers.build()
    show_config(layers, shows)
    if shows and "run" not in {thing for thing, _ in shows}:
        return 0
    chosen = choose_detectors(instrument.load_camera(), detectors)
    first = next_visit(output, camera) if first_visit is None else first_visit
    shots = plan_shots(
        image_type=cast(ImageType, image_type),
        count=visits,
        first_visit=first,
        date_begin=date + (first - 1) * timedelta(seconds=exposure_time + READOUT),
        exposure_time=exposure_time,
        physical_filters=choose_filters(instrument, filters),
        ra=ra,
        dec=dec,
        dither=dither,
        rotation=rotation,
        airmass=airmass,
        seed=seed,
    )
    options = FileOptions(
        folder=output,
        file_format=cast(FileFormat, file_format),
        multi_extension=multi_extension,
        truth=truth != "none",
        truth_images=truth == "images",
    )
    jobs = plan_jobs(shots, chosen, multi_extension=multi_extension)
    work = partial(
        simulate_job,
        camera=camera,
        shots={shot.visit: shot for shot in shots},
        config=config,
        options=options,
        seed=seed,
    )
    with show_progress(len(jobs)) as progress:
        configure_logging(log_levels, progress.write)
        outcomes = run(work, jobs, processes=processes, timeout=timeout, on_done=progress.done, raise_errors=doraise)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if image_type == "science" and len(failed) < len(outcomes):
        sources = _read_sources(config.sources.catalog)
        reference = write_reference(instrument, shots, chosen, config, output, seed=seed, sources=sources)
        click.echo(f"{reference}: the stars in these frames, for obs ingest-refcat")
    click.echo(f"{len(outcomes) - len(failed)} raw files in {output}")
    if failed:
        click.echo(failure_text(outcomes), err=True)
    return 1 if failed else 0


def load_settings(instrument: Instrument) -> ConfigLayers[SimulateConfig]:
    """Return the simulator's settings with those of the camera on top."""
    layers = ConfigLayers(SimulateConfig)
    path = instrument.config_folder / f"{TASK}.yaml"
    if path.is_file():
        layers.load(path)
    return layers


def choose_filters(instrument: Instrument, names: Sequence[str]) -> list[str]:
    """Return physical filters: those of the names, or the camera's first.

    Raises
    ------
    DataIdError
        If the camera has no filter of a name, or none at all.
    """
    if names:
        return [instrument.find_filter(name).physical_filter for name in names]
    if not instrument.filters:
        raise DataIdError(f"camera '{instrument.name}' has no filter", key="filter")
    return [instrument.filters[0].physical_filter]


def choose_detectors(camera: Camera, text: str | None) -> list[Detector]:
    """Return detectors by a list of ids, ranges of ids and names; all science detectors if there is none.

    Raises
    ------
    DataIdError
        If the camera has no such detector.
    """
    if text is None:
        return [detector for detector in camera if detector.type == "SCIENCE"]
    chosen: dict[int, Detector] = {}
    for word in text.split(","):
        keys: list[int | str] = [word]
        if word.replace("..", "").replace(":", "").isdecimal():
            keys = [int(data_id["detector"]) for data_id in parse_ids([f"detector={word}"], {"detector": int})]
        for key in keys:
            detector = camera.detector(key)
            chosen[detector.id] = detector
    return list(chosen.values())


def plan_jobs(shots: Sequence[Shot], detectors: Sequence[Detector], *, multi_extension: bool) -> list[dict[str, Any]]:
    """Return what goes into each file: the visit, and the detector or all of them."""
    ids = [detector.id for detector in detectors]
    if multi_extension:
        return [{"visit": shot.visit, "detector": "^".join(map(str, ids))} for shot in shots]
    return [{"visit": shot.visit, "detector": number} for shot in shots for number in ids]


def simulate_job(
    job: Mapping[str, Any],
    *,
    camera: str,
    shots: Mapping[int, Shot],
    config: SimulateConfig,
    options: FileOptions,
    seed: int,
) -> Path:
    """Make one file, in a process of its own; returns its path."""
    instrument = load_instrument(camera)
    detectors = [instrument.load_camera().detector(int(number)) for number in str(job["detector"]).split("^")]
    sources = _read_sources(config.sources.catalog)
    return simulate_file(instrument, shots[job["visit"]], detectors, config, options, seed=seed, sources=sources)


@lru_cache(maxsize=1)
def _read_sources(path: str | None) -> Catalog | None:
    return None if path is None else read_catalog(path)
