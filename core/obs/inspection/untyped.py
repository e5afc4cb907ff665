"""Types of frames whose headers do not give one: by the names of files and folders, and by stars."""

from collections.abc import Sequence

from obs.inspection.files.reconcile import Told
from obs.inspection.finding import Finding
from obs.inspection.header.image_types import NO_TYPE_NO_TIME, contradict_each_other
from obs.inspection.pixels.type_levels import look_like, show_stars
from obs.inspection.raw_file import RawFile
from obs.instrument.header import FILE_NAME, FOLDER
from obs.instrument.image_types import named_type, type_in_names

__all__ = ["NAMED", "UNTYPED", "complete_types", "settle_by_target"]

UNTYPED = (
    "no card says what the frames are for, and all show stars: they are taken for science exposures; if other frames "
    "follow, say in translate_dataType of translator.py how to distinguish them"
)
NAMED = (
    "no card says what the frames are for: the names of files and folders do, and files without such a word (bias, "
    "dark, flat) are taken for science exposures; keep to these names, or change translate_dataType of translator.py"
)
_BLANK = "the card is blank in frames with stars: they are taken for science exposures"


def complete_types(
    files: Sequence[RawFile], alone: Sequence[Told[str]], exposures: Sequence[Finding]
) -> tuple[list[Told[str]], str]:
    """Return the types with those that headers do not give, and what is to be said of them; empty if nothing.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    alone : sequence of (Finding, str)
        The type that each header gives by itself, and the card.
    exposures : sequence of Finding
        The exposure time that each header gives, seconds.
    """
    silent = [n for n, (kind, _) in enumerate(alone) if not kind.is_known and not contradict_each_other(kind)]
    if not silent:
        return list(alone), ""
    is_all = len(silent) == len(alone)
    named = [_by_name(file) for file in files] if is_all else []
    if any(kind not in (None, "science") for kind, _ in named):
        return [_typed(kind or "science", card) for kind, card in named], NAMED
    if not is_all:
        silent = [n for n in silent if alone[n][0].note in ("", NO_TYPE_NO_TIME)]  # the stars do not overrule a word
    if not silent or not all(exposures[n].value for n in silent) or not show_stars([files[n] for n in silent]):
        return list(alone), ""
    return [_typed("science") if n in silent else one for n, one in enumerate(alone)], UNTYPED if is_all else _BLANK


def settle_by_target(files: Sequence[RawFile], types: Sequence[Finding]) -> tuple[list[Finding], str]:
    """Return the types with those of calibrations that a card calls science and the target does not.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    types : sequence of Finding
        The type of each.

    Returns
    -------
    types : list of Finding
        What the target says, where all such frames look like it; else the types as they are.
    warning : str
        What is to be said of them; empty if nothing.
    """
    called: dict[str, list[int]] = {}
    for number, (file, one) in enumerate(zip(files, types, strict=True)):
        if contradict_each_other(one) and one.note.partition(" says ")[2].startswith("science"):
            called.setdefault(str(named_type(file.cards)), []).append(number)
    if not called or not all(look_like(kind, files, types, numbers) for kind, numbers in called.items()):
        return list(types), ""
    result = list(types)
    for kind, numbers in called.items():
        for number in numbers:
            note = f"{types[number].note}; it looks like one"
            result[number] = Finding("image_type", kind, types[number].note.partition(" ")[0], "guess", note)
    first = types[next(iter(called.values()))[0]].note
    return result, (
        f"{sum(map(len, called.values()))} files are taken for {' and '.join(called)}, as they look: {first}. If they "
        "are not, change translate_dataType of translator.py"
    )


def _by_name(file: RawFile) -> tuple[str | None, str]:
    """Return the type that the name of a file or of its folders says, and which of the two."""
    for card in (FILE_NAME, FOLDER):
        if kind := type_in_names(str(file.cards.get(card))):
            return kind, card
    return None, FILE_NAME


def _typed(kind: str, card: str = "") -> Told[str]:
    source = {FILE_NAME: "name of the file", FOLDER: "name of the folder"}.get(card, "pixels")
    note = "no card names it" if card else "no card names it; stars"
    return Finding("image_type", kind, source, "guess", note), card or None
