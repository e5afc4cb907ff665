"""The report in a kilobyte of text, and in a line of JSON, for mail, chat and slow links."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from obs.report.night import Night
from obs.report.sentence import Need, values

__all__ = ["report_text", "report_twin"]

_LENGTH = 1024
_METRICS = ("seeing", "star_e", "sky", "transparency", "zero_point_rate", "depth", "astrom_scatter")


def report_text(night: Night, sentence: str, needs: Sequence[Need]) -> str:
    """Return the report as text of at most a kilobyte.

    Parameters
    ----------
    night : Night
        The frames.
    sentence : str
        The night in one sentence.
    needs : sequence of Need
        What needs attention.
    """
    lines = [sentence, f"State: {night.state}. Camera {night.camera}, {night.root.name}."]
    for name in _METRICS:
        known = values(night.visits, name)
        if len(known):
            lines.append(f"{name} {np.median(known):.4g} ({known.min():.4g} to {known.max():.4g}), n {len(known)}")
    lines += [f"{need.level}: {need.frame}{f' +{need.more}' if need.more else ''}: {need.reason}" for need in needs]
    text = "\n".join(lines)
    raw = text.encode("utf-8", "replace")
    return text + "\n" if len(raw) < _LENGTH else raw[: _LENGTH - 5].decode("utf-8", "ignore") + "...\n"


def report_twin(night: Night, sentence: str, needs: Sequence[Need]) -> dict[str, Any]:
    """Return the report as plain data for programs.

    Parameters
    ----------
    night : Night
        The frames.
    sentence : str
        The night in one sentence.
    needs : sequence of Need
        What needs attention.
    """
    medians = {}
    for name in _METRICS:
        known = values(night.visits, name)
        medians[name] = {"median": float(np.median(known)), "n": len(known)} if len(known) else None
    return {
        "sentence": sentence,
        "state": night.state,
        "camera": night.camera,
        "nights": night.nights,
        "visits": night.count(),
        "detectors": night.count(detectors=True),
        "metrics": medians,
        "needs": [vars(need) for need in needs],
        "frames": {
            frame.name: [frame.verdict.level, frame.verdict.text]
            for frame in night.visits
            if frame.verdict.level != "good"
        },
    }
