"""The report of `obs doctor` on one page: what is the same in all files, what differs, what is wrong."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from obs.doctor.check import STEPS, Check
from obs.doctor.examine import Examination, Examined
from obs.frozen import frozen

__all__ = ["Complaint", "find_complaints", "find_shared", "table_of_files"]

#: Values that the table of files shows, as translators call them; those that never differ are left out.
_COLUMNS = ("image_type", "filter", "exposure_time", "date_begin", "object", "boresight_ra", "boresight_dec", "airmass")
_ALIASES = {"dataType": "image_type", "expTime": "exposure_time", "physical_filter": "filter", "field": "object"}


@frozen
class Complaint:
    """One thing that is wrong or to be looked at, and the files that it is in.

    Parameters
    ----------
    check : Check
        The first of its kind.
    names : tuple of str
        Files and HDUs.
    n_checked : int
        Number of exposures in which the same was looked at.
    """

    check: Check
    names: tuple[str, ...]
    n_checked: int


def find_shared(exposures: Sequence[Examined]) -> list[Check]:
    """Return checks that came out the same in every exposure that has them, and what pairs of exposures gave.

    Parameters
    ----------
    exposures : sequence of Examined
        Exposures with their checks.
    """
    shared = []
    for checks in _by_key(exposures).values():
        of_pairs = [check for check in checks if " and " in check.source and check.verdict == "ok"]
        values = {(check.value, check.source, check.verdict) for check in checks}
        if of_pairs:
            shared.append(of_pairs[0])
        elif len(values) == 1 and len(checks) > 1 and checks[0].verdict == "ok":
            shared.append(checks[0])
    return sorted(shared, key=lambda check: STEPS.index(check.step))


def find_complaints(exposures: Sequence[Examined]) -> list[Complaint]:
    """Return what is wrong or to be looked at, each once; messages that differ in numbers only are one.

    Parameters
    ----------
    exposures : sequence of Examined
        Exposures with their checks.
    """
    groups: dict[tuple[str, ...], list[tuple[str, Check]]] = {}
    for examined in exposures:
        for check in examined.checks:
            if check.verdict in ("wrong", "doubtful"):
                key = (check.verdict, check.step, _plain(check.name), _plain(check.note), _plain(check.remedy))
                groups.setdefault(key, []).append((examined.name, check))
    # several warnings of one exposure are one look at it
    counts = Counter(key for one in exposures for key in {(check.step, check.name) for check in one.checks})
    complaints = [
        Complaint(
            group[0][1],
            tuple(dict.fromkeys(name for name, _ in group)),
            counts[group[0][1].step, group[0][1].name],
        )
        for group in groups.values()
    ]
    order = ("wrong", "doubtful")
    return sorted(complaints, key=lambda item: (order.index(item.check.verdict), STEPS.index(item.check.step)))


def table_of_files(examination: Examination) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of a table with a row for each exposure; columns without a difference are left out."""
    rows = []
    for examined in examination.exposures:
        values: dict[str, str] = {}
        for check in examined.checks:
            name = _ALIASES.get(check.name, check.name)
            if check.step == "header" and name in _COLUMNS and check.value:
                values.setdefault(name, check.value)
        marks = {check.verdict for check in examined.checks}
        verdict = "WRONG" if "wrong" in marks else "look" if "doubtful" in marks else "ok"
        rows.append((examined.name, values, verdict))
    columns = [name for name in _COLUMNS if len({values.get(name, "") for _, values, _ in rows}) > 1]
    headers = ["file", *(name.replace("_", " ") for name in columns), ""]
    return headers, [[name, *(values.get(column, "") for column in columns), mark] for name, values, mark in rows]


def _by_key(exposures: Iterable[Examined]) -> dict[tuple[str, str], list[Check]]:
    found: dict[tuple[str, str], list[Check]] = {}
    for step, name, check in _all(exposures):
        found.setdefault((step, name), []).append(check)
    return found


def _all(exposures: Iterable[Examined]) -> Iterator[tuple[str, str, Check]]:
    for examined in exposures:
        for check in examined.checks:
            yield check.step, check.name, check


def _plain(text: str) -> str:
    """Return a text without what differs between files of one kind: numbers and file names."""
    return re.sub(r"[\d.]+", "N", re.sub(r"\S+\.(fits?|fts|fz|gz)\b", "FILE", text))
