"""How a detector was read out: what a calibration frame records of it, and how an exposure differs from that."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from obs.plural import list_of
from obs.tasks.calibs_config import OddFramesConfig
from obs.tasks.isr_work import Work

__all__ = ["find_temperature_card", "mode_text", "record_readout", "temperature", "warn_of_other_readout"]

_MODE = "CALIB_MODE_"
_TEMPERATURE = "CALIB_TEMPERATURE_"
"""Beginnings of the cards of a calibration frame; the name of the card of the raw frames follows."""
_FRAMES = "bias", "dark", "flat"
_WHOLE = 1e15
"""Whole numbers below this are compared as such."""
_COLDEST, _HOTTEST = -200.0, 350.0
"""Range of temperatures that are not placeholders; the upper part is for kelvin."""
_USUAL = OddFramesConfig()
"""Cards that are compared with those of calibration frames made elsewhere."""


def mode_text(value: object) -> str:
    """Return the value of a card of the read-out mode as it is compared, for which 100, 100.0 and '100.0' are equal.

    Parameters
    ----------
    value : object
        Value of a card.
    """
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.4g}" if not number.is_integer() else str(int(number)) if abs(number) < _WHOLE else text


def temperature(value: object) -> float:
    """Return the temperature that a card gives; NaN if it is a placeholder or no number.

    Parameters
    ----------
    value : object
        Value of a card, degrees Celsius.
    """
    try:
        number = float(str(value))
    except ValueError:
        return float("nan")
    return number if _COLDEST < number < _HOTTEST else float("nan")


def find_temperature_card(headers: Sequence[Mapping[str, Any]], config: OddFramesConfig) -> str | None:
    """Return the name of the card with the temperature of the detector; None if there is none.

    Parameters
    ----------
    headers : sequence of mapping
        Headers of frames; one of them with the card is enough.
    config : OddFramesConfig
        Its ``temperature_cards`` are tried in order.
    """
    return next((card for card in config.temperature_cards if any(card in header for header in headers)), None)


def record_readout(headers: Sequence[Mapping[str, Any]], config: OddFramesConfig) -> dict[str, Any]:
    """Return what a calibration frame records of the read-out of its inputs, as far as they agree.

    Parameters
    ----------
    headers : sequence of mapping
        Cards of each raw frame that was used.
    config : OddFramesConfig
        Which cards tell read-out mode and temperature.
    """
    cards: dict[str, Any] = {}
    for card in config.mode_cards:
        values = {mode_text(header[card]) if card in header else None for header in headers}
        value = values.pop() if len(values) == 1 else None
        if value:
            cards[_MODE + card] = value
    card_of_all = find_temperature_card(headers, config)
    if card_of_all is not None:
        known = np.array([temperature(header.get(card_of_all)) for header in headers])
        if np.isfinite(known).all() and np.ptp(known) <= config.temperature_tolerance:
            cards[_TEMPERATURE + card_of_all] = float(np.median(known))
    return cards


def warn_of_other_readout(work: Work) -> None:
    """Warn if the exposure was read out in another way than the frames of its bias, dark and flat.

    The temperature counts for the dark only, since gain and offset hardly depend on it.

    Parameters
    ----------
    work : Work
        Frame with its header, and the calibrations that are in use. It is not changed.
    """
    header = work.raw.metadata
    found: dict[str, list[str]] = {}
    for name in _FRAMES:
        exposure = getattr(work.calibrations, name) if getattr(work.config, f"do_{name}") else None
        if exposure is None:
            continue
        for card, recorded in _recorded(exposure.metadata, _MODE, _USUAL.mode_cards):
            if card in header and mode_text(header[card]) != mode_text(recorded):
                found.setdefault(f"{card} is {mode_text(header[card])}, {mode_text(recorded)} in", []).append(name)
        for card, recorded in _recorded(exposure.metadata, _TEMPERATURE, _USUAL.temperature_cards):
            value, usual = temperature(header.get(card)), temperature(recorded)
            if name == "dark" and abs(value - usual) > work.config.temperature_tolerance:
                found.setdefault(f"{card} is {value:.4g}, {usual:.4g} in", []).append(name)
    if not found:
        return
    names = sorted({name for group in found.values() for name in group})
    what = "; ".join(f"{text} the frames of {list_of(group)}" for text, group in found.items())
    work.warn(
        f"{what}: read out in another way, so that gain, offset or dark current may be others and "
        f"{list_of(names)} need not fit; take frames for {list_of(names)} as this exposure was taken, ingest and build "
        "them, or leave the exposure out. If the card does not matter: -c isr.compare_readout=false"
    )


def _recorded(metadata: Mapping[str, Any], prefix: str, cards: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the cards that a calibration frame recorded; of one made elsewhere, which records none, its own."""
    for key, value in metadata.items():
        if key.startswith(prefix):
            yield key.removeprefix(prefix), value
        elif key in cards and str(value).strip():
            yield key, value
