"""Which datasets of a repository there are for the words of ``--id``: by their files, whatever became of raw data."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.frozen import frozen
from obs.policy.data_id import DataId, cast_data_id, format_data_id, parse_ids
from obs.policy.dataset_type import DatasetType
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets, with_place

__all__ = ["Result", "find_results"]


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
        The words of each ``--id``; none means everything. Keys that only the registry has, such as the field, count.

    Raises
    ------
    DataIdError
        For words that cannot be read, or an unknown key.
    """
    kind = with_place(butler.mapper.dataset_type(dataset_type), butler.policy.dataset_types)
    wanted = [data_id for words in ids for data_id in _expand(butler, kind, words)]
    if ids and not wanted:
        return []
    found: dict[str, Result] = {}
    roots = list(dict.fromkeys([*butler.roots, butler.calib_root]))
    for _, data_id, path in iterate_datasets(roots, [kind], wanted):
        root = next(root for root in roots if path.is_relative_to(root))
        found.setdefault(format_data_id(data_id), Result(data_id, path, path.relative_to(root)))
    return sorted(found.values(), key=lambda result: [str(type(v)) + f"{v:>20}" for v in result.data_id.values()])


def _expand(butler: Butler, kind: DatasetType, words: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield data IDs that have only keys of the dataset type; other keys are looked up in the registry."""
    raw = butler.instrument.raw_dataset_type
    own = butler.mapper.key_types(kind.name)
    known = own
    if any(word.partition("=")[0] not in own for word in words):
        known = butler.id_keys(raw) | own
    for data_id in parse_ids(words, known):
        if all(key in own for key in data_id):
            yield cast_data_id(data_id, own)
            continue
        keys = [key for key in own if key in known and key in butler.id_keys(raw)]
        for row in butler.query_metadata(raw, keys, data_id):
            yield dict(zip(keys, row, strict=True)) | {key: data_id[key] for key in data_id if key in own}
