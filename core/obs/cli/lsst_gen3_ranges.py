"""Read the comparisons of a query of the third generation as ranges of data IDs."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from obs.errors import ObsError
from obs.repo.butler import Butler

__all__ = ["take_ranges"]

_NUMBER = r"(\d+)(?![\w.])"
_SIGN = r"\s*([<>]=?)\s*"
_KEY = r"([A-Za-z_][\w.]*)"
_BOUND = re.compile(rf"{_KEY}{_SIGN}{_NUMBER}|(?<![\w.]){_NUMBER}{_SIGN}{_KEY}")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
#: Keys whose values have an order.
_ORDERED = ("visit", "detector", "dateObs", "tract", "patch")


def take_ranges(
    query: str, keys: Mapping[str, str], own_key: Callable[[str], str], root: str
) -> tuple[str, dict[str, str]]:
    """Take comparisons such as ``visit > 10 AND visit <= 20`` out of a query.

    Parameters
    ----------
    query : str
        The query.
    keys : mapping of str to str
        Keys of queries to keys of data IDs.
    own_key : callable
        What the camera of the repository calls a key of data IDs.
    root : str
        The repository, which knows the values where a comparison has no other end, and its nights.

    Returns
    -------
    rest : str
        The query without them; with them if OR or NOT stand between them.
    ranges : dict of str to str
        Key of the query to ``11..20``, or to values joined by ``^``.

    Raises
    ------
    click.UsageError
        If the values of a key have no order, or nothing is in the range.
    """
    if re.search(r"\b(or|not)\b", query, re.IGNORECASE):
        return query, {}
    bounds: dict[str, list[tuple[str, str, int]]] = {}
    for match in _BOUND.finditer(query):
        key, sign, number = match.groups()[:3] if match[1] else (match[6], _TURNED[match[5]], match[4])
        key = key.lower()
        if key in keys and keys[key] not in _ORDERED:
            raise click.UsageError(f"-d: {match[0]}: values of {key} have no order; name them, as in {key} IN (1, 2)")
        # visit and exposure are one key
        first = next((known for known in bounds if known in keys and keys[known] == keys.get(key)), key)
        bounds.setdefault(first, []).append((match[0], sign, int(number)))
    ranges = {}
    for key, found in bounds.items():
        lows = [number + (sign == ">") for _, sign, number in found if sign[0] == ">"]
        highs = [number - (sign == "<") for _, sign, number in found if sign[0] == "<"]
        what = " AND ".join(text for text, _, _ in found)
        name = keys.get(key, "")
        if name == "dateObs" or (name and not (lows and highs)):
            ranges[key] = _from_repository(what, own_key(name), max(lows, default=0), min(highs, default=None), root)
            continue
        if name and max(lows) > min(highs):
            raise click.UsageError(f"-d: nothing is in the range {what}")
        ranges[key] = f"{max(lows, default=0)}..{min(highs, default=0)}"
    return _BOUND.sub(" ", query), ranges


def _from_repository(what: str, name: str, low: int, high: int | None, root: str) -> str:
    """Return the values of a repository that are in a range."""
    if name in ("tract", "patch"):
        raise click.UsageError(f"-d: {what}: write both ends, as in {name} >= 0 AND {name} <= 4")
    try:
        values = Butler(Path(root)).query_metadata("raw", name)
    except ObsError as error:
        hint = "name the nights" if name == "dateObs" else f"write both ends, as in {name} > 10 AND {name} < 20"
        raise click.UsageError(f"-d: {what}: {hint}, for {root} does not tell what there is: {error}") from None
    numbers = {str(value): int(re.sub(r"\D", "", str(value)) or -1) for value in values}
    inside = [text for text, number in numbers.items() if low <= number and (high is None or number <= high)]
    if not inside:
        raise click.UsageError(f"-d: nothing in {root} is in the range {what}")
    return "^".join(inside)
