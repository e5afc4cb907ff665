"""The settings of the simulator for a camera."""

from obs.config.earlier_names import EARLIER_SIMULATE_NAMES
from obs.config.layers import ConfigLayers
from obs.instrument.instrument import Instrument
from obs.instrument.settings import camera_settings
from obs.simulator.config import SimulateConfig

__all__ = ["simulator_settings"]


def simulator_settings(instrument: Instrument) -> ConfigLayers[SimulateConfig]:
    """Return the settings of the simulator for a camera, to which layers can be added.

    Parameters
    ----------
    instrument : Instrument
        The camera; its file ``config/simulate.yaml`` is read if it exists.

    Raises
    ------
    ConfigError
        If that file sets something that does not exist.
    """
    return camera_settings(instrument, "simulate", SimulateConfig, EARLIER_SIMULATE_NAMES)
