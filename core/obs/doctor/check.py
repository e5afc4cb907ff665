"""One thing that was looked at, and what came of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from obs.frozen import frozen

__all__ = ["STEPS", "Check", "MeasuredValue", "Verdict", "next_to_fix"]

Verdict = Literal["ok", "wrong", "doubtful", "not known"]

#: The steps in the order in which they are fixed: the later ones rest on the earlier.
STEPS = ("package", "header", "geometry", "overscan", "tables", "signature", "noise", "sky", "file", "trial")


@frozen
class MeasuredValue:
    """A value that pixels gave, for the camera's table of amplifiers.

    Parameters
    ----------
    detector, amplifier : str
        Names, as in the table.
    column : str
        ``gain`` or ``read_noise``.
    value : str
        Electrons per ADU, or electrons.
    files : tuple of Path
        The files that show it.
    """

    detector: str
    amplifier: str
    column: str
    value: str
    files: tuple[Path, ...]


@frozen
class Check:
    """Outcome of one check of a file.

    Parameters
    ----------
    step : str
        One of `STEPS`.
    name : str
        What was looked at: ``exposure_time``, ``overscan of A``.
    value : str
        What it is, with its unit.
    source : str
        Cards, or what else it comes from.
    verdict : {"ok", "wrong", "doubtful", "not known"}
        Wrong is what has to be fixed; doubtful what the user should look at.
    note : str
        What is wrong with it, or why nothing is known.
    remedy : str
        Where and how to fix it: file, line, key, value.
    measured : MeasuredValue or None
        What `obs doctor --write` can write in its place.
    """

    step: str
    name: str
    value: str = ""
    source: str = ""
    verdict: Verdict = "ok"
    note: str = ""
    remedy: str = ""
    measured: MeasuredValue | None = None


def next_to_fix(checks: Iterable[Check]) -> Check | None:
    """Return what is to be fixed first; None if nothing is wrong.

    Parameters
    ----------
    checks : iterable of Check
        Checks of all steps; the earliest step with a wrong result counts.
    """
    wrong = [check for check in checks if check.verdict == "wrong"]
    return min(wrong, key=lambda check: STEPS.index(check.step), default=None)
