"""Find datasets by the files that are there, whatever a registry knows."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import translate
from pathlib import Path
from typing import Any

from obs.policy.data_id import DataId, format_data_id
from obs.policy.dataset_type import DatasetType, placed_part, split_hdu
from obs.repo.file_keys import COMPRESSED
from obs.repo.layout import is_repository
from obs.repo.stack_names import config_task, metadata_name

__all__ = ["find_datasets", "iterate_datasets", "name_filter", "with_place"]

#: Patterns of names beyond which a filter would take longer than reading what each name says.
_MOST_PATTERNS = 24

#: The place of datasets whose registry has their paths: names of files do not tell them.
_ANY_FILE = re.compile(r"%\(\w+\)s")


def with_place(kind: DatasetType, types: Mapping[str, DatasetType]) -> DatasetType:
    """Return a dataset type with the place of its first part if it is put together from parts.

    Parameters
    ----------
    kind : DatasetType
        The dataset type.
    types : mapping of str to DatasetType
        All of the policy, by name.
    """
    if kind.template or not kind.components:
        return kind
    part = types.get(placed_part(kind, types) or "")
    return kind if part is None or not part.template else replace(kind, template=split_hdu(part.template)[0])


def find_datasets(
    roots: Sequence[Path], types: Sequence[DatasetType], wanted: Sequence[Mapping[str, Any]] = ()
) -> dict[str, dict[str, Path]]:
    """Return the datasets whose files are there.

    Parameters
    ----------
    roots : sequence of Path
        Repositories; a dataset that is in several counts for the first.
    types : sequence of DatasetType
        Dataset types to look for; those without template, or whose template any file fits, are passed over.
    wanted : sequence of mapping, optional
        Data IDs of which one must agree with the dataset's in all of its keys; none means all.

    Returns
    -------
    dict
        Dataset type name to the files, by the data ID as text.
    """
    found: dict[str, dict[str, Path]] = {}
    fits = name_filter(types, dict.fromkeys((kind.name for kind in types), wanted)) if wanted else None
    for kind, data_id, path in iterate_datasets(roots, types, wanted, fits):
        found.setdefault(kind.name, {}).setdefault(format_data_id(data_id), path)
    return found


def iterate_datasets(
    roots: Sequence[Path],
    types: Sequence[DatasetType],
    wanted: Sequence[Mapping[str, Any]] = (),
    fits: Callable[[str], object] | None = None,
) -> Iterator[tuple[DatasetType, DataId, Path]]:
    """Yield type, data ID and file of the datasets whose files are there; see `find_datasets`.

    A dataset that is in several repositories comes once for each.

    Parameters
    ----------
    roots : sequence of Path
        Repositories.
    types : sequence of DatasetType
        Dataset types; those without a template, or with one that any file fits, are skipped.
    wanted : sequence of mapping
        Data IDs of which one must agree with the dataset's in all of its keys. Without any, all datasets count.
    fits : callable, optional
        Quick test that a name must pass; see `name_filter`.
    """
    by_depth: dict[int, list[DatasetType]] = defaultdict(list)
    for kind in types:
        place = split_hdu(kind.template or "")[0]
        if place and not _ANY_FILE.fullmatch(place):
            by_depth[_depth(place)].append(kind)
    for root in roots:
        for name in _files(root):
            if fits is not None and not fits(name):
                continue
            for kind, data_id in _identify(name, by_depth):
                if not wanted or any(_agree(data_id, other) for other in wanted):
                    yield kind, data_id, root / name


def name_filter(
    types: Sequence[DatasetType], wanted: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Callable[[str], object] | None:
    """Return a quick test that files of some data IDs pass, and few others do: most names then need not be read.

    Parameters
    ----------
    types : sequence of DatasetType
        Dataset types.
    wanted : mapping
        Dataset type name to data IDs, which may lack keys. Of a type that is absent all are wanted.

    Returns
    -------
    callable or None
        Takes a path relative to the repository; None where a test would not be quick, or all are wanted.
    """
    patterns: set[str] = set()
    for kind in types:
        if not kind.template:
            continue
        if kind.name not in wanted:
            return None
        try:
            patterns |= {kind.compiled.glob_pattern(one) for one in wanted[kind.name]}
        except (TypeError, ValueError, OverflowError):  # a value of another type than the template's
            return None
        if len(patterns) > _MOST_PATTERNS:
            return None
    if not patterns:
        return None
    whole = "|".join(translate(pattern + ending) for pattern in sorted(patterns) for ending in COMPRESSED)
    match = re.compile(whole).match
    # files of the stack have other names than those of templates
    return lambda name: match(name) or config_task(name) or metadata_name(name)


def _identify(name: str, by_depth: Mapping[int, Iterable[DatasetType]]) -> list[tuple[DatasetType, DataId]]:
    """Return dataset types and data IDs of a file; a value with ``/`` in it is thought of only if nothing else fits."""
    depth = _depth(name)
    deeper = [kind for level, kinds in by_depth.items() if level < depth for kind in kinds]
    for kinds in (by_depth.get(depth, ()), deeper):
        matches = [
            (kind, data_id)
            for kind in kinds
            for ending in COMPRESSED
            if name.endswith(ending) and (data_id := kind.parse(name.removesuffix(ending))) is not None
        ]
        if matches:
            return matches
    known = {kind.name: kind for kinds in by_depth.values() for kind in kinds}
    if (task := config_task(name)) and f"{task}_config" in known:
        return [(known[f"{task}_config"], {})]
    other = metadata_name(name)
    found = _identify(other, by_depth) if other else []
    return [(kind, data_id) for kind, data_id in found if kind.name.endswith("_metadata")]


def _depth(path: str) -> int:
    return path.count("/")


def _agree(data_id: DataId, wanted: Mapping[str, Any]) -> bool:
    return all(data_id.get(key) == value for key, value in wanted.items())


def _files(root: Path) -> Iterator[str]:
    """Yield the files below a repository, relative to it; other repositories inside it are left out."""
    # a link to a folder above would have the whole disk walked
    seen = {str(above) for above in Path(os.path.realpath(root)).parents}
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or (folder != str(root) and is_repository(Path(folder))):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_parent")))
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in sorted(files) if not name.startswith("."))
