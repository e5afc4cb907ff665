"""Raw files of a repository that are gone: which, and how to put them back from the folder that they are in now."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from obs.errors import RepositoryError
from obs.frozen import frozen
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.report import FileReport
from obs.policy.data_id import DataId
from obs.repo.butler import Butler
from obs.repo.database_file import DATABASE_FILE, is_registry
from obs.repo.file_keys import COMPRESSED
from obs.repo.key_sources import REGISTRY_FILE
from obs.repo.layout import Repository, repositories_with_parents

__all__ = ["MissingRaw", "find_missing_raws", "has_foreign_registry", "raw_repository", "relink"]


@frozen
class MissingRaw:
    """A registered raw frame without a file.

    Parameters
    ----------
    data_id : dict
        Its data ID.
    path : Path
        Where the file should be.
    link : Path or None
        Where a link in its place leads, if there is one.
    """

    data_id: DataId
    path: Path
    link: Path | None = None


def find_missing_raws(butler: Butler) -> list[MissingRaw]:
    """Return the raw frames of a repository that are registered and whose files are gone."""
    raw = butler.instrument.raw_dataset_type
    keys = list(butler.get_keys(raw))
    root, found = raw_repository(butler).root, []
    for row in butler.query_metadata(raw, keys, {}):
        data_id = dict(zip(keys, row, strict=True))
        if not butler.exists(raw, data_id):
            found.append(_describe(butler, root, raw, data_id))
    return found


def raw_repository(butler: Butler) -> Repository:
    """Return the repository whose registry lists the raw frames: this one, or of an output the parent that has one.

    Parameters
    ----------
    butler : Butler
        The repository.
    """
    chain = repositories_with_parents([butler.root])
    names = () if butler.policy.registry_path else (DATABASE_FILE, REGISTRY_FILE)
    return next((one for one in chain if any(is_registry(one.root / name) for name in names)), chain[0])


def has_foreign_registry(butler: Butler) -> bool:
    """Return whether the registry of raw frames was made by another program, which often lists more than was copied."""
    keeper = raw_repository(butler)
    return not keeper.is_own and any(is_registry(keeper.root / name) for name in (DATABASE_FILE, REGISTRY_FILE))


def _describe(butler: Butler, root: Path, raw: str, data_id: DataId) -> MissingRaw:
    path = root / butler.mapper.path(raw, data_id).partition("[")[0]
    for ending in COMPRESSED:
        candidate = path.with_name(path.name + ending)
        if candidate.is_symlink():
            return MissingRaw(data_id, candidate, Path(os.readlink(candidate)))
    return MissingRaw(data_id, path)


def relink(butler: Butler, missing: Sequence[MissingRaw], folder: Path) -> list[FileReport]:
    """Link raw frames whose files are gone to the files of the same names below a folder.

    A file is linked only if its header has the data ID that is registered.

    Parameters
    ----------
    butler : Butler
        The repository.
    missing : sequence of MissingRaw
        What is gone.
    folder : Path
        Where the files are now, also in folders below it.

    Returns
    -------
    list of FileReport
        For each file of one of the names, what became of it.

    Raises
    ------
    RepositoryError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise RepositoryError(f"there is no folder {folder}; name the one that the raw files are in now", path=folder)
    names = {name for lost in missing for name in _names(lost)}
    files = [path for path in _files(folder) if path.name in names]
    if not files:
        return []
    return list(ingest_raws(butler, files, IngestOptions(mode="link", only_missing=True)).files)


def _names(lost: MissingRaw) -> Iterator[str]:
    """Yield the names that the file of a missing frame may have."""
    if lost.link is not None:
        yield lost.link.name
    else:
        yield from (lost.path.name + ending for ending in COMPRESSED)


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in sorted(names))
