"""Whether files are of one camera."""

import re
from collections import Counter
from collections.abc import Sequence

from obs.errors import FileFormatError
from obs.inspection.cards import Cards
from obs.inspection.raw_file import RawFile

__all__ = ["check_one_camera", "find_shape_mismatches"]

_SHARED = 0.4
"""Part of the keywords that headers of one camera have in common, at least."""


def check_one_camera(files: Sequence[RawFile]) -> None:
    """Check that headers do not name several cameras, and that those that name none look alike.

    Raises
    ------
    FileFormatError
        If they are of several: says which file is of which.
    """
    groups: list[list[RawFile]] = []
    for file in files:
        mine = next((group for group in groups if all(_alike(file.cards, other.cards) for other in group)), None)
        if mine is None:
            groups.append([file])
        else:
            mine.append(file)
    if len(groups) > 1:
        which = "; ".join(f"{_name(group)}: {', '.join(file.path.name for file in group)}" for group in groups)
        raise FileFormatError(f"the files are of {len(groups)} cameras: {which}; give those of one")


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
