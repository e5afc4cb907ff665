"""From the words of ``--id`` to the data IDs that have data."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.repo.butler import Butler
from obs.repo.layout import open_repository

__all__ = ["Selection", "check_filters", "select_data_ids", "with_known_keys"]

logger = logging.getLogger(__name__)

#: Up to so many data IDs are looked up one by one.
_FEW = 20
#: How many missing files are named.
_NAMED = 10
#: Keys that data IDs of the stack have besides those of the template.
_STACK_KEYS = ("taiObs", "expTime")
#: How many other values of a key are named.
_LISTED = 8
_FILTER_KEYS = ("filter", "physical_filter", "band")


@dataclass(frozen=True)
class Selection:
    """The data IDs asked for.

    Parameters
    ----------
    data_ids : list of dict
        Those whose raw data exist, each once, in the order asked for.
    missing : list of dict
        Those of this repository that are registered, and whose raw file is gone.
    unmatched : list of str
        The words of each ``--id`` that names nothing that exists.
    """

    data_ids: list[DataId]
    missing: list[DataId]
    unmatched: list[str]

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for is there."""
        return not self.missing and not self.unmatched


def select_data_ids(butler: Butler, ids: Sequence[Sequence[str]]) -> Selection:
    """Find the data IDs asked for whose raw data exist, and log a warning for each that has none.

    Parameters
    ----------
    butler
        The repository.
    ids
        The words of each ``--id``.

    Raises
    ------
    DataIdError
        For words that cannot be read, an unknown key, or a filter that the camera does not have.
    """
    raw = butler.instrument.raw_dataset_type
    keys = list(butler.get_keys(raw))
    allowed = butler.id_keys(raw)
    # A registry of the LSST stack often lists more than was copied with it.
    is_own = open_repository(butler.root).is_own
    found: dict[tuple[Any, ...], DataId] = {}
    missing: dict[tuple[Any, ...], DataId] = {}
    unmatched = []
    for words in ids:
        is_known = False
        for wanted in parse_ids(words, allowed):
            check_filters(butler.instrument, wanted)
            rows = butler.query_metadata(raw, keys, wanted)
            data_ids = [dict(zip(keys, row, strict=True)) for row in rows]
            there = butler.exist_each(raw, data_ids)
            existing = {row: known for row, known, is_there in zip(rows, data_ids, there, strict=True) if is_there}
            if not existing:
                others = _other_values(butler, raw, wanted)
                logger.warning("No data found for %s%s", format_data_id(wanted) or "any data ID", others)
            if is_own and len(existing) < len(rows):
                missing.update((row, known) for row, known in zip(rows, data_ids, strict=True) if row not in existing)
            is_known = is_known or bool(existing)
            found.update(existing)
        if not is_known:
            unmatched.append(" ".join(words))
    if missing:
        _warn_of_missing(butler, list(missing.values()))
    return Selection(list(found.values()), list(missing.values()), unmatched)


def _other_values(butler: Butler, raw: str, wanted: DataId) -> str:
    """Return which words the registry has for keys that it does not have as they are wanted; empty if it has all."""
    told = []
    for key, value in wanted.items():
        if not isinstance(value, str):
            continue
        values = sorted({row[0] for row in butler.query_metadata(raw, [key], {})}, key=str)
        if values and value not in values:
            more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
            told.append(f"; the raw data have {key}={'^'.join(map(str, values[:_LISTED]))}{more}")
    return "".join(told)


def with_known_keys(butler: Butler, data_ids: Sequence[DataId], *, for_stack: bool = False) -> list[DataId]:
    """Return data IDs with all keys that the registry knows of them, and that ``--id`` takes.

    Parameters
    ----------
    butler
        The repository.
    data_ids
        Complete data IDs of raw data.
    for_stack
        Add only the keys that data IDs of the LSST stack have besides those of the template.
    """
    raw = butler.instrument.raw_dataset_type
    more = [key for key in butler.id_keys(raw) if key not in butler.get_keys(raw)]
    if for_stack:
        more = [key for key in more if key in _STACK_KEYS]
    if not more:
        return list(data_ids)
    keys = list(butler.get_keys(raw))
    known = []
    for same, group in _alike(keys, data_ids):
        found = defaultdict(list)
        for row in butler.query_metadata(raw, [*keys, *more], same):
            found[row[: len(keys)]].append(row[len(keys) :])
        for data_id in group:
            rows = found[tuple(data_id[key] for key in keys)]
            values = dict(zip(more, rows[0], strict=True)) if len(rows) == 1 else {}
            known.append(data_id | {key: value for key, value in values.items() if value is not None})
    return known


def _alike(keys: Sequence[str], data_ids: Sequence[DataId]) -> Iterator[tuple[DataId, list[DataId]]]:
    """Yield groups of data IDs with what is the same in each: one by one if they are few, else all together."""
    groups = [[data_id] for data_id in data_ids] if len(data_ids) <= _FEW else [list(data_ids)]
    for group in groups:
        first = group[0]
        yield {key: first[key] for key in keys if all(known[key] == first[key] for known in group)}, group


def _warn_of_missing(butler: Butler, missing: Sequence[DataId]) -> None:
    """Name raw files that are registered and gone, and the command that finds them again."""
    names = ", ".join(map(format_data_id, missing[:_NAMED]))
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    logger.warning(
        "registered raw files are gone: %s%s; if they are in another folder now: obs verify %s --relink FOLDER",
        names,
        more,
        butler.root,
    )


def check_filters(instrument: Instrument, data_id: Mapping[str, Any]) -> None:
    """Check that the camera knows the filter of a data ID, if it has one.

    Raises
    ------
    DataIdError
        If it does not; lists the filters.
    """
    names = {name for known in instrument.filters for name in (known.physical_filter, known.band, *known.aliases)}
    for key in _FILTER_KEYS:
        if names and key in data_id and str(data_id[key]) not in names:
            instrument.find_filter(str(data_id[key]))
