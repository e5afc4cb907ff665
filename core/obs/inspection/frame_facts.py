"""What the headers of frames tell of their exposures: when, how long, through what, of what, and whereto."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from obs.inspection.cards import Cards
from obs.inspection.files.several_files import knowing_file
from obs.inspection.finding import Finding, lower_confidence
from obs.inspection.header.dates import DateRule, find_date, find_night, find_time_scale
from obs.inspection.header.exposure_time import find_exposure_time
from obs.inspection.header.filters import find_filter
from obs.inspection.header.image_types import find_image_type
from obs.inspection.header.keys import KeyRule, find_visit
from obs.inspection.header.pointing import Pointing, find_airmass, find_object, find_pointing
from obs.inspection.header.site import find_site
from obs.inspection.raw_file import RawFile

__all__ = ["FrameFacts", "find_frame_facts"]


@dataclass(frozen=True)
class FrameFacts:
    """What was found of the exposures.

    Parameters
    ----------
    findings : tuple of Finding
        The quantities, of the first file that tells them.
    borrowed : frozenset of str
        Those that the first of all files does not tell.
    filters : tuple of str
        The filters in the files.
    filter_cards : tuple of str
        Cards that name it.
    date : DateRule or None
        How to read when the exposure began.
    begins : tuple of str or None
        When each file's exposure began.
    exposure_unit : str
        Unit of the exposure time's card.
    pointing : Pointing or None
        Where the pointing is.
    visit : KeyRule
        How the number of the exposure is read.
    warnings : tuple of str
        What is wrong.
    """

    findings: tuple[Finding, ...]
    borrowed: frozenset[str]
    filters: tuple[str, ...]
    filter_cards: tuple[str, ...]
    date: DateRule | None
    begins: tuple[object, ...]
    exposure_unit: str
    pointing: Pointing | None
    visit: KeyRule
    warnings: tuple[str, ...]


def find_frame_facts(files: Sequence[RawFile]) -> FrameFacts:
    """Return what files tell of their exposures.

    Parameters
    ----------
    files : sequence of RawFile
        The files, of one camera.
    """
    borrowed: set[str] = set()

    def cards_for(find: Callable[[Cards], Finding]) -> Cards:
        file = knowing_file(files, find)
        if file is not files[0]:
            borrowed.add(find(file.cards).quantity)
        return file.cards

    date, date_rule = find_date(cards_for(lambda cards: find_date(cards)[0]))
    begins = tuple(find_date(file.cards)[0].value for file in files)
    has_time = date_rule is None or date_rule.kind != "layout" or bool(date_rule.time)
    visit, visit_rule = find_visit(files, begins, to_the_second=has_time)
    if date_rule is None and visit_rule.kind == "date":
        visit = replace(visit, note="no card numbers the exposures, and none tells when they began")
    exposure, unit = find_exposure_time(cards_for(lambda cards: find_exposure_time(cards)[0]))
    glass, filter_cards = find_filter(cards_for(lambda cards: find_filter(cards)[0]))
    pointing, pointing_rule = find_pointing(cards_for(lambda cards: find_pointing(cards)[0][0]))
    first = files[0].cards
    kind = find_image_type(cards_for(lambda cards: find_image_type(cards, exposure)), exposure)
    findings = (
        visit,
        date,
        find_night(first, date),
        find_time_scale(first),
        _against_type(exposure, kind),
        glass,
        find_object(cards_for(find_object)),
        kind,
        *pointing,
        find_airmass(cards_for(find_airmass)),
        *find_site(first, date),
    )
    if "boresight_ra" in borrowed:
        borrowed.add("boresight_dec")
    return FrameFacts(
        findings=tuple(_marked(finding, borrowed, files[0]) for finding in findings),
        borrowed=frozenset(borrowed),
        filters=tuple(dict.fromkeys(f.value for file in files if (f := find_filter(file.cards)[0]).is_known)),
        filter_cards=filter_cards,
        date=date_rule,
        begins=begins,
        exposure_unit=unit,
        pointing=pointing_rule,
        visit=visit_rule,
        warnings=_unnumbered(date_rule, visit, visit_rule, has_time=has_time),
    )


def _unnumbered(date: DateRule | None, visit: Finding, rule: KeyRule, *, has_time: bool) -> tuple[str, ...]:
    """Return what to tell of frames that nothing numbers."""
    if rule.kind != "date":
        return ()
    if date is None:
        return (
            "no card tells when the exposure began, and none numbers it: such frames cannot be ingested; if another "
            "card tells, or the name of the file, say so in the method _begin of translator.py",
        )
    return () if has_time else (visit.note,)


_NO_BIAS = "no card says that this is a bias"


def _against_type(exposure: Finding, kind: Finding) -> Finding:
    """Return the exposure time, a guess where it is zero and the frame no bias."""
    if exposure.value != 0.0:
        return exposure
    if kind.value is None or kind.source == exposure.source:
        return replace(exposure, confidence=lower_confidence(exposure.confidence, "likely"), note=_NO_BIAS)
    if kind.value == "bias":
        return exposure
    return replace(exposure, confidence="guess", note=f"{kind.source} says {kind.value}")


def _marked(finding: Finding, borrowed: set[str], first: RawFile) -> Finding:
    """Return a finding with a note where the first file does not tell it."""
    if finding.quantity not in borrowed:
        return finding
    note = "; ".join(part for part in (finding.note, f"{first.path.name} does not tell it") if part)
    return replace(finding, note=note)
