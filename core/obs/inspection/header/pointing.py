"""Target, airmass and pointing of a frame."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, isnan, nan, radians

from obs.errors import FileFormatError
from obs.inspection.cards import Card, Cards
from obs.inspection.finding import Confidence, Finding, lower_confidence
from obs.instrument.card_values import read_number

__all__ = ["Pointing", "find_airmass", "find_object", "find_pointing"]

_OBJECTS = (
    "OBJECT",
    "TARGNAME",
    "OBJNAME",
    "TARGET",
    "OBJCAT",
    "CAT-NAME",
    "ESO OBS TARG NAME",
    "OBJ_NAME",
    "TITLE",
    "FIELD",
)
_LOW_IN_THE_SKY = 5.0
_OLD = 30.0
"""Years from 2000 beyond which precession moves a pointing by more than a third of a degree."""
_FAR = 5.0
"""Degrees that the pointing may lie from the reference point of the WCS."""
_SEXAGESIMAL = re.compile(r"\d{1,2}[:h\s]\s*\d{1,2}[:m\s]")
_POINTINGS = (
    ("RA", "DEC"),
    ("RA2000", "DEC2000"),
    ("TELRA", "TELDEC"),
    ("RA_OBS", "DEC_OBS"),
    ("RA-TEL", "DEC-TEL"),
    ("OBJCTRA", "OBJCTDEC"),
    ("RA_DEG", "DEC_DEG"),
    ("OBJRA", "OBJDEC"),
    ("RA_TARG", "DEC_TARG"),
    ("TARGRA", "TARGDEC"),
    ("CRVAL1", "CRVAL2"),
)


def find_object(cards: Cards) -> Finding:
    """Return the name of the target."""
    for name in _OBJECTS:
        card = cards.find(name)
        if card is not None and re.search(r"\w", str(card.value)) and not isinstance(card.value, bool):
            doubt = cards.reason_to_doubt(name) or (
                "" if isinstance(card.value, str) else f"{name} is a number, not a name"
            )
            sure: Confidence = "guess" if doubt else "certain" if name == "OBJECT" else "likely"
            return Finding("object", str(card.value).strip(), name, sure, doubt)
    return Finding.unknown("object")


def find_airmass(cards: Cards) -> Finding:
    """Return the airmass."""
    for name in ("AIRMASS", "SECZ", "AIRM", "AMSTART", "SECZ-STR", "ESO TEL AIRM START"):
        try:
            value = read_number(cards.get(name))
        except FileFormatError:
            continue
        if 1.0 <= value < 40.0:
            low = value > _LOW_IN_THE_SKY
            return Finding("airmass", value, name, "guess" if low else "certain", "low in the sky" if low else "")
    return Finding.unknown("airmass")


@dataclass(frozen=True)
class Pointing:
    """Cards that tell where the telescope points, and their units (``deg`` or ``hourangle``)."""

    ra: str
    dec: str
    ra_unit: str
    dec_unit: str = "deg"


def find_pointing(cards: Cards) -> tuple[list[Finding], Pointing | None]:
    """Return right ascension and declination, degrees, and how they are read."""
    reference = _reference(cards)
    for ra_name, dec_name in sorted(_POINTINGS, key=lambda names: _are_zero(cards, names)):
        ra, dec = cards.find(ra_name), cards.find(dec_name)
        if ra is None or dec is None:
            continue
        if ra_name == "CRVAL1" and not str(cards.get("CTYPE1", "")).startswith("RA"):
            continue
        try:
            right, up = read_number(ra.value), read_number(dec.value)
        except FileFormatError:
            continue
        unit, sure, note = _unit(ra, right, _right_ascensions(cards))
        right *= 15.0 if unit == "hourangle" else 1.0
        if not (-90.0 <= up <= 90.0 and 0.0 <= right <= 360.0):
            continue
        sure_of_dec: Confidence = "certain"
        if ra_name == "CRVAL1":
            sure = sure_of_dec = "guess"
            note = "the reference of the WCS need not be where the telescope points"
        elif right == up == 0.0:
            sure = sure_of_dec = "guess"
            note = "zeros may stand for what nobody filled in"
        elif reference is not None and _apart(right, up, reference) > _FAR:
            sure = sure_of_dec = "guess"
            note = f"CRVAL1, CRVAL2 are {reference[0]:.4g}, {reference[1]:.4g}"
        equinox = _equinox(cards)
        if abs(equinox - 2000.0) > _OLD:
            sure, sure_of_dec = lower_confidence(sure, "likely"), lower_confidence(sure_of_dec, "likely")
            note = "; ".join(part for part in (note, f"of equinox {equinox:g}; the engine takes it for 2000") if part)
        findings = [
            Finding("boresight_ra", right, ra_name, sure, note),
            Finding("boresight_dec", up, dec_name, sure_of_dec, note if sure_of_dec != "certain" else ""),
        ]
        return findings, Pointing(ra_name, dec_name, unit)
    return [Finding.unknown("boresight_ra"), Finding.unknown("boresight_dec")], None


def _are_zero(cards: Cards, names: tuple[str, str]) -> bool:
    """Whether both coordinates are zero, as where nobody filled them in."""
    try:
        return all(read_number(cards.get(name)) == 0.0 for name in names)
    except FileFormatError:
        return False


def _equinox(cards: Cards) -> float:
    """Return the equinox of the coordinates, years; 2000 where no card tells another."""
    text = str(cards.get("EQUINOX", "")).strip().lstrip("BJ")
    try:
        year = read_number(text)
    except FileFormatError:
        return 2000.0
    return year if 1800.0 < year < 2100.0 else 2000.0


def _apart(ra: float, dec: float, reference: tuple[float, float]) -> float:
    """Return how far a pointing lies from the reference of the WCS, roughly, degrees."""
    across = abs((ra - reference[0] + 180.0) % 360.0 - 180.0) * cos(radians(dec))
    return max(across, 0.0 if isnan(reference[1]) else abs(dec - reference[1]))


def _reference(cards: Cards) -> tuple[float, float] | None:
    """Return the reference point of the WCS, degrees; None if there is none."""
    ra, dec = cards.get("CRVAL1"), cards.get("CRVAL2")
    is_ra = str(cards.get("CTYPE1", "")).startswith("RA")
    if not is_ra or not isinstance(ra, int | float) or (ra, dec) == (0, 0):
        return None
    return float(ra), float(dec) if isinstance(dec, int | float) else nan


def _right_ascensions(cards: Cards) -> list[tuple[str, float]]:
    """Return cards whose right ascension cannot be misread, degrees: of the WCS, and those with minutes and seconds."""
    reference = _reference(cards)
    found = [] if reference is None else [("the WCS", reference[0])]
    for name, _ in _POINTINGS:
        value = cards.get(name)
        if isinstance(value, str) and _SEXAGESIMAL.match(value.strip()):
            try:
                found.append((name, 15.0 * read_number(value)))
            except FileFormatError:
                continue
    return found


def _unit(card: Card, number: float, others: Sequence[tuple[str, float]]) -> tuple[str, Confidence, str]:
    """Return the unit of a right ascension, how sure it is, and why."""
    text = str(card.value)
    if _SEXAGESIMAL.match(text.strip()):
        return "hourangle", "certain", ""
    comment = card.comment.lower()
    if "deg" in comment or number > 24.0:
        return "deg", "certain" if "deg" in comment else "likely", ""
    if "hour" in comment or "hh" in comment:
        return "hourangle", "certain", ""
    for other, degrees in others:
        for unit, factor in (("deg", 1.0), ("hourangle", 15.0)):
            if abs(number * factor - degrees) < 2.0:
                return unit, "likely", f"{other} agrees"
    return "deg", "guess", "no card says whether it is in degrees or hours"
