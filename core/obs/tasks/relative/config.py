"""Settings of `obs calibrate-visits`."""

from obs.config.base import TaskConfig, setting
from obs.tasks.reference import ReferenceConfig

__all__ = [
    "CalibrateVisitsConfig",
    "CommonAstrometryConfig",
    "CommonPhotometryConfig",
    "StarMotionConfig",
    "StarsConfig",
]


class StarsConfig(TaskConfig):
    """Which detections are stars that visits have in common."""

    minimum_signal_to_noise: float = setting(
        20.0,
        "Minimum signal-to-noise ratio of a detection that takes part in the fit. Lower it if few stars are in common.",
        gt=0,
    )
    maximum_extendedness: float = setting(
        0.5,
        "Maximum extendedness of a detection, a number from 0 (star) to 1 (galaxy). More extended ones are left out.",
        ge=0,
        le=1,
    )
    radius: float = setting(
        1.0,
        "Maximum distance between detections of one star in different visits. Raise it if the WCSs disagree by more.",
        unit="arcsec",
        gt=0,
    )
    minimum_common: int = setting(
        5, "Minimum number of stars that a detector image shares with other visits or the reference catalog.", ge=1
    )


class StarMotionConfig(TaskConfig):
    """Proper motions of stars from the visits themselves."""

    enabled: bool = setting(True, "Whether proper motions are fitted where the visits show them.")
    minimum_years: float = setting(
        1.0, "Minimum time between the first and the last exposure. Shorter ones show no motion.", unit="year", ge=0
    )
    radius: float = setting(1.0, "Maximum distance between positions of one star in two filters.", unit="arcsec", gt=0)


class CommonAstrometryConfig(TaskConfig):
    """The common fit of positions."""

    enabled: bool = setting(True, "Fit positions, and write jointcal_wcs and wcs.")
    visit_order: int | None = setting(
        None, "Order of the polynomial of each visit; null means 4 for one detector and 5 for a mosaic.", ge=1, le=7
    )
    detector_order: int = setting(
        3, "Order of the polynomial of each detector, the same in all visits; 1 is offset and rotation.", ge=1, le=5
    )
    detector_scale: float = setting(
        0.3,
        "Expected displacement of detectors from the camera description. Larger ones are damped, so raise it "
        "for a new camera.",
        unit="arcsec",
        gt=0,
    )
    reference_error: float = setting(
        0.0,
        "Error of reference positions where the catalog does not list it; more is added if they need it.",
        unit="arcsec",
        ge=0,
    )
    clip: float = setting(
        4.0, "Maximum distance of a position from the fit. Positions farther off are left out.", unit="sigma", gt=0
    )
    motions: StarMotionConfig = setting(StarMotionConfig(), "Proper motions of stars.")


class CommonPhotometryConfig(TaskConfig):
    """The common fit of magnitudes."""

    enabled: bool = setting(True, "Fit magnitudes, and write jointcal_photoCalib and fcr.")
    flux: str = setting("base_PsfFlux", "Flux that is made to agree, by the beginning of its column's name.")
    flat_order: int | None = setting(
        None,
        "Order of the flat-field correction that all visits share; null means 3 for one detector and 5 for a "
        "mosaic, 0 only if there is a single visit without reference stars.",
        ge=0,
        le=7,
    )
    flat_scale: float = setting(
        0.03,
        "Expected size of the flat-field correction. Larger corrections are damped, so raise it for a poor flat.",
        unit="mag",
        gt=0,
    )
    frame_scatter: float = setting(
        0.001, "Expected scatter of the zero point of detectors within a visit, beyond their mean.", unit="mag", gt=0
    )
    clip: float = setting(
        4.0,
        "Maximum distance of a magnitude from the fit. Magnitudes farther off are left out, variable stars among them.",
        unit="sigma",
        gt=0,
    )
    zero_point_scatter: float = setting(
        0.5, "Scatter of zero points from visit to visit, where no reference star fixes them.", unit="mag", gt=0
    )


class CalibrateVisitsConfig(TaskConfig):
    """The calibration of all visits of a tract together."""

    reference: ReferenceConfig = setting(ReferenceConfig(), "Reference catalog.")
    stars: StarsConfig = setting(StarsConfig(), "Stars in common.")
    astrometry: CommonAstrometryConfig = setting(CommonAstrometryConfig(), "Positions.")
    photometry: CommonPhotometryConfig = setting(CommonPhotometryConfig(), "Magnitudes.")
