"""From the words of ``--id`` to the data IDs that have data."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.repo.butler import Butler
from obs.repo.layout import open_repository

__all__ = ["Selection", "check_filters", "select_data_ids", "with_known_keys"]

logger = logging.getLogger(__name__)

#: So many data IDs are looked at at a time: of a million, neither all files nor all keys are held at once.
_CHUNK = 10_000
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
            is_found = False
            for row, data_id, is_there in _looked_up(butler, keys, wanted):
                if is_there:
                    found[row] = data_id
                    is_found = True
                elif is_own:
                    missing[row] = data_id
            if not is_found:
                others = _other_values(butler, raw, wanted)
                logger.warning("No data found for %s%s", format_data_id(wanted) or "any data ID", others)
            is_known = is_known or is_found
        if not is_known:
            unmatched.append(" ".join(words))
    if missing:
        _warn_of_missing(butler, list(missing.values()))
    return Selection(list(found.values()), list(missing.values()), unmatched)


def _looked_up(butler: Butler, keys: Sequence[str], wanted: DataId) -> Iterator[tuple[tuple[Any, ...], DataId, bool]]:
    """Yield the values of each registered data ID, the data ID, and whether its raw file is there."""
    raw = butler.instrument.raw_dataset_type
    rows = butler.query_metadata(raw, keys, wanted)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        data_ids = [dict(zip(keys, row, strict=True)) for row in chunk]
        yield from zip(chunk, data_ids, butler.exist_each(raw, data_ids), strict=True)


def _other_values(butler: Butler, raw: str, wanted: DataId) -> str:
    """Return which words the registry has for keys that it does not have as they are wanted; empty if it has all."""
    notes = []
    for key, value in wanted.items():
        if not isinstance(value, str):
            continue
        values = sorted({row[0] for row in butler.query_metadata(raw, [key], {})}, key=str)
        if values and value not in values:
            more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
            notes.append(f"; the raw data have {key}={'^'.join(map(str, values[:_LISTED]))}{more}")
    return "".join(notes)


def with_known_keys(butler: Butler, data_ids: Sequence[DataId], *, for_stack: bool = False) -> Iterator[DataId]:
    """Yield data IDs with all keys that the registry knows of them, and that ``--id`` takes.

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
        yield from data_ids
        return
    keys = list(butler.get_keys(raw))
    for same, group in _alike(keys, data_ids):
        found = _further_values(butler.query_metadata(raw, [*keys, *more], same), len(keys))
        for data_id in group:
            values = found.get(tuple(data_id[key] for key in keys)) or ()
            yield data_id | {key: value for key, value in zip(more, values, strict=False) if value is not None}


def _further_values(rows: list[tuple[Any, ...]], n_key: int) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return what follows the keys of each row, by the keys; nothing where rows differ. The list of rows is emptied."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    while rows:
        row = rows.pop()
        found[row[:n_key]] = () if row[:n_key] in found else row[n_key:]
    return found


def _alike(keys: Sequence[str], data_ids: Sequence[DataId]) -> Iterator[tuple[DataId, Sequence[DataId]]]:
    """Yield groups of data IDs with what is the same in each: one by one if they are few, else all together."""
    groups: list[Sequence[DataId]] = [[one] for one in data_ids] if len(data_ids) <= _FEW else [data_ids]
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
