"""A camera with the same amplifiers, of fewer pixels, so that a frame of it is simulated in a fraction of a second."""

from collections.abc import Collection, Iterable
from dataclasses import fields, replace
from typing import Any

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.frozen import frozen
from obs.geom import Box
from obs.instrument.instrument import Instrument

__all__ = ["cut_detector", "cut_instrument"]


@frozen(kw_only=True)
class _CutInstrument(Instrument):
    """An instrument whose camera is not that of its tables."""

    cut: Camera

    def load_camera(self) -> Camera:
        return self.cut


def cut_instrument(instrument: Instrument, detectors: Iterable[Detector], *, size: int) -> Instrument:
    """Return the instrument with these detectors only, and amplifiers of at most ``size`` columns and rows of data.

    Parameters
    ----------
    instrument : Instrument
        The camera.
    detectors : iterable of Detector
        Detectors to keep.
    size : int
        Largest number of columns and rows of data of an amplifier, pixels.
    """
    cut = tuple(cut_detector(detector, size=size) for detector in detectors)
    same = {field.name: getattr(instrument, field.name) for field in fields(Instrument)}
    return _CutInstrument(**same, cut=replace(instrument.load_camera(), detectors=cut))


def cut_detector(detector: Detector, *, size: int) -> Detector:
    """Return the detector without the columns and rows that its amplifiers have beyond ``size``.

    Overscans stay as wide as they are. Where amplifiers lie in each other's columns or rows in such a way that none can
    be left out of all, they stay.

    Parameters
    ----------
    detector : Detector
        The detector.
    size : int
        Largest number of columns and rows of data of an amplifier, pixels.
    """
    for axis in "xy":
        detector = _cut_axis(detector, axis, size)
    return detector


def _cut_axis(detector: Detector, axis: str, size: int) -> Detector:
    raw = {line for amp in detector.amplifiers for line in _beyond(amp.raw_data_bbox, axis, size)}
    whole = {line for amp in detector.amplifiers for line in _beyond(amp.bbox, axis, size)}
    raw_height, raw_width = detector.raw_shape
    raw_box = _without(Box(0, 0, raw_width, raw_height), axis, raw)
    try:
        return replace(
            detector,
            bbox=_without(detector.bbox, axis, whole),
            raw_shape=raw_box.shape,
            amplifiers=tuple(_cut_amplifier(amp, axis, raw, whole) for amp in detector.amplifiers),
        )
    except ValueError:  # boxes that no longer fit
        return detector


def _cut_amplifier(amp: Amplifier, axis: str, raw: Collection[int], whole: Collection[int]) -> Amplifier:
    boxes: dict[str, Any] = {name: _without(box, axis, raw) for name, box in amp.raw_boxes.items()}
    return replace(amp, bbox=_without(amp.bbox, axis, whole), **boxes)


def _beyond(box: Box, axis: str, size: int) -> range:
    """Return the columns or rows of a box that are too many."""
    first, last = (box.x_min, box.x_max) if axis == "x" else (box.y_min, box.y_max)
    return range(first + size, last)


def _without(box: Box, axis: str, lines: Collection[int]) -> Box:
    """Return where a box is when columns or rows are taken out of the image."""
    first, length = (box.x_min, box.width) if axis == "x" else (box.y_min, box.height)
    before = sum(line < first for line in lines)
    inside = sum(first <= line < first + length for line in lines)
    if axis == "x":
        return Box(box.x_min - before, box.y_min, box.width - inside, box.height)
    return Box(box.x_min, box.y_min - before, box.width, box.height - inside)
