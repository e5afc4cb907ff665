"""What the headers of frames tell of their exposures: when, how long, through what, of what, and whereto."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from obs.errors import FileFormatError
from obs.frozen import frozen
from obs.inspection.cards import Cards
from obs.inspection.files.reconcile import Told, find_unreconciled, order_rules
from obs.inspection.files.several_files import files_of_detectors
from obs.inspection.finding import Finding, lower_confidence
from obs.inspection.header.dates import find_date, find_night, find_time_scale
from obs.inspection.header.exposure_time import ExposureRule, find_exposure_time, join_units
from obs.inspection.header.filters import find_filter, find_places
from obs.inspection.header.image_types import find_image_type
from obs.inspection.header.keys import KeyRule, find_visit
from obs.inspection.header.pointing import find_airmass, find_object, find_pointing
from obs.inspection.header.processed import is_stack
from obs.inspection.header.side_of_greenwich import Look, settle_side
from obs.inspection.header.site import find_site
from obs.inspection.pixels.type_levels import are_sky_flats, find_unlikely_types
from obs.inspection.raw_file import RawFile
from obs.inspection.untyped import complete_types, settle_by_target
from obs.instrument.card_values import format_date, parse_date, read_number
from obs.instrument.date_rules import DateRule
from obs.instrument.filter_wheels import read_wheels
from obs.instrument.image_types import read_types
from obs.instrument.plausible import check_value
from obs.instrument.pointing_rules import PointingRule

__all__ = ["FileFacts", "FrameFacts", "collect_frame_facts", "find_frame_facts"]

R = TypeVar("R")
_ARCSEC = 1.0 / 3600.0
_READ_BY = {
    "date_begin": "dates",
    "exposure_time": "exposures",
    "boresight_ra": "pointings",
    "boresight_dec": "pointings",
    "airmass": "airmasses",
}
"""Quantities whose values are read by rules, with the names of those."""


@frozen
class FileFacts:
    """What one file tells of its exposure, alone, and how each quantity is read.

    Parameters
    ----------
    date : tuple of Finding and DateRule
        Begin of the exposure.
    exposure : tuple of Finding and ExposureRule
        Exposure time.
    glass : tuple of Finding and tuple of str
        Filter, and the cards that name it.
    image_type : tuple of Finding and str
        Type of the frame, and the card that gives it.
    target : tuple of Finding and str
        Name of the target, and its card.
    airmass : tuple of Finding and str
        Airmass, and its card.
    pointing : tuple of Finding
        Right ascension and declination, degrees.
    pointing_rule : PointingRule or None
        How the pointing is read.
    """

    date: Told[DateRule]
    exposure: Told[ExposureRule]
    glass: Told[tuple[str, ...]]
    image_type: Told[str]
    target: Told[str]
    airmass: Told[str]
    pointing: tuple[Finding, Finding]
    pointing_rule: PointingRule | None


@frozen
class FrameFacts:
    """What was found of the exposures.

    Parameters
    ----------
    findings : tuple of Finding
        The quantities, of the first file that tells them.
    borrowed : frozenset of str
        Those that the first of all files does not say.
    files : tuple of FileFacts
        What each file tells alone.
    filters : tuple of str
        The filters in the files.
    filter_cards : tuple of tuple of str
        Cards that name it, of each wheel one; others that stand in.
    dates : tuple of DateRule
        How to read when the exposure began; rules that stand in for each other, as the following.
    exposures : tuple of ExposureRule
        How to read the exposure time.
    pointings : tuple of PointingRule
        How to read the pointing.
    image_types, targets, airmasses : tuple of str
        Cards of the type of the frame, of the target, and of the airmass.
    begins : tuple of str or None
        When each file's exposure began.
    exposures_of_files : tuple
        What is the same in files of one exposure; None where nothing tells.
    visit : KeyRule
        How the number of the exposure is read.
    is_untyped : bool
        Whether frames of which nothing says the type are of science: they show stars, or names of files say the rest.
    has_sky_flats : bool
        Whether frames that are called sky are flats.
    are_named : bool
        Whether what a calibration is called counts, and not the card that calls it science.
    warnings : tuple of str
        What is wrong.
    """

    findings: tuple[Finding, ...]
    borrowed: frozenset[str]
    files: tuple[FileFacts, ...]
    filters: tuple[str, ...]
    filter_cards: tuple[tuple[str, ...], ...]
    dates: tuple[DateRule, ...]
    exposures: tuple[ExposureRule, ...]
    pointings: tuple[PointingRule, ...]
    image_types: tuple[str, ...]
    targets: tuple[str, ...]
    airmasses: tuple[str, ...]
    begins: tuple[object, ...]
    exposures_of_files: tuple[object, ...]
    visit: KeyRule
    is_untyped: bool
    has_sky_flats: bool
    are_named: bool
    warnings: tuple[str, ...]


def collect_frame_facts(cards: Cards) -> FileFacts:
    """Return what one header tells of its exposure."""
    exposure, exposure_rule = find_exposure_time(cards)
    date, date_rule = find_date(cards)
    glass, filter_cards = find_filter(cards)
    if is_stack(cards):
        exposure, date = _of_a_stack(exposure), _of_a_stack(date)
    kind = find_image_type(cards, exposure)
    target, airmass = find_object(cards), find_airmass(cards)
    (ra, dec), pointing_rule = find_pointing(cards, date)
    return FileFacts(
        date=(date, date_rule),
        exposure=(_against_type(exposure, kind), exposure_rule),
        glass=(glass, filter_cards or None),
        image_type=(kind, kind.source or None),
        target=(target, target.source or None),
        airmass=(airmass, airmass.source or None),
        pointing=(ra, dec),
        pointing_rule=pointing_rule,
    )


def _of_a_stack(finding: Finding) -> Finding:
    """Return what a header tells of one frame as a guess, where it is that of several."""
    return replace(finding, confidence=lower_confidence(finding.confidence, "guess"), note="a stack of several frames")


def find_frame_facts(files: Sequence[RawFile]) -> FrameFacts:
    """Return what files tell of their exposures.

    Parameters
    ----------
    files : sequence of RawFile
        The files, of one camera.
    """
    all_cards = [file.cards for file in files]
    alone = [collect_frame_facts(cards) for cards in all_cards]
    completed, untyped = complete_types(files, [one.image_type for one in alone], [one.exposure[0] for one in alone])
    alone = [replace(one, image_type=kind) for one, kind in zip(alone, completed, strict=True)]
    settled, by_target = settle_by_target(files, [one.image_type[0] for one in alone])
    types = find_unlikely_types(files, settled)
    has_sky_flats = are_sky_flats(files, types)
    if has_sky_flats:
        note = "the card says sky, the pixels are those of flats"
        types = [replace(t, value="flat", confidence="guess", note=note) if t.value == "sky" else t for t in types]
    facts = tuple(replace(one, image_type=(kind, one.image_type[1])) for one, kind in zip(alone, types, strict=True))
    facts = _by_place(facts, all_cards)
    borrowed: set[str] = set()

    def best(findings: Sequence[Finding]) -> tuple[Finding, int]:
        number = _knowing(findings)
        if number:
            borrowed.add(findings[number].quantity)
        return findings[number], number

    begins = tuple(one.date[0].value for one in facts)
    date, of_date = best([one.date[0] for one in facts])
    rule = facts[of_date].date[1]
    has_time = rule is None or rule.has_time
    visit, visit_rule = find_visit(files, begins, to_the_second=has_time)
    if visit_rule.kind == "date" and len(set(begins)) < len(begins) and not files_of_detectors(files, begins)[1]:
        named, named_rule = find_visit(files, begins, to_the_second=False)
        if named_rule.kind == "name":  # several begin in one second
            visit, visit_rule = named, named_rule
    if rule is None and visit_rule.kind == "date":
        visit = replace(visit, note="no card numbers the exposures, and none has the time when they began")
    ra, of_pointing = best([one.pointing[0] for one in facts])
    if of_pointing:
        borrowed.add("boresight_dec")
    findings = (
        visit,
        date,
        find_night(all_cards[0], date),
        _time_scale(facts, all_cards, of_date),
        best([one.exposure[0] for one in facts])[0],
        best([one.glass[0] for one in facts])[0],
        best([one.target[0] for one in facts])[0],
        best([one.image_type[0] for one in facts])[0],
        ra,
        facts[of_pointing].pointing[1],
        best([one.airmass[0] for one in facts])[0],
        *_site(all_cards, facts),
    )
    rules, misread = _rules(facts, all_cards)
    findings = tuple(_against_misread(finding, misread, files) for finding in findings)
    return FrameFacts(
        findings=tuple(_marked(finding, borrowed, files[0]) for finding in findings),
        borrowed=frozenset(borrowed),
        files=facts,
        filters=tuple(dict.fromkeys(one.glass[0].value for one in facts if one.glass[0].is_known)),
        **rules,
        begins=begins,
        exposures_of_files=_exposures(all_cards, begins, visit_rule),
        visit=visit_rule,
        is_untyped=bool(untyped),
        has_sky_flats=has_sky_flats,
        are_named=bool(by_target),
        warnings=(
            *_unnumbered(rule, visit, visit_rule, has_time=has_time),
            *_odd_levels(files, types),
            *([_SKY_FLATS] if has_sky_flats else []),
            *([untyped] if untyped else []),
            *([by_target] if by_target else []),
        ),
    )


_SKY_FLATS = (
    "frames that are called sky are as bright as flats, show no stars, and no other frames are called flats: they are "
    "taken for sky flats; if they are not, change translate_dataType of translator.py"
)


def _odd_levels(files: Sequence[RawFile], types: Sequence[Finding]) -> Iterator[str]:
    """Yield what the levels of frames say against their types."""
    for file, kind in zip(files, types, strict=True):
        if kind.note.startswith("but its level"):
            yield f"{file.path.name}: {kind.source} says {kind.value}, {kind.note}"


def _by_place(facts: tuple[FileFacts, ...], all_cards: Sequence[Cards]) -> tuple[FileFacts, ...]:
    """Return the facts with the places of filter wheels for filters, where no file names one."""
    if any(one.glass[0].is_known for one in facts) or not (places := find_places(all_cards)):
        return facts
    source, note = (
        " + ".join(places),
        "the number of a place in the wheel: obs new --filters NUMBER=BAND says what is there",
    )
    return tuple(
        replace(one, glass=(Finding("filter", read_wheels(cards, places), source, "guess", note), places))
        for one, cards in zip(facts, all_cards, strict=True)
    )


def _exposures(all_cards: Sequence[Cards], begins: Sequence[object], rule: KeyRule) -> tuple[object, ...]:
    """Return what files of one exposure share: when it began, to the millisecond, and the card that numbers it."""
    numbers = [str(cards.get(rule.keyword, "")) if rule.keyword else "" for cards in all_cards]
    return tuple(begin and f"{begin} {number}" for begin, number in zip(begins, numbers, strict=True))


def _knowing(findings: Sequence[Finding]) -> int:
    """Return the number of the first file that tells a quantity surely; else of the first that tells it at all."""
    for confidences in (("certain", "likely"), ("guess",)):
        for number, finding in enumerate(findings):
            if finding.confidence in confidences:
                return number
    return 0


def _site(all_cards: Sequence[Cards], facts: Sequence[FileFacts]) -> list[Finding]:
    """Return longitude, latitude and elevation, each of the file that tells it best."""
    found = [find_site(cards, one.date[0]) for cards, one in zip(all_cards, facts, strict=True)]
    longitude, latitude, elevation = (of_all[_knowing(of_all)] for of_all in zip(*found, strict=True))
    looks = [Look(one.date[0], one.exposure[0], *one.pointing, one.airmass[0]) for one in facts]
    return [settle_side(longitude, latitude, looks), latitude, elevation]


def _time_scale(facts: Sequence[FileFacts], all_cards: Sequence[Cards], first: int) -> Finding:
    """Return the time scale of a file, a guess where another has its times in another: a camera has one."""
    found = [find_time_scale(cards, one.date[1]) for cards, one in zip(all_cards, facts, strict=True)]
    best = found[first]
    other = next(
        (o for o in found if o.confidence in ("certain", "likely") and o.source and o.value != best.value), None
    )
    if other is None:
        return best
    text = f"other files have {other.value}"
    note = f"{best.note}; {text}" if best.note else text
    return replace(best, confidence=lower_confidence(best.confidence, "guess"), note=note)


def _rules(facts: Sequence[FileFacts], all_cards: Sequence[Cards]) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Return how each quantity is read, so that each file gives the values that it gives alone; and where it does not.

    The latter are the numbers of files, by the name of the rules.
    """
    seconds = [float(one.exposure[0].value) if one.exposure[0].is_known else math.nan for one in facts]
    dates = [parse_date(one.date[0].value) if one.date[0].is_known else None for one in facts]

    def read_date(rule: DateRule, n: int) -> object:
        return _quietly(lambda: _checked("date_begin", format_date(rule.read(all_cards[n], seconds[n]))))

    def read_exposure(rule: ExposureRule, n: int) -> object:
        return _quietly(lambda: _checked("exposure_time", rule.read(all_cards[n])))

    def read_pointing(rule: PointingRule, n: int) -> object:
        return _quietly(lambda: rule.read(all_cards[n], dates[n]))

    def read_type(rule: str, n: int) -> object:
        return next(read_types(all_cards[n], [rule]), None)

    def read_airmass(rule: str, n: int) -> object:
        return _quietly(lambda: _checked("airmass", read_number(all_cards[n].get(rule))))

    glasses = [(finding, _all_wheels(cards, facts)) for finding, cards in (one.glass for one in facts)]
    exposures = join_units([one.exposure[1] for one in facts])
    pointings = [(_pair(one.pointing), one.pointing_rule) for one in facts]
    ways: dict[str, tuple[Sequence[Told[Any]], Callable[[Any, int], object], Callable[[Any, Any], bool]]] = {
        "dates": ([one.date for one in facts], read_date, _same),
        "exposures": (
            [(one.exposure[0], rule) for one, rule in zip(facts, exposures, strict=True)],
            read_exposure,
            _close,
        ),
        "filter_cards": (glasses, lambda rule, n: read_wheels(all_cards[n], rule), _same),
        "pointings": (pointings, read_pointing, _near),
        "image_types": ([one.image_type for one in facts], read_type, _same),
        "targets": ([one.target for one in facts], lambda rule, n: all_cards[n].get(rule), _same),
        "airmasses": ([one.airmass for one in facts], read_airmass, _close),
    }
    rules = {name: tuple(order_rules(*way)) for name, way in ways.items()}
    misread = {name: find_unreconciled(ways[name][0], rules[name], *ways[name][1:]) for name in _READ_BY.values()}
    return rules, misread


def _against_misread(finding: Finding, misread: dict[str, list[int]], files: Sequence[RawFile]) -> Finding:
    """Return a finding as a guess where no order of cards reads each file as that tells alone."""
    numbers = misread.get(_READ_BY.get(finding.quantity, ""), [])
    if not numbers or not finding.is_known:
        return finding
    more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    note = f"{files[numbers[0]].path.name}{more}: the card means something else there"
    note = f"{finding.note}; {note}" if finding.note else note
    return replace(finding, confidence=lower_confidence(finding.confidence, "guess"), note=note)


def _all_wheels(cards: tuple[str, ...] | None, facts: Sequence[FileFacts]) -> tuple[str, ...] | None:
    """Return the cards of a file's wheels, with those of others that have some of the same."""
    if cards is None or len(cards) < 2:
        return cards
    others = [other for one in facts if (other := one.glass[1]) is not None and set(other) & set(cards)]
    return tuple(dict.fromkeys(name for names in (cards, *sorted(others)) for name in names))


def _pair(pointing: tuple[Finding, Finding]) -> Finding:
    """Return both coordinates as one finding."""
    ra, dec = pointing
    return replace(ra, value=(ra.value, dec.value), confidence=lower_confidence(ra.confidence, dec.confidence))


def _quietly(read: Callable[[], object]) -> object:
    try:
        return read()
    except FileFormatError:
        return None


def _checked(name: str, value: Any) -> Any:  # noqa: ANN401 - numbers and dates
    check_value(name, value)
    return value


def _same(first: object, second: object) -> bool:
    return str(first).strip() == str(second).strip()


def _close(first: Any, second: Any) -> bool:  # noqa: ANN401 - numbers
    return bool(abs(first - second) <= 1e-6 * max(abs(first), abs(second), 1.0))


def _near(first: Any, second: Any) -> bool:  # noqa: ANN401 - pairs of degrees
    across = abs((first[0] - second[0] + 180.0) % 360.0 - 180.0) * math.cos(math.radians(first[1]))
    return bool(max(across, abs(first[1] - second[1])) <= _ARCSEC)


def _unnumbered(date: DateRule | None, visit: Finding, rule: KeyRule, *, has_time: bool) -> tuple[str, ...]:
    """Return what to tell of frames that nothing numbers."""
    if rule.kind != "date":
        return ()
    if date is None:
        return (
            "no card gives when the exposure began, and none numbers it: such frames cannot be ingested; if another "
            "card gives, or the name of the file, say so in the table dates of translator.py",
        )
    return () if has_time else (visit.note,)


_NO_BIAS = "no card says that this is a bias"


def _against_type(exposure: Finding, kind: Finding) -> Finding:
    """Return the exposure time, a guess where it is zero and the frame no bias."""
    if exposure.value != 0.0:
        return exposure
    if kind.value is None and "says" in kind.note:
        return replace(exposure, confidence="guess", note=kind.note)
    if kind.value is None or kind.source == exposure.source:
        return replace(exposure, confidence=lower_confidence(exposure.confidence, "likely"), note=_NO_BIAS)
    if kind.value == "bias":
        return exposure
    return replace(exposure, confidence="guess", note=f"{kind.source} says {kind.value}")


def _marked(finding: Finding, borrowed: set[str], first: RawFile) -> Finding:
    """Return a finding with a note where the first file does not say it."""
    if finding.quantity not in borrowed:
        return finding
    note = "; ".join(part for part in (finding.note, f"{first.path.name} does not say it") if part)
    return replace(finding, note=note)
