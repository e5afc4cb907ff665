"""The answers that a new camera package is made from, checked."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, suggest
from obs.frozen import frozen
from obs.scaffold.answer_checks import check_answer, read_grid
from obs.scaffold.old_facts import renew_facts
from obs.small_file import read_small_text
from obs.yaml_lines import parse_yaml

__all__ = ["Answers", "check_together", "read_answers"]


@frozen(kw_only=True)
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
        Detectors of the mosaic, and amplifiers of each: ``2 x 4`` is two rows of four, ``4`` one row.
    gap_x, gap_y : str
        Gaps between detectors side by side and above each other, pixels.
    file_holds : str
        What one raw file holds: ``detector``, or ``exposure``, with a detector in each extension.
    amplifier_images : str
        ``shared`` where the amplifiers of a detector are in one image, ``own`` where each has an extension.
    readout : str
        Corner of each amplifier that is read first, by rows from the lower left: ``LL LR UL UR``; one counts for all,
        none for LL.
    pixel_order : str
        Order of an amplifier's pixels in the file: ``detector``, as on the detector, or ``readout``, as they were read.
    width, height : str
        Columns and rows of data of an amplifier, pixels.
    prescan, overscan, overscan_rows : str
        Columns read before the data, columns read after them, and rows read after them, pixels.
    gain, read_noise, saturation : str
        Electrons per ADU, electrons, ADU; empty where not known.
    filters : str
        Names, separated by spaces; by commas if there is one, for names with spaces in them.
    pixel_scale, pixel_size : str
        Arcsec; mm.
    site : str
        Longitude, latitude (degrees) and elevation (meters) of the observatory; empty where not known.

    Raises
    ------
    ConfigError
        If an answer is not possible, or two contradict each other.
    """

    camera: str = "mycam"
    title: str = ""
    author: str = "Its observers"
    visit_key: str = "visit"
    detector_key: str = "ccd"
    detectors: str = "1"
    gap_x: str = "100"
    gap_y: str = "100"
    file_holds: str = "detector"
    amplifiers: str = "1"
    amplifier_images: str = "shared"
    readout: str = ""
    pixel_order: str = "detector"
    width: str = "1024"
    height: str = "1024"
    prescan: str = "0"
    overscan: str = "32"
    overscan_rows: str = "0"
    gain: str = ""
    read_noise: str = ""
    saturation: str = ""
    filters: str = "g r i"
    pixel_scale: str = "0.5"
    pixel_size: str = "0.015"
    site: str = ""

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            check_answer(name, text)
        check_together(asdict(self))

    def as_context(self) -> dict[str, str]:
        """Return the answers as the project template takes them."""
        values = asdict(self)
        return values | {"title": self.title or f"The camera {self.camera}"}


def check_together(answers: Mapping[str, str]) -> None:
    """Check answers that depend on each other.

    Parameters
    ----------
    answers : mapping
        Answers that are possible one by one, as far as they were given.

    Raises
    ------
    ConfigError
        If two contradict each other; its ``field`` is the later one.
    """
    keys = answers.get("visit_key"), answers.get("detector_key")
    if keys[0] is not None and keys[0] == keys[1]:
        raise ConfigError(f"visit_key and detector_key are both '{keys[0]}'", field="detector_key")
    rows, columns = read_grid(answers.get("amplifiers", "1"))
    corners = answers.get("readout", "").split()
    if len(corners) > 1 and len(corners) != rows * columns:
        raise ConfigError(
            f"readout has {len(corners)} corners and a detector {rows * columns} amplifiers; give one for each, "
            "or one for all",
            field="readout",
        )


def read_answers(path: Path) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Read a file of answers: YAML or JSON, or the ``.obs-template.json`` of a package.

    Parameters
    ----------
    path : Path
        YAML or JSON file.

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
        raise ConfigError("the answers are not a list of 'name: value'", path=path)
    known = [field.name for field in fields(Answers)]
    answers: dict[str, str] = {}
    for name, value in data.items():
        if name == "_facts":
            continue
        if name not in known:
            raise ConfigError(
                f"'{name}' is not a question{suggest(str(name), known)}; there are {', '.join(known)}", path=path
            )
        answers[str(name)] = (
            f"{', '.join(map(str, value))}," if isinstance(value, list) else "" if value is None else str(value)
        )
    facts = data.get("_facts")
    return answers, renew_facts(facts) if isinstance(facts, Mapping) and facts.get("detectors") else None
