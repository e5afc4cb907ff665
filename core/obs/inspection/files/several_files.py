"""What several files of one camera tell together: the brightest shows the layout, each may know what others do not."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from obs.inspection.files.grouping import CHIP_CARDS, JOINED_CARDS
from obs.inspection.raw_file import RawFile, RawImage

__all__ = ["brightest_file", "files_of_detectors", "one_exposure"]

_OF_A_DETECTOR = re.compile(r"CHIP|CCD|DET|RAFT|SLOT|SENS|QUAD|AMP|BAY|CAM|EXT|ARM|UNIT|CHAN|SER|IMAGEID|NUM$|ID$")
_NOT_OF_ONE = re.compile(
    r"SEC|SUM$|SIZE|BIN|TEMP|GAIN|NOISE|SPEED|TIME|DATE|CHECK|DATA|FILE|SEQ|EXP|OBS|PRESS|VOLT|PRES"
)
_MOST_PARTS = 12
"""Cards of which two together may name the detectors."""
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


def files_of_detectors(files: Sequence[RawFile], exposures: Sequence[object]) -> tuple[list[tuple[RawImage, ...]], str]:
    """Return the images of each detector, where each has files of its own, and the card or cards that tell them apart.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    exposures : sequence
        What tells the exposure of each file; files of one are of different detectors.

    Returns
    -------
    chips : list of tuple of RawImage
        The images; empty where no card gives the detectors apart.
    card : str
        The card, or two joined by ``+``.
    """
    for names in (*JOINED_CARDS, *((name,) for name in (*CHIP_CARDS, "EXTNAME")), *_differing(files, exposures)):
        chips: dict[tuple[str, ...], list[RawFile]] = {}
        for file in files:
            values = [file.cards.get(name) for name in names]
            if all(value is not None for value in values):
                chips.setdefault(tuple(str(value) for value in values), []).append(file)
        if len(chips) > 1:
            return [brightest_file(of_chip).images for of_chip in chips.values()], "+".join(names)
    return [], ""


def one_exposure(files: Sequence[RawFile], exposures: Sequence[object]) -> list[list[RawFile]]:
    """Return groups of files that are of one exposure each.

    Parameters
    ----------
    files : sequence of RawFile
        Raw files.
    exposures : sequence of object
        Exposure of each of them; None if it is not known.
    """
    groups: dict[str, list[RawFile]] = {}
    for file, exposure in zip(files, exposures, strict=True):
        if exposure is not None:
            groups.setdefault(str(exposure), []).append(file)
    return [group for group in groups.values() if len(group) > 1]


def _differing(files: Sequence[RawFile], exposures: Sequence[object]) -> Iterator[tuple[str, ...]]:
    """Yield cards that differ among the files of each exposure, and from which there are no more than that."""
    groups = one_exposure(files, exposures)
    if not groups:
        return
    most = max(len(group) for group in groups)
    parts = []
    for name in files[0].cards:
        if not _OF_A_DETECTOR.search(name) or _NOT_OF_ONE.search(name):
            continue
        values = [file.cards.get(name) for file in files]
        if any(value is None or isinstance(value, float | bool) for value in values) or len(set(values)) > most:
            continue
        if all(len({str(file.cards.get(name)) for file in group}) == len(group) for group in groups):
            yield (name,)
        elif all(len({str(file.cards.get(name)) for file in group}) > 1 for group in groups):
            parts.append(name)
    for pair in combinations(parts[:_MOST_PARTS], 2):
        of_groups = [{tuple(str(file.cards.get(name)) for name in pair) for file in group} for group in groups]
        is_one_each = all(len(values) == len(group) for values, group in zip(of_groups, groups, strict=True))
        if is_one_each and len(set().union(*of_groups)) <= most:
            yield pair
