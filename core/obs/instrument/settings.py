"""The settings of a task as a camera has them: the defaults, and the file of the camera's package on top."""

from collections.abc import Mapping
from typing import TypeVar

from obs.config.base import TaskConfig
from obs.config.layers import ConfigLayers
from obs.instrument.instrument import Instrument

__all__ = ["camera_settings"]

C = TypeVar("C", bound=TaskConfig)


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
        Other names of settings: dotted name to ours, see `obs.config.lsst_names`.

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
