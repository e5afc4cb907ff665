"""Where the detectors of a mosaic lie, by section cards or by the WCS of each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from obs.geom import Box
from obs.inspection.amplifier_facts import AmplifierFacts
from obs.inspection.amplifier_place import around
from obs.inspection.cards import Cards
from obs.inspection.header.sky_scale import find_matrix
from obs.inspection.raw_file import RawImage
from obs.inspection.sections import Section, find_section

__all__ = ["place_by_sections", "places_by_wcs"]

_TURNED = 0.05
"""Part by which a detector may be turned or scaled against the first, beyond quarters of a turn."""
_QUARTER = np.array([[0, -1], [1, 0]])
_HALF = 0.500001  # rounds halves up, be they computed a little too low
_SAME = 1e-6
"""Degrees by which the references of the WCS may differ."""


def place_by_sections(images: tuple[RawImage, ...]) -> Section | None:
    """Return where a detector lies in the mosaic: with all its amplifiers, as far as cards tell.

    Parameters
    ----------
    images : tuple of RawImage
        Raw images of the detector's amplifiers.

    Returns
    -------
    Section or None
        Box in 0-based pixels of the mosaic; None unless all images have such a card.
    """
    sections = [find_section(image.own, "detector") for image in images]
    known = [section for section in sections if section is not None]
    if len(known) < len(images):
        return None
    if len(known) == 1:
        return known[0]
    box = known[0].box
    for section in known[1:]:
        box = around(box, section.box)
    return Section(box, flip_x=False, flip_y=False, keyword=known[0].keyword)


def places_by_wcs(
    chips: Sequence[tuple[Cards, Sequence[AmplifierFacts]]], binning: tuple[int, int]
) -> list[Section] | None:
    """Return where detectors lie, in unbinned pixels along the axes of the first; None where that is not known.

    Each needs a WCS of its own with the reference of the others, and has to be turned by whole quarters of a turn.

    Parameters
    ----------
    chips : sequence of tuple
        Cards of the image of each detector, and its amplifiers.
    binning : tuple of int
        ``(x, y)``.
    """
    found = [_center(cards, amplifiers) for cards, amplifiers in chips]
    known = [one for one in found if one is not None]
    if len(known) < len(found) or any(np.abs(one[0] - known[0][0]).max() > _SAME for one in known):
        return None
    inverse = np.linalg.inv(known[0][1])
    places = []
    for (_, matrix, middle), (_, amplifiers) in zip(known, chips, strict=True):
        turn = inverse @ matrix
        quarters = round(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]) / (np.pi / 2)) % 4
        if np.abs(turn - np.linalg.matrix_power(_QUARTER, quarters)).max() > _TURNED:
            return None
        x, y = inverse @ middle
        width = max(amp.bbox.x_max for amp in amplifiers) * binning[0]
        height = max(amp.bbox.y_max for amp in amplifiers) * binning[1]
        if quarters % 2:
            width, height = height, width
        corner = np.floor([x * binning[0] - width / 2 + _HALF, y * binning[1] - height / 2 + _HALF])
        box = Box(int(corner[0]), int(corner[1]), width, height)
        places.append(Section(box, flip_x=False, flip_y=False, keyword="WCS", quarters=quarters))
    boxes = [place.box for place in places]
    apart = all(one.intersection(other).is_empty for n, one in enumerate(boxes) for other in boxes[:n])
    return places if apart else None


def _center(
    cards: Cards, amplifiers: Sequence[AmplifierFacts]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the reference of a WCS, its matrix, and where it puts the middle of the data from there, degrees."""
    matrix = find_matrix(cards)
    values = [cards.get(name) for name in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")]
    if matrix is None or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return None
    cd = np.reshape(matrix[0], (2, 2))
    if abs(np.linalg.det(cd)) < 1e-14 or not np.isfinite(np.array(values, float)).all():
        return None
    boxes = [amp.data for amp in amplifiers]
    middle = [
        (min(b.x_min for b in boxes) + max(b.x_max for b in boxes) + 1) / 2 - values[2],
        (min(b.y_min for b in boxes) + max(b.y_max for b in boxes) + 1) / 2 - values[3],
    ]
    return np.array(values[:2], float), cd, cd @ np.array(middle)
