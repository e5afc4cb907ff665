"""Name the patches of a query of the third generation, which numbers them, by column and row."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from obs.coadds.sky_maps import load_sky_map
from obs.errors import DataIdError, DatasetNotFoundError, RepositoryError
from obs.repo.butler import Butler
from obs.skymap.sky_map import SkyMap

__all__ = ["name_patches"]

_PAIR = re.compile(r"\d+,\d+")
_NUMBERS = re.compile(r"(\d+)(?:\.\.(\d+)(?::(\d+))?)?")
_NAMED = "name column and row, as in patch='3,1'"


def name_patches(patches: Sequence[str], tracts: Sequence[str], root: str, reruns: Sequence[str]) -> list[str]:
    """Return patches as ``3,1``, by the sky map of a repository.

    Parameters
    ----------
    patches : sequence of str
        Numbers, ranges of them (``0..4``, ``0..8:2``), or pairs, which stay as they are.
    tracts : sequence of str
        Numbers or ranges of the tracts that the query names.
    root : str
        Folder of the repository.
    reruns : sequence of str
        Names of outputs of it, which may have a sky map of their own.

    Raises
    ------
    click.UsageError
        If numbers do not tell which patches are meant.
    """
    if all(_PAIR.fullmatch(patch) for patch in patches):
        return list(patches)
    what = f"-d: patch {' '.join(patches)}"
    numbers = _numbers(patches, what)
    sky_map = _sky_map(root, reruns)
    if sky_map is None:
        raise click.UsageError(f"{what}: {root} has no sky map that says where a patch of a number is; {_NAMED}")
    chosen = _numbers(tracts, "-d: tract") or ([0] if sky_map.n_tract == 1 else [])
    if not chosen:
        raise click.UsageError(f"{what}: each tract numbers its own patches; name it too, as in tract=0 AND patch=5")
    try:
        found = {
            tuple(",".join(map(str, sky_map.tract(tract).patch(number).index)) for number in numbers)
            for tract in chosen
        }
    except DataIdError as error:
        raise click.UsageError(f"{what}: {error}") from None
    if len(found) > 1:
        raise click.UsageError(f"{what}: these tracts number their patches differently; write a line for each tract")
    return list(*found)


def _numbers(texts: Sequence[str], what: str) -> list[int]:
    """Return the numbers of a list; the end of a range belongs to it."""
    result: list[int] = []
    for text in texts:
        match = _NUMBERS.fullmatch(text)
        if match is None:
            raise click.UsageError(f"{what}: '{text}' is not a number, as all others have to be; {_NAMED}")
        result += range(int(match[1]), int(match[2] or match[1]) + 1, int(match[3] or 1))
    return result


def _sky_map(root: str, reruns: Sequence[str]) -> SkyMap[Any] | None:
    """Return the sky map of the first of some outputs that has one, or that of the repository."""
    for folder in (*(Path(root) / "rerun" / name for name in reruns), Path(root)):
        try:
            return load_sky_map(Butler(folder))
        except (DatasetNotFoundError, RepositoryError):
            continue
    return None
