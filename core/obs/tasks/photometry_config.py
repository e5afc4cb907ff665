"""Settings of the photometric zero point."""

from obs.config.base import TaskConfig, setting

__all__ = ["ColorTerm", "PhotometryConfig"]


class ColorTerm(TaskConfig):
    """From the reference catalog's bands to the camera's: primary + c0 + c1 color + c2 color^2."""

    primary: str = setting("", "Flux of the reference catalog nearest to the filter.")
    secondary: str = setting("", "The other flux of the color primary - secondary.")
    c0: float = setting(0.0, "Constant.", unit="mag")
    c1: float = setting(0.0, "Linear term.")
    c2: float = setting(0.0, "Quadratic term.", unit="1/mag")


class PhotometryConfig(TaskConfig):
    """Settings of the photometric zero point."""

    enabled: bool = setting(True, "Fit the zero point to the reference catalog.")
    required: bool = setting(False, "An exposure without a zero point fails; else it is written without.")
    minimum_signal_to_noise: float = setting(
        20.0, "Minimum signal-to-noise ratio of the stars that are used. Lower it if too few stars are left.", gt=0
    )
    clip: float = setting(
        3.0,
        "Maximum distance of a star from the mean zero point, in standard deviations. Stars beyond are left out.",
        unit="sigma",
        gt=0,
    )
    sigma_max: float = setting(
        0.25,
        "Maximum standard deviation that stars are clipped with, so that many outliers cannot widen it.",
        unit="mag",
        gt=0,
    )
    maximum_scatter: float = setting(
        0.4,
        "Largest robust standard deviation of all matched stars about the zero point. Above it, matches are taken to "
        "be wrong and there is no zero point.",
        unit="mag",
        gt=0,
    )
    flux: str = setting(
        "base_PsfFlux",
        "Flux that the zero point is fitted with; those that the aperture correction covers have the least noise.",
    )
    apply_color_terms: bool = setting(True, "Correct for the colors of the reference stars, where terms are known.")
    color_terms: dict[str, dict[str, ColorTerm]] = setting(
        {}, "Name of the reference catalog, or a pattern such as ps1*, to physical filter to color term."
    )
