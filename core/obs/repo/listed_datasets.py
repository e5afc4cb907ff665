"""Datasets whose files are there, one for each data ID.

Names of files do not tell all of them: a file may hold a detector in each of its HDUs, and the registry of calibrations
may hold the path itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from obs.errors import DataIdError, RepositoryError
from obs.policy.data_id import DataId
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.find_datasets import iterate_datasets, name_patterns, with_place

__all__ = ["list_datasets"]


def list_datasets(
    butler: Butler, kinds: Sequence[DatasetType], wanted: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[tuple[DatasetType, DataId, Path]]:
    """Yield type, data ID and file of the datasets whose files are there.

    Parameters
    ----------
    butler : Butler
        The repository; what its parents have counts, too.
    kinds : sequence of DatasetType
        Dataset types to look for.
    wanted : mapping
        Dataset type name to the data IDs of which one must agree with the dataset's in all of its keys. Of a type that
        is absent all are wanted.
    """
    roots = list(dict.fromkeys([*butler.roots, butler.calib_root]))
    by_file = [with_place(kind, butler.policy.dataset_types) for kind in kinds if not _is_registered(kind)]
    for place, data_id, path in iterate_datasets(roots, by_file, patterns=name_patterns(by_file, wanted)):
        for whole in _data_ids_in(butler, place, data_id):
            if _is_wanted(whole, wanted.get(place.name)):
                yield place, whole, path
    for kind in kinds:
        if _is_registered(kind):
            for data_id, path in _registered_files(butler, kind, roots):
                if _is_wanted(data_id, wanted.get(kind.name)):
                    yield kind, data_id, path


def _is_wanted(data_id: DataId, wanted: Sequence[Mapping[str, Any]] | None) -> bool:
    return wanted is None or any(all(data_id.get(key) == value for key, value in one.items()) for one in wanted)


def _is_registered(kind: DatasetType) -> bool:
    """Return whether the registry of calibrations has the path of a dataset type."""
    return kind.is_calibration and bool(kind.template) and kind.compiled.is_one_path


def _data_ids_in(butler: Butler, kind: DatasetType, data_id: DataId) -> list[DataId]:
    """Return the data IDs of a file: one for each HDU that the registry has of it."""
    missing = [key for key in kind.keys if key not in data_id]
    if not missing:
        return [data_id]
    try:
        rows = butler.mapper.query(kind.name, missing, data_id)
    except (DataIdError, RepositoryError):  # no registry, or one that does not know of HDUs
        rows = []
    return [data_id | dict(zip(missing, row, strict=True)) for row in rows] or [data_id]


def _registered_files(butler: Butler, kind: DatasetType, roots: Sequence[Path]) -> Iterator[tuple[DataId, Path]]:
    """Yield data ID and file of the calibrations whose path the registry has."""
    try:
        keys = list(butler.mapper.id_keys(kind.name))
        rows = butler.mapper.query(kind.name, keys, {})
    except (DataIdError, RepositoryError):  # no registry of calibrations, or no table of this type in it
        return
    places = [butler.calib_root, *roots] if kind.folder is None else [kind.folder]
    for row in rows:
        data_id = {key: value for key, value in zip(keys, row, strict=True) if value is not None}
        if not kind.keys.keys() <= data_id.keys():
            continue
        place = split_hdu(kind.compiled.format(data_id, may_leave=True))[0]
        found = (root / f"{place}{ending}" for root in places for ending in COMPRESSED)
        if path := next((path for path in found if path.is_file()), None):
            yield data_id, path
