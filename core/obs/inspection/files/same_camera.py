"""Whether files are of one camera."""

import re
from collections.abc import Sequence

from obs.errors import FileFormatError
from obs.inspection.cards import Cards
from obs.inspection.raw_file import RawFile
from obs.instrument.recognize import recognize
from obs.shell_command import shell_command

__all__ = ["files_of_one_camera"]

_SHARED = 0.4
"""Part of the keywords that headers of one camera have in common, at least."""
_MANY = 3
"""Times as many files as any other that the camera has whose files are taken."""
_LISTED = 3
"""Files of another camera that are named."""


def files_of_one_camera(files: Sequence[RawFile], warnings: list[str], only: str = "") -> tuple[RawFile, ...]:
    """Return the files of the camera that is wanted, or that has by far the most of them.

    Headers are of several cameras if they name several, or name none and look different.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    warnings : list of str
        Takes which files of which other cameras are left out.
    only : str, optional
        Part of the name of the camera that is wanted.

    Raises
    ------
    FileFormatError
        If no camera, or several, have the name that is wanted; or none has three times as many files as any other.
        Says which file is of which.
    """
    groups: list[list[RawFile]] = []
    for file in files:
        mine = next((group for group in groups if all(_alike(file.cards, other.cards) for other in group)), None)
        if mine is None:
            groups.append([file])
        else:
            mine.append(file)
    # Cameras that are installed need no description, unless there are no others.
    installed = [bool(_installed_as(group)) for group in groups] if len(groups) > 1 else [False]
    order = [
        (only.lower() in _name(group).lower(), not known, len(group))
        for group, known in zip(groups, installed, strict=True)
    ]
    first, *others = (groups[n] for n in sorted(range(len(groups)), key=order.__getitem__, reverse=True))
    rivals = [group for group in others if all(installed) or not _installed_as(group)]
    which = "; ".join(f"{_name(group)}: {_listed(group)}" for group in groups)
    if only and sum(only.lower() in _name(group).lower() for group in groups) != 1:
        raise FileFormatError(f"'{only}' is not the name of one camera; the files are of {len(groups)}: {which}")
    if rivals and not only and len(first) < _MANY * len(rivals[0]):
        example = _own_part(first, rivals[0])
        option = f", or choose one by {shell_command('--only', example)}" if example else ""
        raise FileFormatError(f"the files are of {len(groups)} cameras: {which}; give those of one{option}")
    warnings += [_left_out(group, first, len(files)) for group in others]
    return tuple(first)


def _listed(group: Sequence[RawFile]) -> str:
    return ", ".join(file.path.name for file in group[:_LISTED]) + (
        f" and {len(group) - _LISTED} more" if len(group) > _LISTED else ""
    )


def _installed_as(group: Sequence[RawFile]) -> str:
    """Return the name of the installed camera that files are of; empty if none is known."""
    cards = group[0].cards
    return recognize({name: cards.get(name) for name in cards})


def _left_out(group: Sequence[RawFile], first: Sequence[RawFile], n_file: int) -> str:
    """Return what to tell of files of another camera: what that is, and what can be done with them."""
    known = _installed_as(group)
    part = _own_part(group, first)
    advice = f"{shell_command('obs', 'new', 'NAME', '--from', 'FILES', '--only', part)} describes it"
    if not part:
        advice = "describe it by an obs new of its own"
    if known:
        advice = f"it is installed as {known}: obs init DIR --camera {known}, then obs ingest DIR FILES"
    what = f"{len(group)} of {n_file} files are of another camera, {_name(group)}, and left out"
    return f"{what}: {_listed(group)}; {advice}"


def _own_part(group: Sequence[RawFile], first: Sequence[RawFile]) -> str:
    """Return a part of the name of a camera that the name of another does not have; empty if there is none."""
    named = _named(group[0].cards)
    parts = [named.get("INSTRUME", ""), named.get("TELESCOP", ""), _name(group) if named else ""]
    return next((part for part in parts if part and part.lower() not in _name(first).lower()), "")


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
