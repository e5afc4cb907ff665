"""Rules that single files give, put in an order in which each file gives the values that it gives alone."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from obs.inspection.finding import Finding

__all__ = ["Told", "find_unreconciled", "order_rules"]

R = TypeVar("R")
Told = tuple[Finding, R | None]
"""What a file tells, and how it is read."""


def order_rules(
    findings: Sequence[Told[R]], read: Callable[[R, int], object], agree: Callable[[object, object], bool]
) -> list[R]:
    """Return the rules of all files, so that the first that gives a value gives the right one.

    Parameters
    ----------
    findings : sequence of (Finding, rule)
        What each file tells alone. Guesses count only where no file is surer.
    read : callable
        From a rule and the number of a file to the value that it gives there; None where it gives none.
    agree : callable
        Whether two values are the same.

    Returns
    -------
    list
        The rules, each once. Where there is no such order, that of the files.
    """
    known = [(finding, rule) for finding, rule in findings if finding.is_known and rule is not None]
    sure = [(finding, rule) for finding, rule in known if finding.confidence != "guess"]
    left = list(dict.fromkeys(rule for _, rule in sure or known))
    ordered: list[R] = []
    while left:
        after = [
            (number, finding.value)
            for number, (finding, rule) in enumerate(findings)
            if finding.is_known and rule in left and not any(read(done, number) is not None for done in ordered)
        ]
        fits = (rule for rule in left if all(_is_right(read(rule, n), value, agree) for n, value in after))
        chosen = next(fits, left[0])
        ordered.append(chosen)
        left.remove(chosen)
    return ordered


def _is_right(value: object, wanted: object, agree: Callable[[object, object], bool]) -> bool:
    return value is None or agree(value, wanted)


def find_unreconciled(
    findings: Sequence[Told[R]],
    rules: Sequence[R],
    read: Callable[[R, int], object],
    agree: Callable[[object, object], bool],
) -> list[int]:
    """Return the numbers of the files that the rules in order do not read as each surely tells alone.

    Parameters
    ----------
    findings : sequence of (Finding, rule)
        What each file tells alone.
    rules : sequence
        The rules of all files, in order.
    read, agree : callable
        As for `order_rules`.
    """
    wrong = []
    for number, (finding, _) in enumerate(findings):
        values = (read(rule, number) for rule in rules)
        value = next((value for value in values if value is not None), None)
        if finding.is_known and finding.confidence != "guess" and not _is_right(value, finding.value, agree):
            wrong.append(number)
    return wrong
