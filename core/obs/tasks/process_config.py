"""All settings of `obs process`."""

from obs.config.base import TaskConfig, setting
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.characterize import CharacterizeConfig
from obs.tasks.isr import IsrConfig

__all__ = ["ProcessConfig"]


class ProcessConfig(TaskConfig):
    """From a raw frame to a calibrated image and its catalog."""

    isr: IsrConfig = setting(IsrConfig(), "Instrument-signature removal.")
    characterize: CharacterizeConfig = setting(CharacterizeConfig(), "Background, PSF and aperture correction.")
    do_calibrate: bool = setting(True, "Go on to calibration after characterization.")
    calibrate: CalibrateConfig = setting(CalibrateConfig(), "All sources, astrometry and photometry.")
