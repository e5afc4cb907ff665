"""Settings of the fit of the WCS to a reference catalog."""

from obs.config.base import TaskConfig, setting
from obs.tasks.sky_search import SearchConfig

__all__ = ["AstrometryConfig"]


class AstrometryConfig(TaskConfig):
    """The place on the sky."""

    enabled: bool = setting(True, "Match to the reference catalog and fit the WCS.")
    required: bool | None = setting(
        None,
        "True: an exposure that cannot be matched fails. False: it keeps the WCS that it came with. null: it fails, "
        "unless the repository has no reference catalog at all.",
    )
    force_known_wcs: bool = setting(False, "Keep the WCS that the exposure came with; only match.")
    order: int = setting(
        5,
        "Largest order of the distortion polynomial. A higher order is used only where it predicts stars left out of "
        "the fit better.",
        ge=1,
        le=6,
    )
    max_offset: float = setting(
        250.0,
        "Largest error of the WCS that the exposure came with, for the quick match. A frame that is further off is "
        "searched, see search.",
        unit="pixel",
        gt=0,
    )
    maximum_rotation: float = setting(
        1.5,
        "Largest error of the rotation of the WCS, for the quick match. A frame that is turned further is searched.",
        unit="deg",
        gt=0,
    )
    maximum_scale_change: float = setting(
        0.02,
        "Largest relative error of the pixel scale, for the quick match. A frame that is off by more is searched.",
        gt=0,
    )
    maximum_shear: float = setting(
        0.05, "Largest difference between the scales of the two axes, relative to that in the WCS.", gt=0
    )
    try_others: bool = setting(
        True, "Where the WCS from pointing and camera does not match, try those of header and pointing, and say so."
    )
    try_mirrored: bool = setting(True, "Where none matches, try their mirror images, and say so.")
    search: SearchConfig = setting(SearchConfig(), "The search for a frame that no WCS matches.")
    match_radius: float = setting(
        2.0,
        "Sources and reference sources nearer than this are the same. At least 1.5 pixels.",
        unit="arcsec",
        gt=0,
    )
    minimum_signal_to_noise: float = setting(
        10.0,
        "Minimum signal-to-noise ratio of sources that are matched for the fit. Lower it if the frame has few stars.",
        gt=0,
    )
    minimum_stars: int = setting(
        5, "Minimum number of matched stars to fit the WCS. With fewer the exposure has no astrometry.", ge=4
    )
    maximum_scatter: float = setting(
        0.5, "Largest scatter of the stars for each axis. At least half a pixel.", unit="arcsec", gt=0
    )
    minimum_matched: float = setting(
        0.2,
        "Minimum fraction of the sources that must match, or of the reference sources on the frame if these are fewer.",
        gt=0,
        le=1,
    )
    minimum_covered: float = setting(
        0.95,
        "Minimum fraction of the sources that must be where the match holds. A lower value accepts a WCS that is "
        "wrong in a part of the frame.",
        gt=0,
        le=1,
    )
    minimum_log_odds: float = setting(
        13.8, "Minimum natural logarithm of the odds that a match is not chance; 13.8 is a million to one.", gt=0
    )
