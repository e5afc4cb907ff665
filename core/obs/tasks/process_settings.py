"""The settings of ``obs process`` for a camera."""

from obs.config.earlier_names import EARLIER_PROCESS_NAMES
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_NAMES
from obs.instrument.instrument import Instrument
from obs.instrument.settings import camera_settings
from obs.tasks.process_config import ProcessConfig

__all__ = ["process_settings"]


def process_settings(instrument: Instrument) -> ConfigLayers[ProcessConfig]:
    """Return the settings of ``obs process`` for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        The camera; its file ``config/process.yaml`` is read if it exists.

    Raises
    ------
    ConfigError
        If that file sets something that does not exist.
    """
    return camera_settings(instrument, "process", ProcessConfig, PROCESS_NAMES | EARLIER_PROCESS_NAMES)
