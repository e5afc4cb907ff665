"""Whether the camera's boxes fit the images of a file."""

from collections.abc import Iterator
from itertools import combinations

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.doctor.check import Check, Verdict
from obs.doctor.exposure import RawExposure, RawFrame
from obs.doctor.places import amplifier_place, detector_place
from obs.geom import Box
from obs.inspection.amplifier_facts import AmplifierFacts

__all__ = ["SIZE_CARDS", "check_geometry", "collect_amplifier_facts", "section"]

#: Source of the checks of the size of an image.
SIZE_CARDS = "NAXIS1 NAXIS2"


def section(box: Box) -> str:
    """Return a box as FITS has it, 1-based and both ends included.

    Parameters
    ----------
    box : Box
        Box in 0-based pixels.
    """
    if box.is_empty:
        return "none"
    return f"[{box.x_min + 1}:{box.x_max},{box.y_min + 1}:{box.y_max}]"


def collect_amplifier_facts(exposure: RawExposure, amp: Amplifier) -> AmplifierFacts | None:
    """Return what the file itself tells of an amplifier; None if nothing that can be told from the others.

    Parameters
    ----------
    exposure : RawExposure
        Raw exposure, with the facts of its own header.
    amp : Amplifier
        Amplifier in the tables of the camera.
    """
    found = exposure.facts.amplifiers if exposure.facts is not None else ()
    same = [facts for facts in found if facts.raw_hdu == amp.raw_hdu]
    if len(found) == 1 or len(same) == 1:
        return (same or list(found))[0]
    overlaps = [(_overlap(facts.data, amp.raw_data_bbox), number) for number, facts in enumerate(same)]
    most, number = max(overlaps, default=(0.0, 0))
    return same[number] if most > 0.5 else None


def _overlap(first: Box, second: Box) -> float:
    """Return how much of the smaller box lies in the other."""
    common = first.intersection(second)
    smaller = min(first.width * first.height, second.width * second.height)
    return common.width * common.height / smaller if smaller else 0.0


def check_geometry(exposure: RawFrame) -> Iterator[Check]:
    """Yield a check for each image that the detector needs, and for each box of its amplifiers."""
    detector, raw = exposure.detector, exposure.raw
    shapes = {hdu: image.shape for hdu, image in raw.images.items()}
    fits = True
    for hdu, (height, width) in shapes.items():
        where = f"HDU {hdu or exposure.hdu}"
        size, (rows, columns) = f"{width} x {height} pixels", detector.raw_shape
        if (height, width) == detector.raw_shape:
            yield Check("geometry", where, size, SIZE_CARDS)
            continue
        fits = False
        note = f"{exposure.path.name} has {size} there, the camera {columns} x {rows} for detector '{detector.name}'"
        how = f"raw_width {width}, raw_height {height}, if the file is of this read-out mode"
        remedy = f"{detector_place(exposure.instrument, detector, 'raw_width, raw_height')}: {how}"
        yield Check("geometry", where, size, SIZE_CARDS, "wrong", note, remedy)
    for amp in detector.amplifiers:
        height, width = shapes.get(amp.raw_hdu) or next(iter(shapes.values()))
        yield from _check_boxes(exposure, detector, amp, Box(0, 0, width, height))
        if fits:
            yield from _check_sections(exposure, detector, amp)
    yield from _check_overlaps(exposure)


def _check_boxes(exposure: RawFrame, detector: Detector, amp: Amplifier, frame: Box) -> Iterator[Check]:
    """Yield a check for each box that leaves the image, or one that says that none does."""
    outside = [(name, box) for name, box in amp.raw_boxes.items() if not frame.contains(box)]
    for name, box in outside:
        where = f"HDU {amp.raw_hdu or exposure.hdu} of {exposure.path.name}"
        note = f"it leaves the image of {frame.width} x {frame.height} pixels in {where}"
        remedy = amplifier_place(exposure.instrument, detector, amp, f"{name}_*")
        yield Check("geometry", f"{name} of {amp.name}", section(box), "amplifiers.csv", "wrong", note, remedy)
    if not outside:
        value = f"data {section(amp.raw_data_bbox)}, overscan {section(amp.raw_serial_overscan_bbox)}"
        yield Check("geometry", f"boxes of {amp.name}", value, "amplifiers.csv")


def _check_overlaps(frame: RawFrame) -> Iterator[Check]:
    """Yield a check for each two boxes of different amplifiers that share pixels of the file."""
    boxes = [
        (amp, name, amp.raw_boxes[name])
        for amp in frame.detector.amplifiers
        for name in ("raw_data_bbox", "raw_serial_overscan_bbox")
    ]
    for (first, name, box), (second, other_name, other) in combinations(boxes, 2):
        if first is second or first.raw_hdu != second.raw_hdu or box.intersection(other).is_empty:
            continue
        note = f"it overlaps {other_name} {section(other)} of amplifier '{second.name}'"
        remedy = amplifier_place(frame.instrument, frame.detector, first, f"{name}_*")
        how = f"{remedy}, or {other_name}_* of '{second.name}': one of them is not where it should be"
        yield Check("geometry", f"{name} of {first.name}", section(box), "amplifiers.csv", "wrong", note, how)


def _check_sections(exposure: RawFrame, detector: Detector, amp: Amplifier) -> Iterator[Check]:
    """Yield a check for each box that the file has elsewhere."""
    facts = collect_amplifier_facts(exposure, amp)
    found = exposure.facts.amplifiers if exposure.facts is not None else ()
    if facts is None or len(found) != len(detector.amplifiers):
        return  # the file does not tell the amplifiers apart
    pairs = (
        ("data", "raw_data_bbox", facts.data, amp.raw_data_bbox),
        ("overscan", "raw_serial_overscan_bbox", facts.overscan, amp.raw_serial_overscan_bbox),
    )
    for quantity, column, own, box in pairs:
        finding = facts.findings.get(quantity)
        if finding is None or finding.confidence in ("guess", "not known") or own.is_empty or own == box:
            continue
        if quantity == "overscan" and own.contains(box) and not box.is_empty:
            continue  # a part of it, without the columns that light trails into
        sure = finding.confidence == "certain" and own.shape == box.shape
        note = f"{finding.source} has {section(own)}" + (f" ({finding.note})" if finding.note else "")
        how = f"x_min {own.x_min}, y_min {own.y_min}, width {own.width}, height {own.height}, if that is right"
        remedy = f"{amplifier_place(exposure.instrument, detector, amp, f'{column}_*')}: {how}"
        verdict: Verdict = "wrong" if sure else "doubtful"
        yield Check("geometry", f"{column} of {amp.name}", section(box), "amplifiers.csv", verdict, note, remedy)
