"""Settings of `obs coadd-catalog`."""

from obs.config.base import TaskConfig, setting
from obs.tasks.background import BackgroundConfig
from obs.tasks.calibrate import CalibrateConfig
from obs.tasks.detect import DetectionConfig

__all__ = ["CoaddCatalogConfig", "MergeConfig"]


class MergeConfig(TaskConfig):
    """How detections of several bands become one list of objects."""

    priority: list[str] = setting(
        [], "Filters by which positions are believed first; those left out follow, the deepest first."
    )
    same_peak: float = setting(
        0.3,
        "Distance below which peaks of two filters are one object. Raise it if positions of filters disagree.",
        unit="arcsec",
        gt=0,
    )
    new_peak: float = setting(
        1.0,
        "Distance from all known objects above which a peak of another filter is a new object.",
        unit="arcsec",
        gt=0,
    )
    minimum_signal_to_noise: float = setting(
        10.0,
        "Below this signal-to-noise ratio in the first filter of the priority list that detected an object, another "
        "filter is its reference if it has a higher one by maximum_lead.",
        ge=0,
    )
    maximum_lead: float = setting(
        3.0,
        "Difference of the signal-to-noise ratios from which another filter is the reference of an object that is "
        "faint in its first filter.",
        ge=0,
    )
    sky_objects: int = setting(
        100,
        "Number of blank places of a patch that are measured like objects (merge_peak_sky). Their fluxes show level "
        "and noise of the sky. More places show them better and take more time.",
        ge=0,
    )


class CoaddCatalogConfig(TaskConfig):
    """Settings of catalogs of coadds.

    Detection, deblending, measurement and aperture correction are the settings of the section ``calibrate``, which a
    camera's settings of `obs process` fill; astrometry and photometry are not used.
    """

    calibrate: CalibrateConfig = setting(
        # pixels of coadds share noise with their neighbors
        CalibrateConfig(detection=DetectionConfig(noise="smoothed"), background=BackgroundConfig(grow=2)),
        "Detection, deblending, measurement and aperture correction.",
    )
    point_source_image: bool = setting(
        True,
        "Whether sources are detected on deepCoadd_score, if obs coadd wrote it for this coadd, and not on the coadd "
        "smoothed with its PSF.",
    )
    merge: MergeConfig = setting(MergeConfig(), "Objects of several filters.")
    psf_star_share: float = setting(
        0.2, "Share of the exposures that must have had a star in their PSF for its flag to be set.", ge=0, le=1
    )
