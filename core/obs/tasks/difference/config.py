"""Settings of difference images."""

from obs.config.base import NotNegative, TaskConfig, setting
from obs.tasks.background import BackgroundConfig
from obs.tasks.detect import DetectionConfig
from obs.tasks.measure import MeasurementConfig

__all__ = ["DifferenceConfig", "DipoleConfig", "MatchConfig"]


class MatchConfig(TaskConfig):
    """The kernel that makes both PSFs equal."""

    degrees: list[NotNegative] = setting(
        [2, 2, 0],
        "Degrees of the polynomials by which the Gaussians of the kernel are multiplied. Each Gaussian is twice as "
        "wide as the one before; the second has the width that makes both PSFs equal.",
        min_length=1,
    )
    order: int = setting(
        2,
        "Degree of the polynomial by which the kernel varies over the image; with fewer than 150 stars 1 at most, with "
        "fewer than 30 none.",
        ge=0,
        le=3,
    )
    minimum_stars: int = setting(
        20,
        "Minimum number of stars that the kernel is fitted to. With fewer, it comes from the PSF models of image "
        "and coadd.",
        ge=5,
    )
    maximum_stars: int = setting(
        300, "Maximum number of stars that the kernel is fitted to, the brightest. More stars take longer.", ge=5
    )
    shift_stars: bool = setting(
        True,
        "Correct the misplacement of single bright stars, which the atmosphere causes in short exposures and drift "
        "scans. Stars that moved five times as far as the others are off stay as they are.",
    )
    minimum_signal_to_noise: float = setting(
        15.0, "Minimum signal-to-noise ratio of stars that the kernel is fitted to. Lower it if few are bright.", gt=0
    )


class DipoleConfig(TaskConfig):
    """Pairs of a positive and a negative source that one misplaced object leaves."""

    distance: float = setting(
        1.5, "Largest distance of a positive and a negative source that are marked as a dipole.", unit="FWHM", gt=0
    )
    balance: float = setting(
        0.5,
        "Largest sum of both fluxes of a dipole, as a fraction of their difference. Lower values mark fewer.",
        gt=0,
        le=1,
    )


class DifferenceConfig(TaskConfig):
    """Subtraction of the coadd from calibrated images, and detection of what is left."""

    match: MatchConfig = setting(MatchConfig(), "The kernel that makes both PSFs equal.")
    maximum_own_share: float = setting(
        0.02,
        "Largest share of the coadd that may come from the image itself. Above it the coadd is made again without the "
        "image, in memory, because changes would lose that share. 1 never does this, 0 always.",
        ge=0,
        le=1,
    )
    use_common_calibration: bool = setting(True, "Whether WCS and zero points of all visits together are used.")
    background: BackgroundConfig = setting(BackgroundConfig(), "The sky that is left in the difference.")
    detection: DetectionConfig = setting(
        # both convolution and resampling make neighboring pixels share noise
        DetectionConfig(noise="smoothed"),
        "Detection of sources of both signs.",
    )
    measurement: MeasurementConfig = setting(MeasurementConfig(kron=False), "What is measured of each source.")
    dipole: DipoleConfig = setting(DipoleConfig(), "Recognition of misplaced objects.")
