"""Make one calibration frame from raw frames of a repository.

Each raw frame is read once: without its signature it goes to a temporary file, from which all frames are combined some
rows at a time. Calibrations that the frames need are read once, too. Memory is that of these and of one exposure for
each thread, then of the rows (`CombineConfig.memory`) for each thread.
"""

import logging
import resource
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.defect_boxes import find_dim_and_bright, find_hot, mask_to_boxes
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.calibration_frames.common_variance import common_variance, dark_time, scaled_sum
from obs.calibration_frames.compare_frames import describe_noise, find_odd, measure_gains, measure_local_noise
from obs.calibration_frames.flat_spots import warn_of_spots
from obs.calibration_frames.kept_calibrations import KeptCalibrations
from obs.calibration_frames.reject_hits import reject_hits
from obs.calibration_frames.summary import BuildSummary, calibration_cards
from obs.camera.detector import Detector
from obs.errors import DatasetNotFoundError, MeasurementError, ObsError
from obs.geom import Box
from obs.image.catalog import Catalog
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.ingest.calib_jobs import BuildJob
from obs.policy.data_id import DataId, format_data_id
from obs.raw_exposure import remove_raw_signature
from obs.repo.butler import Butler
from obs.repo.formatters import write_dataset
from obs.repo.frame_stack import FrameStack
from obs.tasks.calibration_recipes import RECIPES, signature_config
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.calibs_settings import calibs_settings
from obs.tasks.combine_calibs import Master, combine_frames, finish_frame
from obs.tasks.prepare_calib_frame import Prepared, find_objects, prepare_frame
from obs.tasks.readout_cards import record_readout
from obs.threads import map_threads, thread_count

__all__ = ["build_calibration"]

logger = logging.getLogger(__name__)

_KEPT_CARDS = "CALIB_", "ISR_GAIN", "ISR_READNOISE"
"""Beginnings of the cards of a frame that the calibration keeps."""
_AT_ZERO = 0.01
"""Fraction of pixels at zero above which noise is cut off; dead pixels are fewer."""


def build_calibration(
    data_id: Mapping[str, Any], *, butler: Butler, jobs: Mapping[str, BuildJob], config: CalibsConfig, root: Path
) -> BuildSummary:
    """Make one calibration frame and write it to its place; it is not registered.

    Parameters
    ----------
    data_id : mapping
        Data ID of the calibration.
    butler : Butler
        The repository.
    jobs : mapping of str to BuildJob
        By the data ID as text.
    config : CalibsConfig
        Settings.
    root : Path
        Folder of the calibrations.

    Raises
    ------
    MeasurementError
        If not one input can be used; says why.
    ObsError
        If the result cannot be written, or a calibration that it needs is missing.
    """
    job = jobs[format_data_id(data_id)]
    summary = BuildSummary(root / butler.mapper.dataset_type(job.name).format(job.data_id))
    detector = butler.instrument.find_detector(butler.complete_raw(job.inputs[0]))
    build = _Build(job, butler, detector, config, root, summary)
    value = build.defects() if job.name == "defects" else build.frame()
    write_dataset("", value, summary.path)
    # Kilobytes, but bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    summary.peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return summary


class _Input(NamedTuple):
    """A frame in the stack: its data ID, cards of the raw file, the level that it was divided by, exposure time."""

    name: str
    header: dict[str, Any]
    level: float
    seconds: float


class _Loaded(NamedTuple):
    """A frame without its signature, ready to be combined, and the cards of the raw file."""

    exposure: Exposure
    prepared: Prepared
    header: dict[str, Any]


class _Build:
    """The making of one calibration frame."""

    def __init__(
        self, job: BuildJob, butler: Butler, detector: Detector, config: CalibsConfig, root: Path, summary: BuildSummary
    ) -> None:
        self.job, self.butler, self.detector = job, butler, detector
        self.config, self.root, self.summary = config, root, summary
        self.isr = signature_config(job.name, config.isr)
        self.calibrations = KeptCalibrations()
        self.cards: dict[str, Any] = {}
        self.physical_filter = ""
        self.mask: Mask | None = None
        self.inputs: list[_Input] = []
        self.n_rejected: Counter[str] = Counter()
        self.differ = False
        self.at_zero = 0.0

    def frame(self) -> Exposure:
        """Combine all inputs to one calibration frame."""
        stack: FrameStack | None = None
        factors: list[tuple[float, float]] = []
        common = common_variance(self.butler, self.job, self.isr, self.calibrations.read)

        def add(data_id: DataId, loaded: _Loaded) -> None:
            nonlocal stack
            exposure, prepared, header = loaded
            stack = stack or FrameStack(self.root, exposure.shape)
            stack.add(prepared.image, prepared.variance, prepared.rejected)
            exposure_time = exposure.visit_info.exposure_time if exposure.visit_info is not None else float("nan")
            self.inputs.append(_Input(format_data_id(data_id), header, prepared.level, exposure_time))
            seconds = dark_time(exposure.visit_info)
            factors.append((1 / prepared.level, seconds / prepared.level))
            self._keep(exposure)

        try:
            self._hand_over(add, common)
            if stack is None or self.mask is None:
                raise self._no_input()
            used = self._leave_out_odd(stack)
            self.cards |= record_readout([self.inputs[k].header for k in used], self.config.odd_frames)
            self._warn_of_few(len(used))
            self._warn_of_zero()
            self._warn_of_bias_level()
            n_hit = np.zeros(stack.n_frame, np.int64)
            if RECIPES[self.job.name].find_hits:
                n_hit = self._reject_hits(stack, [frame.level for frame in self.inputs])
            master = self._combine(stack)
            if self.job.name == "flat":
                self.summary.warnings += warn_of_spots(master.combined.image, self.mask)
            self._record_noise(stack, used)
        finally:
            if stack is not None:
                stack.close()
        if self._is_noise_known():
            names = {k: self.inputs[k].name for k in used}
            n_pixel = stack.shape[0] * stack.shape[1]
            config = self.config.odd_frames
            differ = self.differ
            self.summary.warnings += describe_noise(names, master, n_hit, n_pixel, config, frames_differ=differ)
        if common:
            mean = np.average(np.array(factors), axis=0, weights=np.nanmean(master.weights, axis=0))
            for rows in row_blocks(stack.shape):
                master.combined.variance[rows] += scaled_sum(common, tuple(mean), rows)
        self._summarize(master)
        pixels = finish_frame(self.job.name, master.combined, self.mask, self.config, self.n_rejected)
        per_second = VisitInfo(exposure_time=1.0, dark_time=1.0) if self.job.name == "dark" else None
        return Exposure(
            pixels,
            visit_info=per_second,
            detector_name=self.detector.name,
            physical_filter=self.physical_filter if "filter" in self.butler.get_keys(self.job.name) else "",
            metadata=self._cards(),
        )

    def _hand_over(
        self, use: Callable[[DataId, _Loaded], None], common: Sequence[NDArray[np.float32] | None] = ()
    ) -> None:
        """Call a function with each frame that can be used, of which as many as there are threads are in memory."""
        step = thread_count()
        for first in range(0, len(self.job.inputs), step):
            some = self.job.inputs[first : first + step]
            loaded = map_threads(partial(self._load, common=common), some)
            for data_id in some:
                frame = loaded.pop(0)
                if isinstance(frame, str):
                    self.summary.dropped[format_data_id(data_id)] = frame
                else:
                    self.summary.levels[format_data_id(data_id)] = frame.prepared.level
                    use(data_id, frame)
                del frame
        self.calibrations.release()

    def _load(self, data_id: DataId, common: Sequence[NDArray[np.float32] | None]) -> _Loaded | str:
        """Return a frame without its signature, prepared; or why it is of no use."""
        header: dict[str, Any] = {}

        def inspect(raw: Raw) -> None:
            header.update(raw.metadata)
            self._look_at_counts(raw)

        try:
            exposure = remove_raw_signature(
                self.butler, data_id, self.isr, warn=logger.debug, inspect=inspect, read=self.calibrations.read
            )
            factors = 1.0, dark_time(exposure.visit_info)
            shared = partial(scaled_sum, common, factors) if common else None
            prepared = prepare_frame(
                self.job.name, exposure, self.config, regions=self._regions(exposure.shape), common_variance=shared
            )
        except DatasetNotFoundError as error:
            if error.dataset_type != self.butler.instrument.raw_dataset_type:
                raise  # a calibration that all of them need
            return str(error)
        except ObsError as error:
            return str(error)
        return _Loaded(exposure, prepared, header)

    def _keep(self, exposure: Exposure) -> None:
        """Keep what a frame tells beside its pixels."""
        self._keep_mask(exposure.masked_image.mask)
        self.cards |= {k: v for k, v in exposure.metadata.items() if k.startswith(_KEPT_CARDS)}
        self.physical_filter = exposure.physical_filter

    def _leave_out_odd(self, stack: FrameStack) -> list[int]:
        """Reject all of the frames that differ from the others; return the numbers of the rest."""
        config = self.config.odd_frames
        headers = [frame.header for frame in self.inputs]
        seconds = [frame.seconds for frame in self.inputs]
        odd = find_odd(self.job.name, stack, headers, self._regions(stack.shape), config, seconds=seconds)
        self.summary.warnings += odd.warnings
        self.differ = bool(odd.warnings)
        leave_out = odd.leave_out if config.leave_out else {}
        self.summary.warnings += [
            f"{self.inputs[k].name} may not belong to the others: {reason}"
            for k, reason in (odd.warn_of if config.leave_out else odd.warn_of | odd.leave_out).items()
            if k not in leave_out
        ]
        for k, reason in leave_out.items():
            name = self.inputs[k].name
            self.summary.dropped[name] = f"{reason}; to use it nevertheless: -c odd_frames.leave_out=false"
            self.summary.levels.pop(name, None)
            stack.reject(k, np.ones(stack.shape, bool))
        return [k for k in range(stack.n_frame) if k not in leave_out]

    def _is_noise_known(self) -> bool:
        """Return whether gain and read noise are known without the pixels of these frames."""
        sources = {str(value) for key, value in self.cards.items() if key.startswith("ISR_") and "_SOURCE" in key}
        return bool(sources) and not sources & {"assumed", "pixels"}

    def _record_noise(self, stack: FrameStack, used: Sequence[int]) -> None:
        """Keep read noise (biases) and gain (flats) of each amplifier for the header of the result."""
        regions = self._regions(stack.shape)
        amplifiers = self.detector.amplifiers
        if len(regions) != len(amplifiers) or len(used) < 2 or self.job.name not in ("bias", "flat"):
            return
        if self.job.name == "bias":
            values = np.nanmedian(measure_local_noise(stack, regions)[:, list(used)], axis=1).tolist()
        else:
            read = [
                (self.cards[f"ISR_READNOISE{amp.name}"] / self.cards[f"ISR_GAIN{amp.name}"]) ** 2
                if f"ISR_GAIN{amp.name}" in self.cards
                else 0.0
                for amp in amplifiers
            ]
            values = measure_gains(stack, [frame.level for frame in self.inputs], used, regions, read)
        keyword = "CALIB_READNOISE" if self.job.name == "bias" else "CALIB_GAIN"
        measured = {amp: value for amp, value in zip(amplifiers, values, strict=True) if value > 0}
        self.cards |= {f"{keyword}_{amp.name}": value for amp, value in measured.items()}
        is_bias = self.job.name == "bias"
        unknown = {
            amp.name: value
            for amp, value in measured.items()
            if not (amp.nominal.read_noise if is_bias else amp.nominal.gain) > 0
        }
        if unknown:
            what, unit = ("read noise", "ADU") if is_bias else ("gain", "electron/adu")
            self.summary.warnings.append(
                f"{what}, which the camera does not give, measured in these frames: "
                f"{', '.join(f'{name} {value:.3g}' for name, value in unknown.items())} {unit}. It is recorded in the "
                f"{self.job.name} and used from there; write it into amplifiers.csv to use it everywhere"
                + (" (read_noise in electrons: times the gain)" if is_bias else "")
            )

    def defects(self) -> Catalog:
        """Find what is hot in darks, and dim or bright in flats."""
        settings = self.config.defects
        stacks: dict[bool, FrameStack] = {}
        scales: dict[bool, list[float]] = {}
        typical: dict[bool, list[float]] = {True: [], False: []}
        kinds = dict(zip(map(format_data_id, self.job.inputs), self.job.kinds, strict=True))

        def add(data_id: DataId, loaded: _Loaded) -> None:
            exposure, prepared, _ = loaded
            kind = kinds[format_data_id(data_id)]
            level = float(np.median(prepared.image[:: max(1, prepared.image.shape[0] // 200)]))
            noise = prepared.weight**-0.5
            is_light = "FLAT" in kind or ("DARK" not in kind and level > settings.light * noise)
            seconds = dark_time(exposure.visit_info)
            scale = level if is_light else seconds
            if not scale > 0:
                what = f"level is {level:.4g} ADU" if is_light else f"dark time is {seconds} s"
                self.summary.dropped[format_data_id(data_id)] = f"its {what}, by which it cannot be divided"
                return
            if is_light not in stacks:
                stacks[is_light] = FrameStack(self.root, exposure.shape)
                scales[is_light] = []
            stacks[is_light].add(
                prepared.image / np.float32(scale), prepared.variance / np.float32(scale**2), prepared.rejected
            )
            scales[is_light].append(scale)
            typical[is_light].append(noise / scale)
            self.summary.levels[format_data_id(data_id)] = level

        try:
            self._hand_over(add)
            if not stacks:
                raise self._no_input()
            self._warn_of_few(min(stack.n_frame for stack in stacks.values()))
            found = np.zeros(next(iter(stacks.values())).shape, bool)
            if False in stacks:
                self._reject_hits(stacks[False], scales[False])
            for is_light, stack in stacks.items():
                found |= self._find(stack, scales[is_light], is_light, min(typical[is_light]))
        finally:
            for stack in stacks.values():
                stack.close()
        if set(stacks) != {True, False}:
            lacking = "flats: no dim pixel is found" if False in stacks else "darks: no hot pixel is found"
            self.summary.warnings.append(f"made without {lacking}")
        boxes = mask_to_boxes(found)
        catalog = Catalog(metadata=self._cards() | {"NDEFECTS": len(boxes)})
        for name, attribute in (("x0", "x_min"), ("y0", "y_min"), ("width", "width"), ("height", "height")):
            values = np.array([getattr(box, attribute) for box in boxes], np.int32)
            catalog.add(name, values, "pixel", f"{attribute} of the box, counted from 0")
        return catalog

    def _find(self, stack: FrameStack, scales: Sequence[float], is_light: bool, noise: float) -> NDArray[np.bool_]:
        settings = self.config.defects
        master = combine_frames(stack, scales, self._regions(stack.shape), self.config.combine)
        self._summarize(master)
        if is_light:
            return find_dim_and_bright(
                master.combined.image, dim=settings.dim, bright=settings.bright, bin_size=settings.bin_size
            )
        return find_hot(master.combined.image, noise, threshold=settings.hot, bin_size=settings.bin_size)

    def _combine(self, stack: FrameStack) -> Master:
        """Combine frames; where they show the sky, once more without the objects that stand out from the first."""
        regions, levels = self._regions(stack.shape), [frame.level for frame in self.inputs]
        master = combine_frames(stack, levels, regions, self.config.combine)
        if not RECIPES[self.job.name].mask_objects:
            return master
        for number in range(stack.n_frame):
            image, _, rejected = stack.frame(number)
            stack.reject(number, rejected | find_objects(image, rejected, master.combined.image, self.config.objects))
        return combine_frames(stack, levels, regions, self.config.combine)

    def _reject_hits(self, stack: FrameStack, levels: Sequence[float]) -> NDArray[np.int64]:
        """Reject hits of cosmic rays in darks that were divided by ``levels``; return the number of values in each."""
        n_hit = reject_hits(stack, levels, self._regions(stack.shape), self.config)
        self.n_rejected["cosmic rays"] += int(n_hit.sum())
        return n_hit

    def _look_at_counts(self, raw: Raw) -> None:
        """Refuse a frame without an image, and count the values without light that are cut off at zero."""
        for amp in self.detector.amplifiers:
            image = raw.images.get(amp.raw_hdu, next(iter(raw.images.values())))[amp.raw_data_bbox.slices]
            is_full = np.issubdtype(image.dtype, np.integer) and image.min() == np.iinfo(image.dtype).max
            if image.min() == image.max() and not is_full:
                raise MeasurementError(
                    f"all pixels of amplifier '{amp.name}' have the value {image.flat[0]:g}: the frame is empty"
                )
            if self.job.name in ("bias", "dark") and image.min() == 0:
                self.at_zero = max(self.at_zero, float(np.mean(image == 0)))

    def _keep_mask(self, mask: Mask) -> None:
        """Keep the planes that a pixel has in every frame, and count those that reject values."""
        # most planes have no pixel, and need not be counted one by one
        present = int(np.bitwise_or.reduce(mask.array, axis=None))
        planes = [plane for plane in self.config.combine.bad_planes if present & mask.known_bits([plane])]
        self.n_rejected.update({plane: int(mask.any(plane).sum()) for plane in planes})
        if self.mask is None:
            self.mask = mask.copy()
        else:
            self.mask.array &= mask.array

    def _regions(self, shape: tuple[int, int]) -> list[Box]:
        """Return the amplifiers; the whole, where the frames are not assembled."""
        if shape != self.detector.bbox.shape:
            return [Box(0, 0, shape[1], shape[0])]
        return [amp.bbox for amp in self.detector.amplifiers]

    def _warn_of_few(self, n_frame: int) -> None:
        if n_frame < 3:
            what = "a single frame: nothing in it can be rejected" if n_frame == 1 else "two frames only"
            self.summary.warnings.append(f"made from {what}")

    def _warn_of_zero(self) -> None:
        if self.at_zero > _AT_ZERO:
            self.summary.warnings.append(
                f"{100 * self.at_zero:.2g} % of the pixels are zero: the offset of the camera is so low that it cuts "
                "off the noise, and faint light with it. Raise the offset in the program that runs the camera, and "
                "take biases, darks, flats and science exposures again"
            )

    def _warn_of_bias_level(self) -> None:
        """Warn of a flat from which neither a bias nor an overscan is subtracted, unless the camera wants it so."""
        if self.job.name != "flat" or "CALIB_BIAS" in self.cards:
            return
        amps = self.detector.amplifiers
        boxes = [box for amp in amps for box in (amp.raw_serial_overscan_bbox, amp.raw_parallel_overscan_bbox)]
        has_overscan = self.isr.do_overscan and not all(box.is_empty for box in boxes)
        if not has_overscan and calibs_settings(self.butler.instrument).build().isr.do_bias:
            self.summary.warnings.append(
                "no bias and no overscan is subtracted, so that the bias level is in the flat and it shows less of "
                "vignetting and dust than there is, unless a dark as long as the flats is subtracted. Build a bias, of "
                "the shortest darks if there are no biases: obs calibs build bias DATA --id dataType=dark "
                "expTime=SECONDS"
            )

    def _no_input(self) -> MeasurementError:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self.summary.dropped.items())
        return MeasurementError(f"not one of {len(self.job.inputs)} frames can be used: {reasons}")

    def _summarize(self, master: Master) -> None:
        self.summary.n_clipped += int(master.combined.n_clipped.sum())
        is_known = self._is_noise_known() or self.job.name == "defects"
        self.summary.noise_factors = [value for value in master.noise.tolist() if is_known and np.isfinite(value)]
        names = [amp.name for amp in self.detector.amplifiers]
        if len(names) == len(self.summary.noise_factors):
            for name, value in zip(names, self.summary.noise_factors, strict=True):
                self.cards[f"CALIB_NOISE_{name}"] = value

    def _cards(self) -> dict[str, Any]:
        """Return the header; CALIB_NOISE is the noise of an amplifier relative to what gain and read noise tell."""
        return calibration_cards(self.job, self.summary, self.butler.instrument.name) | self.cards
