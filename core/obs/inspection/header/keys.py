"""Which cards number the exposure and the detector."""

import re
from collections.abc import Sequence

from obs.frozen import frozen
from obs.inspection.cards import Cards
from obs.inspection.finding import Confidence, Finding
from obs.inspection.raw_file import RawFile, RawImage
from obs.instrument.header import FILE_NAME

__all__ = [
    "KeyRule",
    "Roles",
    "detector_in_names",
    "detector_value",
    "find_detector_key",
    "find_roles",
    "find_visit",
    "whole_number",
]

_DETECTORS: tuple[tuple[str, Confidence], ...] = (
    ("CCDNUM", "certain"),
    ("DET-ID", "certain"),
    ("DETID", "certain"),
    ("DET_ID", "certain"),
    ("CCDID", "certain"),
    ("CCD_ID", "certain"),
    ("CHIPID", "certain"),
    ("CHIPNUM", "certain"),
    ("CCDCHIP", "certain"),
    ("CCDLOC", "likely"),
    ("CHIP", "likely"),
    ("CCDNO", "certain"),
    ("CCDNR", "certain"),
    ("DETNUM", "certain"),
    ("DETECTOR", "likely"),
    ("CCD", "likely"),
    ("OPAMP", "likely"),
    ("ESO OCS CON QUAD", "likely"),
    ("CCDNAME", "likely"),
    ("CHIPNAME", "likely"),
    ("DETPOS", "likely"),
    ("CCDPOS", "likely"),
    ("ESO DET CHIP1 ID", "likely"),
    ("ESO DET CHIP ID", "likely"),
    ("IMAGEID", "guess"),
)
_VISITS: tuple[tuple[str, Confidence], ...] = (
    ("EXPNUM", "certain"),
    ("EXP-ID", "likely"),
    ("EXPID", "likely"),
    ("VISIT", "certain"),
    ("OBSID", "likely"),
    ("OBSNUM", "guess"),
    ("FRAMENO", "guess"),
    ("FRAMENUM", "guess"),
    ("FRAME", "guess"),
    ("IMGNUM", "guess"),
    ("SEQNUM", "guess"),
    ("OBS_NUM", "guess"),
    ("RUN", "guess"),
    ("FILENUM", "guess"),
    ("RUNNO", "guess"),
)
_FILE_NAMES = ("FILENAME", "ORIGFILE", "OBSFILE", "FILE", "ORIGNAME", FILE_NAME)
_EXTENSIONS: tuple[tuple[str, Confidence], ...] = (("EXTNAME", "likely"), ("EXTVER", "likely"))
_DETECTOR_WORD = re.compile(
    r"(c|ccd|chip|det|detector|q|quad|arm|cam|sensor|ext|amp)\d{1,3}|[a-z]|blue|red|north|south|east|west|left|right"
    r"|[ns][ew]|[lu][lr]|[brzuvgi]\d{1,2}",
    re.I,
)
_LARGEST = 2**31
_MOST_A_NIGHT = 9999
_MOST_DETECTORS = 8192
"""The exposure numbers of generated packages have room for as many."""


@frozen
class KeyRule:
    """How a key is read from a header.

    Parameters
    ----------
    keyword : str
        The card; empty where the value is constant, or the date has to number exposures.
    kind : {"whole", "digits", "text", "words", "name", "grouped", "joined", "file", "letters", "constant", "date"}
        Whether the card is a whole number, a text whose last digits count, a text, a text of which letters and digits
        make a name, the name of a file with a number in it, a number that counts the amplifiers of all detectors, or
        two cards that make a name together, or a part of the name of the file, also one of letters alone; or what
        stands in for it.
    first, size : int
        Of what counts amplifiers, the lowest number, and how many amplifiers a detector has. Of the name of the file,
        the number of its part.
    """

    keyword: str
    kind: str
    first: int = 0
    size: int = 1


def whole_number(value: object) -> int | None:
    """Return a whole number, be it as text; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d{1,18}", text) else None


def _last_digits(value: object) -> int | None:
    match = re.search(r"(\d{1,18})$", str(value).strip())
    return None if match is None else int(match[1])


def detector_value(rule: KeyRule, cards: Cards) -> int | str | None:
    """Return the detector that a rule reads from a header.

    Parameters
    ----------
    rule : KeyRule
        Rule for the detector.
    cards : Cards
        Header.
    """
    if rule.kind == "constant":
        return 0
    if rule.kind == "joined":
        parts = [re.sub(r"[^A-Za-z0-9]+", "", str(cards.get(name, ""))) for name in rule.keyword.split("+")]
        return "_".join(parts) if all(parts) else None
    value = cards.get(rule.keyword)
    if value is None:
        return None
    if rule.kind in ("file", "letters"):
        parts = name_parts(str(value)) if rule.kind == "file" else _letters_and_digits(str(value))
        return parts[rule.first] if rule.first < len(parts) else None
    if rule.kind == "grouped":
        number = _numbered(value)
        return None if number is None else (number - rule.first) // rule.size
    if rule.kind == "whole":
        number = whole_number(value)
        return number if number is not None and 0 <= number < _MOST_DETECTORS else None
    if rule.kind == "words":
        return re.sub(r"[^A-Za-z0-9]+", "_", str(value)).strip("_")
    return _last_digits(value) if rule.kind == "digits" else str(value).strip()


def name_parts(name: str) -> list[str]:
    """Return the runs of letters and digits of a name."""
    return re.split(r"[^A-Za-z0-9]+", name)


def _letters_and_digits(name: str) -> list[str]:
    """Return the runs of letters, and the runs of digits, of a name."""
    return re.findall(r"[A-Za-z]+|[0-9]+", name)


def detector_in_names(names: Sequence[Sequence[str]]) -> KeyRule | None:
    """Return the part of file names that tells the detectors of an exposure apart; None if there is none.

    Parameters
    ----------
    names : sequence of sequence of str
        Names of the files of each exposure that has several.
    """
    for kind, split in (("file", name_parts), ("letters", _letters_and_digits)):
        parts = [[split(name) for name in group] for group in names]
        lengths = {len(name) for group in parts for name in group}
        for index in range(lengths.pop() if len(lengths) == 1 else 0):
            values = [[name[index] for name in group] for group in parts]
            if all(len(set(group)) == len(group) for group in values) and all(
                _DETECTOR_WORD.fullmatch(value) for group in values for value in group
            ):
                return KeyRule(FILE_NAME, kind, index)
    return None


def find_detector_key(chips: Sequence[Sequence[RawImage]], card: str = "") -> tuple[Finding, KeyRule]:
    """Return what numbers the detector.

    Parameters
    ----------
    chips : sequence of sequence of RawImage
        The images of each detector that is at hand. Where there are several, the values must differ between them, and
        all images of one must have the same.
    card : str
        The card that tells the files of several detectors apart, or two joined by ``+``.
    """
    joined = KeyRule(card, "joined")
    if "+" in card and _distinguishes(joined, chips):
        note = f"{' and '.join(card.split('+'))} together"
        return Finding("detector", detector_value(joined, chips[0][0].cards), card, "guess", note), joined
    first, is_mosaic = chips[0][0].cards, len(chips) > 1
    names = [*_DETECTORS, *_EXTENSIONS] if is_mosaic or _counts_ccds(first) else list(_DETECTORS)
    if card and card not in dict(names):
        names.append((card, "guess"))
    choices: list[tuple[KeyRule, Confidence]] = []
    for name, sure in names:
        for kind, confidence in (("whole", sure), ("digits", "likely"), ("text", "likely")):
            rule = KeyRule(name, kind)
            if (kind == "digits" and name != "EXTNAME") or (kind == "text" and not is_mosaic):
                continue  # of one detector, a text is its make rather than its name
            if _distinguishes(rule, chips):
                choices.append((rule, confidence if sure != "guess" else "guess"))
    numbers = [choice for choice in choices if choice[0].kind != "text"]
    for rule, sure in numbers or [(_plain(rule, chips), sure) for rule, sure in choices]:
        doubt = first.reason_to_doubt(rule.keyword)
        note = doubt or ("the last digits" if rule.kind == "digits" else "")
        return Finding("detector", detector_value(rule, first), rule.keyword, "guess" if doubt else sure, note), rule
    if not is_mosaic:
        note = "no card names it; the camera is taken to have one"
        return Finding("detector", 0, "", "likely", note), KeyRule("", "constant")
    counting = _grouped(chips)
    if counting is not None:
        note = f"{counting.size} numbers a detector, from {counting.first}"
        return Finding("detector", 0, counting.keyword, "guess", note), counting
    return Finding.unknown("detector", "no card gives the detectors apart"), KeyRule("", "constant")


def _plain(rule: KeyRule, chips: Sequence[Sequence[RawImage]]) -> KeyRule:
    """Return a rule whose texts can be in data IDs and names of files."""
    words = KeyRule(rule.keyword, "words")
    texts = {detector_value(rule, images[0].cards) for images in chips}
    return rule if texts == {detector_value(words, images[0].cards) for images in chips} else words


def _distinguishes(rule: KeyRule, chips: Sequence[Sequence[RawImage]]) -> bool:
    """Whether each detector has a value of its own, and one only."""
    values = [{str(detector_value(rule, image.cards)) for image in images} for images in chips]
    if any(len(value) > 1 or "None" in value for value in values):
        return False
    return len(set.union(*values)) == len(chips)


def _grouped(chips: Sequence[Sequence[RawImage]]) -> KeyRule | None:
    """Return the rule by which a card counts the amplifiers of one detector after the other."""
    size = len(chips[0])
    for name in ("EXTVER", "IMAGEID", "AMPID", "EXTNAME"):
        numbers = [_numbered(image.cards.get(name)) for images in chips for image in images]
        known = [number for number in numbers if number is not None]
        if len(known) == len(numbers) == size * len(chips) and known == list(range(known[0], known[0] + len(known))):
            return KeyRule(name, "grouped", known[0], size)
    return None


def _numbered(value: object) -> int | None:
    """Return a whole number, or that behind the letters of a name; None if there is none."""
    text = str(value).strip()
    return int(match[1]) if (match := re.fullmatch(r"[A-Za-z]*(\d{1,9})", text)) else whole_number(value)


def _counts_ccds(cards: Cards) -> bool:
    """Whether the extension's name or version says that it counts detectors."""
    card = cards.find("EXTVER")
    words = f"{card.comment if card else ''} {cards.get('EXTNAME', '')}".lower()
    return "ccd" in words or "chip" in words


def find_visit(
    files: Sequence[RawFile], dates: Sequence[object], *, to_the_second: bool = True
) -> tuple[Finding, KeyRule]:
    """Return what numbers the exposure.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    dates : sequence
        When each began: files of other dates are other exposures, and must have other numbers.
    to_the_second : bool
        Whether the dates have a time of day: else they cannot number exposures, and the name of the file may have to.
    """
    for name, confidence in _VISITS:
        for kind in ("whole", "digits"):
            values = [_visit_value(file.cards, name, kind) for file in files]
            if not _are_numbers(values, dates):
                continue
            comment = file.comment.lower() if (file := files[0].cards.find(name)) else ""
            sure: Confidence = confidence if kind == "whole" else "likely"
            note = "" if kind == "whole" else "the last digits"
            is_high = min(value for value in values if value is not None) > _MOST_A_NIGHT and "night" not in comment
            if confidence == "guess" and is_high:
                sure, note = "likely", "too high a number to start again each night"
            elif confidence == "guess" or "night" in comment:
                sure, note = "guess", "the number may start again each night"
            return Finding("visit", values[0], name, sure, note), KeyRule(name, kind)
    if to_the_second:
        note = "no card numbers the exposures: the date does"
        return Finding.unknown("visit", note), KeyRule("", "date")
    for name in _FILE_NAMES:
        values = [_number_in_name(file.cards.get(name)) for file in files]
        if _are_numbers(values, dates) and len(set(values)) == len(values):
            note = "the number in the name of the file, which may start again each night"
            return Finding("visit", values[0], name, "guess", note), KeyRule(name, "name")
    note = "no card numbers the exposures or has the time of day: frames of one night cannot be distinguished"
    return Finding.unknown("visit", note), KeyRule("", "date")


def _are_numbers(values: Sequence[int | None], dates: Sequence[object]) -> bool:
    """Whether all are there, can be numbers of exposures, and differ where the dates do."""
    if any(value is None or not 0 < value < _LARGEST for value in values):
        return False
    return len(set(zip(values, dates, strict=True))) <= len(set(values))


def _number_in_name(value: object) -> int | None:
    """Return the last number of three to six digits in the name of a file: longer ones are dates."""
    found = re.findall(r"(?<!\d)\d{3,6}(?!\d)", str(value or ""))
    return int(found[-1]) if found else None


def _visit_value(cards: Cards, name: str, kind: str) -> int | None:
    value = cards.get(name)
    if value is None or (isinstance(value, float) and not value.is_integer()):
        return None
    if kind == "whole":
        return whole_number(value)
    # Letters and then a number; not the date and time that some observatories call an exposure by.
    return _last_digits(value) if re.fullmatch(r"[A-Za-z_-]{1,8}\d{3,10}", str(value).strip()) else None


@frozen
class Roles:
    """What cards tell apart in several files.

    Parameters
    ----------
    constant, detector, exposure : tuple of str
        Keywords that are the same everywhere; that differ from detector to detector but not from one exposure to the
        next; that differ from exposure to exposure but not from detector to detector. A card that does both is none.
    """

    constant: tuple[str, ...]
    detector: tuple[str, ...]
    exposure: tuple[str, ...]


_STRUCTURE = re.compile(
    r"(\((?:file|folder)\)|SIMPLE|XTENSION|BITPIX|NAXIS\d?|EXTEND|[PG]COUNT|BZERO|BSCALE|CHECKSUM|DATASUM|INHERIT|TFIELDS"
    r"|Z[A-Z]+\d*|T(TYPE|FORM)\d+)"
)


def find_roles(images: Sequence[tuple[object, object, Cards]]) -> Roles:
    """Sort keywords by what they tell apart; each image comes with its exposure, its detector and its cards.

    Parameters
    ----------
    images : sequence of tuple
        Exposure, detector and cards of each image.
    """
    names = [name for name in images[0][2] if not _STRUCTURE.fullmatch(name)]
    constant, detector, exposure = [], [], []
    for name in names:
        values = [(which, chip, str(cards.get(name))) for which, chip, cards in images]
        distinct = {value for _, _, value in values}
        by_detector = _identifies([(chip, value) for _, chip, value in values], distinct)
        by_exposure = _identifies([(which, value) for which, _, value in values], distinct)
        if len(distinct) == 1:
            constant.append(name)
        elif by_detector and not by_exposure:
            detector.append(name)
        elif by_exposure and not by_detector:
            exposure.append(name)
    return Roles(tuple(constant), tuple(detector), tuple(exposure))


def _identifies(pairs: Sequence[tuple[object, str]], distinct: set[str]) -> bool:
    """Whether each thing has one value, and each its own."""
    things = {str(thing) for thing, _ in pairs}
    return len({(str(thing), value) for thing, value in pairs}) == len(things) == len(distinct)
