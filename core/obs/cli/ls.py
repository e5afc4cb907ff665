"""`obs ls`: what a repository holds."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from obs.cli.arguments import ManyWordsCommand
from obs.cli.options import id_option
from obs.cli.table import format_table
from obs.instrument.discovery import load_instrument
from obs.policy.data_id import DataId, format_data_id, parse_ids
from obs.policy.dataset_type import DatasetType, split_hdu
from obs.repo.butler import Butler
from obs.repo.file_keys import COMPRESSED
from obs.repo.layout import is_repository
from obs.runs.selection import check_filters

__all__ = ["find_datasets", "list_datasets"]

_EXAMPLE = """\b
Examples:
  obs ls out
  obs ls out src --id run=4192 filter=g^r
"""


@click.command("ls", cls=ManyWordsCommand, epilog=_EXAMPLE)
@click.argument("root", metavar="REPO", type=click.Path(path_type=Path))
@click.argument("dataset_type", metavar="[DATASET]", required=False)
@click.option("--camera", metavar="NAME", help="The camera, where the repository does not say; see obs cameras.")
@id_option
def list_datasets(root: Path, dataset_type: str | None, camera: str | None, ids: list[list[str]]) -> int:
    """List the dataset types in the repository REPO and how many there are, or all of the type DATASET.

    What is in the repositories that REPO was made from counts as well.
    """
    butler = Butler(root, instrument=None if camera is None else load_instrument(camera))
    mapper = butler.mapper
    types = [mapper.dataset_type(dataset_type)] if dataset_type else list(mapper.policy.dataset_types.values())
    keys = mapper.key_types(dataset_type)
    wanted = [data_id for words in ids for data_id in parse_ids(words, keys)]
    for data_id in wanted:
        check_filters(butler.instrument, data_id)
    found = find_datasets([*butler.roots, butler.calib_root], types, wanted)
    if not found:
        click.echo(f"nothing found in {root}", err=True)
    elif dataset_type:
        datasets = next(iter(found.values()))
        rows = sorted((text, str(path)) for text, path in datasets.items())
        click.echo(format_table(("data ID", "file"), rows))
    else:
        rows = [(name, str(len(datasets))) for name, datasets in sorted(found.items())]
        click.echo(format_table(("dataset type", "number"), rows, right="lr"))
    return 1 if wanted and not found else 0


def find_datasets(
    roots: Sequence[Path], types: Sequence[DatasetType], wanted: Sequence[Mapping[str, Any]] = ()
) -> dict[str, dict[str, Path]]:
    """Return the datasets whose files are there.

    Parameters
    ----------
    roots
        Repositories; a dataset that is in several counts for the first.
    types
        Dataset types to look for; those without template are passed over.
    wanted
        Data IDs of which one must agree with the dataset's in all of its keys; none means all.

    Returns
    -------
    dict
        Dataset type name to the files, by the data ID as text.
    """
    by_depth: dict[int, list[DatasetType]] = defaultdict(list)
    for kind in types:
        if kind.template:
            by_depth[_depth(split_hdu(kind.template)[0])].append(kind)
    found: dict[str, dict[str, Path]] = {}
    for root in roots:
        for name in _files(root):
            for kind, data_id in _identify(name, by_depth):
                if not wanted or any(_agree(data_id, other) for other in wanted):
                    found.setdefault(kind.name, {}).setdefault(format_data_id(data_id), root / name)
    return found


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
    return []


def _depth(path: str) -> int:
    return path.count("/")


def _agree(data_id: DataId, wanted: Mapping[str, Any]) -> bool:
    return all(data_id.get(key) == value for key, value in wanted.items())


def _files(root: Path) -> Iterator[str]:
    """Yield the files below a repository, relative to it; other repositories inside it are left out."""
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or (folder != str(root) and is_repository(Path(folder))):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_parent")))
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in sorted(files) if not name.startswith("."))
