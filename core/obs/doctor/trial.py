"""Take one science exposure through to a catalog, with calibration frames made from the files that were given.

What the checks find sound is only proven by trial: ingest, calibration frames and processing run in a temporary
repository, with the package's own settings.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any

from obs.calibration_frames.build import build_calibration
from obs.doctor.check import Check
from obs.doctor.exposure import RawFrame
from obs.doctor.orientation import MountedCamera, find_mount
from obs.doctor.places import camera_place, shown
from obs.doctor.refuted import refuted_cards
from obs.errors import MeasurementError, ObsError
from obs.frame_calibrations import locate_calibration
from obs.frozen import frozen
from obs.ingest.calib_jobs import plan_calibrations
from obs.ingest.calib_store import CalibStore
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.reference_catalogs import ingest_reference_catalog
from obs.ingest.reference_columns import ReferenceColumnsConfig
from obs.ingest.repository import make_repository
from obs.inspection.pair_noise import SHORT_DARK
from obs.instrument.instrument import Instrument
from obs.pipeline import process_detector
from obs.plural import count_of, list_of
from obs.policy.data_id import DataId, format_data_id
from obs.process_summary import ProcessSummary
from obs.repo.butler import Butler
from obs.repo.scratch_folder import scratch_folder
from obs.tasks.calibs_settings import calibs_settings
from obs.tasks.isr import required_calibrations
from obs.tasks.process_config import ProcessConfig
from obs.tasks.process_settings import process_settings

__all__ = ["Tried", "try_processing"]

#: Calibration frames in the order in which they are made: image type, switch of the settings.
_CALIBRATIONS = {"bias": "do_bias", "dark": "do_dark", "flat": "do_flat"}
#: Most raw files that go into a calibration frame of the trial: enough to try it, few enough to be quick.
_MOST_INPUTS = 3
_VALIDITY = 3650
#: Degrees by which the camera may be turned, and part by which its scale may be off, so that nothing is to be written.
_DEGREES, _SCALE = 0.5, 0.005


@frozen
class Tried:
    """What came of the trial.

    Parameters
    ----------
    checks : list of Check
        A check for each step: ingest, each calibration frame, processing. Empty where there is no science exposure.
    mount : MountedCamera or None
        How the stars say that the camera is mounted; None where they were not matched.
    lacking : dict of str to str
        Calibration that science exposures need and the files do not give, to the switch that does without it.
    """

    checks: list[Check]
    mount: MountedCamera | None = None
    lacking: dict[str, str] = field(default_factory=dict)


def try_processing(instrument: Instrument, frames: Sequence[RawFrame], reference: Sequence[Path] = ()) -> Tried:
    """Return what came of processing one science exposure.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    frames : sequence of RawFrame
        Exposures that the other checks found usable; their files are ingested.
    reference : sequence of Path, optional
        Files of a reference catalog, by which the stars are known.
    """
    science = [frame for frame in frames if frame.image_type == "science"]
    if not science:
        return Tried([])
    with scratch_folder("doctor") as folder, _quiet():
        trial = _Trial(instrument, frames, folder / "data", reference)
        return Tried(list(trial.run(_choose(science, frames))), trial.mount, trial.lacking)


def _not_held(target: RawFrame) -> Check:
    """Return that the camera was not held against stars."""
    note = "as camera.yaml says: without --refcat FILE no stars show rotation, parity and plate scale"
    return Check("trial", "orientation", "", shown(target.path), "not known", note)


def _choose(science: Sequence[RawFrame], frames: Sequence[RawFrame]) -> RawFrame:
    """Return the longest exposure, of those in a filter that has flats if there are any."""
    with_flat = {(f.filter_name, f.detector.name) for f in frames if f.image_type == "flat"}
    best = [frame for frame in science if (frame.filter_name, frame.detector.name) in with_flat] or science
    return max(best, key=lambda frame: frame.number("exposure_time"))


class _Trial:
    """A repository in a temporary folder, and what is done in it."""

    def __init__(
        self, instrument: Instrument, frames: Sequence[RawFrame], root: Path, reference: Sequence[Path]
    ) -> None:
        self.instrument, self.frames, self.root, self.reference = instrument, frames, root, reference
        self.mount: MountedCamera | None = None
        self.lacking: dict[str, str] = {}
        self.bands: set[str] = set()
        self.zero_point = math.nan

    def run(self, target: RawFrame) -> Iterator[Check]:
        """Yield the checks, as long as one step can follow the other."""
        try:
            make_repository(self.root, self.instrument)
            same = [frame for frame in self.frames if frame.detector.name == target.detector.name]
            if self.reference:
                given = ingest_reference_catalog(self.root, "given", self.reference, ReferenceColumnsConfig())
                self.bands = {*given.bands, *given.estimated}
            report = ingest_raws(self.butler(), list(dict.fromkeys(frame.path for frame in same)), IngestOptions())
        except ObsError as error:
            yield _failed("ingest", error, target)
            return
        refused = [file for file in report.files if file.status == "failed"]
        for file in refused:
            remedy = f"{file.path}: {file.reason}"
            yield Check("trial", "ingest", "", shown(file.path), "wrong", f"{file.reason}", remedy)
        if any(file.path == target.path for file in refused):
            return
        for name in _CALIBRATIONS:
            yield from self.build(name, target)
        without = self.without(target)
        yield self.process(target, without)
        if not self.settings().isr.allow_missing:
            own = {_of_filter(name, target): switch for name, switch in without.items()}
            self.lacking = own | self.lacking_elsewhere(target)
        if self.reference:
            yield self.photometry(target)
        yield self.orientation(target) if self.reference else _not_held(target)

    def photometry(self, target: RawFrame) -> Check:
        """Say what zero point was fitted, and which filters the reference catalog has no magnitudes for."""
        found = "" if math.isnan(self.zero_point) else f"{self.zero_point:.2f} mag"
        names = self.settings().calibrate.reference.flux_names
        science = {frame.filter_name: self.band(frame) for frame in self.frames if frame.image_type == "science"}
        lacking = {name: band for name, band in science.items() if band not in self.bands and band not in names}
        if lacking and not (found and target.filter_name in lacking):
            filters = ", ".join(f"{name} (band {band})" for name, band in lacking.items())
            note = (
                f"the catalog has {', '.join(sorted(self.bands)) or 'no magnitudes'}: no zero point in the filters "
                f"{filters}; their bands are in the package's __init__.py"
            )
            return Check("trial", "zero point", found, shown(target.path), "doubtful", note)
        if not found:
            return Check("trial", "zero point", "", shown(target.path), "not known", "it could not be fitted")
        return Check("trial", "zero point", found, shown(target.path))

    def orientation(self, target: RawFrame) -> Check:
        """Hold how the camera is mounted against what the stars show."""
        name, camera = "orientation", self.instrument.load_camera()
        try:
            self.mount = mount = find_mount(self.butler(output=self.root.parent / "out"))
        except ObsError as error:
            return Check("trial", name, "", shown(target.path), "not known", " ".join(str(error).split()))
        found = (f"{mount.rotation:.2f}", str(mount.flip_x).lower(), f"{mount.plate_scale:.6g}")
        value = "rotation {} deg, flip_x {}, plate_scale {} arcsec/mm".format(*found)
        turned = abs((mount.rotation - camera.rotation + 90.0) % 180.0 - 90.0)
        is_same = mount.flip_x == camera.flip_x and abs(mount.plate_scale / camera.plate_scale - 1.0) < _SCALE
        binning = target.facts.binning.value if target.facts is not None and target.facts.binning.is_known else (1, 1)
        refuted = refuted_cards(target.cards, binning, target.detector, mount)
        if is_same and turned < _DEGREES:
            return Check("trial", name, value, "stars", "doubtful" if refuted else "ok", refuted)
        place = camera_place(self.instrument, "rotation")
        flip = str(camera.flip_x).lower()
        note = f"the camera says rotation {camera.rotation:g}, flip_x {flip}, plate_scale {camera.plate_scale:g}"
        note = f"{note}; {refuted}" if refuted else note
        return Check("trial", name, value, "stars", "doubtful", note, f"{place}: {value}")

    def butler(self, **more: Any) -> Butler:
        """Return a Butler that knows the camera, also one that is not installed."""
        return Butler(self.root, instrument=self.instrument, **more)

    def data_id(self, frame: RawFrame) -> DataId:
        """Return the data ID of an exposure in the repository."""
        raw = self.instrument.raw_dataset_type
        known = {key: frame.row[key] for key in self.butler().id_keys(raw) if frame.row.get(key) is not None}
        return self.butler().mapper.complete(raw, known)

    def settings(self, without: Iterable[str] = ()) -> ProcessConfig:
        """Return the camera's settings, with the switches of some calibrations off."""
        layers = process_settings(self.instrument)
        for switch in without:
            layers.set_value(f"isr.{switch}", False)
        layers.set_value("calibrate.astrometry.required", False)
        layers.set_value("calibrate.photometry.required", False)
        return layers.build()

    def without(self, target: RawFrame) -> dict[str, str]:
        """Return the calibrations that an exposure needs and the trial has not, each with its switch."""
        isr = self.settings().isr
        needed = required_calibrations(isr, physical_filter=target.filter_name, band=self.band(target))
        whole = self.butler().complete_raw(self.data_id(target))
        return {
            name: switch
            for name, switch in needed.items()
            if name != "defects" and locate_calibration(self.butler(), name, whole, isr) is None
        }

    def lacking_elsewhere(self, target: RawFrame) -> dict[str, str]:
        """Return what other science exposures need and no file gives, such as flats of their filter."""
        isr, lacking = self.settings().isr, {}
        for frame in self.frames:
            if frame.image_type != "science" or frame is target:
                continue
            needed = required_calibrations(isr, physical_filter=frame.filter_name, band=self.band(frame))
            for name in _CALIBRATIONS:
                if name in needed and not self.inputs(name, frame):
                    lacking[_of_filter(name, frame)] = needed[name]
        return lacking

    def band(self, frame: RawFrame) -> str:
        """Return the band of an exposure's filter; the name of the filter where the camera does not know it."""
        try:
            return self.instrument.find_filter(frame.filter_name).band
        except ObsError:
            return frame.filter_name

    def inputs(self, name: str, target: RawFrame) -> list[RawFrame]:
        """Return the exposures that a calibration frame can be made of."""
        found = [
            frame
            for frame in self.frames
            if frame.image_type == name
            and frame.detector.name == target.detector.name
            and (name != "flat" or frame.filter_name == target.filter_name)
        ]
        return found or (self.darks_for_bias(target) if name == "bias" else [])

    def darks_for_bias(self, target: RawFrame) -> list[RawFrame]:
        """Return the darks that stand in for biases: short ones, or of any time if no dark is subtracted besides."""
        darks = self.inputs("dark", target)
        if not darks:
            return []
        times = {frame.number("exposure_time") for frame in darks}
        seconds = min(times)
        if seconds > SHORT_DARK:
            seconds = (
                math.inf if self.settings().isr.do_dark else min(times & {target.number("exposure_time")} or times)
            )
        return [frame for frame in darks if frame.number("exposure_time") == seconds]

    def build(self, name: str, target: RawFrame) -> Iterator[Check]:
        """Make a calibration frame, if there are files for it."""
        inputs = self.inputs(name, target)
        wanted = getattr(self.settings().isr, _CALIBRATIONS[name])
        if not inputs or not wanted:
            if wanted:
                switch = f"-c isr.{_CALIBRATIONS[name]}=false"
                note = f"no {name} among the files: the trial continues without, and obs process does with {switch}"
                yield Check("trial", name, "", "", "not known", note)
            return
        try:
            butler = self.butler()
            store = CalibStore(butler)
            ids = [self.data_id(frame) for frame in inputs[:_MOST_INPUTS]]
            jobs = plan_calibrations(butler, store, name, ids)
            layers = calibs_settings(self.instrument)
            layers.set_value("isr.allow_missing", True)
            by_name = {format_data_id(job.data_id): job for job in jobs}
            for job in jobs:
                done = build_calibration(
                    job.data_id, butler=self.butler(), jobs=by_name, config=layers.build(), root=store.root
                )
                of = (
                    ""
                    if inputs[0].image_type == name
                    else f"; darks of {inputs[0].number('exposure_time'):g} s stand in"
                )
                made = f"from {count_of(len(job.inputs), 'file')}{of}"
                yield Check("trial", name, made, "obs calibs build")
                yield from (Check("trial", name, "", "", "doubtful", text) for text in done.warnings)
            store.add([(name, job.data_id) for job in jobs], _VALIDITY)
        except ObsError as error:
            yield _failed(f"obs calibs build {name}", error, target)

    def process(self, target: RawFrame, without: dict[str, str]) -> Check:
        """Process the science exposure with the trial calibrations, and without those that it lacks."""
        try:
            butler = self.butler(output=self.root.parent / "out")
            butler.prepare_output()
            summary = process_detector(butler, self.data_id(target), self.settings(without.values()))
        except ObsError as error:
            return _failed("obs process", error, target)
        self.zero_point = summary.zero_point
        lacking = f", without {list_of(without)}" if without else ""
        text = f"{summary.n_source} sources, {_width(summary)}{lacking}"
        if not summary.n_source:
            return Check("trial", "obs process", text, shown(target.path), "doubtful", "no source was found")
        return Check("trial", "obs process", text, shown(target.path))


def _of_filter(name: str, frame: RawFrame) -> str:
    return f"{name} of {frame.filter_name}" if name == "flat" and frame.filter_name else name


def _width(summary: ProcessSummary) -> str:
    if summary.seeing == summary.seeing:
        return f"seeing {summary.seeing:.2f} arcsec ({summary.fwhm:.1f} pixels)"
    return f"stars {summary.fwhm:.1f} pixels wide"


def _failed(step: str, error: ObsError, target: RawFrame) -> Check:
    message = " ".join(str(error).split())
    if isinstance(error, MeasurementError):  # the sky or the telescope is at fault, not the package
        return Check(
            "trial", step, "", shown(target.path), "doubtful", f"this exposure does not come through: {message}"
        )
    remedy = f"{step} of {target.path.name}: {message}"
    return Check("trial", step, "", shown(target.path), "wrong", message, remedy)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log of the trial's steps away from the page; what matters of it is in the checks."""
    logger = logging.getLogger("obs")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
