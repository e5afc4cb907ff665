"""What several files of one camera tell together: the brightest shows the layout, each may know what others do not."""

from collections.abc import Callable, Sequence

import numpy as np

from obs.inspection.cards import Cards
from obs.inspection.files.grouping import CHIP_CARDS
from obs.inspection.finding import Finding
from obs.inspection.raw_file import RawFile, RawImage

__all__ = ["brightest_file", "files_of_detectors", "knowing_file"]

_MOST = 20
"""Files whose pixels are looked at."""
_FULL = 60000.0
"""Level from which a frame of 16 bits may be saturated, ADU."""


def brightest_file(files: Sequence[RawFile]) -> RawFile:
    """Return the file with most light that is not saturated: only light tells overscan from data.

    Parameters
    ----------
    files : sequence of RawFile
        The files; those with other images than the first are left out.
    """
    alike = [file for file in files[:_MOST] if file.shapes == files[0].shapes]
    if len(alike) < 2:
        return files[0]
    return max(alike, key=_light)


def _light(file: RawFile) -> float:
    """Return the level of an image in the middle of a file, ADU; that of a saturated one counts as nothing."""
    image = file.images[len(file.images) // 2]
    pixels = image.pixels
    image.release()
    if pixels is None:
        return -1.0
    level = float(np.median(pixels[::4, ::4]))
    return 0.0 if level > _FULL else level


def files_of_detectors(files: Sequence[RawFile]) -> list[tuple[RawImage, ...]]:
    """Return the images of each detector, where each has files of its own; empty where a card does not tell so."""
    for name in (*CHIP_CARDS, "EXTNAME"):
        chips: dict[str, list[RawFile]] = {}
        for file in files:
            value = file.cards.get(name)
            if value is not None:
                chips.setdefault(str(value), []).append(file)
        if len(chips) > 1:
            return [brightest_file(of_chip).images for of_chip in chips.values()]
    return []


def knowing_file(files: Sequence[RawFile], find: Callable[[Cards], Finding]) -> RawFile:
    """Return the first file that tells a quantity; the first of all where none does."""
    return next((file for file in files if find(file.cards).is_known), files[0])
