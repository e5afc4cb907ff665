"""Which datasets of a repository there are for the words of ``--id``: by their files, whatever became of raw data."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.frozen import frozen
from obs.policy.data_id import DataId, cast_data_id, format_data_id, parse_ids
from obs.policy.dataset_type import DatasetType
from obs.repo.butler import Butler
from obs.repo.filter_names import FILTER_KEYS, names_here
from obs.repo.filter_words import name_filters
from obs.repo.listed_datasets import list_datasets
from obs.runs.selection import check_filters
from obs.unmatched import note_unmatched

__all__ = ["Result", "count_results", "find_results", "warn_of_absent", "warn_of_unmatched"]

logger = logging.getLogger(__name__)

#: Data IDs that a warning names.
_NAMED = 5


@frozen
class Result:
    """A dataset whose file is there.

    Parameters
    ----------
    data_id : dict
        Its data ID.
    path : Path
        Its file.
    place : Path
        The file, relative to the repository that it is in.
    """

    data_id: DataId
    path: Path
    place: Path


def find_results(butler: Butler, dataset_type: str, ids: Sequence[Sequence[str]]) -> list[Result]:
    """Return the datasets of a type whose files are there, sorted by their data IDs.

    Parameters
    ----------
    butler : Butler
        The repository; what it has from its parents counts, too.
    dataset_type : str
        For example ``src``.
    ids : sequence of sequence of str
        The words of each ``--id``; none means everything. Keys that only the registry has, such as the field, count;
        of calibrations those of the exposures that they are for.

    Raises
    ------
    DataIdError
        For words that cannot be read, an unknown key, or a filter that the camera does not have.
    """
    kind = butler.mapper.dataset_type(dataset_type)
    found: dict[str, Result] = {}
    for _, data_id, path in list_datasets(butler, [kind], _wanted(butler, [kind], ids)):
        found.setdefault(format_data_id(data_id), Result(data_id, path, _place(butler, path)))
    if not found:
        _check_filters(butler, [kind], ids)
    return sorted(found.values(), key=lambda result: [str(type(v)) + f"{v:>20}" for v in result.data_id.values()])


def warn_of_unmatched(
    butler: Butler, dataset_types: Sequence[str], ids: Sequence[Sequence[str]], found: Iterable[DataId]
) -> None:
    """Log a warning that names each data ID asked for of which nothing was found, where others were found.

    A command ends with exit status 1 if that is so of a whole ``--id``.

    Parameters
    ----------
    butler : Butler
        The repository.
    dataset_types : sequence of str
        Types that `find_results` was called for.
    ids : sequence of sequence of str
        The words of each ``--id``.
    found : iterable of DataId
        Data IDs of what was found.
    """
    kinds = [butler.mapper.dataset_type(name) for name in dataset_types]
    there = list(found)
    values: dict[tuple[str, ...], set[tuple[Any, ...]]] = {}
    lost: list[str] = []
    whole: list[Sequence[str]] = []

    def is_there(wanted: Mapping[str, Any]) -> bool:
        keys = tuple(wanted)
        if keys not in values:
            values[keys] = {tuple(data_id.get(key) for key in keys) for data_id in there}
        return tuple(wanted.values()) in values[keys]

    def is_found(asked: DataId) -> bool:
        names = list(_with_other_names(butler, asked))
        return any(is_there(one) for kind in kinds for name in names for one in _expand(butler, kind, name))

    known = _known_keys(butler, kinds, ids)
    for words in ids:
        asked = parse_ids(words, known)
        gone = [format_data_id(one) or "any data ID" for one in asked if not is_found(one)]
        lost += gone
        if len(gone) == len(asked):
            whole.append(words)
    if lost and there:
        note_unmatched(whole)
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        logger.warning("No %s found for %s%s", dataset_types[0], "; ".join(lost[:_NAMED]), more)


def warn_of_absent(butler: Butler, dataset_type: str, ids: Sequence[Sequence[str]]) -> None:
    """Do what `warn_of_unmatched` does where the files of a type were found in another way than by `find_results`.

    Parameters
    ----------
    butler : Butler
        The repository.
    dataset_type : str
        For example ``calexp``.
    ids : sequence of sequence of str
        The words of each ``--id``.
    """
    kind = butler.mapper.dataset_type(dataset_type)
    names = [name for asked in _parse(butler, [kind], ids) for name in _with_other_names(butler, asked)]
    wanted = {kind.name: [whole for name in names for whole in _expand(butler, kind, name)]}
    found = [data_id for _, data_id, _ in list_datasets(butler, [kind], wanted)] if ids else []
    warn_of_unmatched(butler, [dataset_type], ids, found)


def count_results(butler: Butler, ids: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return how many datasets of each type there are, without types that have none.

    Parameters
    ----------
    butler : Butler
        The repository; what it has from its parents counts, too.
    ids : sequence of sequence of str
        The words of each ``--id``; none means everything.

    Raises
    ------
    DataIdError
        For words that cannot be read, an unknown key, or a filter that the camera does not have.
    """
    kinds = list(butler.policy.dataset_types.values())
    wanted = _wanted(butler, kinds, ids)
    found: dict[str, set[str]] = {}
    for kind, data_id, _ in list_datasets(butler, kinds, wanted):
        found.setdefault(kind.name, set()).add(format_data_id(data_id))
    if not found:
        _check_filters(butler, kinds, ids)
    return {name: len(names) for name, names in sorted(found.items())}


def _place(butler: Butler, path: Path) -> Path:
    """Return a file relative to the repository that it is in; as it is where a registry names one elsewhere."""
    roots = [root for root in (*butler.roots, butler.calib_root) if path.is_relative_to(root)]
    return path.relative_to(roots[0]) if roots else path


def _wanted(
    butler: Butler, kinds: Sequence[DatasetType], ids: Sequence[Sequence[str]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the data IDs that are wanted of each dataset type; all types are absent where there are no words."""
    if not ids:
        return {}
    data_ids = _read_words(butler, kinds, ids)
    return {kind.name: [whole for one in data_ids for whole in _expand(butler, kind, one)] for kind in kinds}


def _read_words(butler: Butler, kinds: Sequence[DatasetType], ids: Sequence[Sequence[str]]) -> list[DataId]:
    asked = _parse(butler, kinds, ids)
    named = name_filters(butler, asked)
    return [
        *asked,
        *(data_id for data_id in named if data_id not in asked),
    ]  # coadds may have a name that raw data have not


def _parse(butler: Butler, kinds: Sequence[DatasetType], ids: Sequence[Sequence[str]]) -> list[DataId]:
    known = _known_keys(butler, kinds, ids)
    return [data_id for one in ids for data_id in parse_ids(one, known)]


def _known_keys(butler: Butler, kinds: Sequence[DatasetType], ids: Sequence[Sequence[str]]) -> Mapping[str, type]:
    """Return the keys of the dataset types, with those of raw data where the words need them."""
    raw = butler.instrument.raw_dataset_type
    own = {key: cast for kind in kinds for key, cast in butler.mapper.key_types(kind.name).items()}
    words = [word.partition("=")[0] for one in ids for word in one]
    return own if own.keys() >= set(words) else butler.id_keys(raw) | own


def _with_other_names(butler: Butler, data_id: DataId) -> Iterator[DataId]:
    """Yield a data ID as it was asked for, and with the names that raw data have for its filter."""
    yield data_id
    for key in data_id.keys() & set(FILTER_KEYS):
        for name in names_here(butler.instrument, butler.mapper, key, data_id[key]):
            yield {**data_id, key: name}


def _check_filters(butler: Butler, kinds: Sequence[DatasetType], ids: Sequence[Sequence[str]]) -> None:
    """Raise DataIdError where nothing is found because the camera has no such filter; coadds may have another's."""
    for data_id in _read_words(butler, kinds, ids):
        check_filters(butler.instrument, data_id)


def _expand(butler: Butler, kind: DatasetType, data_id: DataId) -> Iterator[Mapping[str, Any]]:
    """Yield data IDs that have only keys of the dataset type; other keys are looked up in the registry."""
    raw = butler.instrument.raw_dataset_type
    own = butler.mapper.key_types(kind.name)
    if own.keys() >= data_id.keys():
        yield cast_data_id(data_id, own)
        return
    registered = butler.id_keys(raw)
    if not registered.keys() | own.keys() >= data_id.keys():
        return
    if kind.is_calibration:
        yield from _calibrations_for(butler, kind, data_id)
        return
    keys = [key for key in own if key in registered]
    asked = {key: value for key, value in data_id.items() if key in registered}
    if keys:
        for row in butler.query_metadata(raw, keys, asked):
            yield dict(zip(keys, row, strict=True)) | {key: data_id[key] for key in data_id if key in own}


def _calibrations_for(butler: Butler, kind: DatasetType, data_id: DataId) -> Iterator[Mapping[str, Any]]:
    """Yield the calibrations that hold for the exposures of a data ID."""
    raw = butler.instrument.raw_dataset_type
    registered = butler.id_keys(raw)
    asked = {key: value for key, value in data_id.items() if key in registered}
    others = {key: value for key, value in data_id.items() if key not in registered}
    # a file of defects may be that of several detectors, and of several exposures
    own = kind.keys if kind.folder is None else butler.id_keys(kind.name)
    for row in butler.query_metadata(raw, list(registered), asked):
        exposure = {key: value for key, value in zip(registered, row, strict=True) if value is not None}
        try:
            whole = butler.mapper.complete(kind.name, exposure | others)
        except (DataIdError, DatasetNotFoundError, RepositoryError):
            continue  # no calibration holds for it
        yield {key: value for key, value in whole.items() if key in own}
