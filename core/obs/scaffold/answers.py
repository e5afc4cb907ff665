"""The answers that a new camera package is made from, checked."""

import json
import keyword
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, suggest
from obs.scaffold.old_facts import renew_facts
from obs.small_file import read_small_text
from obs.yaml_lines import parse_yaml

__all__ = ["Answers", "check_name", "read_answers"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Characters of a line of text, and of the name of a camera or a key, which becomes that of files and classes.
_LONGEST, _LONGEST_NAME = 300, 60
_TAKEN_KEYS = frozenset(("filter", "field", "dateObs", "taiObs", "expTime", "dataType", "id", "hdu", "calibDate"))
#: Least and most; exposure ids have room for so many detectors, and FITS images are seldom wider.
_COUNTS = {
    "detectors": (1, 8192),
    "amplifiers": (1, 1024),
    "width": (1, 100_000),
    "height": (1, 100_000),
    "overscan": (0, 100_000),
}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What is asked for a new camera; all as text, as the project template has it.

    Parameters
    ----------
    camera : str
        Short name: letters in lower case, digits, underscores.
    title, author : str
        A line that describes the camera; who holds the copyright.
    visit_key, detector_key : str
        What data IDs call exposure and detector.
    detectors, amplifiers : str
        Number of detectors, and of amplifiers side by side in each.
    width, height, overscan : str
        Columns and rows of data of an amplifier, and columns of overscan behind them, pixels.
    gain, read_noise, saturation : str
        Electrons per ADU, electrons, ADU; empty where not known.
    filters : str
        Names, separated by blanks; by commas if there is one, for names with blanks in them.
    pixel_scale, pixel_size : str
        Arcsec; mm.
    """

    camera: str = "mycam"
    title: str = ""
    author: str = "Its observers"
    visit_key: str = "visit"
    detector_key: str = "ccd"
    detectors: str = "1"
    amplifiers: str = "1"
    width: str = "1024"
    height: str = "1024"
    overscan: str = "32"
    gain: str = ""
    read_noise: str = ""
    saturation: str = ""
    filters: str = "g r i"
    pixel_scale: str = "0.5"
    pixel_size: str = "0.015"

    def __post_init__(self) -> None:
        check_name(self.camera)
        for name in ("visit_key", "detector_key"):
            key = getattr(self, name)
            if not _KEY.fullmatch(key) or len(key) > _LONGEST_NAME or keyword.iskeyword(key) or key in _TAKEN_KEYS:
                why = "it is a word of Python" if keyword.iskeyword(key) else f"letters and digits, not {_taken()}"
                raise ConfigError(f"{name} = '{key}' cannot be a key of data IDs: {why}", field=name)
        if self.visit_key == self.detector_key:
            raise ConfigError(f"visit_key and detector_key are both '{self.visit_key}'", field="detector_key")
        for name, (lowest, highest) in _COUNTS.items():
            text = getattr(self, name)
            if not text.isdecimal() or not lowest <= int(text) <= highest:
                raise ConfigError(f"{name} = '{text}' is no whole number from {lowest} to {highest}", field=name)
        for name in ("gain", "read_noise", "saturation", "pixel_scale", "pixel_size"):
            text = getattr(self, name)
            if not _is_positive(text) and (text or name.startswith("pixel")):
                raise ConfigError(f"{name} = '{text}' is no positive number", field=name)
        if not self.filters.replace(",", " ").strip():
            raise ConfigError("filters: a camera needs one; name it 'none' where there is no glass", field="filters")
        for name in ("title", "author", "filters"):
            text = getattr(self, name)
            if not text.isprintable():
                what = "more than one line" if len(text.splitlines()) > 1 else "a control character"
                raise ConfigError(f"{name} has {what}", field=name)
            if len(text) > _LONGEST:
                raise ConfigError(f"{name} has {len(text)} characters; {_LONGEST} are the limit", field=name)

    def as_context(self) -> dict[str, str]:
        """Return the answers as the project template takes them."""
        values = asdict(self)
        return values | {"title": self.title or f"The camera {self.camera}"}


def _taken() -> str:
    return ", ".join(sorted(_TAKEN_KEYS))


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def check_name(name: str) -> None:
    """Check the short name of a camera.

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


def read_answers(path: Path) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Read a file of answers: YAML or JSON, or the ``.obs-template.json`` of a package.

    Returns
    -------
    answers : dict
        Name to text, as `Answers` takes them.
    facts : dict or None
        What raw files told, where the file holds it.

    Raises
    ------
    ConfigError
        If it cannot be read, or has an answer to no question.
    """
    try:
        text = read_small_text(path, error=ConfigError)
        data = json.loads(text) if path.suffix == ".json" else parse_yaml(text, error=ConfigError, path=path)[0]
    except ConfigError as error:
        reason = str(error).removeprefix(f"{path}: ").removeprefix("cannot read this file: ")
        raise ConfigError(f"the answers cannot be read: {reason}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the answers cannot be read: {' '.join(str(error).split())}", path=path) from error
    if data is None:
        raise ConfigError("the file of answers is empty; its lines are 'name: value'", path=path)
    if isinstance(data, Mapping) and isinstance(data.get("answers"), Mapping):
        data = data["answers"]
    if not isinstance(data, Mapping):
        raise ConfigError("the answers are no list of 'name: value'", path=path)
    known = [field.name for field in fields(Answers)]
    answers: dict[str, str] = {}
    for name, value in data.items():
        if name == "_facts":
            continue
        if name not in known:
            raise ConfigError(
                f"'{name}' is no question{suggest(str(name), known)}; there are {', '.join(known)}", path=path
            )
        answers[str(name)] = (
            f"{', '.join(map(str, value))}," if isinstance(value, list) else "" if value is None else str(value)
        )
    facts = data.get("_facts")
    return answers, renew_facts(facts) if isinstance(facts, Mapping) and facts.get("detectors") else None
