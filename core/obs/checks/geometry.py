"""Whether the boxes of a camera make sense: apart from each other, all of the detector covered, nothing lost."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from obs.algorithms.detector.assemble import assemble, split_amplifiers
from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.load import read_amplifier_rows

__all__ = ["geometry_faults"]

_DARK = ("raw_serial_overscan_bbox", "raw_parallel_overscan_bbox", "raw_prescan_bbox")


def geometry_faults(camera: Camera, folder: Path) -> Iterator[str]:
    """Look at every detector of a camera that could be read.

    That boxes lie inside of their image, and amplifiers apart in the assembled detector, is seen when it is read.

    Parameters
    ----------
    camera : Camera
        The camera.
    folder : Path
        Where its tables are, for the messages.

    Yields
    ------
    str
        File and line, and the two values that disagree.
    """
    lines = {(row.text("detector"), row.text("name")): row.line for row in read_amplifier_rows(folder)}
    seen: dict[object, bool] = {}
    for detector in camera:
        layout = (detector.bbox, detector.raw_shape, repr([(amp.bbox, amp.raw_boxes) for amp in detector.amplifiers]))
        if seen.get(layout):
            continue  # as another one, in which nothing was found
        faults = list(_detector_faults(detector))
        seen[layout] = not faults
        for amp, fault in faults:
            place = f"{folder / 'amplifiers.csv'}: line {lines[detector.name, amp.name]}"
            yield f"{place}: detector '{detector.name}', amplifier '{amp.name}': {fault}"


def _detector_faults(detector: Detector) -> Iterator[tuple[Amplifier, str]]:
    amplifiers = detector.amplifiers
    covered = sum(amp.bbox.width * amp.bbox.height for amp in amplifiers)
    whole = detector.bbox.width * detector.bbox.height
    if covered != whole:
        wanted = f"the bbox columns of all amplifiers together have to cover all of {detector.bbox}"
        yield amplifiers[-1], f"the amplifiers cover {covered} of the detector's {whole} pixels: {wanted}"
    for (number, amp), (other_number, other) in product(enumerate(amplifiers), repeat=2):
        if amp.raw_hdu != other.raw_hdu:
            continue
        if number < other_number and not amp.raw_data_bbox.intersection(other.raw_data_bbox).is_empty:
            yield other, f"{_overlap('raw_data_bbox', other, amp)}: each amplifier has its own pixels"
            return
        if number != other_number and not amp.raw_bbox.intersection(other.raw_data_bbox).is_empty:
            yield amp, f"{_overlap('raw_bbox', amp, other)}: it holds what the amplifier itself read"
        for name in _DARK:
            if not amp.raw_boxes[name].intersection(other.raw_data_bbox).is_empty:
                yield amp, f"{_overlap(name, amp, other)}: no light falls there"
    if covered == whole and not _survives(detector):
        yield amplifiers[0], "pixels get lost when the detector is taken apart into its amplifiers and put together"


def _overlap(name: str, amp: Amplifier, other: Amplifier) -> str:
    return f"{name} {amp.raw_boxes[name]} overlaps raw_data_bbox {other.raw_data_bbox} of amplifier '{other.name}'"


def _survives(detector: Detector) -> bool:
    """Whether numbered pixels come back from the raw images in their order."""
    pixels = detector.bbox.width * detector.bbox.height
    image = np.arange(1, pixels + 1, dtype=np.uint32).reshape(detector.bbox.shape)
    raw = {amp.raw_hdu: np.zeros(detector.raw_shape, np.uint32) for amp in detector.amplifiers}
    split_amplifiers(image, raw, detector.amplifiers)
    return bool((assemble(raw, detector.amplifiers, detector.bbox.shape, fill=0) == image).all())
