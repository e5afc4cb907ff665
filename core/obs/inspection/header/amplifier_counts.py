"""The amplifiers of one image from cards that count pixels, rather than name sections.

ESO's cameras describe each output (``ESO DET OUT1 NX``, ``PRSCX``, ``OVSCX`` and so on), Keck's the columns before and
after the data of each amplifier (``PREPIX``, ``POSTPIX``).
"""

from dataclasses import replace
from itertools import combinations

from obs.geom import Box
from obs.inspection.amplifier_place import EMPTY, Place
from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.inspection.header.binning import find_binning
from obs.inspection.sections import parse_section

__all__ = ["places_of_outputs", "places_of_pre_and_post"]

_MOST = 16


def _whole(cards: Cards, name: str, default: int | None = None) -> int | None:
    value = cards.get(name, default)
    return int(value) if isinstance(value, int | float) and float(value).is_integer() and value >= 0 else default


def places_of_outputs(cards: Cards, frame: Box, warnings: list[str]) -> list[Place]:
    """Return the outputs that ESO's cards describe; empty if there are none, or they do not fill the image.

    Parameters
    ----------
    cards : Cards
        The header.
    frame : Box
        The image.
    warnings : list of str
        Takes what does not fit.
    """
    numbers = [n for n in range(1, _MOST + 1) if _whole(cards, f"ESO DET OUT{n} NX")]
    if not numbers:
        return []
    places = [_output(cards, number, frame, len(numbers)) for number in numbers]
    covered = sum(place.whole.width * place.whole.height for place in places)
    apart = all(a.whole.intersection(b.whole).is_empty for a, b in combinations(places, 2))
    fits = all(frame.contains(place.whole) for place in places) and covered == frame.width * frame.height
    if not (fits and apart):
        size = f"{frame.width} x {frame.height}"
        warnings.append(
            f"the {len(numbers)} outputs of ESO DET OUT1 .. do not fill the image of {size} pixels: not used"
        )
        return []
    return places


def _output(cards: Cards, number: int, frame: Box, count: int) -> Place:
    stem = f"ESO DET OUT{number}"
    nx, ny = _whole(cards, f"{stem} NX") or 0, _whole(cards, f"{stem} NY") or 0
    before, after = _whole(cards, f"{stem} PRSCX", 0) or 0, _whole(cards, f"{stem} OVSCX", 0) or 0
    below, above = _whole(cards, f"{stem} PRSCY", 0) or 0, _whole(cards, f"{stem} OVSCY", 0) or 0
    from_right = count > 1 and (_whole(cards, f"{stem} X", 1) or 1) > 1
    from_top = count > 1 and (_whole(cards, f"{stem} Y", 1) or 1) > 1
    width, height = before + nx + after, below + ny + above
    x = _stretches(0 if not from_right else frame.width - width, (before, nx, after), from_right)
    y = _stretches(0 if not from_top else frame.height - height, (below, ny, above), from_top)
    data = Box(x[1][0], y[1][0], nx, ny)
    parts = {
        "OVSCX": Box(x[2][0], y[1][0], after, ny),
        "OVSCY": Box(x[1][0], y[2][0], nx, above),
        "PRSCX": Box(x[0][0], y[1][0], before, ny),
        "PRSCY": Box(x[1][0], y[0][0], nx, below),
    }
    name = next((name for name, box in parts.items() if not box.is_empty), "")
    overscan = parts.get(name, EMPTY)
    far = before != after and count == 1 and (_whole(cards, f"{stem} X", 1) or 1) > 1
    doubt: tuple[Confidence, str] = (
        ("likely", "the output is at the right, and its prescan may be, too") if far else ("certain", "")
    )
    whole = Box(min(a for a, _ in x), min(a for a, _ in y), width, height)
    return Place(
        str(number),
        str(number),
        0,
        cards,
        frame,
        data,
        overscan,
        prescan=EMPTY if name == "PRSCX" else parts["PRSCX"],
        above=parts["OVSCY"] if name == "OVSCX" else EMPTY,
        whole=whole,
        data_from=Finding("data", data, f"{stem} NX, NY", *doubt),
        overscan_from=Finding("overscan", overscan, f"{stem} {name}", *doubt) if name else Finding.unknown("overscan"),
    )


def _stretches(start: int, lengths: tuple[int, int, int], is_reversed: bool) -> list[tuple[int, int]]:
    """Return first and last of prescan, data and overscan, as they follow each other in the image."""
    order = reversed(list(enumerate(lengths))) if is_reversed else enumerate(lengths)
    found: dict[int, tuple[int, int]] = {}
    for index, length in order:
        found[index] = (start, start + length)
        start += length
    return [found[index] for index in range(3)]


def places_of_pre_and_post(cards: Cards, frame: Box) -> list[Place]:
    """Return amplifiers side by side: first all prescans, then all data, then all overscans.

    Parameters
    ----------
    cards : Cards
        The header.
    frame : Box
        The image.
    """
    count = next((n for name in ("NVIDINP", "NUMAMPS", "NAMPS") if (n := _whole(cards, name))), None)
    before = next((n for name in ("PREPIX", "PRECOL") if (n := _whole(cards, name)) is not None), None)
    after = _whole(cards, "POSTPIX")
    if count is None or before is None or after is None or not 1 <= count <= _MOST:
        return []
    section = parse_section(cards.get("DATASEC"))
    if section is not None and section.box.width == frame.width - before - after:
        return []  # the image of one of them, as in an extension of its own
    x_bin = find_binning(cards).value[0]
    stated = parse_section(cards.get("AMPPSIZE"))
    for pre, post in dict.fromkeys([(before, after), (before // x_bin, after // x_bin)]):
        width, rest = divmod(frame.width - count * (pre + post), count)
        if rest or width < 1 or (stated is not None and stated.box.width not in (width, width * x_bin)):
            continue
        return [_pre_and_post(cards, frame, index, count, (pre, width, post)) for index in range(count)]
    return []


def _pre_and_post(cards: Cards, frame: Box, index: int, count: int, widths: tuple[int, int, int]) -> Place:
    pre, width, post = widths
    data = Box(count * pre + index * width, 0, width, frame.height)
    overscan = Box(count * (pre + width) + index * post, 0, post, frame.height)
    source, name = "NVIDINP, PREPIX, POSTPIX", str(index + 1)
    place = Place(name, name, 0, cards, frame, data, overscan, Box(index * pre, 0, pre, frame.height) if pre else EMPTY)
    found = Finding.unknown("overscan") if not post else Finding("overscan", overscan, source, "likely")
    return replace(place, data_from=Finding("data", data, source, "likely"), overscan_from=found)
