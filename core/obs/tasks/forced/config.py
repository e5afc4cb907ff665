"""Settings of forced photometry."""

from obs.config.base import Positive, TaskConfig, setting
from obs.tasks.reference import ReferenceConfig

__all__ = ["ForcedConfig"]


class ForcedConfig(TaskConfig):
    """Settings of fluxes at given positions."""

    apertures: list[Positive] = setting([3.0, 6.0, 9.0, 12.0], "Radii of the circular apertures.", unit="pixel")
    seeing_apertures: list[Positive] = setting(
        [0.75, 1.0, 1.5],
        "Radii of circular apertures that follow the seeing: they hold the same share of a star's light on all images.",
        unit="FWHM",
    )
    upper_limit: float = setting(
        3.0, "An upper limit is the measured flux, or 0 if that is negative, plus so many errors.", unit="sigma", gt=0
    )
    match_radius: float = setting(
        0.7, "A detected source this close to a position is what is measured there, not a neighbor.", unit="FWHM", gt=0
    )
    subtract_neighbors: bool = setting(
        True,
        "Separate positions from their neighbors: detected neighbors are subtracted with their flux in the catalog "
        "src, and positions that overlap are fitted together.",
    )
    separation: float = setting(
        0.35,
        "Positions that are closer together than this are not separated: each has the light of both.",
        unit="FWHM",
        gt=0,
    )
    reference_neighbors: bool = setting(
        True,
        "Fit the stars of the reference catalog near a position with it, held to the magnitude of the catalog within "
        "20 %. A star in the wings of the object then does not make its flux change with the seeing.",
    )
    hold_neighbors: bool = setting(
        True,
        "Give stars beside the object of a light curve one position and one flux for all images of a filter, unless "
        "they vary. Fitted on each image, they take more or less of its light as seeing and noise have it.",
    )
    recenter: float = setting(
        0.35,
        "A light curve is measured where the star is found, if that is closer than this to the position given; 0 keeps "
        "the position.",
        unit="FWHM",
        ge=0,
    )
    reference: ReferenceConfig = setting(ReferenceConfig(), "The reference catalog.")
