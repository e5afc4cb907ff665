"""Gain, read noise and saturation of amplifiers, in their many keywords."""

import math
import re
from collections.abc import Iterator

from obs.errors import FileFormatError
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.inspection.header.processed import is_in_electrons
from obs.instrument.card_values import read_number
from obs.instrument.noise_cards import READ_NOISE_CARDS, SATURATION_CARDS

__all__ = ["find_gain", "find_read_noise", "find_saturation"]

_GAINS = (
    "EGAINSAV",
    "GAIN",
    "EGAIN",
    "CCDGAIN",
    "ATODGAIN",
    "EPERDN",
    "E_PER_DN",
    "EPERADU",
    "GTGAIN",
    "T_GAIN",
    "S_GAIN",
    "SYSGAIN",
    "CVF",
    "RO_GAIN",
    "CCDSENS",
    "CONAD",
    "ESO DET OUT CONAD",
    "ESO DET OUT GAIN",
)
_MOST = 25.0
"""Electrons per ADU; what is more is a setting of the camera."""
_LARGEST_OF_16_BITS = 65535
_ROUNDED = 0.03
_ONE = "1 may mean that the gain was never measured"
_NO_GAIN = re.compile(
    r"index|mode|setting|select|code|level|state|speed|sensor|dB\b|x\b|\bem\b|\bemccd\b|electron.multipl|multiplication"
    r"|pre-?amp|amplification|analog|\biso\b|percent|%",
    re.I,
)
_PER_ADU = re.compile(
    r"\b(photo-?)?(e-?|electrons?|el)\s*/\s*(adu|adc|dn|du|count|cnt)|electrons?\s+per|\be-? per", re.I
)
_OWN_DEPTH = re.compile(r"\b(true|native) (adc )?(bit )?(depth|range)", re.I)
_A_GAIN = re.compile(r"gain|conversion|scale|factor|sensitivity", re.I)
_INVERSE = re.compile(r"(adu|dn|du|counts?)\s*(/|per)\s*(e-?\b|electron)", re.I)


def _spellings(names: tuple[str, ...], amplifier: str) -> Iterator[str]:
    """Yield the keywords of an amplifier (``A``, ``1``), and then those of all."""
    for name in names if amplifier else ():
        yield f"{name}{amplifier}"
        if len(name) >= 8:
            yield f"{name[: 8 - len(amplifier)]}{amplifier}"
        yield f"{name}0{amplifier}"
        if name.startswith("ESO DET OUT"):
            yield name.replace("OUT ", f"OUT{amplifier} ")
    for name in names:
        yield name
        if name.startswith("ESO DET OUT"):
            yield name.replace("OUT ", "OUT1 ")


def _positive(cards: Cards, names: tuple[str, ...], amplifier: str) -> Iterator[tuple[str, Card, float]]:
    for name in dict.fromkeys(_spellings(names, amplifier)):
        card = cards.find(name)
        if card is None or isinstance(card.value, bool):
            continue
        try:
            value = read_number(card.value)
        except FileFormatError:
            continue
        if math.isfinite(value) and value > 0:
            yield name, card, value


def find_gain(cards: Cards, amplifier: str = "") -> Finding:
    """Return the gain, electrons per ADU.

    Parameters
    ----------
    cards : Cards
        The header.
    amplifier : str
        Letter or number that ends the keywords of the amplifier.
    """
    if is_in_electrons(cards):
        return Finding("gain", 1.0, "BUNIT", "likely", "the pixels are in electrons already")
    doubt = ""
    weak: Finding | None = None
    for name, card, value in _positive(cards, _GAINS, amplifier):
        comment = card.comment
        if _OWN_DEPTH.search(comment):
            note = f"'{comment}': pixels in the file may be scaled"
            weak = weak or Finding("gain", value, name, "guess", note)
            continue
        if _INVERSE.search(comment) or (name.startswith("ESO") and name.endswith("GAIN")):
            sure: Confidence = "certain" if _INVERSE.search(comment) else "likely"
            note = "the card is in ADU per electron"
            return Finding("gain", 1.0 / value, name, _own(name, amplifier, cards, sure), note)
        if _PER_ADU.search(comment) and value <= _MOST:
            sure = _own(name, amplifier, cards, "certain")
            return Finding("gain", value, name, "guess", _ONE) if value == 1.0 else Finding("gain", value, name, sure)
        if _NO_GAIN.search(comment):
            doubt = f"{name} = {card.value} is a setting: '{comment}'"
            continue
        if value > _MOST:
            doubt = f"{name} = {card.value} is not a gain that a CCD has"
            continue
        if value == 1.0:
            weak = weak or Finding("gain", value, name, "guess", _ONE)
            continue
        if name.startswith("GAIN") and value == int(value):
            weak = weak or Finding("gain", value, name, "guess", "a whole number without a unit may be a setting")
            continue
        if name.endswith("CONAD") and _is_inverse(cards.get(name.replace("CONAD", "GAIN")), value):
            return Finding("gain", value, name, _own(name, amplifier, cards, "certain"))
        return Finding("gain", value, name, _own(name, amplifier, cards, "likely"), "no unit is given")
    return (None if amplifier else _by_comment(cards)) or weak or Finding.unknown("gain", doubt)


def _is_inverse(value: object, other: float) -> bool:
    """Whether two numbers are one over the other, as far as they are rounded."""
    try:
        return abs(read_number(value) * other - 1.0) < _ROUNDED
    except FileFormatError:
        return False


def _by_comment(cards: Cards) -> Finding | None:
    """Return a gain whose card only its comment, with the unit, makes one."""
    for name in cards:
        card = cards.find(name)
        if name in _GAINS or card is None or isinstance(card.value, bool | str):
            continue
        if _PER_ADU.search(card.comment) and _A_GAIN.search(card.comment) and 0.0 < card.value <= _MOST:
            return Finding(
                "gain", float(card.value), name, "guess" if cards.reason_to_doubt(name) else "likely", card.comment
            )
    return None


def _own(name: str, amplifier: str, cards: Cards, sure: Confidence) -> Confidence:
    """Return how sure a value is that may be of all amplifiers, or there with several values."""
    if cards.reason_to_doubt(name):
        return "guess"
    is_own = name.endswith(amplifier) or f"OUT{amplifier} " in name
    return sure if not amplifier or is_own else lower_confidence(sure, "likely")


def find_read_noise(cards: Cards, amplifier: str = "") -> Finding:
    """Return the read noise, electrons.

    Parameters
    ----------
    cards : Cards
        Header.
    amplifier : str
        Label of the amplifier; empty for a header with one value.

    Returns
    -------
    Finding
        A card in ADU, according to its comment, is multiplied by the gain.
    """
    for name, card, value in _positive(cards, READ_NOISE_CARDS, amplifier):
        if value > 200:
            continue
        if re.search(r"\b(adu|dn|counts?)\b", card.comment, re.I) and not re.search(r"elec|e-", card.comment, re.I):
            gain = find_gain(cards, amplifier)
            if not gain.is_known:
                continue
            return Finding("read_noise", value * gain.value, f"{name} x {gain.source}", gain.confidence)
        sure: Confidence = "certain" if re.search(r"elec|e-", card.comment, re.I) else "likely"
        return Finding("read_noise", value, name, _own(name, amplifier, cards, sure))
    return Finding.unknown("read_noise")


def find_saturation(cards: Cards, amplifier: str = "") -> Finding:
    """Return the saturation level, ADU.

    Parameters
    ----------
    cards : Cards
        Header.
    amplifier : str
        Label of the amplifier; empty for a header with one value.

    Returns
    -------
    Finding
        A card in electrons, according to its comment, is divided by the gain.
    """
    for name, card, value in _positive(cards, SATURATION_CARDS, amplifier):
        if value < 1000 or value > 2**32:
            continue
        if re.search(r"elec|\be-", card.comment, re.I):
            gain = find_gain(cards, amplifier)
            if not gain.is_known:
                continue
            return Finding("saturation", value / gain.value, f"{name} / {gain.source}", gain.confidence)
        sure: Confidence = "certain" if re.search(r"adu|dn|count", card.comment, re.I) else "likely"
        if cards.get("BITPIX") == 16 and value > _LARGEST_OF_16_BITS:
            return Finding("saturation", value, name, "guess", "pixels of 16 bits cannot hold as much")
        return Finding("saturation", value, name, _own(name, amplifier, cards, sure))
    return Finding.unknown("saturation")
