"""Whether the values that a translator makes of a header are plausible."""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from obs.doctor.check import Check, Verdict
from obs.doctor.exposure import RawExposure
from obs.doctor.places import instrument_place, shown, translator_place
from obs.errors import DataIdError, FileFormatError, ObsError
from obs.frozen import frozen
from obs.inspection.finding import Finding
from obs.inspection.header.dates import find_date
from obs.inspection.header.exposure_time import find_exposure_time
from obs.inspection.header.filters import find_filter
from obs.inspection.header.pointing import find_airmass, find_pointing
from obs.instrument.card_values import parse_date
from obs.instrument.consistency import compute_airmass, missing_time
from obs.instrument.explain import Explained, format_value
from obs.instrument.plausible import RANGES
from obs.policy.dataset_type import Template

__all__ = ["check_header"]

_FIRST_CCD = 1976
"""Year in which a CCD first looked through a telescope."""

_DAY = 86400.0
_LIT = ("", "flat", "science", "arc", "focus", "sky")


@frozen
class _Fault:
    """What is wrong with a value, and how to fix it."""

    note: str
    how: str = ""
    verdict: Verdict = "wrong"
    place: str = ""


def check_header(exposure: RawExposure) -> Iterator[Check]:
    """Yield a check for each value of the translator, in its order, then those of filter, detector and exposure id."""
    for item in exposure.values:
        fault = _fault_of(exposure, item)
        value = "" if item.value is None else f"{format_value(item.value)} {item.unit}".rstrip()
        if fault is None:
            yield Check("header", item.name, value, item.source, "ok" if value else "not known")
            continue
        place = fault.place or translator_place(exposure.translator, item.name)
        remedy = f"{place}: {fault.how}" if fault.how else place
        yield Check("header", item.name, value, item.source, fault.verdict, fault.note, remedy)
    yield _check_number(exposure)


def _fault_of(exposure: RawExposure, item: Explained) -> _Fault | None:
    if item.error:
        error = item.error.removeprefix(f"{item.name}: ")
        needed = not item.is_column or item.name in (*exposure.translator.unique, *exposure.translator.visit)
        return _Fault(error, _how_to_read(exposure, item), "wrong" if needed else "doubtful")
    if item.value is None:
        return _missing(exposure, item)
    if item.is_column:
        keys = list(Template(exposure.instrument.detector).keys)
        if item.name in ("filter", "physical_filter"):
            return _filter(exposure, item)
        if item.name in keys[-1:]:
            return _detector(exposure, item)
        # A night is not the day on which an exposure began, but near it.
        return _begin(exposure, item, 2.0 * _DAY) if item.name in ("dateObs", "taiObs") else None
    check = _CHECKS.get(item.name, _in_range)
    return check(exposure, item)


def _how_to_read(exposure: RawExposure, item: Explained) -> str:
    """Return how a value can be read, as the header itself suggests."""
    found = _suggestion(exposure, item.name)
    asked = ", ".join(keyword for keyword, there in item.cards.items() if not there)
    lacks = f"it asks for {asked}, which the header has not; " if asked else ""
    if found is None or not found.is_known:
        return lacks + "name the card that holds it"
    return f"{lacks}{found.source} holds it: {format_value(found.value)}"


def _suggestion(exposure: RawExposure, name: str) -> Finding | None:
    """Return what the header tells of a name to someone who does not know the camera."""
    cards = exposure.cards
    if name == "exposure_time":
        return find_exposure_time(cards)[0]
    if name == "airmass":
        return find_airmass(cards)
    if name in ("filter", "physical_filter"):
        return find_filter(cards)[0]
    if name in ("date_begin", "dateObs", "taiObs"):
        return find_date(cards)[0]
    if name in ("boresight_ra", "boresight_dec"):
        return next((found for found in find_pointing(cards)[0] if found.quantity == name), None)
    return None


def _missing(exposure: RawExposure, item: Explained) -> _Fault | None:
    if item.is_column and item.name in exposure.translator.unique:
        note = "the header does not give it, and frames cannot be distinguished without it"
        return _Fault(note, _how_to_read(exposure, item))
    found = _suggestion(exposure, item.name)
    if found is None or not found.is_known or found.confidence == "guess":
        if item.name == "exposure_time" and exposure.image_type != "bias":
            note = "not known: darks cannot be scaled to it, and zero points of exposures cannot be compared"
            return _Fault(note, "name the card that holds it", "doubtful")
        return None
    needed = item.name in ("exposure_time", "date_begin") or item.is_column
    how = f"name {found.source}, which holds {format_value(found.value)}"
    note = f"not known, though {found.source} gives it"
    return _Fault(note, how, "wrong" if needed else "doubtful")


def _date(exposure: RawExposure, item: Explained) -> _Fault | None:
    try:
        date = parse_date(str(item.value))
    except FileFormatError as error:
        return _Fault(str(error), "return ISO 8601, as obs.instrument.card_values.format_date does")
    if date.year < _FIRST_CCD:
        return _Fault(f"no CCD was at a telescope before {_FIRST_CCD}", _reading(exposure, item))
    if date > datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1):
        return _Fault("it is in the future", _reading(exposure, item))
    return None


def _begin(exposure: RawExposure, item: Explained, tolerance: float = _DAY) -> _Fault | None:
    fault = _date(exposure, item)
    found = find_date(exposure.cards)[0]
    if fault is not None or not found.is_known:
        return fault
    apart = abs((parse_date(str(item.value)) - parse_date(str(found.value))).total_seconds())
    if apart <= tolerance:
        return None
    note = f"{found.source} says {found.value}" + (f" ({found.note})" if found.note else "")
    return _Fault(note, _reading(exposure, item), "doubtful" if found.confidence == "guess" else "wrong")


def _reading(exposure: RawExposure, item: Explained) -> str:
    """Return how a date is to be read: the cards as they are, and what they mean."""
    found, rule = find_date(exposure.cards)
    cards = ", ".join(f"{key} = {exposure.header[key]!r}" for key in item.cards if key in exposure.header)
    if rule is None:
        return f"look at {cards} and at how it is read" if cards else "name the card that holds the date"
    layout = f" as {rule.layout}" if "%" in rule.layout else ""
    return f"read {found.source}{layout}, which gives {found.value}" + (f"; here is {cards}" if cards else "")


def _end(exposure: RawExposure, item: Explained) -> _Fault | None:
    fault = _date(exposure, item)
    begin, seconds = exposure.value("date_begin"), exposure.number("exposure_time")
    if fault is not None or not begin or not math.isfinite(seconds):
        return fault
    try:
        spent = (parse_date(str(item.value)) - parse_date(str(begin))).total_seconds()
        missing = missing_time(exposure.visit_info)
    except FileFormatError:
        return None
    if missing > 0:
        return _Fault(f"that is {spent:.1f} s after the begin, and the exposure took {seconds:g} s", "", "doubtful")
    if spent > seconds + 3600.0:
        return _Fault(f"that is {spent:.0f} s after the begin of {seconds:g} s", "", "doubtful")
    return None


def _exposure_time(exposure: RawExposure, item: Explained) -> _Fault | None:
    seconds = float(item.value)
    found = find_exposure_time(exposure.cards)[0]
    hint = f"{found.source} holds {format_value(found.value)} s" if found.is_known else "name the card that holds it"
    if seconds < 0:
        return _Fault("it is negative", hint)
    if seconds > _DAY:
        return _Fault("it is longer than a day", f"{hint}; is the unit right?")
    if not found.is_known or abs(seconds - float(found.value)) <= max(0.05 * float(found.value), 0.1):
        return None
    note = f"{found.source} says {format_value(found.value)} s"
    verdict: Verdict = "wrong" if found.confidence == "certain" else "doubtful"
    return _Fault(note, f"{hint}; is it another card, or another unit?", verdict)


def _dark_time(exposure: RawExposure, item: Explained) -> _Fault | None:
    seconds, exposed = float(item.value), exposure.number("exposure_time")
    if item.source == "constant":
        return None
    if seconds < 0:
        return _Fault("it is negative", "name another card, or none: then the exposure time is used")
    if seconds < exposed - max(0.01 * exposed, 0.5):
        return _Fault(f"it is shorter than the exposure time, {exposed:g} s", "name another card, or none")
    return None


def _airmass(exposure: RawExposure, item: Explained) -> _Fault | None:
    airmass, (low, high, _) = float(item.value), RANGES["airmass"]
    if not low <= airmass <= high:
        return _Fault("an airmass is 1 or more", "name the card that holds it", "doubtful" if airmass == 0 else "wrong")
    expected = compute_airmass(exposure.visit_info)
    if expected is None:
        return None
    note = f"at altitude {exposure.number('boresight_altitude'):.2f} deg it is {expected:.3f}"
    other = translator_place(exposure.translator, "boresight_altitude")
    return _Fault(note, f"name the card that holds it; or is the altitude wrong, {other}?")


def _in_range(exposure: RawExposure, item: Explained) -> _Fault | None:
    low, high, _ = RANGES.get(item.name, (-math.inf, math.inf, ""))
    if isinstance(item.value, str) or low <= float(item.value) <= high:
        return None
    note = f"it is not between {low:g} and {high:g} {item.unit}"
    return _Fault(note.rstrip(), "is it another card, or another unit?")


_CHECKS: dict[str, Callable[[RawExposure, Explained], _Fault | None]] = {
    "exposure_time": _exposure_time,
    "dark_time": _dark_time,
    "airmass": _airmass,
    "date_begin": _begin,
    "date_avg": _date,
    "date_end": _end,
}


def _filter(exposure: RawExposure, item: Explained) -> _Fault | None:
    try:
        exposure.instrument.find_filter(str(item.value))
    except DataIdError as error:
        # Without light it does not matter what is in the beam, nor that no card says it.
        if exposure.image_type in ("bias", "dark") and str(item.value) in ("none", "unknown"):
            return None
        verdict: Verdict = "wrong" if exposure.image_type in _LIT else "doubtful"
        note = str(error).partition(";")[0]
        holder = _filter_card(exposure)
        if holder:
            how = f"read {holder}, which holds {exposure.header[holder]!r}"
            asked = ", ".join(item.cards)
            return _Fault(note, f"{how}, not {asked}" if asked else how, verdict)
        place = instrument_place(exposure.instrument, "filters")
        how = f"add FilterDefinition(physical_filter={str(item.value)!r}, band=...), or fix how the header is read: "
        return _Fault(note, how + translator_place(exposure.translator, item.name), verdict, place)
    holder = _filter_card(exposure)
    if holder and item.cards and not any(item.cards.values()):
        asked = ", ".join(item.cards)
        note = f"it is used in place of {asked}, which the header does not have"
        return _Fault(note, f"read {holder}, which holds {exposure.header[holder]!r}, not {asked}")
    return None


def _filter_card(exposure: RawExposure) -> str:
    """Return the card that holds the name of a filter that the camera knows; those that speak of filters come first."""
    names = {name for known in exposure.instrument.filters for name in (known.physical_filter, *known.aliases)}
    names |= {name.upper() for name in names}
    holders = [key for key, value in exposure.header.items() if isinstance(value, str) and value.strip() in names]
    holders = [key for key in holders if len(str(exposure.header[key]).strip()) > 1 or "FIL" in key]
    return min(holders, key=lambda key: ("FILT" not in key, key), default="")


def _detector(exposure: RawExposure, item: Explained) -> _Fault | None:
    try:
        exposure.instrument.find_detector(exposure.row)
    except ObsError as error:
        table = shown(exposure.instrument.camera_folder / "detectors.csv")
        how = f"name the card that holds the detector, or add it to {table}"
        return _Fault(str(error), how)
    return None


def _check_number(exposure: RawExposure) -> Check:
    try:
        number = exposure.instrument.exposure_number(exposure.row)
    except Exception as error:  # noqa: BLE001 - a plugin's function can fail in any way
        lacks = any(exposure.row.get(name) is None for name in exposure.translator.unique)
        note = str(error) if isinstance(error, ObsError) else f"{type(error).__name__}: {error}"
        if lacks or exposure.instrument.raw_dataset_type != "raw":
            return Check("header", "exposure number", verdict="not known", note=note)
        place = instrument_place(exposure.instrument, "exposure_id")
        how = f"{place}: fix the function that it names, or exposure_id_bits"
        return Check("header", "exposure number", verdict="wrong", note=note, remedy=how)
    return Check("header", "exposure number", str(number), " ".join(exposure.translator.unique))
