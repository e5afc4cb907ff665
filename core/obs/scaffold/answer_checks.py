"""Checks of single answers about a new camera: which text each may be."""

import keyword
import re
from collections.abc import Callable, Mapping

from obs.camera.amplifier import READOUT_CORNERS
from obs.errors import ConfigError, suggest

__all__ = ["CHOICES", "check_answer", "check_name", "read_grid"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_GRID = re.compile(r"(?:(\d{1,6}) ?[x*\u00d7] ?)?(\d{1,6})", re.IGNORECASE)
#: Characters of a line of text, and of the name of a camera or a key, which becomes that of files and classes.
_LONGEST, _LONGEST_NAME = 300, 60
_TAKEN_KEYS = frozenset(("filter", "field", "dateObs", "taiObs", "expTime", "dataType", "id", "hdu", "calibDate"))
#: Largest numbers of a grid; exposure ids have room for so many detectors.
_GRIDS = {"detectors": 8192, "amplifiers": 1024}
#: Least and most; FITS images are seldom wider.
_COUNTS = {
    "width": (1, 100_000),
    "height": (1, 100_000),
    "prescan": (0, 100_000),
    "overscan": (0, 100_000),
    "overscan_rows": (0, 100_000),
}
#: Pixels of detectors have up to 0.1 mm, binned ones more; those of no camera have a millimeter.
_MICROMETERS = 1.0
_GAPS = ("gap_x", "gap_y")
_LARGEST_GAP = 1e6
CHOICES: Mapping[str, tuple[str, ...]] = {
    "file_holds": ("detector", "exposure"),
    "amplifier_images": ("shared", "own"),
    "pixel_order": ("detector", "readout"),
}
"""Answers that are one of several words."""


def check_answer(name: str, text: str) -> None:
    """Check one answer by itself.

    Parameters
    ----------
    name : str
        Field of `obs.scaffold.answers.Answers`.
    text : str
        The answer.

    Raises
    ------
    ConfigError
        If the answer is not possible; says which are.
    """
    _CHECKS[name](name, text)


def check_name(name: str) -> None:
    """Check the short name of a camera.

    Parameters
    ----------
    name : str
        Short name; the package is called ``obs_NAME``.

    Raises
    ------
    ConfigError
        If no Python package can be called by it.
    """
    if len(name) > _LONGEST_NAME:
        problem = f"it has {len(name)} characters, {_LONGEST_NAME} are the limit"
        raise ConfigError(f"'{name[:20]}...' cannot be the name of a camera: {problem}", field="camera")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        better = re.sub(r"\W+", "_", name.lower()).strip("_")
        hint = f"; '{better}' would do" if _NAME.fullmatch(better) and not keyword.iskeyword(better) else ""
        wanted = "letters in lower case, digits and underscores, a letter first"
        if keyword.iskeyword(name):
            wanted = "it is a word of Python"
        raise ConfigError(f"'{name}' cannot be the name of a camera: {wanted}{hint}", field="camera")


def read_grid(text: str) -> tuple[int, int]:
    """Return rows and columns of ``2 x 4``; a single number is that of columns in one row.

    Parameters
    ----------
    text : str
        Text such as "2 x 4" or "4".

    Raises
    ------
    ValueError
        If the text is neither.
    """
    match = _GRID.fullmatch(" ".join(text.split()))
    if match is None or not text.isascii():
        raise ValueError(f"'{text}' is not rows x columns")
    return int(match[1] or 1), int(match[2])


def _check_grid(name: str, text: str) -> None:
    most = _GRIDS[name]
    try:
        rows, columns = read_grid(text)
    except ValueError:
        rows = columns = 0
    if not 1 <= rows * columns <= most:
        raise ConfigError(
            f"{name} = '{text}' is not an integer from 1 to {most}, nor rows x columns such as 2 x 4", field=name
        )


def _check_count(name: str, text: str) -> None:
    lowest, highest = _COUNTS[name]
    if not (text.isascii() and text.isdecimal()) or not lowest <= int(text) <= highest:
        raise ConfigError(f"{name} = '{text}' is not an integer from {lowest} to {highest}", field=name)


def _check_positive(name: str, text: str) -> None:
    if not 0 < _number(text) < float("inf"):
        raise ConfigError(f"{name} = '{text}' is not a positive number", field=name)


def _check_positive_if_known(name: str, text: str) -> None:
    if text:
        _check_positive(name, text)


def _check_pixel_size(name: str, text: str) -> None:
    _check_positive(name, text)
    size = _number(text)
    if size >= _MICROMETERS:
        better = f"; {size / 1000.0:g} mm are {text} micrometers" if size <= 1000.0 * _MICROMETERS else ""
        raise ConfigError(f"{name} = '{text}' is too many millimeters for a pixel{better}", field=name)


def _check_gap(name: str, text: str) -> None:
    if not abs(_number(text)) <= _LARGEST_GAP:
        raise ConfigError(f"{name} = '{text}' is not a number of pixels", field=name)
    if _number(text) < 0:
        raise ConfigError(
            f"{name} = '{text}' is below 0, so that detectors would lie on one another: give the pixels between them; "
            "if they do, give 0 and move them in camera/detectors.csv of the package",
            field=name,
        )


def _check_choice(name: str, text: str) -> None:
    if text not in CHOICES[name]:
        words = " nor ".join(CHOICES[name])
        raise ConfigError(f"{name} = '{text}' is neither {words}{suggest(text, CHOICES[name])}", field=name)


def _check_corners(name: str, text: str) -> None:
    wrong = [word for word in text.split() if word not in READOUT_CORNERS]
    if wrong:
        raise ConfigError(
            f"{name}: '{wrong[0]}' is not a corner; corners are {', '.join(READOUT_CORNERS)} (lower left and so on)",
            field=name,
        )


def _check_key(name: str, key: str) -> None:
    if not _KEY.fullmatch(key) or len(key) > _LONGEST_NAME or keyword.iskeyword(key) or key in _TAKEN_KEYS:
        taken = ", ".join(sorted(_TAKEN_KEYS))
        why = "it is a word of Python" if keyword.iskeyword(key) else f"letters and digits, a letter first, not {taken}"
        raise ConfigError(f"{name} = '{key}' cannot be a key of data IDs: {why}", field=name)


def _check_line(name: str, text: str) -> None:
    if not text.isprintable():
        what = "more than one line" if len(text.splitlines()) > 1 else "a control character"
        raise ConfigError(f"{name} has {what}", field=name)
    if len(text) > _LONGEST:
        raise ConfigError(f"{name} has {len(text)} characters; {_LONGEST} are the limit", field=name)


def _check_filters(name: str, text: str) -> None:
    if not text.replace(",", " ").strip():
        raise ConfigError("filters: a camera needs one; name it 'none' where there is no glass", field=name)
    _check_line(name, text)


def _check_site(name: str, text: str) -> None:
    numbers = [_number(part) for part in text.replace(",", " ").split()]
    limits = ((-180.0, 360.0), (-90.0, 90.0), (-500.0, 9000.0))
    is_place = len(numbers) == len(limits) and all(
        low <= value <= high for value, (low, high) in zip(numbers, limits, strict=True)
    )
    if numbers and not is_place:
        raise ConfigError(
            f"{name} = '{text}' is not a place: give longitude (degrees east), latitude (degrees) and elevation "
            "(meters), such as -70.81 -30.17 2200, or nothing",
            field=name,
        )


def _number(text: str) -> float:
    """Return a number; NaN for other text."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


_CHECKS: dict[str, Callable[[str, str], None]] = {
    "camera": lambda _, text: check_name(text),
    "title": _check_line,
    "author": _check_line,
    "visit_key": _check_key,
    "detector_key": _check_key,
    "filters": _check_filters,
    "readout": _check_corners,
    "gain": _check_positive_if_known,
    "read_noise": _check_positive_if_known,
    "saturation": _check_positive_if_known,
    "pixel_scale": _check_positive,
    "pixel_size": _check_pixel_size,
    "site": _check_site,
    **dict.fromkeys(_GRIDS, _check_grid),
    **dict.fromkeys(_COUNTS, _check_count),
    **dict.fromkeys(_GAPS, _check_gap),
    **dict.fromkeys(CHOICES, _check_choice),
}
