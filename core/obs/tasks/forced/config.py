"""Settings of forced photometry."""

from obs.config.base import TaskConfig, setting

__all__ = ["ForcedConfig"]


class ForcedConfig(TaskConfig):
    """Settings of fluxes at given positions."""

    apertures: list[float] = setting([3.0, 6.0, 9.0, 12.0], "Radii of the circular apertures.", unit="pixel")
    upper_limit: float = setting(
        3.0, "An upper limit is the measured flux, or 0 if that is negative, plus so many errors.", unit="sigma", gt=0
    )
    match_radius: float = setting(
        0.7, "A detected source this close to a position is what is measured there, not a neighbor.", unit="FWHM", gt=0
    )
    subtract_neighbors: bool = setting(
        True, "Subtract the PSF of detected neighbors, as bright as the catalog src says, before fluxes are measured."
    )
