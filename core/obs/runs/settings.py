"""Add what a caller from Python sets to the settings of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from obs.config.base import TaskConfig
from obs.config.layers import ConfigLayers

__all__ = ["Settings", "add_settings"]

C = TypeVar("C", bound=TaskConfig)

#: Settings as Python users write them: dotted names with values, or a file of settings.
Settings = Mapping[str, object] | Path | str


def add_settings(layers: ConfigLayers[C], settings: Settings | None) -> None:
    """Add settings of a Python caller as the next layer.

    Parameters
    ----------
    layers : ConfigLayers
        Layers to add to.
    settings : mapping, Path or str, optional
        Values by dotted name, or a file of settings.

    Raises
    ------
    ConfigError
        For a setting that does not exist, or a file that cannot be read.
    """
    if settings is None:
        return
    if isinstance(settings, Path | str):
        layers.load(settings)
        return
    for name, value in settings.items():
        layers.set_value(name, value)
