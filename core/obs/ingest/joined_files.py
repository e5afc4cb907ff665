"""Files as the camera describes them, made before they are looked at or ingested.

The files of one detector's exposure, an amplifier each, are put together; cubes of several planes are taken apart.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any, cast

from obs.errors import FileFormatError, ObsError, OutputError
from obs.frozen import frozen
from obs.ingest.headers import read_headers
from obs.ingest.image_headers import first_image
from obs.instrument.amplifier_files import AmplifierFiles
from obs.instrument.header import FILE_NAME, name_cards
from obs.instrument.translator import Translator
from obs.os_advice import write_advice
from obs.policy.data_id import format_data_id
from obs.repo.atomic import remove_leftovers, temporary_path
from obs.repo.cube_planes import Planes, is_cube, write_planes
from obs.repo.joined_file import join_files
from obs.repo.scratch_folder import make_scratch_folder

__all__ = ["JoinPlan", "Whole", "joined", "plan_joins", "write_whole"]

_ENDINGS = (".gz", ".fz")


@frozen
class JoinPlan:
    """Files that belong to one exposure and are joined.

    Parameters
    ----------
    alone : tuple of Path
        Files that are whole, or that nothing can be said of.
    groups : tuple of tuple of Path
        Files of one exposure of a detector each, in the order of the amplifiers.
    faults : dict of Path to str
        Files that cannot be put together, and why.
    """

    alone: tuple[Path, ...] = ()
    groups: tuple[tuple[Path, ...], ...] = ()
    faults: Mapping[Path, str] = field(default_factory=dict)


def plan_joins(paths: Sequence[Path], translator: Translator) -> JoinPlan:
    """Return which files belong together, by their headers.

    Parameters
    ----------
    paths : sequence of Path
        Raw files.
    translator : Translator
        The camera's.
    """
    rule = translator.amplifier_files
    if rule is None:
        return JoinPlan(tuple(paths))
    alone: list[Path] = []
    found: dict[tuple[Any, ...], dict[str, list[Path]]] = {}
    for path in paths:
        part = _find_part(path, translator, rule)
        if part is None:
            alone.append(path)
        else:
            found.setdefault(part[0], {}).setdefault(part[1], []).append(path)
    groups: list[tuple[Path, ...]] = []
    faults: dict[Path, str] = {}
    for key, parts in found.items():
        fault = _find_fault(key, parts, translator, rule)
        if fault:
            faults |= {path: fault for several in parts.values() for path in several}
        else:
            groups.append(tuple(parts[name][0] for name in rule.names))
    return JoinPlan(tuple(alone), tuple(groups), faults)


def _find_part(path: Path, translator: Translator, rule: AmplifierFiles) -> tuple[tuple[Any, ...], str] | None:
    """Return data ID and amplifier of a file with the image of one amplifier; None of others."""
    try:
        if sum(header.get("NAXIS", 0) >= 2 for _, header in read_headers(path)) != 1:
            return None
        header = {**first_image(path), **name_cards(path)}
        name = rule.find(header)
        if name is None or translator.find_other_camera(header):
            return None
        row = translator.registry_columns(header)
    except (ObsError, OSError):
        return None  # reported where it is read as a file of its own
    key = tuple(row.get(column) for column in translator.unique)
    return None if None in key else (key, name)


def _find_fault(
    key: tuple[Any, ...], parts: Mapping[str, Sequence[Path]], translator: Translator, rule: AmplifierFiles
) -> str:
    """Return why files cannot be put together; empty if they can."""
    data_id = format_data_id(dict(zip(translator.unique, key, strict=True)))
    what = "the name of the file" if rule.keyword == FILE_NAME else rule.keyword
    missing = [name for name in rule.names if name not in parts]
    if missing:
        return (
            f"one amplifier of {data_id}, of which there is no file of {what} = {', '.join(missing)}; "
            "give all files of an exposure at once"
        )
    twice = next((name for name in rule.names if len(parts[name]) > 1), "")
    if twice:
        names = ", ".join(path.name for path in parts[twice])
        return f"{data_id} has several files of {what} = {twice}: {names}; give one of them"
    return ""


def _whole_name(parts: Sequence[Path]) -> str:
    """Return the name of the file that parts are put together to: that of the first, as a plain FITS file."""
    name = parts[0].name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def write_whole(parts: Sequence[Path], folder: Path, rule: AmplifierFiles) -> Path:
    """Put parts together in a new folder below another one, and return the file.

    Parameters
    ----------
    parts : sequence of Path
        Files of the amplifiers of one exposure.
    folder : Path
        Folder for the new one.
    rule : AmplifierFiles
        Names of the amplifiers, which become those of the HDUs.
    """
    target = Path(tempfile.mkdtemp(dir=folder)) / _whole_name(parts)
    join_files(parts, target, [f"AMP_{name}" for name in rule.names])
    return target


@frozen
class Whole:
    """Files as the camera describes them.

    Parameters
    ----------
    alone : list of Path
        Files that need no other.
    parts : dict of Path to tuple of Path
        Files that were made, with those that they were made from.
    faults : dict of Path to str
        Files that are left over, and why.
    """

    alone: list[Path]
    parts: dict[Path, tuple[Path, ...]]
    faults: dict[Path, str]


@contextmanager
def joined(
    paths: Sequence[Path], translator: Translator, root: Path | None = None, *, dry_run: bool = False
) -> Iterator[Whole]:
    """Put files of amplifiers together, and take cubes apart, for as long as the block lasts.

    Parameters
    ----------
    paths : sequence of Path
        Raw files.
    translator : Translator
        The camera's.
    root : Path, optional
        Repository on whose disk they are put together; the folder for temporary files if none is given.
    dry_run : bool, optional
        Let the first part stand for the whole.

    Yields
    ------
    Whole

    Raises
    ------
    OutputError
        If there is no place for them.
    """
    plan = plan_joins(paths, translator)
    rule, faults = translator.amplifier_files, dict(plan.faults)
    cubes = [path for path in plan.alone if translator.planes and _is_cube(path)]
    alone = [path for path in plan.alone if path not in set(cubes)]
    parts: dict[Path, tuple[Path, ...]] = {group[0]: group for group in plan.groups} if dry_run else {}
    if not cubes and (not plan.groups or dry_run):
        yield Whole(alone, parts, faults)
        return
    scratch = _make_scratch(None if dry_run else root)
    try:
        for group in () if dry_run else plan.groups:
            try:
                parts[write_whole(group, scratch, cast(AmplifierFiles, rule))] = group
            except FileFormatError as error:
                faults |= dict.fromkeys(group, str(error))
        for cube in cubes:
            try:
                planes = write_planes(cube, Path(tempfile.mkdtemp(dir=scratch)), cast(Planes, translator.planes))
                parts |= dict.fromkeys(planes, (cube,))
            except FileFormatError as error:
                faults[cube] = str(error)
        yield Whole(alone, parts, faults)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _is_cube(path: Path) -> bool:
    try:
        return is_cube(path)
    except (ObsError, OSError):
        return False  # reported where it is read


def _make_scratch(root: Path | None) -> Path:
    if root is None:
        return make_scratch_folder("joined")
    remove_leftovers(root)
    scratch = temporary_path(root / "joined")
    try:
        scratch.mkdir()
    except OSError as error:
        raise OutputError(f"cannot write to {root}: {write_advice(error)}", path=root) from error
    return scratch
