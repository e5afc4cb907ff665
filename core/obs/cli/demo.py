"""`obs demo`: from nothing to measured stars, with the commands that anybody could type."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import click
import numpy as np

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.checks.exposure_numbers import exposure_number_faults
from obs.cli.demo_coadd import COADD_VISITS, CoaddDemo, changing_sky, run_shown
from obs.cli.main import FIRST_SIGNAL_STATUS
from obs.cli.table import format_table
from obs.errors import DatasetNotFoundError, OutputError, PluginError
from obs.executor.workers import keep_workers
from obs.frozen import frozen
from obs.ingest.translation import load_translator
from obs.instrument.discovery import load_instrument
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId
from obs.policy.dataset_type import Template
from obs.qa.coadd_report import SimulatedExposure
from obs.qa.figures import draw_report
from obs.qa.report import REPORT_HEADERS, REPORT_SIDES, FrameReport, report_frame, report_rows
from obs.repo.butler import Butler
from obs.runs.simulate import choose_detectors, choose_filters
from obs.tasks.isr import required_calibrations
from obs.tasks.process_settings import process_settings

__all__ = ["demo"]

#: Calibration frames: how many, and how long they are exposed, s.
_PLAN = {"bias": (4, 0.0), "dark": (3, 60.0), "flat": (4, 5.0)}
_SCIENCE_TIME = 60.0
_VISITS = 2
#: What calibration frames are made from, first and last type, where those are not of their own type.
_INPUTS = {"defects": ("dark", "flat")}
_VALIDITY = 30  # days
_MOST_DETECTORS = 2
_LEGEND = """\
seeing: full width at half maximum, measured and true; depth: magnitude of a point source at five times its error;
off, scatter: measured minus true magnitudes of bright isolated stars; RA, Dec: scatter of their positions;
found: fraction of the isolated stars above ten times their error; stars: number of bright ones"""


@frozen
class _Night:
    """What is observed: the numbers of the visits of each type, and what data IDs call a visit."""

    visits: dict[str, range]
    key: str = "visit"

    def words(self, first: str, last: str) -> str:
        """Return the visits from one type to another as data IDs name them."""
        return f"{self.key}={self.visits[first][0]}..{self.visits[last][-1]}"


def demo(
    camera: str,
    output: Path,
    visits: int | None,
    detectors: str | None,
    filter_name: str | None,
    seed: int,
    processes: int | None,
    doraise: bool,
    coadd: bool,
) -> int:
    """Do what the command says; see obs.cli.commands.demo."""
    start = time.perf_counter()
    if output.exists() and any(output.iterdir()):
        raise OutputError(f"{output} is not empty; remove it, or choose another folder with --output", path=output)
    instrument = load_instrument(camera)
    if instrument.raw_dataset_type != "raw":
        raise PluginError(
            f"the demo simulates raw frames, and the camera {camera} starts from '{instrument.raw_dataset_type}', "
            "which other software has made of them; try obs demo necam, or obs demo hsc",
            plugin=camera,
        )
    cameras = instrument.load_camera()
    for fault in exposure_number_faults(instrument):  # those of simulated frames are small, and fit in any case
        raise PluginError(fault, plugin=camera)
    chosen = choose_detectors(cameras, detectors) if detectors else central_detectors(cameras)
    physical_filter = choose_filters(instrument, [filter_name] if filter_name else [])[0]
    night = _plan(visits or (COADD_VISITS if coadd else _VISITS), visit_key(instrument))
    sky = changing_sky(instrument) if coadd else []
    common = _Settings(output, chosen, physical_filter, seed, processes or os.cpu_count() or 1, doraise, sky)
    exposures = [SimulatedExposure(*one) for one in _science(instrument, night, common)]
    deep = CoaddDemo(common.result, output, exposures, physical_filter, common.processes, doraise) if coadd else None
    failed = False
    with keep_workers():
        for words in chain(_commands(instrument, night, common), deep.commands() if deep else ()):
            status = run_shown(words)
            if status >= FIRST_SIGNAL_STATUS:
                return status
            if status:
                # One bad science exposure does not stop the others, and is reported at the end.
                failed = True
                if words[0] != "process":
                    return 1
    reports = _report(exposures, common, show_table=deep is None)
    if deep is not None and deep.show(reports):
        return 1
    click.echo(f"all of it took {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


@frozen
class _Settings:
    output: Path
    detectors: Sequence[Detector]
    physical_filter: str
    seed: int
    processes: int
    doraise: bool
    sky: Sequence[str]

    @property
    def raw(self) -> str:
        return str(self.output / "raw")

    @property
    def repository(self) -> str:
        return str(self.output / "data")

    @property
    def result(self) -> Path:
        return self.output / "processed"


def central_detectors(camera: Camera) -> list[Detector]:
    """Return the science detectors nearest to the optical axis, two at most."""
    science = [detector for detector in camera if detector.type == "SCIENCE"]
    distance = [np.hypot(detector.offset_x, detector.offset_y) for detector in science]
    return [science[index] for index in np.argsort(distance, kind="stable")[:_MOST_DETECTORS]]


def visit_key(instrument: Instrument) -> str:
    """Return what the camera's data IDs call a visit."""
    translator = load_translator(instrument)
    keys = [name for name in translator.unique if name not in Template(instrument.detector).keys]
    return keys[0] if keys and "visit" not in keys else "visit"


def _plan(visits: int, key: str) -> _Night:
    numbers, first = {}, 1
    for image_type, (count, _) in {**_PLAN, "science": (visits, _SCIENCE_TIME)}.items():
        numbers[image_type] = range(first, first + count)
        first += count
    return _Night(numbers, key)


def _commands(instrument: Instrument, night: _Night, common: _Settings) -> Iterator[list[str]]:
    """Give the words of one command after the other."""
    parallel = ["-j", str(common.processes), *(["--doraise"] if common.doraise else [])]
    detectors = ",".join(str(detector.id) for detector in common.detectors)
    for image_type, numbers in night.visits.items():
        seconds = _PLAN[image_type][1] if image_type in _PLAN else _SCIENCE_TIME
        words = [
            "simulate",
            instrument.name,
            "--output",
            common.raw,
            "--type",
            image_type,
            "--visits",
            str(len(numbers)),
        ]
        words += ["--first-visit", str(numbers[0]), "--filter", common.physical_filter, "--detectors", detectors]
        words += ["--exposure-time", f"{seconds:g}", "--seed", str(common.seed), *parallel]
        yield [*words, "-c", *common.sky] if common.sky and image_type == "science" else words
    repository = common.repository
    yield ["init", repository, "--camera", instrument.name]
    yield ["ingest", repository, str(Path(common.raw) / "*.fits.fz")]
    yield ["ingest-refcat", repository, "simulated", str(Path(common.raw) / "reference.fits")]
    for name in _needed(instrument, common.physical_filter):
        inputs = _INPUTS.get(name, (name, name))
        words = ["calibs", "build", name, repository, "--id", night.words(*inputs)]
        yield [*words, "--validity", str(_VALIDITY), *parallel]
    words = [
        "process",
        repository,
        "--id",
        night.words("science", "science"),
        "--output",
        str(common.result),
        *parallel,
    ]
    yield [*words, "--report"]


def _needed(instrument: Instrument, physical_filter: str) -> list[str]:
    """Return the calibration frames that the camera's settings ask for, each before those that build on it."""
    isr = process_settings(instrument).build().isr
    band = instrument.find_filter(physical_filter).band
    needed = required_calibrations(isr, physical_filter=physical_filter, band=band)
    return [name for name in ("bias", "dark", "flat", "defects") if name in needed]


def _science(instrument: Instrument, night: _Night, common: _Settings) -> Iterator[tuple[DataId, Path]]:
    """Give the data ID of each science exposure, and its catalog of true sources."""
    folder = common.output / "raw" / "truth"
    for visit in night.visits["science"]:
        for detector in common.detectors:
            data_id: DataId = {night.key: visit, **instrument.detector_keys(detector)}
            yield data_id, folder / f"{instrument.name}-{visit:07d}-{detector.id:03d}-truth.fits"


def _report(exposures: Sequence[SimulatedExposure], common: _Settings, *, show_table: bool) -> list[FrameReport]:
    """Draw the picture of what was processed, and print the table."""
    butler = Butler(common.result)
    reports: list[FrameReport] = []
    for one in exposures:
        # the failure of one that is not there was reported when it was processed
        with suppress(DatasetNotFoundError):
            reports.append(report_frame(butler, one.data_id, one.truth))
    if not reports:
        return reports
    picture = common.output / "demo.png"
    draw_report(reports, butler.get("calexp", reports[0].data_id), picture)
    if show_table:
        click.echo()
        click.echo(format_table(REPORT_HEADERS, report_rows(reports), right=REPORT_SIDES))
        click.echo(_LEGEND)
        click.echo(f"\npicture: {picture}; results: {common.result}")
    return reports
