"""Sections of the header against the pixels: overscan has to be lower and flatter than the data beside it."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.geom import Box
from obs.inspection.amplifier_place import EMPTY, Place
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.inspection.pixels.overscan import column_profile

__all__ = ["Verdict", "check_place", "find_rows_above", "trim_dark_rows", "turned"]

_SMALLEST = 4
_FEW = 4
"""Columns by which a section may be off by a slip."""
_LEFT_BEHIND = 0.05
"""Part of the light that charge left behind may put into rows without any."""
_TAIL = 2
"""Columns behind the data that may hold charge left behind."""


@frozen
class Verdict:
    """What the pixels say to an amplifier's sections.

    Parameters
    ----------
    place : Place
        The amplifier, corrected as far as the pixels allow.
    has_light : bool
        Whether there is light enough to tell.
    is_wrong : bool
        Whether the sections are wrong beyond a few columns: the pixels have to be asked for others.
    complaints : tuple of str
        What disagrees.
    """

    place: Place
    has_light: bool
    is_wrong: bool = False
    complaints: tuple[str, ...] = ()


def turned(box: Box) -> Box:
    """Return a box with columns and rows exchanged.

    Parameters
    ----------
    box : Box
        Box in 0-based pixels.
    """
    return Box(box.y_min, box.x_min, box.height, box.width)


def check_place(place: Place, pixels: NDArray[np.float32], others: Sequence[Place] = ()) -> Verdict:
    """Compare an amplifier's data and overscan with the pixels.

    Parameters
    ----------
    place : Place
        The amplifier; its overscan is known.
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.
    others : sequence of Place
        The other amplifiers of the image.
    """
    data, overscan = place.data, place.overscan
    taken = [box for other in others for box in (other.data, other.overscan, other.prescan, other.whole)]
    if overscan.y_min < data.y_max and data.y_min < overscan.y_max:
        return _check(place, pixels, [*taken, place.prescan])
    sideways = replace(place, data=turned(data), overscan=turned(overscan), frame=turned(place.frame))
    verdict = _check(sideways, pixels.T, [turned(box) for box in (*taken, place.prescan)])
    back = replace(
        verdict.place, data=turned(verdict.place.data), overscan=turned(verdict.place.overscan), frame=place.frame
    )
    upright = _with_boxes(back)
    upright = replace(
        upright,
        data_from=replace(upright.data_from, note=_of_rows(upright.data_from.note)),
        overscan_from=replace(upright.overscan_from, note=_of_rows(upright.overscan_from.note)),
    )
    return replace(verdict, place=upright, complaints=tuple(map(_of_rows, verdict.complaints)))


def _of_rows(text: str) -> str:
    """Return what was said of columns of the turned image, of rows."""
    return re.sub(r"\bcolumns\b", "rows", text)


def _with_boxes(place: Place) -> Place:
    """Return an amplifier whose findings hold the boxes that it has."""
    return replace(
        place,
        data_from=replace(place.data_from, value=place.data),
        overscan_from=replace(place.overscan_from, value=None if place.overscan.is_empty else place.overscan),
    )


@frozen
class _Columns:
    """Levels of the columns in an amplifier's rows: of all, of data and of overscan; and what makes them dark, ADU."""

    level: NDArray[np.float64]
    data: NDArray[np.float64]
    overscan: NDArray[np.float64]
    base: float
    read: float
    error: float

    @property
    def light(self) -> float:
        """How much higher the data are than what is dark."""
        return float(np.median(self.data)) - self.base

    @property
    def format_levels(self) -> str:
        """Both levels, for a message."""
        return f"{np.median(self.overscan):.0f} ADU, the data {np.median(self.data):.0f}"


def _measure(place: Place, pixels: NDArray[np.float32]) -> _Columns | None:
    """Measure an amplifier's columns; None where data and overscan share no rows."""
    data, overscan = place.data, place.overscan
    first, last = max(data.y_min, overscan.y_min), min(data.y_max, overscan.y_max)
    if last - first < _SMALLEST or overscan.width < 1:
        return None
    level, noise = column_profile(pixels[first:last])
    of_data, of_overscan = level[data.x_min : data.x_max], level[overscan.x_min : overscan.x_max]
    is_lower = np.median(of_overscan) < np.median(of_data)
    base = _lowest(of_overscan if is_lower else np.concatenate([of_data, of_overscan]))
    read = float(np.median(noise[overscan.x_min : overscan.x_max]))
    return _Columns(level, of_data, of_overscan, base, read, 1.25 * read / np.sqrt(last - first) + 0.5)


def _check(place: Place, pixels: NDArray[np.float32], taken: Sequence[Box]) -> Verdict:
    seen = _measure(place, pixels)
    if seen is None:
        return Verdict(place, has_light=False)
    too_little = max(3.0 * seen.read, 10.0)
    if float(np.median(seen.overscan) - np.median(seen.data)) > too_little:
        return Verdict(place, True, True, (f"the overscan is brighter than the data ({seen.format_levels})",))
    if seen.light < too_little:
        return Verdict(place, has_light=False)
    lit = seen.overscan > seen.base + max(0.3 * seen.light, 6.0 * seen.error)
    if np.mean(lit) > 0.5:
        return Verdict(place, True, True, (f"the overscan has light in it ({seen.format_levels})",))
    complaints = []
    if np.any(lit[_TAIL:-_TAIL]) or np.any(_outer(lit, place)):
        place, text = _without_light(place, lit)
        complaints.append(text)
    left, right = _dark_edges(seen, place)
    dim = ""
    is_stated = place.data_from.confidence in ("certain", "likely")
    if max(left, right) > (_FEW if is_stated else place.data.width // 4):  # rather the optics' doing than a slip
        dim = _dark_text(place, left, right)
    elif left or right:
        complaints.append(_dark_text(place, left, right))
        place = _narrowed(place, left, right)
    if complaints:
        doubt = replace(place.overscan_from, confidence=lower_confidence(place.overscan_from.confidence, "guess"))
        return Verdict(
            _with_boxes(replace(place, overscan_from=doubt)), True, place.overscan.is_empty, tuple(complaints)
        )
    rows = _dark_rows(seen, place, pixels)
    unused = dim or _lit_beside(seen, place, taken) or rows
    place = _agreed(place, unused)
    if rows:  # a slit may end there, or the section hold rows that are none of the detector
        place = replace(place, data_from=replace(place.data_from, confidence="guess", note=rows))
    return Verdict(place, True, complaints=(unused,) if unused else ())


def _agreed(place: Place, unused: str) -> Place:
    """Return an amplifier whose overscan the pixels agree with; less sure where its data are too few or too many."""
    stated = place.overscan_from
    sure: Confidence = "certain" if stated.confidence in ("certain", "likely") and not unused else "likely"
    sure = "guess" if "overlaps" in stated.note else sure
    note = "; ".join(part for part in (stated.note, "the pixels agree") if part)
    place = replace(place, overscan_from=replace(stated, note=note, confidence=sure))
    if not unused:
        if place.data_from.note.endswith("hold it against"):
            return replace(place, data_from=replace(place.data_from, confidence="certain", note="the pixels agree"))
        return place
    note = "; ".join(part for part in (place.data_from.note, unused) if part)
    sure = lower_confidence(place.data_from.confidence, sure)
    return replace(place, data_from=replace(place.data_from, confidence=sure, note=note))


def _dark_edges(seen: _Columns, place: Place) -> tuple[int, int]:
    """Return how many columns of the data, from either side, are overscan.

    Next to the overscan charge left behind may brighten the first of its columns. Elsewhere they have to be as dark as
    the overscan within the noise: what optics keep the light from is not.
    """
    away = np.abs(seen.data - seen.base)
    strict, loose = 4.0 * seen.error, max(4.0 * seen.error, 0.02 * seen.light)
    limits = (
        loose if place.overscan.x_max <= place.data.x_min else strict,
        loose if place.overscan.x_min >= place.data.x_max else strict,
    )
    left, right = (
        _dark_edge((away < limit)[::way], seen.data[::way], seen.base)
        for way, limit in zip((1, -1), limits, strict=True)
    )
    return left, right


def _narrowed(place: Place, left: int, right: int) -> Place:
    data = place.data
    kept = Box(data.x_min + left, data.y_min, data.width - left - right, data.height)
    doubt = Finding("data", kept, f"{place.data_from.source}, pixels", "guess", "columns without light left out")
    return replace(place, data=kept, data_from=doubt)


def _dark_rows(seen: _Columns, place: Place, pixels: NDArray[np.float32]) -> str:
    """Return which rows at either end of the data are as dark as overscan, and light sets in at once behind them."""
    data = place.data
    below, above = _row_ends(seen, place, pixels)
    ends = [f"{data.y_min + 1} to {data.y_min + below}"] if below else []
    ends += [f"{data.y_max - above + 1} to {data.y_max}"] if above else []
    return f"rows {' and '.join(ends)} of the data have no light in them" if ends else ""


def _row_ends(seen: _Columns, place: Place, pixels: NDArray[np.float32]) -> tuple[int, int]:
    """Return how many rows at either end of the data are as dark as overscan; none if all are."""
    level = np.median(pixels[place.data.slices], axis=1).astype(np.float64)
    strict = 4.0 * (1.25 * seen.read / np.sqrt(place.data.width) + 0.5)
    below, above = _dark_ends(level, seen.base, max(strict, _LEFT_BEHIND * seen.light))
    if below + above > len(level) // 10:  # a slit, beside which there is scattered light
        below, above = _dark_ends(level, seen.base, strict)
    return (below, above) if below + above < len(level) else (0, 0)


def trim_dark_rows(place: Place, pixels: NDArray[np.float32]) -> Place:
    """Return an amplifier whose sections the pixels show, without the rows that are as dark as its overscan.

    Parameters
    ----------
    place : Place
        The amplifier, with overscan beside its data.
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.
    """
    seen = _measure(place, pixels)
    below, above = (0, 0) if seen is None else _row_ends(seen, place, pixels)
    if not below and not above:
        return place
    rows = place.data.y_min + below, place.data.height - below - above

    def trimmed(box: Box) -> Box:
        return box if box.is_empty else Box(box.x_min, rows[0], box.width, rows[1])

    note = "rows without light left out"
    data, overscan = trimmed(place.data), trimmed(place.overscan)
    return replace(
        place,
        data=data,
        overscan=overscan,
        prescan=trimmed(place.prescan),
        data_from=replace(place.data_from, value=data, confidence="guess", note=note),
        overscan_from=replace(place.overscan_from, value=overscan),
    )


def _dark_ends(level: NDArray[np.float64], base: float, limit: float) -> tuple[int, int]:
    """Return how many rows at either end are as dark as overscan within a limit."""
    dark = np.abs(level - base) < limit
    below, above = (_dark_edge(dark[::way], level[::way], base) for way in (1, -1))
    return below, above


def _lit_beside(seen: _Columns, place: Place, taken: Sequence[Box]) -> str:
    """Return which columns beside the data have light in them though they are not amplifier's; empty if none have."""
    data, level, limit = place.data, seen.level, seen.base + max(0.5 * seen.light, 6.0 * seen.error)
    owned = np.zeros(len(level), bool)
    for box in (data, place.overscan, *taken):
        if box.y_min < data.y_max and data.y_min < box.y_max:
            owned[box.x_min : box.x_max] = True
    found = []
    for start, way in ((data.x_max, 1), (data.x_min - 1, -1)):
        x = start
        while 0 <= x < len(level) and not owned[x] and level[x] > limit:
            x += way
        if x != start:
            found.append(f"{min(start, x - way) + 1} to {max(start, x - way) + 1}")
    return f"columns {' and '.join(found)} beside the data have light in them, too" if found else ""


def _lowest(level: NDArray[np.float64]) -> float:
    """Return the lowest level that a few neighboring columns have; single ones may be dead."""
    size = min(len(level), 5)
    return float(np.min(np.median(np.lib.stride_tricks.sliding_window_view(level, size), axis=1)))


def _outer(lit: NDArray[np.bool_], place: Place) -> NDArray[np.bool_]:
    """Return the columns of the overscan that are farthest from the data, where no charge is left behind."""
    if place.overscan.x_min >= place.data.x_max:
        return lit[-_TAIL:]
    return lit[:_TAIL] if place.overscan.x_max <= place.data.x_min else lit[:0]


def _without_light(place: Place, lit: NDArray[np.bool_]) -> tuple[Place, str]:
    """Return an amplifier with the longest run of columns of its overscan that are dark, and what was found."""
    box = place.overscan
    where = np.flatnonzero(lit) + box.x_min + 1
    text = f"columns {where.min()} to {where.max()} of the overscan have light in them"
    edges = np.flatnonzero(np.diff(np.concatenate([[True], lit, [True]]).astype(int)))
    start, stop = max(zip(edges[::2], edges[1::2], strict=True), key=lambda run: run[1] - run[0])
    if stop - start < _SMALLEST:
        unknown = Finding.unknown("overscan", "the columns that the header names have light in them")
        return replace(place, overscan=EMPTY, overscan_from=unknown), text
    kept = Box(box.x_min + int(start), box.y_min, int(stop - start), box.height)
    found = Finding("overscan", kept, f"{place.overscan_from.source}, pixels", "guess", "columns with light left out")
    return replace(place, overscan=kept, overscan_from=found), text


def _dark_edge(dark: NDArray[np.bool_], level: NDArray[np.float64], base: float) -> int:
    """Return how many columns at the beginning are as dark as overscan, if light sets in at once behind them."""
    count = int(np.argmin(dark)) if not dark.all() else len(dark)
    if not count or count >= len(dark) - 8:
        return count if count == len(dark) else 0
    behind = level[count + 2 : count + 8]
    beyond = float(np.median(level[count:])) - base
    return count if float(np.min(behind)) - base > 0.5 * beyond else 0


def _dark_text(place: Place, left: int, right: int) -> str:
    data = place.data
    ends = [(data.x_min + 1, data.x_min + left)] if left else []
    ends += [(data.x_max - right + 1, data.x_max)] if right else []
    columns = " and ".join(f"{first} to {last}" if last > first else f"{first}" for first, last in ends)
    return f"columns {columns} of the data have no light in them"


def find_rows_above(pixels: NDArray[np.float32], place: Place) -> Box:
    """Return the rows behind the data that are as dark as the overscan; empty if there are none.

    Parameters
    ----------
    pixels : ndarray of float32, shape (ny, nx)
        Raw image.
    place : Place
        Boxes of the amplifier, 0-based pixels of the raw image.
    """
    data, rest = place.data, place.frame.y_max - place.data.y_max
    beside = place.overscan.y_min < data.y_max and data.y_min < place.overscan.y_max
    if place.overscan.is_empty or not beside or rest < 2:
        return EMPTY
    dark = pixels[place.overscan.slices]
    level = float(np.median(dark))
    noise = float(1.4826 * np.median(np.abs(dark - level))) or 1.0
    rows = Box(data.x_min, data.y_max, data.width, rest)
    is_dark_too = abs(float(np.median(pixels[rows.slices])) - level) < 3.0 * noise
    return rows if is_dark_too and float(np.median(pixels[data.slices])) - level > 5.0 * noise else EMPTY
