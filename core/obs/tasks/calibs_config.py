"""Settings of the making of calibration frames."""

from obs.config.base import TaskConfig, setting
from obs.tasks.dark_hits import DarkHitsConfig
from obs.tasks.isr_config import IsrConfig

__all__ = ["CalibsConfig", "CombineConfig", "DefectsConfig", "ObjectsConfig"]


class CombineConfig(TaskConfig):
    """How frames are combined."""

    clip: float = setting(3.0, "Values further from the mean of the others are rejected.", unit="sigma", gt=0)
    grow: int = setting(
        1, "Distance from cosmic rays within which values of the same frame are rejected.", unit="pixel", ge=0
    )
    bad_planes: list[str] = setting(
        ["SAT", "NO_DATA", "INTRP", "CR", "UNMASKEDNAN", "DETECTED"], "Mask planes whose pixels are rejected."
    )
    memory: float = setting(64.0, "Memory for the rows that are combined at a time.", unit="MB", gt=0)


class ObjectsConfig(TaskConfig):
    """How stars and galaxies in frames of the sky are masked."""

    threshold: float = setting(2.0, "Smoothed pixels above are objects.", unit="sigma", gt=0)
    smoothing: float = setting(2.0, "Sigma of the smoothing.", unit="pixel", gt=0)
    grow: int = setting(4, "Distance by which objects are grown.", unit="pixel", ge=0)
    bin_size: int = setting(128, "Cells of the background below the objects.", unit="pixel", ge=8)


class DefectsConfig(TaskConfig):
    """Which pixels are defects."""

    hot: float = setting(
        30.0, "Dark frames: pixels this far above their surroundings.", unit="sigma of one frame", gt=0
    )
    dim: float = setting(0.5, "Flats: pixels below this part of their surroundings.", gt=0, lt=1)
    bright: float = setting(1.5, "Flats: pixels above this many times their surroundings.", gt=1)
    bin_size: int = setting(64, "Cells of the surroundings.", unit="pixel", ge=8)
    light: float = setting(
        20.0,
        "Where the registry does not tell, frames whose level is this many times their noise are flats, others darks.",
        unit="sigma",
        gt=0,
    )


class CalibsConfig(TaskConfig):
    """From raw frames to calibration frames."""

    isr: IsrConfig = setting(IsrConfig(), "Instrument-signature removal; later steps are left out.")
    combine: CombineConfig = setting(CombineConfig(), "Combination.")
    dark_hits: DarkHitsConfig = setting(DarkHitsConfig(), "Cosmic rays in darks.")
    objects: ObjectsConfig = setting(ObjectsConfig(), "Objects in frames of the sky.")
    sky_bin_size: int = setting(256, "Cells of the pattern of the sky, which is smooth.", unit="pixel", ge=8)
    defects: DefectsConfig = setting(DefectsConfig(), "Defects.")
