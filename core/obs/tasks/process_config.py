"""All settings of `obs process` and of `obs process-file`."""

from obs.config.base import TaskConfig, setting
from obs.tasks.aperture_correction import ApertureCorrectionConfig
from obs.tasks.astrometry_config import AstrometryConfig
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.characterize import CharacterizeConfig
from obs.tasks.detect import DetectionConfig
from obs.tasks.isr import IsrConfig

__all__ = ["ProcessConfig", "ProcessFileConfig"]

ALL_LIGHT = ApertureCorrectionConfig(to_total=None)
"""Optics of images from anywhere are not known, nor how much of a star's light an aperture of a fixed radius holds."""


class ProcessConfig(TaskConfig):
    """From a raw frame to a calibrated image and its catalog."""

    isr: IsrConfig = setting(IsrConfig(), "Instrument-signature removal.")
    do_characterize: bool = setting(
        True, "Go on to characterization after signature removal; else postISRCCD is the result, and written."
    )
    characterize: CharacterizeConfig = setting(CharacterizeConfig(), "Background, PSF and aperture correction.")
    do_calibrate: bool = setting(
        True, "Continue with calibration after characterization. If false, no ``calexp`` and ``src`` are written."
    )
    calibrate: CalibrateConfig = setting(CalibrateConfig(), "All sources, astrometry and photometry.")


class ProcessFileConfig(TaskConfig):
    """From one FITS image to a catalog."""

    hdu: int | str | None = setting(
        None,
        "HDU with the image: its number, from 0, or its name, as SCI or SCI,2. If null, the image called SCI, IMAGE or "
        "DATA, else the first that is not a thumbnail.",
    )
    plane: int | None = setting(
        None, "Number of the plane of a cube to process, counted from 0. Cubes with several planes need it.", ge=0
    )
    mask_hdu: int | str | None = setting(
        None, "HDU with the mask: its number, its name, or none. If null, it is found by its name: MASK, DQ, BPM."
    )
    uncertainty_hdu: int | str | None = setting(
        None,
        "HDU with variance, standard deviation, inverse variance or weight: its number, its name, or none. If null, it "
        "is found by its name: VAR, ERR, UNCERT, IVAR, WHT. The name says which of them it is.",
    )
    bad_bits: int | None = setting(
        None,
        "Bits of the mask that make a pixel bad, added up. If null, those of the telescope (HST, JWST, Gemini, LCO), "
        "else every pixel that is not 0.",
        ge=0,
    )
    wcs_tolerance: float = setting(
        0.05,
        "Largest error of a WCS that is refitted to TAN-SIP because we cannot write it. One that TAN-SIP follows less "
        "closely anywhere on the image is not used; an error above 1 mas is a warning.",
        unit="pixel",
        gt=0,
    )
    gain: float | None = setting(
        None,
        "Gain of the image. If null, the header gives it: EGAIN and similar cards before GAIN, which is often a "
        "setting of the camera. If no card gives it, level and noise of the sky do.",
        unit="electron/adu",
        gt=0,
    )
    read_noise: float | None = setting(
        None,
        "Read noise of the image. If null, the header gives it (RDNOISE and similar cards), else the noise of the sky.",
        unit="electron",
        ge=0,
    )
    saturation: float | None = setting(
        None,
        "Pixels at or above this level are saturated. If null, the header gives it (SATURATE and similar cards).",
        unit="adu",
        gt=0,
    )
    find_saturation: bool = setting(
        True,
        "Look for stars that are cut off at a level which several share, and for cores whose counts wrap, and mask "
        "both SAT.",
    )
    find_constant: bool = setting(
        True, "Mask areas of exactly equal pixels NO_DATA: padding, dead amplifiers, dead columns."
    )
    low: float | None = setting(
        None, "Lowest valid value of a pixel. Pixels below are masked BAD, for example fill values.", unit="adu"
    )
    variance_from_gain: bool = setting(
        True, "Variance from counts and gain where the file has none; else that of the sky alone."
    )
    background_subtracted: bool = setting(False, "The sky was subtracted from the image before.")
    reference_folder: str | None = setting(None, "Folder of a reference catalog in HTM shards.")
    characterize: CharacterizeConfig = setting(
        CharacterizeConfig(aperture_correction=ALL_LIGHT), "Background, PSF and aperture correction."
    )
    do_calibrate: bool = setting(
        True, "Continue with calibration after characterization. If false, no ``calexp`` and ``src`` are written."
    )
    calibrate: CalibrateConfig = setting(
        # of an image that comes from anywhere it is not known whether its pixels were resampled
        CalibrateConfig(
            astrometry=AstrometryConfig(required=False),
            detection=DetectionConfig(noise="smoothed"),
            aperture_correction=ALL_LIGHT,
        ),
        "All sources, astrometry and photometry.",
    )
