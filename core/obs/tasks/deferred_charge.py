"""Steps of instrument-signature removal for charge that the read-out leaves behind, which the overscan shows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.deferred_charge import Deferred, measure_deferred_charge, restore_deferred_charge
from obs.camera.amplifier import Amplifier
from obs.geom import Box
from obs.tasks.isr_work import Work

__all__ = ["find_deferred_charge", "restore_charge"]

WORTH_TELLING = 0.003
"""Part of the light left behind from which there is a warning."""

CERTAIN = 5.0
"""The warning comes if it is so many times its error."""

MOST = 0.1
"""Read-outs that leave more behind are not in use: such columns see light."""

WIDEST_GAP = 32
"""Pixels that a camera may leave out between data and overscan."""

_LIGHTLESS = ("SAT", "BAD", "NO_DATA")


class _Lines(NamedTuple):
    """Data of an amplifier and the overscan behind them, as views: lines in the order in which they are read."""

    data: NDArray[np.float32]
    bad: NDArray[np.bool_]
    overscan: NDArray[np.float32]


def find_deferred_charge(work: Work) -> None:
    """Measure which part of the light the last pixels leave in the overscan; warn of much, unless it is restored.

    Parameters
    ----------
    work : Work
        Frame with the overscan, after its level was subtracted; a window is skipped. Receives the cards
        ISR_DEFERRED_*, which are fractions of the light of the last pixels.
    """
    told: list[tuple[str, Deferred, str, int]] = []
    for amp in work.detector.amplifiers:
        if amp.name not in work.overscan or work.window is not None:
            continue
        for name, box in (("serial", amp.raw_serial_overscan_bbox), ("parallel", amp.raw_parallel_overscan_bbox)):
            lines = _lines(work, amp, box)
            if lines is None:
                continue
            light = np.where(lines.bad[:, -1], np.float32(np.nan), lines.data[:, -1])
            is_integer = np.issubdtype(work.raw.images[amp.raw_hdu].dtype, np.integer)
            found = measure_deferred_charge(light, lines.overscan, step=float(is_integer))
            if not np.isfinite(found.part):
                continue
            work.metadata[f"ISR_DEFERRED_{name.upper()}_{amp.name}"] = found.part
            if abs(found.part) > max(WORTH_TELLING, CERTAIN * found.error):
                work.deferred[amp.name, name] = found
                told.append((amp.name, found, name, lines.data.shape[1]))
    if told and not (work.config.do_deferred_charge and all(0 < found.part <= MOST for _, found, _, _ in told)):
        work.warn(_warning(told))


def _warning(told: list[tuple[str, Deferred, str, int]]) -> str:
    name, found, direction, transfers = max(told, key=lambda entry: abs(entry[1].part))
    others = f" and {len(told) - 1} more" if len(told) > 1 else ""
    where = f"amplifier '{name}'{others}: the {direction} overscan begins with {100 * found.part:.2g} % of the light"
    if found.part < 0:
        return (
            f"{where} before it, so the electronics swing below the level after light: leave these columns out by "
            f"isr.overscan.leading_columns_to_skip={len(found.trail)}"
        )
    if found.part > MOST:
        return (
            f"{where} before it: light reaches these columns, or they are not overscan. Correct its box in "
            f"amplifiers.csv, or leave them out by isr.overscan.leading_columns_to_skip={len(found.trail)}"
        )
    return (
        f"{where} before it, as where {found.part / transfers:.1g} of the charge stays behind in each transfer: stars "
        "far from the read-out lose up to as much, and trail. Restore it by isr.do_deferred_charge=true, and leave "
        f"these columns out of the level by isr.overscan.leading_columns_to_skip={len(found.trail)}"
    )


def restore_charge(work: Work) -> None:
    """Put the charge that was left behind back where it came from.

    Parameters
    ----------
    work : Work
        Frame after `find_deferred_charge`; its pixels are changed in place.
    """
    boxes = {"serial": "raw_serial_overscan_bbox", "parallel": "raw_parallel_overscan_bbox"}
    for amp in work.detector.amplifiers:
        for name, box in boxes.items():
            found = work.deferred.get((amp.name, name))
            lines = _lines(work, amp, getattr(amp, box)) if found is not None and 0 < found.part <= MOST else None
            if found is not None and lines is not None:
                restore_deferred_charge(lines.data, found.trail)


def _lines(work: Work, amp: Amplifier, overscan: Box) -> _Lines | None:
    """Return what is read in one direction; None if no overscan follows the data in it."""
    data, first = amp.raw_data_bbox, False
    along_rows = not (overscan.x_min < data.x_max and overscan.x_max > data.x_min)
    if overscan.is_empty or (not along_rows and overscan.y_min < data.y_max and overscan.y_max > data.y_min):
        return None
    # from the border of the data on: the columns that the camera leaves out of its overscan show most
    if along_rows:
        first = overscan.x_min < data.x_min
        near, far = (overscan.x_min, data.x_min) if first else (data.x_max, overscan.x_max)
        behind = Box(near, data.y_min, far - near, data.height)
        gap, covered = behind.width - overscan.width, overscan.y_min <= data.y_min and overscan.y_max >= data.y_max
    else:
        first = overscan.y_min < data.y_min
        near, far = (overscan.y_min, data.y_min) if first else (data.y_max, overscan.y_max)
        behind = Box(data.x_min, near, data.width, far - near)
        gap, covered = behind.height - overscan.height, overscan.x_min <= data.x_min and overscan.x_max >= data.x_max
    if gap > WIDEST_GAP or not covered or _is_shared(work, amp, behind):
        return None
    read = work.data(amp)

    def turned(array: NDArray[Any]) -> NDArray[Any]:
        lines = array if along_rows else array.T
        return lines[:, ::-1] if first else lines

    image, bad = turned(read.image), turned(read.mask.any_known(_LIGHTLESS))
    return _Lines(image, bad, turned(work.image_of(amp).image[behind.slices]))


def _is_shared(work: Work, amp: Amplifier, box: Box) -> bool:
    """Whether pixels of a box are those of another amplifier."""
    others = [other for other in work.detector.amplifiers if other is not amp and other.raw_hdu == amp.raw_hdu]
    parts = (part for other in others for part in (other.raw_data_bbox, other.raw_serial_overscan_bbox))
    return any(not part.is_empty and not part.intersection(box).is_empty for part in parts)
