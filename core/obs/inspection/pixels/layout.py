"""The amplifiers of an image that the pixels show, where the header is silent or wrong."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.geom import Box
from obs.inspection.amplifier_place import EMPTY, Place
from obs.inspection.finding import Confidence, Finding
from obs.inspection.pixels.overscan import DarkColumns, RepeatedColumns, find_dark_columns, find_repeated_columns
from obs.inspection.pixels.section_check import trim_dark_rows, turned

__all__ = ["find_adjacent_sections", "places_in_pixels"]

_SMALLEST = 4


def places_in_pixels(place: Place, pixels: NDArray[np.float32], warnings: list[str], where: str) -> list[Place]:
    """Return the amplifiers that the pixels of an image show; empty where they do not show.

    Parameters
    ----------
    place : Place
        What the header has of the image.
    pixels : ndarray of float32, shape (ny, nx)
        The image, ADU.
    warnings : list of str
        Takes where the header says otherwise.
    where : str
        Which HDU it is.
    """
    repeated = find_repeated_columns(pixels)
    if repeated is not None and not place.overscan_from.is_known:
        return _in_rows(_side_by_side(place, repeated), pixels)
    seen = find_dark_columns(pixels)
    if seen is not None and seen.contrast >= 3.0:
        if not place.overscan_from.is_known and seen.data == ((place.data.x_min, place.data.x_max),):
            return [_agreed(place, part) for part in _amplifiers(place, seen)]
        _warn_of_contradiction(place, seen, "columns", warnings, where)
        return _in_rows(_amplifiers(place, seen), pixels)
    sideways = find_dark_columns(np.ascontiguousarray(pixels.T))
    if sideways is None or sideways.contrast < 3.0 or len(sideways.blocks) > 1:
        return []
    _warn_of_contradiction(place, sideways, "rows", warnings, where)
    flat = replace(place, data=turned(place.data), frame=turned(place.frame))
    found = next(_amplifiers(flat, sideways))
    data, overscan = turned(found.data), turned(found.overscan)
    return [
        replace(
            found,
            frame=place.frame,
            data=data,
            overscan=overscan,
            data_from=replace(found.data_from, value=data, note=found.data_from.note.replace("columns", "rows")),
            overscan_from=replace(
                found.overscan_from, value=overscan, note=found.overscan_from.note.replace("columns", "rows")
            ),
        )
    ]


def _agreed(place: Place, found: Place) -> Place:
    """Return an amplifier whose data section the pixels agree with, and whose overscan they add."""
    if found.data != place.data:
        return found
    overscan_from = replace(found.overscan_from, confidence="likely", note="columns without light beside the data")
    if found.overscan_from.note.endswith("or two"):
        overscan_from = found.overscan_from
    return replace(
        found,
        data_from=replace(place.data_from, confidence="certain", note="the pixels agree"),
        overscan_from=overscan_from,
    )


def _warn_of_contradiction(place: Place, seen: DarkColumns, what: str, warnings: list[str], where: str) -> None:
    """Warn where the header says something else than the pixels."""
    if place.data_from.source == "image size" and not place.overscan_from.is_known:
        return
    dark = ", ".join(f"{first + 1}:{last}" for first, last in seen.blocks)
    overscan = f" and overscan in {place.overscan.to_section()}" if place.overscan_from.is_known else ""
    warnings.append(
        f"{where}the header has data in {place.data.to_section()}{overscan}, but the pixels have no light in {what} "
        f"{dark}: the pixels count"
    )


def _amplifiers(place: Place, seen: DarkColumns) -> Iterator[Place]:
    """Yield the amplifiers side by side."""
    y_min, height = place.data.y_min, place.data.height
    silent = place.data_from.source == "image size"
    note = "columns without light" if silent else "the header says otherwise"
    sure: Confidence = "likely" if seen.contrast > 10 and silent else "guess"
    if len(seen.data) == 2:
        in_the_middle = sorted(
            seen.blocks, key=lambda block: abs(block[0] + block[1] - sum(seen.data[0] + seen.data[1]) // 2)
        )
        yield from _halves(place, seen.data, sorted(in_the_middle[:2]), ("guess", note))
        return
    ((first, last),) = seen.data
    if not place.overscan_from.is_known:  # else the header is wrong about both
        first, last = max(first, place.data.x_min), min(last, place.data.x_max)
    same_side = len(seen.blocks) == 2 and (seen.blocks[0][0] >= last or seen.blocks[1][1] <= first)
    if len(seen.blocks) == 2 and (last - first) % 2 == 0 and (same_side or seen.has_middle_step):
        half = (last - first) // 2
        halves = ((first, first + half), (first + half, last))
        yield from _halves(place, halves, list(seen.blocks), (sure if same_side else "guess", note))
        return
    # Of columns at either side, those read last are the overscan; the wider ones if they differ.
    start, stop = max(seen.blocks, key=lambda block: (block[1] - block[0], block[0]))
    data, overscan = Box(first, y_min, last - first, height), Box(start, y_min, stop - start, height)
    others = [block for block in seen.blocks if block != (start, stop)]
    prescan = Box(others[0][0], y_min, others[0][1] - others[0][0], height) if len(others) == 1 else EMPTY
    if others:
        sure, note = "guess", "columns without light at either side: one amplifier with prescan, or two"
    yield replace(
        place,
        data=data,
        overscan=overscan,
        prescan=prescan,
        above=EMPTY,
        data_from=Finding("data", data, "pixels", sure, note),
        overscan_from=Finding("overscan", overscan, "pixels", sure, note),
    )


def _side_by_side(place: Place, seen: RepeatedColumns) -> Iterator[Place]:
    """Yield amplifiers side by side, each with dark columns at the same side."""
    note = f"{seen.count} x {seen.dark} dark columns: {seen.count} amplifiers side by side"
    for index in range(seen.count):
        x, y, height = index * seen.width, place.frame.y_min, place.frame.height
        dark_at = x + seen.width - seen.dark if seen.at_end else x
        data = Box(x if seen.at_end else x + seen.dark, y, seen.width - seen.dark, height)
        dark = Box(dark_at, y, seen.dark, height)
        yield replace(
            place,
            name=str(index + 1),
            label=str(index + 1),
            data=data,
            overscan=dark,
            prescan=EMPTY,
            above=EMPTY,
            whole=Box(x, y, seen.width, height),
            data_from=Finding("data", data, "pixels", "guess", note),
            overscan_from=Finding("overscan", dark, "pixels", "guess", note),
        )


def _halves(
    place: Place,
    data: tuple[tuple[int, int], ...],
    overscans: list[tuple[int, int]],
    known: tuple[Confidence, str],
) -> Iterator[Place]:
    """Yield two amplifiers side by side, each with its overscan."""
    y_min, height = place.data.y_min, place.data.height
    for index, ((first, last), (start, stop)) in enumerate(zip(data, overscans, strict=True), 1):
        lit, dark = Box(first, y_min, last - first, height), Box(start, y_min, stop - start, height)
        yield replace(
            place,
            name=str(index),
            label=str(index),
            data=lit,
            overscan=dark,
            prescan=EMPTY,
            above=EMPTY,
            data_from=Finding("data", lit, "pixels", "guess", "two overscans: two amplifiers of equal width"),
            overscan_from=Finding("overscan", dark, "pixels", *known),
        )


def _in_rows(places: Iterator[Place], pixels: NDArray[np.float32]) -> list[Place]:
    """Return amplifiers that columns show, without dark rows, and as two where rows show that they are."""
    return [part for place in places for part in _stacked(trim_dark_rows(place, pixels), pixels)]


def _stacked(place: Place, pixels: NDArray[np.float32]) -> list[Place]:
    """Return an amplifier, or the two that its overscan tells apart by a step in its middle row."""
    box = place.overscan
    rows = np.median(pixels[box.slices], axis=1).astype(np.float64)
    half = len(rows) // 2
    if len(rows) % 2 or half < 16:
        return [place]
    below, above = rows[:half], rows[half:]
    step = abs(float(np.median(above) - np.median(below)))
    # A drift of the level is not a step: each half has to be flat, and the change sudden.
    inner = max(_scatter(below), _scatter(above), 0.5)
    sudden = abs(float(np.median(rows[half : half + 8]) - np.median(rows[half - 8 : half])))
    if step < 5.0 * inner or sudden < 0.7 * step:
        return [place]
    parts = []
    for index in range(2):
        parts_of = (place.data, box, place.prescan, place.whole)
        data, overscan, prescan, whole = (_half(part, index) for part in parts_of)
        note = "the overscan's level jumps in the middle row: an amplifier below it, and one above"
        name = f"{place.name}{'ab'[index]}"
        parts.append(
            replace(
                place,
                name=name,
                label=name,
                data=data,
                overscan=overscan,
                prescan=prescan,
                whole=whole,
                data_from=Finding("data", data, "pixels", "guess", note),
                overscan_from=Finding("overscan", overscan, "pixels", "guess", note),
            )
        )
    return parts


def _scatter(rows: NDArray[np.float64]) -> float:
    """Return the scatter of the level of groups of rows, in which single pixels count less."""
    size = max(1, min(8, len(rows) // 8))
    groups = rows[: len(rows) // size * size].reshape(-1, size)
    return float(np.std(np.median(groups, axis=1)))


def _half(box: Box, index: int) -> Box:
    half = box.height // 2
    return EMPTY if box.is_empty else Box(box.x_min, box.y_min + index * half, box.width, half)


def find_adjacent_sections(place: Place, others: list[Place], pixels: NDArray[np.float32]) -> Place:
    """Return one of several amplifiers with the overscan that the pixels show right beside its data, if they do.

    Parameters
    ----------
    place : Place
        The amplifier.
    others : list of Place
        The other amplifiers in the same image, whose data do not count as overscan.
    pixels : ndarray of float32, shape (ny, nx)
        Raw image.
    """
    data = place.data
    rows = pixels[data.y_min : data.y_max]
    level = np.median(rows, axis=0).astype(np.float64)
    taken = np.zeros(len(level), bool)
    for other in others:
        if other.data.y_min < data.y_max and data.y_min < other.data.y_max:
            taken[other.data.x_min : other.data.x_max] = True
    light = float(np.median(level[data.x_min : data.x_max]))
    for start, way in ((data.x_max, 1), (data.x_min - 1, -1)):
        stop = start
        while 0 <= stop < len(level) and not taken[stop]:
            stop += way
        first, last = min(start, stop + (way < 0)), max(start + (way < 0), stop)
        if last - first < _SMALLEST:
            continue
        box = Box(first, data.y_min, last - first, data.height)
        dark = pixels[box.slices]
        noise = float(1.4826 * np.median(np.abs(np.diff(dark, axis=0)))) / np.sqrt(2.0) or 1.0
        if light - float(np.median(dark)) > max(3.0 * noise, 10.0):
            found = Finding("overscan", box, "pixels", "guess", "columns without light beside the data")
            return replace(place, overscan=box, overscan_from=found)
    return place
