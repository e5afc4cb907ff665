"""Files of whole exposures, made from those of single amplifiers and from cubes, for a look at a camera."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from obs.errors import FileFormatError, ObsError
from obs.ingest.joined_files import write_whole
from obs.inspection.amplifier_files import find_amplifier_files
from obs.inspection.raw_file import read_raw_file
from obs.instrument.amplifier_files import AmplifierFiles
from obs.repo.color_cubes import holds_colors
from obs.repo.cube_planes import Planes, holds_series, is_cube, write_planes
from obs.repo.scratch_folder import scratch_folder

__all__ = ["find_planes", "whole_files"]

_FEW = 3
"""Planes of a cube that are looked at."""


def find_planes(paths: Sequence[Path]) -> tuple[Planes | None, str]:
    """Return what the planes of cubes are where the files say it, with a sentence that does; None where they do not.

    Parameters
    ----------
    paths : sequence of Path
        Raw files.
    """
    found = [path for path in paths if _holds_colors(path)]
    if not found:
        return _find_series(paths)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return "colors", (
        f"{found[0].name}{more}: red, green and blue that a program computed from a color mosaic: the pixels that the "
        "mosaic had are taken (planes = 'colors'); better are the files that the camera wrote"
    )


def _find_series(paths: Sequence[Path]) -> tuple[Planes | None, str]:
    """Return that planes are exposures where a card of every cube counts them, with a sentence that says so."""
    cubes = [path for path in paths if _is_cube(path)]
    cards = {holds_series(path) for path in cubes}
    if not cubes or "" in cards:
        return None, ""
    more = f" and {len(cubes) - 1} more" if len(cubes) > 1 else ""
    return "each", (
        f"{cubes[0].name}{more}: {' and '.join(sorted(cards))} counts as many exposures as there are planes: each is "
        "one (planes = 'each'); if they are parts of one exposure, add --planes mean"
    )


@contextmanager
def whole_files(
    paths: Sequence[Path], planes: Planes | None = None
) -> Iterator[tuple[list[Path], AmplifierFiles | None]]:
    """Put files of single amplifiers together, and take cubes apart, for as long as the block lasts.

    Parameters
    ----------
    paths : sequence of Path
        Raw files.
    planes : {"each", "mean", "colors"}, optional
        What the planes of cubes are; cubes stay as they are if None.

    Yields
    ------
    files : list of Path
        Files of whole detectors.
    rule : AmplifierFiles or None
        How the parts were told apart; None where there were none.

    Raises
    ------
    FileFormatError
        If the planes of a cube cannot be distinguished.
    """
    try:
        found = find_amplifier_files([read_raw_file(path) for path in paths])
    except FileFormatError:
        found = None  # reported by the caller
    cubes = {path for path in paths if planes is not None and _is_cube(path)}
    if found is None and not cubes:
        yield list(paths), None
        return
    with scratch_folder("joined") as scratch:
        if found is not None:
            rule, groups = found
            yield [write_whole([file.path for file in group], scratch, rule) for group in groups], rule
            return
        files: list[Path] = []
        for path in paths:
            files += [path] if planes is None or path not in cubes else _taken_apart(path, scratch, planes)
        yield files, None


def _taken_apart(path: Path, scratch: Path, planes: Planes) -> list[Path]:
    return write_planes(path, Path(tempfile.mkdtemp(dir=scratch)), planes, _FEW if planes == "each" else None)


def _holds_colors(path: Path) -> bool:
    try:
        return is_cube(path) and holds_colors(path)
    except ObsError:
        return False  # reported by the caller


def _is_cube(path: Path) -> bool:
    try:
        return is_cube(path)
    except ObsError:
        return False  # reported by the caller
