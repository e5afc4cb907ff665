"""The read noise of each amplifier against what it usually is: the median of a detector hides one that became noisy."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["NOISY", "add_amplifier_noise"]

#: An amplifier with this many times its usual read noise is named.
NOISY = 1.3

_Noise = dict[tuple[str, str], list[float]]


def add_amplifier_noise(
    rows: Sequence[dict[str, Any]], history: Sequence[Mapping[str, Any]], night_frames: int, history_frames: int
) -> None:
    """Add ``amp_noise_ratio`` to rows, and ``noisy_amplifiers``, the names of those above `NOISY`.

    The usual read noise of an amplifier is its median in these rows, and in those of other nights; the larger ratio
    counts.

    Parameters
    ----------
    rows : sequence of dict
        Rows of detectors with ``overscan`` in their details: name, level (ADU) and noise (electron) of each amplifier.
        Changed in place; None where no amplifier can be compared.
    history : sequence of mapping
        Rows of other nights.
    night_frames, history_frames : int
        Number of values that a median needs.
    """
    usual = [_medians(rows, night_frames), _medians(history, history_frames)]
    for row in rows:
        ratios: dict[str, float] = {}
        for name, noise in _noises(row):
            known = [medians[key] for medians in usual if (key := (_detector(row), name)) in medians]
            if known:
                ratios[name] = noise / min(known)
        row["amp_noise_ratio"] = max(ratios.values(), default=None)
        row["noisy_amplifiers"] = [name for name, ratio in ratios.items() if ratio > NOISY]


def _medians(rows: Sequence[Mapping[str, Any]], fewest: int) -> dict[tuple[str, str], float]:
    found: _Noise = defaultdict(list)
    for row in rows:
        for name, noise in _noises(row):
            found[_detector(row), name].append(noise)
    return {key: float(np.median(noises)) for key, noises in found.items() if len(noises) >= fewest}


def _noises(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    overscan = (row.get("details") or {}).get("overscan", [])
    return [(str(name), float(noise)) for name, _, noise in overscan if noise is not None and noise > 0]


def _detector(row: Mapping[str, Any]) -> str:
    return str(row.get("detector_name") or "")
