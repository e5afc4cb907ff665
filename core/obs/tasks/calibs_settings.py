"""The settings of ``obs calibs build`` for a camera."""

from obs.config.layers import ConfigLayers
from obs.config.lsst_names import CALIBS_NAMES
from obs.instrument.instrument import Instrument
from obs.tasks.calibs_config import CalibsConfig

__all__ = ["calibs_settings"]


def calibs_settings(instrument: Instrument) -> ConfigLayers[CalibsConfig]:
    """Return the settings of ``obs calibs build`` for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        The camera; of its file ``config/process.yaml`` the section ``isr`` is read, then ``config/calibs.yaml``.

    Raises
    ------
    ConfigError
        If a file sets something that does not exist.
    """
    layers = ConfigLayers(CalibsConfig, CALIBS_NAMES)
    process, own = (instrument.config_folder / f"{task}.yaml" for task in ("process", "calibs"))
    if process.is_file():
        layers.load(process, section="isr")
    if own.is_file():
        layers.load(own)
    return layers
