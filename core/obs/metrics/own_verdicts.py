"""Verdicts of people: read from the file that a report writes, and kept beside the metrics."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from obs.errors import ConfigError, DataIdError
from obs.frozen import frozen
from obs.metrics.nights import visit_name
from obs.metrics.verdict import OwnLevel
from obs.repo.metric_table import MetricTable
from obs.small_file import read_small_text

__all__ = ["OwnVerdict", "keep_verdicts", "read_verdicts"]

_LEVELS: tuple[OwnLevel, ...] = get_args(OwnLevel)
#: Names that a message lists.
_NAMED = 5


@frozen
class OwnVerdict:
    """What somebody thinks of a frame.

    Attributes
    ----------
    level : {"good", "look", "bad", ""}
        The verdict; empty takes an earlier one back.
    comment : str
        Why.
    """

    level: OwnLevel
    comment: str = ""


def read_verdicts(path: Path) -> dict[str, OwnVerdict]:
    """Read a file of verdicts: JSON, name of a frame to ``{"level": "bad", "comment": "..."}``.

    Parameters
    ----------
    path : Path
        The file, as the page of `obs report` saves it.

    Returns
    -------
    dict of str to OwnVerdict
        By short data ID, such as ``visit=12 ccd=1``.

    Raises
    ------
    ConfigError
        If the file cannot be read or understood; says which entry is wrong.
    """
    try:
        content = json.loads(read_small_text(path, error=ConfigError))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ConfigError(f"cannot read verdicts: {error}; give the JSON file that a report saves", path=path) from None
    if not isinstance(content, Mapping):
        raise ConfigError('expected {"visit=12 ccd=1": {"level": "bad", "comment": "..."}}', path=path)
    found = {}
    for name, entry in content.items():
        given = entry.get("level") if isinstance(entry, Mapping) else entry
        level = next((known for known in _LEVELS if known == given), None)
        if level is None:
            raise ConfigError(f"'{name}': the level is one of good, look, bad, not {given!r}", path=path)
        comment = entry.get("comment", "") if isinstance(entry, Mapping) else ""
        found[str(name)] = OwnVerdict(level, " ".join(str(comment or "").split()))
    return found


def keep_verdicts(root: Path, verdicts: Mapping[str, OwnVerdict]) -> list[str]:
    """Write verdicts into the metrics of an output, where `obs query` and later reports find them.

    Parameters
    ----------
    root : Path
        Folder of the output.
    verdicts : mapping of str to OwnVerdict
        By the name of a detector image, or of a visit for all its detectors.

    Returns
    -------
    list of str
        Names that the output does not have.

    Raises
    ------
    DataIdError
        If it has none of them.
    """
    table = MetricTable(root)
    rows = table.read("detector")
    known, missing = [], []
    for name, verdict in verdicts.items():
        wanted = set(name.split())
        matching = [row for row in rows if _matches(row, name, wanted)]
        known += [(str(row["data_id"]), verdict) for row in matching]
        if not matching:
            missing.append(name)
    if verdicts and not known:
        raise DataIdError(f"none of the frames with a verdict is in {root}: {_list(missing)}", key=missing[0])
    for data_id, verdict in known:
        table.update("detector", data_id, {"own_verdict": verdict.level, "own_comment": verdict.comment})
    return missing


def _matches(row: Mapping[str, Any], name: str, words: set[str]) -> bool:
    data_id = str(row["data_id"])
    return name in (data_id, visit_name(row)) or words <= set(data_id.split())


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
