"""Simulate raw files of a camera, with known truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.errors import DataIdError, OutputError
from obs.executor.outcome import Outcome, Unfinished
from obs.executor.run import run
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.instrument.discovery import load_instrument
from obs.instrument.instrument import Instrument
from obs.memory import keep_freed_memory
from obs.policy.data_id import parse_ids
from obs.repo.fits_catalog import read_catalog
from obs.runs.settings import Settings, add_settings
from obs.simulator.config import SimulateConfig
from obs.simulator.files import FileOptions, begin_file, next_visit, write_reference
from obs.simulator.settings import simulator_settings
from obs.simulator.shots import READOUT, ImageType, Shot, plan_shots

__all__ = [
    "Observation",
    "SimulatedFiles",
    "choose_detectors",
    "choose_filters",
    "simulate",
    "simulate_files",
    "simulator_settings",
]

_FIRST_NIGHT = datetime(2020, 9, 4)


@frozen(kw_only=True)
class Observation:
    """A series of exposures of one kind.

    Parameters
    ----------
    image_type : {"bias", "dark", "flat", "science"}, optional
        Type of the exposures.
    visits : int, optional
        Number of exposures in each filter.
    first_visit : int, optional
        Number of the first exposure; the default continues the folder.
    filters : sequence of str, optional
        Names of filters; the default is the camera's first.
    detectors : str, optional
        Ids or names such as ``"0..3,49"``; the default is all science detectors.
    exposure_time : float, optional
        Exposure time, s.
    ra, dec : float, optional
        Center of the field, degrees.
    rotation : float, optional
        Angle of the rotator, degrees.
    dither : float, optional
        Radius of the dither pattern, arcsec.
    airmass : float, optional
        Airmass of the first science exposure.
    date : datetime, optional
        Begin of the exposure `first_visit`, or of visit 1 of the folder, UTC; by default 2020-09-04 for visit 1.
    seed : int, optional
        Random seed; the same seed gives the same files.

    Examples
    --------
    >>> from obs import Observation
    >>> Observation(image_type="flat", visits=5, filters=["HSC-R"], exposure_time=10.0).visits
    5
    """

    image_type: ImageType = "science"
    visits: int = 1
    first_visit: int | None = None
    filters: Sequence[str] = field(default=())
    detectors: str | None = None
    exposure_time: float = 30.0
    ra: float = 150.0
    dec: float = 2.0
    rotation: float = 0.0
    dither: float = 60.0
    airmass: float = 1.2
    date: datetime | None = None
    seed: int = 1

    def plan(self, instrument: Instrument, folder: Path) -> list[Shot]:
        """Return the exposures, numbered after those that are in ``folder`` already.

        Parameters
        ----------
        instrument : Instrument
            The camera.
        folder : Path
            Folder of the raw files. Its last visit decides the number and the time of the first exposure, where these
            are not given.

        Raises
        ------
        DataIdError
            If the camera has no filter of a name, or the field or an exposure time is impossible.
        """
        first = next_visit(folder, instrument.name) if self.first_visit is None else self.first_visit
        begin = self.date or _FIRST_NIGHT
        if self.date is None or self.first_visit is None:
            begin += (first - 1) * timedelta(seconds=self.exposure_time + READOUT)
        return plan_shots(
            image_type=self.image_type,
            count=self.visits,
            first_visit=first,
            date_begin=begin,
            exposure_time=self.exposure_time,
            physical_filters=choose_filters(instrument, self.filters),
            ra=self.ra,
            dec=self.dec,
            dither=self.dither,
            rotation=self.rotation,
            airmass=self.airmass,
            seed=self.seed,
        )


class SimulatedFiles(NamedTuple):
    """Outcome of each raw file, and the reference catalog of science exposures (None if there is none).

    Parameters
    ----------
    outcomes : list of Outcome
        Outcome of each raw file.
    reference : Path or None
        File of the reference catalog; None unless science exposures were simulated.
    """

    outcomes: list[Outcome[Path]]
    reference: Path | None

    @property
    def raw_files(self) -> list[Path]:
        """The raw files that were written."""
        return [outcome.result for outcome in self.outcomes if outcome.result is not None]


def simulate(
    camera: str,
    output: Path | str,
    observation: Observation | None = None,
    *,
    config: Settings | None = None,
    processes: int = 1,
) -> SimulatedFiles:
    """Make raw files of a camera, as ``obs ingest`` takes them, with known truth.

    This is ``obs simulate`` for Python. Catalogs of the true sources are written to ``OUTPUT/truth``; science exposures
    come with ``OUTPUT/reference.fits``, a catalog of their stars.

    Parameters
    ----------
    camera : str
        Name of an installed camera.
    output : Path or str
        Folder to write to.
    observation : Observation, optional
        Which exposures; the default is one science exposure.
    config : mapping, Path or str, optional
        Settings of the simulator by dotted name, or a file of settings.
    processes : int, optional
        Number of processes. Above 1, a script needs the guard ``if __name__ == "__main__":``.

    Returns
    -------
    SimulatedFiles

    Raises
    ------
    OutputError
        If a file cannot be written.
    DataIdError
        If the camera has no such filter or detector.
    ConfigError
        If a setting does not exist, or its value is invalid.

    Examples
    --------
    >>> from obs import Observation, simulate
    >>> made = simulate("night", "raw", Observation(image_type="bias", visits=2))
    >>> [path.name for path in made.raw_files]
    ['night-0000001-000.fits.fz', 'night-0000002-000.fits.fz']
    """
    layers = simulator_settings(load_instrument(camera))
    add_settings(layers, config)
    made = simulate_files(
        camera, observation or Observation(), layers.build(), FileOptions(folder=Path(output)), processes=processes
    )
    failed = [outcome for outcome in made.outcomes if not outcome.ok]
    if failed:
        raise OutputError(f"{len(failed)} of {len(made.outcomes)} files failed: {failed[0].error}", path=Path(output))
    return made


def simulate_files(
    camera: str,
    observation: Observation,
    config: SimulateConfig,
    options: FileOptions,
    *,
    processes: int = 1,
    timeout: float | None = None,
    on_start: Callable[[int], Callable[[Outcome[Path]], None]] | None = None,
    raise_errors: bool = False,
) -> SimulatedFiles:
    """Simulate the files of an observation, in this process or in several.

    Parameters
    ----------
    camera : str
        Name of an installed camera.
    observation : Observation
        Which exposures.
    config : SimulateConfig
        Settings of the simulator.
    options : FileOptions
        Folder and format of the files.
    processes : int, optional
        Number of processes.
    timeout : float, optional
        Time limit for each file, s.
    on_start : callable, optional
        Called with the number of files; returns a function that is called with the outcome of each.
    raise_errors : bool, optional
        Raise the first error instead of recording it.

    Returns
    -------
    SimulatedFiles
    """
    instrument = load_instrument(camera)
    chosen = choose_detectors(instrument.load_camera(), observation.detectors)
    shots = observation.plan(instrument, options.folder)
    jobs = _plan_jobs(shots, chosen, multi_extension=options.multi_extension)
    work = partial(
        _simulate_job,
        camera=camera,
        shots={shot.visit: shot for shot in shots},
        config=config,
        options=options,
        seed=observation.seed,
    )
    on_done = on_start(len(jobs)) if on_start else None
    outcomes = run(work, jobs, processes=processes, timeout=timeout, on_done=on_done, raise_errors=raise_errors)
    reference = None
    if observation.image_type == "science" and any(outcome.ok for outcome in outcomes):
        sources = _read_sources(config.sources.catalog)
        reference = write_reference(
            instrument, shots, chosen, config, options.folder, seed=observation.seed, sources=sources
        )
    return SimulatedFiles(outcomes, reference)


def choose_filters(instrument: Instrument, names: Sequence[str]) -> list[str]:
    """Return physical filters: those of the names, or the camera's first.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    names : sequence of str
        Physical names, aliases or bands.

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

    Parameters
    ----------
    camera : Camera
        The camera.
    text : str or None
        Ids, ranges such as ``0..3`` and names, separated by commas.

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


def _plan_jobs(shots: Sequence[Shot], detectors: Sequence[Detector], *, multi_extension: bool) -> list[dict[str, Any]]:
    """Return what goes into each file: the visit, and the detector or all of them."""
    ids = [detector.id for detector in detectors]
    if multi_extension:
        return [{"visit": shot.visit, "detector": "^".join(map(str, ids))} for shot in shots]
    return [{"visit": shot.visit, "detector": number} for shot in shots for number in ids]


def _simulate_job(
    job: Mapping[str, Any],
    *,
    camera: str,
    shots: Mapping[int, Shot],
    config: SimulateConfig,
    options: FileOptions,
    seed: int,
) -> Unfinished[Path]:
    """Make one file but for writing it, in a process of its own; its path comes of it."""
    keep_freed_memory()
    instrument = load_instrument(camera)
    detectors = [instrument.load_camera().detector(int(number)) for number in str(job["detector"]).split("^")]
    sources = _read_sources(config.sources.catalog)
    made = begin_file(instrument, shots[job["visit"]], detectors, config, options, seed=seed, sources=sources)
    return Unfinished(made.write, made.size)


@lru_cache(maxsize=1)
def _read_sources(path: str | None) -> Catalog | None:
    return None if path is None else read_catalog(path)
