"""Files of one exposure that hold an amplifier each: which they are, and what tells them apart."""

import re
from collections.abc import Sequence

from obs.inspection.files.grouping import AMPLIFIER_CARDS, CHIP_CARDS, JOINED_CARDS, cover_rectangle
from obs.inspection.files.several_files import one_exposure
from obs.inspection.frame_facts import find_frame_facts
from obs.inspection.header.keys import name_parts
from obs.inspection.raw_file import RawFile
from obs.inspection.sections import find_section
from obs.instrument.amplifier_files import AmplifierFiles
from obs.instrument.header import FILE_NAME, FOLDER

__all__ = ["find_amplifier_files"]

_OF_AN_AMPLIFIER = re.compile(
    r"(?!.*(NAMP|AMPS$|GAIN|NOISE|SEC|TEMP|NUMAMP)).*(AMP|CHANNEL|CHAN|QUAD|OUTPUT|RDOUT|PORT)"
)
_OF_A_CHIP = re.compile(r"CCD|CHIP|DET|SENS|RAFT|SLOT")
_NO_NAME = re.compile(
    r".*(DATE|TIME|SEC$|SIZE|MJD|CHECK|DATASUM|GAIN|NOISE|TEMP|BIAS|MEAN|FILE)|(UT|JD)|.*(UTC?|JD)$|[CL]T[MV]|C[DR]|PC"
)

Group = list[RawFile]


def find_amplifier_files(files: Sequence[RawFile]) -> tuple[AmplifierFiles, list[Group]] | None:
    """Return what tells the amplifiers of a detector apart, and the files that belong together, in that order.

    Files of one exposure are of one detector if a card that names an amplifier differs among them, or if their
    sections fill a rectangle of the detector's coordinates, and no card says that they are of several detectors.

    Parameters
    ----------
    files : sequence of RawFile
        The files, of one camera.

    Returns
    -------
    tuple or None
        None where each file is an exposure of a detector of its own.
    """
    if (
        not files
        or not all(len(file.images) == 1 and file.images[0].has_pixels for file in files)
        or not _may_be(files)
    ):
        return None
    groups = one_exposure(files, find_frame_facts(files).exposures_of_files)
    if not groups or sum(map(len, groups)) < len(files):
        return None
    for by in ((), *JOINED_CARDS, *((name,) for name in CHIP_CARDS)):
        parted = _part(groups, by)
        found = None if parted is None else _name_amplifiers(parted, is_parted=bool(by))
        if parted is not None and found is not None:
            order = {name: number for number, name in enumerate(found.names)}
            return found, [sorted(group, key=lambda file: order[_amplifier_name(found, file)]) for group in parted]
    return None


def _may_be(files: Sequence[RawFile]) -> bool:
    """Whether the first files look as if they were of amplifiers: this costs less than to understand exposures."""
    names = [name for name in files[0].cards if _OF_AN_AMPLIFIER.match(name)]
    if any(len({str(file.cards.get(name)) for file in files}) > 1 for name in names):
        return True
    return len({_section(file, kind) for file in files for kind in ("ccd", "detector")} - {None}) > 1


def _section(file: RawFile, kind: str) -> object:
    section = find_section(file.images[0].cards, kind)
    return None if section is None else section.box


def _part(groups: Sequence[Group], by: Sequence[str]) -> list[Group] | None:
    """Return the files of each exposure parted by cards that name detectors; None if these do not part them evenly."""
    if not by:
        return [list(group) for group in groups] if len({len(group) for group in groups}) == 1 else None
    parted: list[Group] = []
    for group in groups:
        chips: dict[tuple[str, ...], Group] = {}
        for file in group:
            values = [file.cards.get(name) for name in by]
            if any(value is None for value in values):
                return None
            chips.setdefault(tuple(map(str, values)), []).append(file)
        if len(chips) < 2:
            return None
        parted += chips.values()
    return parted if len({len(group) for group in parted}) == 1 and len(parted[0]) > 1 else None


def _name_amplifiers(groups: Sequence[Group], *, is_parted: bool) -> AmplifierFiles | None:
    """Return what names the amplifiers of groups of files of one detector each; None if they are none."""
    first = groups[0]
    in_place = [_fills(first, "ccd"), _fills(first, "detector")]
    cards = [name for name in first[0].cards if name not in (FILE_NAME, FOLDER) and _differs(groups, name)]
    named = [name for name in AMPLIFIER_CARDS if name in cards]
    named += [name for name in cards if _OF_AN_AMPLIFIER.match(name) and name not in (*named, *CHIP_CARDS)]
    if not named and not any(in_place):
        return None
    chips = [name for name in cards if name in CHIP_CARDS or _OF_A_CHIP.match(name)]
    chips = [name for name in chips if not _NO_NAME.match(name)]
    if chips and not named and not in_place[0] and not is_parted:
        return None  # detectors side by side
    others = [name for name in cards if not _NO_NAME.match(name)]
    part = _part_of_name(groups)
    for name in [*named, *others]:
        return _ordered(AmplifierFiles(name, tuple(_value(file, name) for file in first)), first)
    if part is not None:
        names = tuple(name_parts(file.path.name)[part] for file in first)
        return _ordered(AmplifierFiles(FILE_NAME, names, part), first)
    return None


def _fills(group: Group, kind: str) -> bool:
    return cover_rectangle([file.images[0].cards for file in group], kind)


def _value(file: RawFile, name: str) -> str:
    return str(file.cards.get(name)).strip()


def _amplifier_name(rule: AmplifierFiles, file: RawFile) -> str:
    return name_parts(file.path.name)[rule.part] if rule.keyword == FILE_NAME else _value(file, rule.keyword)


def _differs(groups: Sequence[Group], name: str) -> bool:
    """Whether a card has the same values in all groups, each once."""
    wanted = {_value(file, name) for file in groups[0]}
    if len(wanted) < len(groups[0]) or any(isinstance(file.cards.get(name), float) for file in groups[0]):
        return False
    return all(len(group) == len(wanted) and {_value(file, name) for file in group} == wanted for group in groups)


def _part_of_name(groups: Sequence[Group]) -> int | None:
    """Return which part of the names of files has the same values in all groups, each once; None if none has."""
    parts = [[name_parts(file.path.name) for file in group] for group in groups]
    if len({len(name) for group in parts for name in group}) != 1:
        return None
    for index in range(len(parts[0][0])):
        wanted = {name[index] for name in parts[0]}
        if len(wanted) == len(groups[0]) and all({name[index] for name in group} == wanted for group in parts):
            return index
    return None


def _ordered(rule: AmplifierFiles, group: Group) -> AmplifierFiles:
    """Return the rule with its names in the order of their places, else of their numbers or letters."""
    sections = [
        find_section(file.images[0].cards, "ccd") or find_section(file.images[0].cards, "detector") for file in group
    ]

    def place(number: int) -> tuple[object, ...]:
        section, name = sections[number], rule.names[number]
        where = (0, 0) if section is None else (section.box.y_min, section.box.x_min)
        return (*where, len(name), name)

    order = sorted(range(len(group)), key=place)
    return AmplifierFiles(rule.keyword, tuple(rule.names[number] for number in order), rule.part)
