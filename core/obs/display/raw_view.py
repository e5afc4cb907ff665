"""Raw frames with the parts of their amplifiers."""

from collections.abc import Iterator

import numpy as np

from obs.camera.amplifier import Amplifier
from obs.camera.detector import Detector
from obs.display.view import Outline, View
from obs.geom import Box
from obs.image.raw import Raw

__all__ = ["view_of_raw"]

_GAP = 8  # pixels between the images of amplifiers
_PARTS = (
    ("raw_data_bbox", "lime", "data"),
    ("raw_serial_overscan_bbox", "orange", "serial overscan"),
    ("raw_parallel_overscan_bbox", "cyan", "parallel overscan"),
    ("raw_prescan_bbox", "magenta", "prescan"),
)


def view_of_raw(raw: Raw, detector: Detector | None, title: str = "") -> View:
    """Return a raw frame as the camera wrote it, with the boxes of its amplifiers.

    Images of amplifiers that have HDUs of their own are put beside each other, in the order of their places in the
    assembled detector.

    Parameters
    ----------
    raw : Raw
        The frame.
    detector : Detector or None
        Where its amplifiers are; None where not known.
    title : str, optional
        Words above the image.
    """
    corners = _corners(raw, detector)
    width = max(x + raw.images[hdu].shape[1] for hdu, (x, y) in corners.items())
    height = max(y + raw.images[hdu].shape[0] for hdu, (x, y) in corners.items())
    if len(corners) == 1:
        image = next(iter(raw.images.values())).astype(np.float32)
    else:
        image = np.full((height, width), np.nan, np.float32)
        for hdu, (x, y) in corners.items():
            tile = raw.images[hdu]
            image[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    outlines = () if detector is None else tuple(_outlines(detector.amplifiers, corners))
    unit = str(raw.metadata.get("BUNIT", "") or "adu")
    return View(image, title, unit, outlines=outlines)


def _corners(raw: Raw, detector: Detector | None) -> dict[int, tuple[int, int]]:
    """Return the place of the first pixel (x, y) of each HDU's image."""
    amps = {amp.raw_hdu: amp for amp in detector.amplifiers} if detector is not None else {}
    if len(raw.images) == 1:
        return dict.fromkeys(raw.images, (0, 0))
    columns = sorted({amps[hdu].bbox.x_min if hdu in amps else 0 for hdu in raw.images})
    rows = sorted({amps[hdu].bbox.y_min if hdu in amps else number for number, hdu in enumerate(raw.images)})
    height, width = (max(image.shape[axis] for image in raw.images.values()) + _GAP for axis in (0, 1))
    corners = {}
    for number, hdu in enumerate(raw.images):
        column = columns.index(amps[hdu].bbox.x_min if hdu in amps else 0)
        row = rows.index(amps[hdu].bbox.y_min if hdu in amps else number)
        corners[hdu] = column * width, row * height
    return corners


def _outlines(amplifiers: tuple[Amplifier, ...], corners: dict[int, tuple[int, int]]) -> Iterator[Outline]:
    for amp in amplifiers:
        # a file with one image has it under any number
        x, y = corners.get(amp.raw_hdu, next(iter(corners.values())))
        for name, color, label in _PARTS:
            box: Box = getattr(amp, name)
            if not box.is_empty:
                text = amp.name if name == "raw_data_bbox" else ""
                yield Outline(Box(box.x_min + x, box.y_min + y, box.width, box.height), color, label, text)
