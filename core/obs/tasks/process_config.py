"""All settings of `obs process` and of `obs process-file`."""

from obs.config.base import TaskConfig, setting
from obs.tasks.astrometry import AstrometryConfig
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.characterize import CharacterizeConfig
from obs.tasks.detect import DetectionConfig
from obs.tasks.isr import IsrConfig

__all__ = ["ProcessConfig", "ProcessFileConfig"]


class ProcessConfig(TaskConfig):
    """From a raw frame to a calibrated image and its catalog."""

    isr: IsrConfig = setting(IsrConfig(), "Instrument-signature removal.")
    do_characterize: bool = setting(
        True, "Go on to characterization after signature removal; else postISRCCD is the result, and written."
    )
    characterize: CharacterizeConfig = setting(CharacterizeConfig(), "Background, PSF and aperture correction.")
    do_calibrate: bool = setting(True, "Go on to calibration after characterization.")
    calibrate: CalibrateConfig = setting(CalibrateConfig(), "All sources, astrometry and photometry.")


class ProcessFileConfig(TaskConfig):
    """From one FITS image to a catalog."""

    hdu: int | None = setting(None, "Number of the HDU with the image, from 0; the first image if null.", ge=0)
    gain: float | None = setting(None, "Gain; from the header's GAIN if null.", unit="electron/adu", gt=0)
    read_noise: float | None = setting(None, "Read noise; from the header's RDNOISE if null.", unit="electron", ge=0)
    saturation: float | None = setting(
        None, "Pixels from here on are saturated; from the header's SATURATE if null.", unit="adu", gt=0
    )
    low: float | None = setting(None, "Pixels below are bad.", unit="adu")
    variance_from_gain: bool = setting(
        True, "Variance from counts and gain where the file has none; else that of the sky alone."
    )
    background_subtracted: bool = setting(False, "The sky was subtracted from the image before.")
    reference_folder: str | None = setting(None, "Folder of a reference catalog in HTM shards.")
    characterize: CharacterizeConfig = setting(CharacterizeConfig(), "Background, PSF and aperture correction.")
    do_calibrate: bool = setting(True, "Go on to calibration after characterization.")
    calibrate: CalibrateConfig = setting(
        # of an image that comes from anywhere it is not known whether its pixels were resampled
        CalibrateConfig(astrometry=AstrometryConfig(required=False), detection=DetectionConfig(noise="smoothed")),
        "All sources, astrometry and photometry.",
    )
