"""Collect the settings of a run: the defaults, the camera's own, and those of the caller."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from obs.config.base import TaskConfig
from obs.config.layers import ConfigLayers
from obs.instrument.instrument import Instrument

__all__ = ["Settings", "add_settings", "camera_settings"]

C = TypeVar("C", bound=TaskConfig)

#: Settings as Python users write them: dotted names with values, or a file of settings.
Settings = Mapping[str, object] | Path | str


def camera_settings(
    instrument: Instrument, task: str, config_class: type[C], names: Mapping[str, str] | None = None
) -> ConfigLayers[C]:
    """Return the default settings of a task with those of a camera on top.

    Parameters
    ----------
    instrument : Instrument
        The camera; its file ``config/TASK.yaml`` is read if it exists.
    task : str
        Name of the task, for example ``process``.
    config_class : type
        Class of the configuration.
    names : mapping, optional
        LSST's names of settings; see `obs.config.lsst_names`.

    Raises
    ------
    ConfigError
        If the file of the camera sets something that does not exist.
    """
    layers = ConfigLayers(config_class, names)
    path = instrument.config_folder / f"{task}.yaml"
    if path.is_file():
        layers.load(path)
    return layers


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
