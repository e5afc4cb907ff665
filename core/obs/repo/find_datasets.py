"""Find datasets by the files that are there, whatever a registry knows."""

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
from obs.repo.named_files import named_files, repository_files
from obs.repo.stack_names import boost_name, config_name, config_task, metadata_name

__all__ = ["find_datasets", "iterate_datasets", "name_patterns", "with_place"]

#: Patterns of names beyond which a search would take longer than reading what each name says.
_MOST_PATTERNS = 4096

#: The place of datasets whose registry has their paths: names of files do not tell them.
_ANY_FILE = re.compile(r"%\(\w+\)s")
#: Endings of the dataset types that the stack wrote under other names.
_CONFIG, _METADATA = "_config", "_metadata"


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
    for kind, data_id, path in iterate_datasets(roots, types, wanted):
        found.setdefault(kind.name, {}).setdefault(format_data_id(data_id), path)
    return found


def iterate_datasets(
    roots: Sequence[Path],
    types: Sequence[DatasetType],
    wanted: Sequence[Mapping[str, Any]] = (),
    patterns: Mapping[str, bool] | None = None,
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
    patterns : mapping, optional
        Patterns of the files that count, see `name_patterns`; by default those of ``wanted``.
    """
    by_depth: dict[int, list[DatasetType]] = defaultdict(list)
    for kind in types:
        if place := _place(kind):
            by_depth[_depth(place)].append(kind)
    if patterns is None and wanted:
        patterns = name_patterns(types, dict.fromkeys((kind.name for kind in types), wanted))
    for root, name in _names(roots, patterns):
        for kind, data_id in _identify(name, by_depth):
            if not wanted or any(_agree(data_id, other) for other in wanted):
                yield kind, data_id, root / name


def _place(kind: DatasetType) -> str:
    """Return the template of the files of a dataset type; empty where names do not tell them."""
    place = split_hdu(kind.template or "")[0]
    return "" if _ANY_FILE.fullmatch(place) else place


def _names(roots: Sequence[Path], patterns: Mapping[str, bool] | None) -> Iterator[tuple[Path, str]]:
    """Yield the files of repositories, or those that patterns name: first those without a ``/`` in a value."""
    if patterns is None:
        yield from ((root, name) for root in roots for name in repository_files(root))
        return
    met: set[str] = set()
    found = set()
    for root in roots:
        for name in named_files(root, patterns, met):
            found.add((root, name))
            yield root, name
    others = [pattern for pattern, may_go_deeper in patterns.items() if may_go_deeper and pattern not in met]
    if not others:
        return
    may_fit = _name_test(others)
    for root in roots:
        for name in repository_files(root):
            if may_fit(name) and (root, name) not in found:
                yield root, name


def name_patterns(
    types: Sequence[DatasetType], wanted: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, bool] | None:
    """Return shell patterns that the files of some data IDs fit, and few others do: most names need not be read then.

    Parameters
    ----------
    types : sequence of DatasetType
        Dataset types.
    wanted : mapping
        Dataset type name to data IDs, which may lack keys. Of a type that is absent all are wanted.

    Returns
    -------
    dict or None
        To each pattern, relative to the repository, whether a value that is left open may have a ``/`` in it. None
        where all files are wanted, or a walk is quicker.
    """
    patterns: dict[str, bool] = {}
    for kind in types:
        if not _place(kind):
            continue
        if kind.name not in wanted:
            return None
        texts = {key for key, cast in kind.keys.items() if cast is str}
        for one in wanted[kind.name]:
            try:
                pattern = kind.compiled.glob_pattern(one)
            except (TypeError, ValueError, OverflowError):  # a value of another type than the template's
                return None
            patterns[pattern] = patterns.get(pattern, False) or not texts <= one.keys()
            if (other := boost_name(pattern)) and kind.name.endswith(_METADATA):
                patterns.setdefault(other, False)
        if kind.name.endswith(_CONFIG):
            patterns.setdefault(config_name(kind.name.removesuffix(_CONFIG)), False)
        if len(patterns) > _MOST_PATTERNS:
            return None
    return patterns


def _name_test(patterns: Iterable[str]) -> Callable[[str], object]:
    """Return a quick test that names of patterns pass in which ``*`` may have a ``/``, and few other names do."""
    plain, open_ones = set(), []
    for pattern in patterns:
        last = pattern.rpartition("/")[2]
        if set("*?[").isdisjoint(last):
            plain.add(last)
        else:
            open_ones.append(pattern)
    match = re.compile("|".join(translate(one + end) for one in open_ones for end in COMPRESSED) or r"(?!)").match
    ends = [end for end in COMPRESSED if end]

    def may_fit(name: str) -> object:
        last = name[name.rfind("/") + 1 :]
        if last in plain or any(last.endswith(end) and last.removesuffix(end) in plain for end in ends):
            return True
        # files of the stack have other names than those of templates
        return match(name) or metadata_name(name)

    return may_fit


def _identify(name: str, by_depth: Mapping[int, Iterable[DatasetType]]) -> list[tuple[DatasetType, DataId]]:
    """Return dataset types and data IDs of a file; a value with ``/`` in it is thought of only if nothing else fits."""
    depth = _depth(name)
    deeper = (kind for level, kinds in by_depth.items() if level < depth for kind in kinds)
    names = [name.removesuffix(ending) for ending in COMPRESSED if name.endswith(ending)]
    for kinds in (by_depth.get(depth, ()), deeper):
        matches = [(kind, data_id) for kind in kinds for plain in names if (data_id := kind.parse(plain)) is not None]
        if matches:
            return matches
    known = {kind.name: kind for kinds in by_depth.values() for kind in kinds}
    if (task := config_task(name)) and f"{task}{_CONFIG}" in known:
        return [(known[f"{task}{_CONFIG}"], {})]
    other = metadata_name(name)
    found = _identify(other, by_depth) if other else []
    return [(kind, data_id) for kind, data_id in found if kind.name.endswith(_METADATA)]


def _depth(path: str) -> int:
    return path.count("/")


def _agree(data_id: DataId, wanted: Mapping[str, Any]) -> bool:
    return all(data_id.get(key) == value for key, value in wanted.items())
