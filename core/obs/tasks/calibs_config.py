"""Settings of the making of calibration frames."""

from obs.config.base import TaskConfig, setting
from obs.tasks.dark_hits import DarkHitsConfig
from obs.tasks.isr_config import IsrConfig

__all__ = ["CalibsConfig", "CombineConfig", "DefectsConfig", "ObjectsConfig", "OddFramesConfig"]


class CombineConfig(TaskConfig):
    """Settings of how raw frames are combined."""

    clip: float = setting(
        3.0,
        "Values further from the mean of the others are rejected. Lower values reject more outliers, and more good "
        "values.",
        unit="sigma",
        gt=0,
    )
    grow: int = setting(
        1, "Distance from cosmic rays within which values of the same frame are rejected.", unit="pixel", ge=0
    )
    bad_planes: list[str] = setting(
        ["SAT", "NO_DATA", "INTRP", "CR", "UNMASKEDNAN", "DETECTED"],
        "Mask planes whose pixels are left out when frames are combined.",
    )
    maximum_without_data: float = setting(
        0.05,
        "Largest fraction of the pixels that may have no value in any frame. More is an error, because science frames "
        "would be useless there.",
        ge=0,
        le=1,
    )
    memory: float = setting(
        64.0,
        "Memory for the rows that are combined at a time. More memory is faster with many raw files.",
        unit="MB",
        gt=0,
    )


class OddFramesConfig(TaskConfig):
    """Which frames differ from the others of a calibration."""

    leave_out: bool = setting(
        True, "Leave out frames that differ from the others, and name them. If false, only warn of them."
    )
    difference: float = setting(
        0.5,
        "Least difference of a frame from the others that makes it odd: rms of the medians of cells. Raise it if good "
        "frames are left out.",
        unit="noise of a pixel",
        gt=0,
    )
    temperature_cards: list[str] = setting(
        ["CCD-TEMP", "CCDTEMP", "CCD_TEMP", "DETTEMP", "DET-TEMP", "DET-TMP1", "DETTEM", "CAMTEMP", "SENSTEMP"],
        "Header cards with the temperature of the detector. The first that exists counts.",
    )
    temperature_tolerance: float = setting(
        2.0,
        "Largest difference of the temperature from that of the other frames. Darks beyond it are left out, other "
        "frames are warned of.",
        unit="K",
        ge=0,
    )
    mode_cards: list[str] = setting(
        [
            "READOUTM",
            "READMODE",
            "RDMODE",
            "READSPD",
            "RDSPEED",
            "GAIN",
            "EGAIN",
            "OFFSET",
            "BLKLEVEL",
            "XBINNING",
            "YBINNING",
            "CCDSUM",
        ],
        "Header cards of the read-out mode, which all frames of a calibration must share. The others are left out.",
    )
    shutter: float = setting(
        0.02,
        "Time that the shutter takes to open and close. If it is 1 % or more of all flats, there is a warning. Set "
        "it to 0 for an electronic shutter.",
        unit="s",
        ge=0,
    )
    noise: float = setting(
        1.3, "Noise of a frame relative to the noise predicted by gain and read noise, above which to warn.", gt=1
    )
    rejected: float = setting(
        0.05, "Fraction of the values of a frame that are rejected, above which to warn.", gt=0, le=1
    )


class ObjectsConfig(TaskConfig):
    """How stars and galaxies in frames of the sky are masked."""

    threshold: float = setting(
        2.0, "Minimum significance of a smoothed pixel that counts as part of an object.", unit="sigma", gt=0
    )
    smoothing: float = setting(
        2.0, "Sigma of the Gaussian that smooths the image before objects are found.", unit="pixel", gt=0
    )
    grow: int = setting(
        4, "Distance by which the mask of objects is grown to cover their faint wings.", unit="pixel", ge=0
    )
    bin_size: int = setting(
        128, "Size of the mesh cells in which the background below objects is measured.", unit="pixel", ge=8
    )


class DefectsConfig(TaskConfig):
    """Settings of which pixels count as defects."""

    hot: float = setting(
        30.0,
        "Height above its surroundings from which a pixel of a dark is a defect. Lower values list more hot pixels.",
        unit="sigma of one frame",
        gt=0,
    )
    dim: float = setting(
        0.5,
        "Fraction of its surroundings below which a pixel of a flat is a defect. Higher values list more dim pixels.",
        gt=0,
        lt=1,
    )
    bright: float = setting(
        1.5,
        "Multiple of its surroundings above which a pixel of a flat is a defect. Lower values list more pixels.",
        gt=1,
    )
    bin_size: int = setting(
        64, "Size of the mesh cells whose level a pixel is compared with to find defects.", unit="pixel", ge=8
    )
    light: float = setting(
        20.0,
        "Where the registry does not give, frames whose level is this many times their noise are flats, others darks.",
        unit="sigma",
        gt=0,
    )


class CalibsConfig(TaskConfig):
    """From raw frames to calibration frames."""

    isr: IsrConfig = setting(IsrConfig(), "Instrument-signature removal; later steps are left out.")
    combine: CombineConfig = setting(CombineConfig(), "Combination.")
    odd_frames: OddFramesConfig = setting(OddFramesConfig(), "Frames that differ from the others.")
    dark_hits: DarkHitsConfig = setting(DarkHitsConfig(), "Cosmic rays in darks.")
    objects: ObjectsConfig = setting(ObjectsConfig(), "Objects in frames of the sky.")
    sky_bin_size: int = setting(
        256,
        "Size of the cells in which the pattern of the sky is measured. Larger cells give a smoother pattern.",
        unit="pixel",
        ge=8,
    )
    defects: DefectsConfig = setting(DefectsConfig(), "Defects.")
