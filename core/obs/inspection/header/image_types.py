"""What a frame is for: bias, dark, flat, science, arc, focus, sky, in the words of many observatories."""

import math
import re

from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.instrument.image_types import IMAGE_TYPE_CARDS, LONG_FOR_A_BIAS, TARGET_CARDS, contradiction, standard_type

__all__ = ["NO_TYPE_NO_TIME", "contradict_each_other", "find_image_type"]

#: Note on a frame of 0 s without a card for the type.
NO_TYPE_NO_TIME = "no card names it; exposed for 0 s"
_OTHERWISE = "but the frame is"
_TWICE = "is there as"


def contradict_each_other(kind: Finding) -> bool:
    """Whether the type is not known because cards have different words for it."""
    return not kind.is_known and (f" {_OTHERWISE} " in kind.note or f" {_TWICE} " in kind.note)


def find_image_type(cards: Cards, exposure_time: Finding) -> Finding:
    """Return the type of a frame.

    Parameters
    ----------
    cards : Cards
        The header.
    exposure_time : Finding
        The exposure time, seconds: where nothing else tells, no time makes a bias.
    """
    odd: list[str] = []
    known: list[tuple[str, str]] = []
    for name in IMAGE_TYPE_CARDS:
        value = cards.get(name)
        kind = standard_type(value) if isinstance(value, str) else None
        if cards.find(name) is not None and cards.contradicts_itself(name):
            words = " and ".join(repr(card.value) for card in cards.all(name))
            odd.append(f"{name} {_TWICE} {words}")
        elif kind is not None:
            known.append((name, kind))
            odd += [doubt] if (doubt := cards.reason_to_doubt(name)) else []
        elif isinstance(value, str) and value.strip():
            odd.append(f"{name} = '{value}' is not a word for a type")
    if not known:
        known = [
            (name, kind)
            for name in cards
            if _OF_A_TYPE.search(name) and isinstance(value := cards.get(name), str) and (kind := standard_type(value))
        ]
        odd += ["the name of the card suggests it"] if known else []
    note = "; ".join(odd)
    if known:
        return _judged(cards, known, note, exposure_time)
    for name in TARGET_CARDS:
        kind = standard_type(str(cards.get(name, "")))
        if kind not in (None, "science", "sky"):
            return Finding("image_type", kind, name, "guess", note or "the name of the target says so")
    if exposure_time.is_known and exposure_time.value == 0.0:
        note = f"{note}; {NO_TYPE_NO_TIME}".removeprefix("; ")
    return Finding.unknown("image_type", note)


_OF_A_TYPE = re.compile(r"TYP|KIND|PURPOSE|INTENT")
"""Names of cards that may be of a type, where none of those is there that programs use for it."""
_SHUTTERS = ("SHUTTER", "SHUTSTAT", "SHUTTERS", "SHSTAT", "SHTRSTAT", "SHUTSTA")
_STATES = {"closed": ("science", "flat"), "shut": ("science", "flat"), "close": ("science", "flat"), "open": ("dark",)}
"""What cards say of the shutter, and types of frames that it contradicts."""


def _judged(cards: Cards, known: list[tuple[str, str]], note: str, exposure_time: Finding) -> Finding:
    """Return the type of the first card, as sure as the others, target, shutter and exposure time let it be."""
    name, kind = known[0]
    sure: Confidence = "likely" if name in ("FRAME", "TYPE") else "certain" if name in IMAGE_TYPE_CARDS else "guess"
    other = next(((o, k) for o, k in known if k != kind and {k, kind} != {"science", "sky"}), None)
    is_sure = exposure_time.confidence in ("certain", "likely")
    seconds = float(exposure_time.value) if is_sure else math.nan
    if kind == "dark" and seconds == 0.0:
        kind, sure = "bias", lower_confidence(sure, "likely")
        note = "; ".join(part for part in (note, "a dark of no exposure time") if part)
    for target in TARGET_CARDS:
        text = str(cards.get(target, "")) if target != name else ""
        if against := contradiction(kind, text, seconds):
            return Finding.unknown("image_type", f"{name} says {kind}, {_OTHERWISE} {against}")
    if other is not None:
        return Finding("image_type", kind, name, "guess", f"{other[0]} says {other[1]}")
    if kind == "bias" and seconds > LONG_FOR_A_BIAS:
        return Finding("image_type", kind, name, "guess", f"but {exposure_time.source} = {seconds:g} s")
    for shutter in _SHUTTERS:
        state = str(cards.get(shutter, "")).strip().lower()
        if kind in _STATES.get(state, ()):
            return Finding("image_type", kind, name, "guess", f"but {shutter} says {state}")
    return Finding("image_type", kind, name, "guess" if note.startswith(f"{name} is malformed") else sure, note)
