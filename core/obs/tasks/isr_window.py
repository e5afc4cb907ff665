"""A frame of a part of the detector becomes one of the whole, so that its calibration frames fit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.raw import Raw
from obs.instrument.readout_cards import Window, read_window
from obs.tasks.isr_work import Work

__all__ = ["find_window", "place_window"]


def find_window(raw: Raw, detector: Detector) -> tuple[Window, Box] | None:
    """Return what a frame of a part of the detector shows, and where that is in the raw image of the whole.

    Parameters
    ----------
    raw : Raw
        Frame as read.
    detector : Detector
        Its detector.

    Returns
    -------
    tuple or None
        The window, and the box of its data; None for a frame of the whole detector, and for one whose header does not
        place it there.
    """
    if set(raw.images) != {0} or raw.images[0].shape == detector.raw_shape:
        return None
    height, width = raw.images[0].shape
    window = read_window(raw.metadata, (height, width))
    if window is None:
        return None
    box = window.place
    if detector.color_plane is not None:  # its pixels are cells of two by two, and another cell begins at odd ones
        if not window.counts_overscan or box.x_min % 2 or box.y_min % 2:
            return None
        box = Box(box.x_min // 2, box.y_min // 2, width, height)
    if not window.counts_overscan:
        # amplifiers beside each other have overscan between their data in some cameras, where a window has none
        shifts = {
            (amp.raw_data_bbox.x_min - amp.bbox.x_min, amp.raw_data_bbox.y_min - amp.bbox.y_min)
            for amp in detector.amplifiers
            if not amp.bbox.intersection(box).is_empty
        }
        if len(shifts) != 1 or any(amp.flip_x or amp.flip_y for amp in detector.amplifiers):
            return None
        x, y = shifts.pop()
        box = Box(box.x_min + x, box.y_min + y, box.width, box.height)
    return (window, box) if Box(0, 0, detector.raw_shape[1], detector.raw_shape[0]).contains(box) else None


def place_window(work: Work) -> None:
    """Put a frame of a part of the detector in its place, where its header says it; pixels outside have its median.

    Overscan outside the window repeats that in it.

    Parameters
    ----------
    work : Work
        Frame as read. A window becomes a raw image of the whole detector, and its box is kept as ``window``.

    Raises
    ------
    FileFormatError
        If an amplifier has overscan, and none of it is in the window.
    """
    detector = work.detector
    found = find_window(work.raw, detector)
    if found is None:
        return
    window, box = found
    pixels = work.raw.images[0]
    whole = np.full(detector.raw_shape, np.median(pixels), pixels.dtype)
    whole[box.slices] = pixels[window.data.slices]
    beside = pixels[window.overscan.slices]
    for amp in detector.amplifiers if work.config.do_overscan else ():
        overscan = amp.raw_serial_overscan_bbox
        if overscan.is_empty or amp.raw_data_bbox.intersection(box).is_empty:
            continue
        if window.counts_overscan:
            _repeat(whole, overscan, overscan.intersection(box), amp)
            continue
        seen = Box(overscan.x_min, box.y_min, min(overscan.width, beside.shape[1]), box.height).intersection(overscan)
        if beside.shape[0] != seen.height:
            seen = Box(0, 0, 0, 0)
        else:
            whole[seen.slices] = beside[:, : seen.width]
        _repeat(whole, overscan, seen, amp)
    work.raw, work.window = Raw(whole, work.raw.metadata, highest=work.raw.highest), box


def _repeat(whole: NDArray[Any], overscan: Box, seen: Box, amp: Amplifier) -> None:
    """Fill the overscan of an amplifier with the part of it that a window shows, rows and columns again and again."""
    if seen.is_empty:
        raise FileFormatError(
            f"the frame is a window of the detector without the overscan of amplifier '{amp.name}', so that its bias "
            "level is not known: read out the overscan with the window, or take biases, darks and flats of the same "
            "window, and make a package from these files (obs new NAME --from FILES)"
        )
    rows = seen.y_min + (np.arange(overscan.y_min, overscan.y_max) - seen.y_min) % seen.height
    columns = seen.x_min + (np.arange(overscan.x_min, overscan.x_max) - seen.x_min) % seen.width
    whole[overscan.slices] = whole[np.ix_(rows, columns)]
