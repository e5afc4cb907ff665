"""From the words of ``--id`` to the data IDs that have data."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from obs.frozen import frozen
from obs.instrument.instrument import Instrument
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.policy.data_ids import DataIds
from obs.repo.butler import Butler
from obs.repo.filter_names import FILTER_KEYS
from obs.repo.filter_words import name_filters
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


@frozen
class Selection:
    """The data IDs asked for.

    Parameters
    ----------
    data_ids : DataIds
        Those whose raw data exist, each once, in the order asked for.
    missing : DataIds
        Those of this repository that are registered, and whose raw file is gone.
    unmatched : list of str
        The words of each ``--id`` that names nothing that exists.
    asked : list of (sequence of str, DataIds)
        The words of each ``--id``, and those of `data_ids` that it selects.
    """

    data_ids: DataIds
    missing: DataIds
    unmatched: list[str]
    asked: list[tuple[Sequence[str], DataIds]]

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for is there."""
        return not self.missing and not self.unmatched


def select_data_ids(butler: Butler, ids: Sequence[Sequence[str]]) -> Selection:
    """Find the data IDs asked for whose raw data exist, and log a warning for each that has none.

    Parameters
    ----------
    butler : Butler
        The repository.
    ids : sequence of sequence of str
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
    asked: list[tuple[Sequence[str], DataIds]] = []
    missing: list[list[tuple[Any, ...]]] = []
    unmatched = []
    for words in ids:
        found: list[list[tuple[Any, ...]]] = []
        for wanted in name_filters(butler, parse_ids(words, allowed)):
            check_filters(butler.instrument, wanted)
            there, gone = _looked_up(butler, keys, wanted)
            found.append(there)
            if is_own:
                missing.append(gone)
            if not there:
                others = _other_values(butler, raw, wanted)
                logger.warning("No data found for %s%s", format_data_id(wanted) or "any data ID", others)
        asked.append((words, DataIds(keys, _each_once(found))))
        if not asked[-1][1]:
            unmatched.append(" ".join(words))
    lost = DataIds(keys, _each_once(missing))
    if lost:
        _warn_of_missing(butler, lost)
    return Selection(DataIds.joined([part for _, part in asked], keys), lost, unmatched, asked)


def _looked_up(butler: Butler, keys: Sequence[str], wanted: DataId) -> tuple[list[tuple[Any, ...]], ...]:
    """Return the values of the registered data IDs whose raw file is there, and of those whose file is gone."""
    raw = butler.instrument.raw_dataset_type
    rows = butler.query_metadata(raw, keys, wanted)
    kept: tuple[list[tuple[Any, ...]], ...] = ([], [])
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        for row, is_there in zip(chunk, butler.exist_each(raw, DataIds(keys, chunk)), strict=True):
            kept[0 if is_there else 1].append(row)
    return kept


def _each_once(parts: Sequence[list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Return rows of several lists, each of which has a row once."""
    return parts[0] if len(parts) == 1 else list(dict.fromkeys(row for rows in parts for row in rows))


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
    butler : Butler
        The repository.
    data_ids : sequence of DataId
        Complete data IDs of raw data, each once. Least is held in memory if they are in the order of the registry.
    for_stack : bool, default: False
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
        rows = butler.query_metadata(raw, [*keys, *more], same)
        for data_id, values in _joined(group, _further_values(rows, len(keys)), keys):
            yield data_id | {key: value for key, value in zip(more, values, strict=False) if value is not None}


def _joined(
    data_ids: Iterable[DataId], found: Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]], keys: Sequence[str]
) -> Iterator[tuple[DataId, tuple[Any, ...]]]:
    """Yield data IDs with what is found of each; what is passed over on the way waits for its data ID."""
    passed: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for data_id in data_ids:
        wanted = tuple(data_id[key] for key in keys)
        if wanted not in passed:
            for row, values in found:
                passed[row] = values
                if row == wanted:
                    break
        yield data_id, passed.pop(wanted, ())


def _further_values(rows: list[tuple[Any, ...]], n_key: int) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Yield the keys of sorted rows, and what follows them; nothing where rows differ. The list of rows is emptied."""
    rows.reverse()
    in_order = (rows.pop() for _ in range(len(rows)))
    for known, (first, *others) in groupby(in_order, itemgetter(slice(n_key))):
        yield known, () if others else first[n_key:]


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

    Parameters
    ----------
    instrument : Instrument
        The camera. If it defines no filters, every name is accepted.
    data_id : mapping
        Data ID.

    Raises
    ------
    DataIdError
        If it does not; lists the filters.
    """
    names = {name for known in instrument.filters for name in (known.physical_filter, known.band, *known.aliases)}
    for key in FILTER_KEYS:
        if names and key in data_id and str(data_id[key]) not in names:
            instrument.find_filter(str(data_id[key]))
