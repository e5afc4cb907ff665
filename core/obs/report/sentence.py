"""A night in one sentence, and what needs somebody's attention."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from obs.frozen import frozen
from obs.report.night import Frame, Night, command, without_numbers

__all__ = ["Need", "describe_night", "find_needs"]

#: How causes are called when they are counted.
_ADJECTIVES = {
    "cloud": "cloudy",
    "moonlit cloud": "cloudy under the Moon",
    "moonlight": "moonlit",
    "no light": "without light",
    "no sky": "without a sky",
    "trailed": "trailed",
    "tracking jump": "with double stars",
    "out of focus": "out of focus",
    "seeing": "of poor seeing",
    "dome": "behind the dome",
    "twilight": "in twilight",
    "dead amplifier": "with a dead amplifier",
    "bright sky": "of bright sky",
    "pointing": "off position",
    "pointing drift": "drifting away",
    "wrong field": "of another field",
    "uneven sky": "of uneven sky",
    "noise": "with noisy readout",
    "streaks": "with trails",
    "hot pixels": "with hot pixels",
    "filter": "of another filter than their header says",
    "flat": "of uneven response",
    "dew": "with dew",
    "header": "with odd headers",
    "calibrations": "with old calibration frames",
}
#: Magnitudes of moonlight from which on they are said of a night.
_MOONLIT = 0.5
_MOST_CAUSES = 4
_THIRDS = ("first", "middle", "last")


@frozen
class Need:
    """Something in the night that needs attention.

    Attributes
    ----------
    frame : str
        Which frame.
    level : str
        Its verdict.
    reason, remedy : str
        Why, with value and limit; what to do.
    command : str
        A command to copy.
    more : int
        Further frames for the same reason.
    """

    frame: str
    level: str
    reason: str
    remedy: str
    command: str
    more: int = 0


def describe_night(night: Night) -> str:
    """Return one sentence: date, how many frames are good, seeing, and what the night suffered from."""
    if not night.visits:
        return f"Nothing to judge: {night.reason}"
    when = _dates(night.nights)
    counts = night.count()
    total = len(night.visits)
    noun = "visits" if night.is_mosaic else "frames"
    parts = [f"{counts.get('good', 0)} of {total} {noun if total != 1 else noun[:-1]} good"]
    parts += [f"{counts[level]} {level}" for level in ("look", "bad", "failed") if counts.get(level)]
    if counts.get("waiting"):
        parts.append(f"{counts['waiting']} not processed yet")
    sentence = f"{when}: {', '.join(parts)}"
    if night.is_mosaic:
        below = night.count(detectors=True)
        sentence += f" ({below.get('good', 0)} of {len(night.detectors)} detector images good)"
    seeing = values(night.visits, "seeing")
    if len(seeing):
        spread = f" ({seeing.min():.1f} to {seeing.max():.1f})" if len(seeing) > 1 else ""
        sentence += f'; seeing {np.median(seeing):.1f}"{spread}'
    words = [*_night_causes(night.visits), *_moonlit(night)]
    return sentence + (f"; {', '.join(words)}" if words else "") + "."


def _dates(nights: Sequence[str]) -> str:
    if not nights:
        return "Date not known"
    return nights[0] if len(nights) == 1 else f"{len(nights)} nights, {nights[0]} to {nights[-1]}"


def _night_causes(frames: Sequence[Frame]) -> list[str]:
    """Return the commonest causes, with the third of the night where they are."""
    found = Counter(cause.name for frame in frames for cause in frame.verdict.causes if cause.name in _ADJECTIVES)
    words = []
    for name, number in found.most_common(_MOST_CAUSES):
        where = [
            index for index, frame in enumerate(frames) if any(cause.name == name for cause in frame.verdict.causes)
        ]
        thirds = Counter(min(3 * index // len(frames), 2) for index in where)
        third, in_third = thirds.most_common(1)[0]
        adjective = _ADJECTIVES[name]
        if number == len(frames) > 1:
            words.append(f"all {adjective}")
        elif len(frames) >= 6 and in_third == number and number >= 0.6 * len(frames) / 3:
            words.append(f"{_THIRDS[third]} third {adjective}")
        else:
            words.append(f"{number} {adjective}")
    return words


def _moonlit(night: Night) -> list[str]:
    """Return how bright the Moon made a night whose frames are compared only with each other."""
    light = values(night.visits, "moon_expected")
    if not len(light) or float(light.min()) < _MOONLIT:
        return []
    phase = float(np.median(values(night.visits, "moon_phase")))
    return [f"all under the Moon ({phase:.0f} % lit, {np.median(light):.1f} mag of moonlight)"]


def values(frames: Iterable[Frame], metric: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the values of a metric, without what was not measured."""
    found = [value for frame in frames if (value := frame.row.get(metric)) is not None]
    return np.array([value for value in found if math.isfinite(value)], float)


def find_needs(night: Night, most: int = 5) -> list[Need]:
    """Return what needs attention, worst first; frames with the same cause are one line.

    Parameters
    ----------
    night : Night
        The frames.
    most : int, optional
        Lines at most.
    """
    groups: dict[str, list[Frame]] = {}
    frames = [*night.visits, *(_hardware(night) if night.is_mosaic else [])]
    for frame in frames:
        if frame.verdict.level in ("failed", "bad", "look") and frame.verdict.causes:
            cause = frame.verdict.causes[0]
            key = cause.name if cause.name != "failed" else without_numbers(cause.text)
            groups.setdefault(key, []).append(frame)
    order = {"failed": 0, "bad": 1, "look": 2}
    ranked = sorted(groups.values(), key=lambda group: (min(order[f.verdict.level] for f in group), -len(group)))
    needs = []
    for group in ranked[:most]:
        worst = min(group, key=lambda frame: order[frame.verdict.level])
        cause = worst.verdict.causes[0]
        what = "log {repo}" if "failed" in (cause.name, worst.verdict.level) else "display {repo} calexp"
        text = command(worst.name, night.root, what)
        needs.append(Need(worst.name, worst.verdict.level, cause.text, _sentence(cause.remedy), text, len(group) - 1))
    return needs


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _hardware(night: Night) -> list[Frame]:
    """Return detector images whose visit is good: what is wrong with them is not the weather."""
    good = {frame.name for frame in night.visits if frame.verdict.level == "good"}
    return [frame for frame in night.detectors if night.find_visit(frame) in good]
