"""Frames of another temperature or read-out mode than the others, and stacks among single frames, by their headers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.instrument.stack_cards import count_stacked
from obs.tasks.calibs_config import OddFramesConfig
from obs.tasks.readout_cards import find_temperature_card, mode_text, temperature

__all__ = ["find_other_modes", "find_other_temperatures", "find_stacks"]

_ENOUGH = 3
"""Single frames that do without a stack."""


def find_other_temperatures(headers: Sequence[Mapping[str, Any]], config: OddFramesConfig) -> dict[int, str]:
    """Return the frames whose temperature differs from that of the largest group, and how.

    Of groups of the same size the coldest counts. Nothing is returned if no temperature holds for half of the frames,
    as in a camera without regulated cooling.

    Parameters
    ----------
    headers : sequence of mapping
        Cards of each frame.
    config : OddFramesConfig
        Settings.

    Returns
    -------
    dict of int to str
        Number of the frame, and its temperature beside that of the others.
    """
    card = find_temperature_card(headers, config)
    values = np.array([temperature(header.get(card)) for header in headers]) if card else np.empty(0)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return {}
    number = {k: int(np.sum(np.abs(values - values[k]) <= config.temperature_tolerance)) for k in known.tolist()}
    center = min(number, key=lambda k: (-number[k], values[k]))
    if 2 * number[center] < len(known):
        return {}
    usual = float(np.median(values[np.abs(values - values[center]) <= config.temperature_tolerance]))
    odd = known[np.abs(values[known] - values[center]) > config.temperature_tolerance]
    return {
        k: f"its temperature ({card}) is {values[k]:g}, that of {number[center]} others {usual:g}" for k in odd.tolist()
    }


def find_other_modes(headers: Sequence[Mapping[str, Any]], config: OddFramesConfig) -> dict[int, str]:
    """Return the frames of which a card of the read-out mode differs from that of most frames, and how.

    Parameters
    ----------
    headers : sequence of mapping
        Cards of each frame.
    config : OddFramesConfig
        Settings.

    Returns
    -------
    dict of int to str
        Number of the frame, and its value beside that of the others.
    """
    odd: dict[int, str] = {}
    for card in config.mode_cards:
        values = {k: mode_text(header[card]) for k, header in enumerate(headers) if card in header}
        counts = Counter(values.values()).most_common(1)
        if not counts or 2 * counts[0][1] < len(values):
            continue  # measured anew for each frame, so that it is not a mode
        usual, number = counts[0]
        for k, value in values.items():
            if value != usual:
                odd.setdefault(k, f"its {card} is {value}, that of {number} others {usual}")
    return odd


def find_stacks(headers: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the frames that other programs made of several, where there are enough single ones, and what says so.

    Parameters
    ----------
    headers : sequence of mapping
        Cards of each frame.

    Returns
    -------
    dict of int to str
        Number of the frame, and the card. Empty where stacks are all there is, or nearly.
    """
    stacks = {k: found for k, header in enumerate(headers) if (found := count_stacked(header))[0]}
    if len(headers) - len(stacks) < _ENOUGH:
        return {}
    return {k: f"it is a stack of {n} frames ({card}), the others are single frames" for k, (n, card) in stacks.items()}
