"""Gates: where a metric deserves a look, and where it is bad. They are in dated files, and never stop a run."""

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from obs.errors import ConfigError, suggest
from obs.frozen import frozen
from obs.metrics.definitions import MASTER_METRICS, METRICS
from obs.metrics.derive import DERIVED
from obs.yaml_lines import line_of, load_yaml

__all__ = ["Compare", "Gate", "Gates", "load_gates"]

Compare = Literal[
    "above",
    "below",
    "away",
    "ratio_above",
    "ratio_below",
    "difference_above",
    "difference_below",
    "difference_away",
    "fraction_of_seeing",
    "sigma",
]

DEFAULT_FILE = Path(__file__).with_name("gates.yaml")
_CAMERA_FILE = "gates.yaml"
_KEYS = ("compare", "center", "look", "bad", "least_fwhm", "of_camera", "per_degree")
_TOP = ("date", "camera", "night_frames", "history_frames", "extinction", "gates")


@frozen
class Gate:
    """Limits of one quality metric, and how it is compared.

    Attributes
    ----------
    metric : str
        Name of the metric.
    compare : str
        How a value is judged; see ``gates.yaml``.
    look, bad : float
        The limits.
    center : float
        What ``away`` is measured from.
    least_fwhm : float
        FWHM, pixels, below which the gate is not applied.
    of_camera : bool
        Whether the gate is not applied where the usual frame fails it: then it says something of the camera.
    per_degree : float
        What is added to both limits for each degree of the diagonal of the field.
    """

    metric: str
    compare: Compare
    look: float
    bad: float
    center: float = 0.0
    least_fwhm: float = 0.0
    of_camera: bool = False
    per_degree: float = 0.0

    @property
    def is_relative(self) -> bool:
        """Whether values are compared with those of other frames."""
        return self.compare.startswith(("ratio", "difference", "sigma"))


@frozen
class Gates:
    """All gates of a camera.

    Attributes
    ----------
    gates : dict of str to Gate
        By metric.
    date : str
        When the limits were set.
    files : tuple of Path
        Where they are from; later ones win.
    night_frames, history_frames : int
        Frames that a reference needs.
    extinction : float
        Magnitudes for each airmass.
    """

    gates: dict[str, Gate] = field(default_factory=dict)
    date: str = ""
    files: tuple[Path, ...] = ()
    night_frames: int = 4
    history_frames: int = 10
    extinction: float = 0.12


def load_gates(config_folder: Path | None = None, file: Path | None = None) -> Gates:
    """Return the gates that come with obs, with those of a camera and of a user on top.

    Parameters
    ----------
    config_folder : Path, optional
        Folder ``config`` of a camera package; its ``gates.yaml`` is read if it is there.
    file : Path, optional
        File of a user.

    Raises
    ------
    ConfigError
        If a file cannot be understood; the message names file and line.
    """
    gates = _add(Gates(), DEFAULT_FILE)
    own = None if config_folder is None else config_folder / _CAMERA_FILE
    if own is not None and own.is_file():
        gates = _add(gates, own)
    return gates if file is None else _add(gates, file)


def _add(gates: Gates, path: Path) -> Gates:
    content, lines = load_yaml(path, error=ConfigError)
    if not isinstance(content, Mapping):
        raise ConfigError("expected a mapping with the key 'gates'", path=path)
    for key in content:
        if key not in _TOP:
            line = line_of(lines, (key,))
            raise ConfigError(f"unknown key '{key}'{suggest(str(key), _TOP)}", path=path, line=line)
    known = dict(gates.gates)
    for name, limits in (content.get("gates") or {}).items():
        line = line_of(lines, ("gates", name))
        known[name] = _gate(str(name), limits, known.get(name), path, line)
    numbers: dict[str, Any] = {}
    for key, kind in (("night_frames", int), ("history_frames", int), ("extinction", float)):
        if key in content:
            numbers[key] = kind(_number(content[key], key, path, line_of(lines, (key,))))
    return replace(gates, gates=known, date=str(content.get("date", gates.date)), files=(*gates.files, path), **numbers)


def _gate(name: str, limits: object, before: Gate | None, path: Path, line: int | None) -> Gate:
    names = [*METRICS, *DERIVED, *MASTER_METRICS]
    if name not in names:
        raise ConfigError(f"there is no metric '{name}'{suggest(name, names)}", path=path, line=line)
    if not isinstance(limits, Mapping):
        raise ConfigError(f"{name}: expected compare, look and bad", path=path, line=line)
    unknown = [key for key in limits if key not in _KEYS]
    if unknown:
        raise ConfigError(f"{name}: unknown key '{unknown[0]}'; keys: {', '.join(_KEYS)}", path=path, line=line)
    compare = limits.get("compare", before.compare if before else None)
    if compare not in get_args(Compare):
        raise ConfigError(f"{name}: compare is one of {', '.join(get_args(Compare))}", path=path, line=line)
    values: dict[str, Any] = {}
    for key in ("look", "bad", "center", "least_fwhm", "per_degree"):
        value = limits.get(key, getattr(before, key) if before else (None if key in ("look", "bad") else 0.0))
        values[key] = _number(value, f"{name}: {key}", path, line)
    values["of_camera"] = limits.get("of_camera", before.of_camera if before else False)
    if not isinstance(values["of_camera"], bool):
        raise ConfigError(f"{name}: of_camera is true or false, not {values['of_camera']!r}", path=path, line=line)
    return Gate(name, compare, **values)


def _number(value: object, name: str, path: Path, line: int | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} is a number, not {value!r}", path=path, line=line)
    return float(value)
