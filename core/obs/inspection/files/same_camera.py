"""Whether files are of one camera."""

import re
from collections import Counter
from collections.abc import Sequence

from obs.errors import FileFormatError
from obs.inspection.cards import Cards
from obs.inspection.raw_file import RawFile

__all__ = ["files_of_one_camera", "find_shape_mismatches"]

_SHARED = 0.4
"""Part of the keywords that headers of one camera have in common, at least."""
_MANY = 3
"""Times as many files as any other that the camera has whose files are taken."""
_LISTED = 3
"""Files of another camera that are named."""


def files_of_one_camera(files: Sequence[RawFile], warnings: list[str]) -> tuple[RawFile, ...]:
    """Return the files of the camera that has by far the most of them.

    Headers are of several cameras if they name several, or name none and look different.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    warnings : list of str
        Takes which files of which other cameras are left out.

    Raises
    ------
    FileFormatError
        If no camera has three times as many files as any other: says which file is of which.
    """
    groups: list[list[RawFile]] = []
    for file in files:
        mine = next((group for group in groups if all(_alike(file.cards, other.cards) for other in group)), None)
        if mine is None:
            groups.append([file])
        else:
            mine.append(file)
    first, *others = sorted(groups, key=len, reverse=True)
    if others and len(first) < _MANY * len(others[0]):
        which = "; ".join(f"{_name(group)}: {', '.join(file.path.name for file in group)}" for group in groups)
        raise FileFormatError(f"the files are of {len(groups)} cameras: {which}; give those of one")
    for group in others:
        names = ", ".join(file.path.name for file in group[:_LISTED]) + (", ..." if len(group) > _LISTED else "")
        warnings.append(
            f"{len(group)} of {len(files)} files are of another camera, {_name(group)}, and left out: {names}; "
            "describe it by an obs new of its own"
        )
    return tuple(first)


def _named(cards: Cards) -> dict[str, str]:
    """Return the cards that name camera and telescope."""
    names = {name: str(cards.get(name, "")).strip() for name in ("INSTRUME", "TELESCOP")}
    version = str(cards.get("VERSION", "")).strip()
    if not names["INSTRUME"] and re.fullmatch(r"[A-Za-z]+", version):  # a name, not the version of a program
        names["VERSION"] = version
    return {name: value for name, value in names.items() if value}


def _alike(first: Cards, second: Cards) -> bool:
    a, b = _named(first), _named(second)
    shared = [name for name in a if name in b]
    if any(a[name].lower() != b[name].lower() for name in shared):
        return False
    if "INSTRUME" in shared or "VERSION" in shared:
        return True
    mine, theirs = set(first), set(second)
    return len(mine & theirs) >= _SHARED * min(len(mine), len(theirs))


def _name(group: Sequence[RawFile]) -> str:
    named = _named(group[0].cards)
    name = named.get("INSTRUME") or named.get("VERSION") or "a camera without a name"
    return f"{name} ({named['TELESCOP']})" if "TELESCOP" in named else name


def find_shape_mismatches(files: Sequence[RawFile]) -> list[str]:
    """Return what to tell of files whose images differ in number or size from those of the first."""
    counts = Counter(file.shapes for file in files)
    usual = files[0].shapes
    return [
        f"{file.path.name}: its images are of another number or size than those of {files[0].path.name}: read out or "
        "binned in another way, or of another camera"
        for file in files
        if file.shapes != usual and len(counts) > 1
    ]
