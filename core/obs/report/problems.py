"""Failures and warnings of a night, those that differ only in names and numbers together."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from obs.report.night import Frame

__all__ = ["failure_lines", "warning_lines"]

_MOST = 10
_NAMED = 3


def failure_lines(frames: Sequence[Frame]) -> list[str]:
    """Return a line for each cause of failures: how many, what, and which frames.

    Parameters
    ----------
    frames : sequence of Frame
        Detector images.
    """
    failed = [(frame.name, frame.verdict.causes[0].text) for frame in frames if frame.verdict.level == "failed"]
    return _lines(failed, len(frames))


def warning_lines(frames: Sequence[Frame]) -> list[str]:
    """Return the commonest warnings: how many frames, what, and which frames.

    Parameters
    ----------
    frames : sequence of Frame
        Detector images.
    """
    found = [(frame.name, text) for frame in frames for text in frame.row.get("details", {}).get("warnings", [])]
    return _lines(found, len(frames))


def _lines(found: Iterable[tuple[str, str]], total: int) -> list[str]:
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, text in found:
        groups[re.sub(r"\S*/\S*", "", re.sub(r"[\d.]+", "", text))].append((name, text))
    lines = []
    for group in sorted(groups.values(), key=len, reverse=True)[:_MOST]:
        names = list(dict.fromkeys(name for name, _ in group))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        lines.append(f"{len(names)} of {total}: {group[0][1]} ({'; '.join(names[:_NAMED])}{more})")
    return lines
