"""Settings of `ProcessCcdTask`, set as attributes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from obs.compat.lsst.pipe.tasks.settings_section import Section
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_NAMES
from obs.instrument.instrument import Instrument
from obs.tasks.process_config import ProcessConfig
from obs.tasks.process_settings import process_settings

__all__ = ["ProcessCcdConfig"]


class ProcessCcdConfig(Section):
    """Settings of the processing of detector images, by the stack's names or by ours.

    What is set here is added to the defaults of the camera, which are known when there is a repository.

    Raises
    ------
    AttributeError
        For a setting that does not exist.

    Examples
    --------
    >>> from obs.compat.lsst.pipe.tasks.processCcd import ProcessCcdConfig
    >>> config = ProcessCcdConfig()
    >>> config.charImage.repair.cosmicray.nCrPixelMax = 1000000
    >>> config.calibrate.detection.thresholdValue
    5.0
    """

    _layers: ConfigLayers[ProcessConfig]
    _changes: list[Path | tuple[str, object]]

    def __init__(self) -> None:
        super().__init__(self, "")
        object.__setattr__(self, "_layers", ConfigLayers(ProcessConfig, PROCESS_NAMES))
        object.__setattr__(self, "_changes", [])

    def load(self, filename: Path | str) -> None:
        """Add the settings of a file, YAML or the stack's ``.py``.

        Raises
        ------
        ConfigError
            For a file that cannot be read or that sets what does not exist.
        """
        self._layers.load(filename)
        self._changes.append(Path(filename))

    def update(self, **values: Any) -> None:
        """Set several settings of the top level."""
        for name, value in values.items():
            setattr(self, name, value)

    def toDict(self) -> dict[str, Any]:
        """Return all settings by our names, sections as dictionaries."""
        return self._layers.build().model_dump(mode="json")

    def validate(self) -> None:
        """Check all values together, as in the LSST stack.

        Raises
        ------
        ConfigError
            For the first that is wrong.
        """
        self._layers.build()

    def get_setting(self, name: str) -> Any:  # noqa: ANN401 - any setting
        """Return the value of a setting, by its dotted name; lists and tables cannot be changed in place."""
        value = self._layers.get(name)
        if isinstance(value, dict):
            return MappingProxyType(value)
        return tuple(value) if isinstance(value, list) else value

    def set_setting(self, name: str, value: object) -> None:
        """Set a setting by its dotted name."""
        self._layers.set_value(name, value)
        self._changes.append((name, value))

    def is_section(self, name: str) -> bool:
        """Whether settings have names that begin with this one."""
        return self._layers.is_section(name)

    def names(self) -> Iterator[str]:
        """Yield the dotted names of all settings."""
        yield from self._layers.names()

    def for_camera(self, instrument: Instrument) -> ProcessConfig:
        """Return the settings for a camera: its own defaults, then what was set here.

        Raises
        ------
        ConfigError
            If a value is wrong.
        """
        layers = process_settings(instrument)
        for change in self._changes:
            if isinstance(change, Path):
                layers.load(change)
            else:
                layers.set_value(*change)
        return layers.build()

    def as_arguments(self) -> list[str]:
        """Return what was set here as words of a command line."""
        pairs = (
            ("-C", str(item)) if isinstance(item, Path) else ("-c", f"{item[0]}={item[1]!r}") for item in self._changes
        )
        return [word for pair in pairs for word in pair]

    @classmethod
    def of(cls, settings: "ProcessCcdConfig | Mapping[str, Any] | None") -> "ProcessCcdConfig":
        """Return settings given as such, by dotted name, or not at all."""
        if isinstance(settings, cls):
            return settings
        made = cls()
        for name, value in dict(settings or {}).items():
            made.set_setting(name, value)
        return made
