"""What a translator makes of a header, value by value: its unit, and the cards that it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.image.visit_info import VisitInfo
from obs.instrument.circumstances import complete_visit_info
from obs.instrument.header import Header
from obs.instrument.translator import Translator

__all__ = ["Explained", "explain", "format_value"]


_PAIR = ("boresight_ra", "boresight_dec")


@frozen
class Explained:
    """One translated value, with the card it came from.

    Parameters
    ----------
    name : str
        Column of the registry, or field of `VisitInfo`.
    value : int, float, str or None
        As the engine has it; None where it is not known.
    unit : str
        Its unit; empty where it has none.
    is_column : bool
        Whether it is a column of the registry, not a circumstance of the exposure.
    cards : dict of str to bool
        Keywords that were looked at, and whether the header has them.
    source : str
        The cards with a value, or ``constant``, ``default``, ``derived``; empty where nothing tells.
    error : str
        Why it cannot be read; else empty.
    """

    name: str
    value: Any
    unit: str
    is_column: bool
    cards: Mapping[str, bool]
    source: str
    error: str = ""


def explain(translator: Translator, header: Mapping[str, Any], exposure_id: int | None = None) -> list[Explained]:
    """Return every column and every circumstance, in their order.

    Parameters
    ----------
    translator : Translator
        The camera's.
    header : mapping
        Cards that have a value.
    exposure_id : int, optional
        Number of the detector's exposure, where the camera makes one of the columns.
    """
    md = translator.open(header)
    columns = [_explain(translator, md, name, is_column=True) for name in translator.columns]
    return [*columns, *_circumstances(translator, md, exposure_id)]


def _explain(translator: Translator, md: Header, name: str, *, is_column: bool) -> Explained:
    md.asked.clear()
    value, error = None, ""
    try:
        value = translator.read(name, md)
        if value is not None:
            value = translator.cast(name, value, is_column=is_column)
            if fault := translator.find_fault(
                name, value, _pair(translator, md) if name in _PAIR and value == 0.0 else {}
            ):
                value, error = None, fault
    except FileFormatError as fault:
        value, error = None, str(fault)
        if is_column and name in translator.defaults:
            value, error = translator.cast(name, translator.defaults[name], is_column=True), ""
    if value != value or value == "":  # NaN
        value = None
    cards = dict(md.asked)
    source = _source(translator, name, value, [keyword for keyword, there in cards.items() if there])
    return Explained(name, value, "" if is_column else _unit(name), is_column, cards, source, error)


def _pair(translator: Translator, md: Header) -> dict[str, Any]:
    """Return right ascension and declination, as far as they can be read."""
    found = {}
    for name in _PAIR:
        try:
            found[name] = translator.read(name, md)
        except FileFormatError:
            continue
    return found


def _source(translator: Translator, name: str, value: Any, there: list[str]) -> str:  # noqa: ANN401 - of any type
    if there or value is None:
        return " ".join(there)
    is_constant = name in translator.constants and not translator.has_rule(name)
    return "constant" if is_constant else "default" if translator.has_rule(name) else "derived"


def _circumstances(translator: Translator, md: Header, exposure_id: int | None) -> Iterator[Explained]:
    found = [_explain(translator, md, fact.name, is_column=False) for fact in fields(VisitInfo)]
    known = {item.name: item.value for item in found if item.value is not None}
    dates = next(item.cards for item in found if item.name == "date_begin")
    try:
        whole = complete_visit_info(known, exposure_id)
    except FileFormatError:  # the begin is not a date, so that nothing follows from it
        whole = VisitInfo(**known)
    for item in found:
        value = getattr(whole, item.name)
        if item.value is None and not item.error and value is not None and value == value and value != "":
            source = "derived" if item.name != "time_scale" else "default"
            yield Explained(item.name, value, item.unit, False, item.cards, source)
        elif item.name in _PAIR and item.value is None:
            # the date is asked for the equinox only, so that it does not tell a pointing that is not there
            own = (keyword for keyword in item.source.split() if keyword not in dates)
            yield replace(item, source=" ".join(own))
        else:
            yield item


def _unit(name: str) -> str:
    comment: str = next(fact.metadata["comment"] for fact in fields(VisitInfo) if fact.name == name)
    return comment[1 : comment.index("]")] if comment.startswith("[") else ""


def format_value(value: Any) -> str:  # noqa: ANN401 - columns are of any type
    """Return a value as text, numbers to ten digits."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
