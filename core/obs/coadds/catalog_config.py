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
    same_peak: float = setting(0.3, "Peaks of two filters nearer than this are one object.", unit="arcsec", gt=0)
    new_peak: float = setting(1.0, "Peaks farther than this from all others are new objects.", unit="arcsec", gt=0)
    minimum_signal_to_noise: float = setting(
        10.0,
        "Below this signal-to-noise ratio in the first filter of the priority list that detected an object, another "
        "filter is its reference if it has a higher one by maximum_lead.",
        ge=0,
    )
    maximum_lead: float = setting(3.0, "See minimum_signal_to_noise.", ge=0)


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
    merge: MergeConfig = setting(MergeConfig(), "Objects of several filters.")
    psf_star_share: float = setting(
        0.2, "Share of the exposures that must have had a star in their PSF for its flag to be set.", ge=0, le=1
    )
