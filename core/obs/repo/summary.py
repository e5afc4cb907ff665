"""What a repository is and how much is in it, from its description, its registries and its files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ObsError
from obs.frozen import frozen
from obs.policy.dataset_type import split_hdu
from obs.repo.butler import Butler
from obs.repo.find_datasets import iterate_datasets
from obs.repo.formatters import read_dataset
from obs.repo.key_sources import CALIB_REGISTRY, registry_place
from obs.repo.layout import is_repository, open_repository
from obs.repo.reference_catalog import REFERENCE_FOLDER
from obs.repo.registry import Registry

__all__ = ["Count", "RegistrySummary", "RerunSummary", "Summary", "summarize_repository"]

_METADATA = "processCcd_metadata"
_RERUNS = "rerun"


@dataclass
class Count:
    """Number, size and last change of one dataset type.

    Parameters
    ----------
    number : int
        How many there are.
    size : int
        Bytes of their files.
    changed : float or None
        Time of the last change, seconds of 1970.
    """

    number: int = 0
    size: int = 0
    changed: float | None = None

    def add(self, path: Path | str) -> None:
        """Count a file; one that is gone counts as empty."""
        self.number += 1
        try:
            found = os.stat(path)
        except OSError:
            return
        self.size += found.st_size
        self.changed = max(self.changed or 0.0, found.st_mtime)


@frozen
class RegistrySummary:
    """Summary of a registry: schema and numbers of rows.

    Parameters
    ----------
    place : str
        File, or URL without password.
    schema : str
        Version of its tables in words.
    rows : dict
        Table name to number of rows.
    """

    place: str
    schema: str
    rows: dict[str, int]


@frozen
class RerunSummary:
    """An output below a repository.

    Parameters
    ----------
    name : str
        Its name, as ``--rerun`` takes it.
    n_done, n_failed : int
        Number of data IDs that were processed, and that failed.
    changed : float or None
        Time of the last result, seconds of 1970.
    """

    name: str
    n_done: int
    n_failed: int
    changed: float | None


@dataclass
class Summary:
    """Summary of a repository for `obs info`.

    Parameters
    ----------
    root : Path
        Its folder.
    kind : str
        Which program made it, in words.
    camera : str
        Name of its camera.
    parents : tuple of Path
        Repositories that it was made from.
    registry, calib_registry : RegistrySummary or None
        Its registries; None where there is none.
    datasets : dict of str to Count
        Datasets whose files are in the repository itself or among its calibrations.
    reruns : list of RerunSummary
        Outputs below it.
    reference_catalogs : list of str
        Names of its reference catalogs.
    n_file, size : int
        Number of all files in the repository, without its reruns, and their bytes.
    changed : float or None
        Time of the last change of a file, seconds of 1970.
    """

    root: Path
    kind: str
    camera: str
    parents: tuple[Path, ...] = ()
    registry: RegistrySummary | None = None
    calib_registry: RegistrySummary | None = None
    datasets: dict[str, Count] = field(default_factory=dict)
    reruns: list[RerunSummary] = field(default_factory=list)
    reference_catalogs: list[str] = field(default_factory=list)
    n_file: int = 0
    size: int = 0
    changed: float | None = None


def summarize_repository(butler: Butler) -> Summary:
    """Count what is in a repository; nothing is written, and no data are read but the status of results.

    Parameters
    ----------
    butler : Butler
        The repository.

    Raises
    ------
    RepositoryError
        If a registry cannot be read.
    """
    root, calib_root = butler.root, butler.calib_root
    description = open_repository(root)
    kind = "made by obs" if description.is_own else "made by the LSST stack (second generation), only read"
    summary = Summary(root, kind, butler.instrument.name, description.parents)
    place = registry_place(root, butler.policy)
    if "://" in place or Path(place).is_file():
        summary.registry = _summarize_registry(place, is_own=description.is_own)
    calib_place = butler.policy.calib_registry_path
    calib = root / calib_place if calib_place else calib_root / CALIB_REGISTRY
    if calib.is_file():
        summary.calib_registry = _summarize_registry(str(calib), is_own=description.is_own)
    for dataset_type, _, path in iterate_datasets(
        list(dict.fromkeys([root, calib_root])), list(butler.policy.dataset_types.values())
    ):
        summary.datasets.setdefault(dataset_type.name, Count()).add(path)
    summary.reruns = list(_find_reruns(butler))
    references = root / REFERENCE_FOLDER
    summary.reference_catalogs = sorted(path.name for path in references.glob("*") if path.is_dir())
    total = Count()
    for name in _files(root):
        total.add(name)
    summary.n_file, summary.size, summary.changed = total.number, total.size, total.changed
    return summary


def _summarize_registry(place: str, *, is_own: bool) -> RegistrySummary:
    registry = Registry(place)
    rows = {table: registry.count(table) for table in registry.tables()}
    version = registry.schema_version or (1 if is_own else None)
    return RegistrySummary(registry.place, "no schema version" if version is None else f"schema {version}", rows)


def _files(root: Path) -> Iterator[str]:
    """Yield all files below a repository, without those of other repositories in it."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_repository(Path(folder, name))]
        yield from (os.path.join(folder, name) for name in names)


def _find_reruns(butler: Butler) -> Iterator[RerunSummary]:
    """Yield the outputs below a repository, also those in folders of folders."""
    top = butler.root / _RERUNS
    kind = butler.policy.dataset_types.get(_METADATA)
    for folder, folders, _ in os.walk(top):
        place = Path(folder)
        if not is_repository(place):
            continue
        folders.clear()
        done, failed, seen = 0, 0, Count()
        for _, _, path in iterate_datasets([place], [] if kind is None else [kind]):
            seen.add(path)
            if _has_failed(butler, path):
                failed += 1
            else:
                done += 1
        yield RerunSummary(place.relative_to(top).as_posix(), done, failed, seen.changed)


def _has_failed(butler: Butler, path: Path) -> bool:
    kind = butler.mapper.dataset_type(_METADATA)
    try:
        metadata = read_dataset(kind.storage, kind.python, split_hdu(str(path))[0])
    except ObsError:
        return True
    return not isinstance(metadata, dict) or metadata.get("status", "done") != "done"
