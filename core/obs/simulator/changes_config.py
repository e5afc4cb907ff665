"""Settings of what differs from visit to visit: variable stars, transients, moving objects, satellites."""

from obs.config.base import TaskConfig, setting

__all__ = ["ChangesConfig", "SatelliteConfig"]


class ChangesConfig(TaskConfig):
    """Sources that change with time. Truth catalogs list them with what was true in the exposure."""

    variable_fraction: float = setting(0.0, "Fraction of the stars that vary, as a sine.", ge=0, le=1)
    variable_amplitude: float = setting(0.3, "Semi-amplitude of variable stars in every band.", unit="mag", ge=0)
    variable_period: tuple[float, float] = setting(
        (0.02, 0.5), "Shortest and longest period of variable stars; evenly spread in its logarithm.", unit="d"
    )
    transient_density: float = setting(0.0, "Number of transients, which are stars that appear.", unit="1/deg2", ge=0)
    transient_magnitude: float = setting(19.0, "Magnitude of transients at maximum, in every band.", unit="mag")
    transient_decay: float = setting(10.0, "Time in which a transient's light falls by a factor e.", unit="d", gt=0)
    transient_span: float = setting(0.05, "Transients appear within this time after the epoch.", unit="d", ge=0)
    moving_density: float = setting(0.0, "Number of moving objects at the epoch.", unit="1/deg2", ge=0)
    moving_rate: float = setting(30.0, "Fastest rate of moving objects; directions are random.", unit="arcsec/h", ge=0)
    moving_magnitude: tuple[float, float] = setting(
        (19.0, 22.0), "Brightest and faintest magnitude of moving objects, in every band.", unit="mag"
    )
    epoch: float | None = setting(
        None, "Epoch of transients and moving objects, MJD; null means the UTC midnight before each exposure.", unit="d"
    )
    proper_motion: float = setting(
        0.0, "Standard deviation of the proper motions of stars, along each axis.", unit="mas/yr", ge=0
    )
    proper_motion_epoch: float = setting(57388.0, "Epoch of the positions of stars with proper motion, MJD.", unit="d")


class SatelliteConfig(TaskConfig):
    """Settings of simulated trails of satellites."""

    count: int = setting(0, "Number of trails in each of the visits that have trails.", ge=0)
    every: int = setting(1, "Only each visit whose number is a multiple of this has trails.", ge=1)
    peak: float = setting(500.0, "Light of a satellite in the middle of its trail.", unit="electron/pixel", ge=0)
    width: float = setting(2.2, "Standard deviation of the profile across a trail.", unit="pixel", gt=0)
