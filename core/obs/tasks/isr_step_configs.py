"""Settings of single steps of instrument-signature removal."""

from typing import Literal

from obs.algorithms.detector.overscan import FitType
from obs.config.base import TaskConfig, setting

__all__ = [
    "BrighterFatterConfig",
    "CrosstalkConfig",
    "FlatConfig",
    "FringeConfig",
    "InterpolationConfig",
    "OverscanConfig",
    "SkyConfig",
    "TransmissionConfig",
    "VignetteConfig",
]


class OverscanConfig(TaskConfig):
    """How the level of the overscan is found."""

    fit_type: FitType = setting(
        "MEDIAN", "One level, a median for each row, or a polynomial or spline along the rows' clipped means."
    )
    order: int = setting(1, "Degree of the polynomial, or number of bins that the spline goes through.", ge=0)
    clip: float = setting(
        3.0,
        "Overscan pixels further from the median of their row are left out. Lower values reject more light that "
        "spilled over.",
        unit="sigma",
        gt=0,
    )
    maximum_deviation: float = setting(
        1000.0,
        "Overscan pixels further from the median of the whole overscan are left out. Raise it if the level "
        "varies by more.",
        unit="adu",
        gt=0,
    )
    leading_columns_to_skip: int = setting(
        0,
        "Number of overscan columns next to the data that are left out. Raise it if bright stars trail into the "
        "overscan.",
        unit="pixel",
        ge=0,
    )
    trailing_columns_to_skip: int = setting(
        0,
        "Number of overscan columns furthest from the data that are left out. Raise it if the last columns differ.",
        unit="pixel",
        ge=0,
    )
    is_integer: bool = setting(True, "Counts are whole numbers: medians are interpolated within their step.")
    bias_jump: bool = setting(False, "Fit the columns before and after a jump of the level separately.")
    bias_jump_row: int = setting(
        0, "First row of the raw image behind the jump of the level, if bias_jump is true.", unit="pixel", ge=0
    )
    bias_jump_keyword: str = setting("", "Header keyword that names the device with the jump; empty for all.")
    bias_jump_devices: list[str] = setting([], "Values of the keyword of a bias jump for which there is one.")


class CrosstalkConfig(TaskConfig):
    """How ghosts of other amplifiers are removed."""

    before_assembly: bool = setting(False, "Correct the raw image, not the assembled one.")
    coefficients: list[float] = setting(
        [], "Matrix of as many rows and columns as there are amplifiers, row by row; if empty, that of the camera."
    )
    rows: Literal["SOURCE", "TARGET"] = setting(
        "SOURCE",
        "Meaning of a row of the matrix. SOURCE: row j, column i is the part of amplifier j that appears in "
        "amplifier i, as in the LSST stack; TARGET: the transpose, as in tables that list for each amplifier what it "
        "receives.",
    )
    background: Literal["None", "AMP", "DETECTOR"] = setting(
        "None", "Level that does not count as a source: zero, the median of the amplifier, or that of the detector."
    )
    minimum_pixel_to_mask: float = setting(
        45000.0, "Pixels whose source is this much above the background are masked CROSSTALK.", unit="adu"
    )


class BrighterFatterConfig(TaskConfig):
    """How the spreading of bright stars by their own charge is undone."""

    maximum_iterations: int = setting(
        10,
        "Maximum number of iterations of the brighter-fatter correction. Raise it if a warning says that it did not "
        "converge.",
        ge=1,
    )
    threshold: float = setting(
        1000.0,
        "Sum of absolute changes of all pixels, in adu or electron, at which the iteration ends. Lower values take "
        "longer.",
        gt=0,
    )
    apply_gain: bool = setting(True, "The kernel is for electrons; else for ADU.")
    interpolated_planes: list[str] = setting(
        ["SAT", "BAD", "NO_DATA", "UNMASKEDNAN"], "Mask planes that are interpolated over for the convolution."
    )
    mask_grow_size: int = setting(
        0,
        "Distance by which SAT and BAD are grown after the brighter-fatter correction. Raise it if their neighbors "
        "look wrong.",
        unit="pixel",
        ge=0,
    )


class FlatConfig(TaskConfig):
    """How the flat is scaled."""

    scaling_type: Literal["USER", "MEAN", "MEDIAN"] = setting(
        "USER", "Level of the flat that leaves counts unchanged: that of user_scale, or the mean or median of the flat."
    )
    user_scale: float = setting(
        1.0,
        "Number that a flat is divided by if the scaling type is USER. Counts stay as they are at this level.",
        gt=0,
    )
    minimum: float = setting(
        0.001,
        "Fraction of the level of the flat below which a pixel holds no data, and is masked BAD and NO_DATA.",
        ge=0,
        lt=1,
    )


class FringeConfig(TaskConfig):
    """How fringes are measured and subtracted."""

    filters: list[str] = setting([], "Physical filters or bands whose exposures have fringes to be subtracted.")
    after_flat: bool = setting(True, "Subtract fringes after the division by the flat, not before it.")
    number: int = setting(
        30000,
        "Number of places where image and fringe frame are compared. More places give a more exact amplitude, and "
        "take longer.",
        ge=100,
    )
    small: int = setting(
        3, "Half the side of the boxes that are compared. Keep it well below the width of a fringe.", unit="pixel", ge=0
    )
    large: int = setting(
        30,
        "Half the side of the boxes whose mean is the surroundings. Keep it above the width of a fringe.",
        unit="pixel",
        ge=1,
    )
    iterations: int = setting(
        20, "Maximum number of fits of the amplitude of the fringes, each without the outliers of the one before.", ge=1
    )
    clip: float = setting(
        3.0,
        "Boxes further from the fit of the fringes are left out. Lower values leave out more stars.",
        unit="sigma",
        gt=0,
    )
    pedestal: bool = setting(False, "Subtract only the structure of the fringe frame, not its level.")
    bad_planes: list[str] = setting(
        ["SAT", "NO_DATA", "BAD"], "Mask planes whose pixels do not count when the amplitude of the fringes is fitted."
    )


class VignetteConfig(TaskConfig):
    """The circle of the focal plane that sees the whole aperture."""

    x: float = setting(0.0, "x of the center of the circle outside of which the image is vignetted.", unit="mm")
    y: float = setting(0.0, "y of the center of the circle outside of which the image is vignetted.", unit="mm")
    radius: float = setting(
        0.0,
        "Radius of the circle outside of which the image is vignetted. Pixels beyond are masked NO_DATA.",
        unit="mm",
        ge=0,
    )


class TransmissionConfig(TaskConfig):
    """Which transmission curves are multiplied."""

    optics: bool = setting(True, "Include the transmission of the optics in that of the system.")
    filter: bool = setting(True, "Include the transmission of the filter in that of the system.")
    sensor: bool = setting(True, "Include the transmission of the detector in that of the system.")
    atmosphere: bool = setting(True, "Include the transmission of the atmosphere in that of the system.")


class InterpolationConfig(TaskConfig):
    """Which pixels are filled from their neighbors."""

    planes: list[str] = setting(["SAT", "BAD", "UNMASKEDNAN"], "Mask planes whose pixels are filled by interpolation.")
    saturation: bool = setting(True, "Also interpolate over saturated pixels (SAT). Their sources stay flagged.")
    not_a_number: bool = setting(True, "Also interpolate over pixels that are not finite (UNMASKEDNAN).")
    grow_saturation: int = setting(
        1, "Distance by which saturated areas are grown before they are interpolated over.", unit="pixel", ge=0
    )
    maximum_width: int = setting(
        50, "Gaps wider than this both ways stay as they are: with the value of bad regions.", unit="pixel", ge=1
    )


class SkyConfig(TaskConfig):
    """How the level and the flatness of the sky are measured."""

    mesh: int = setting(
        256,
        "Largest size of the cells whose levels are compared to measure the flatness of the sky. Smaller cells show "
        "smaller structure.",
        unit="pixel",
        ge=8,
    )
    clip: float = setting(
        3.0, "Pixels further from the mean are left out when the level of the sky is measured.", unit="sigma", gt=0
    )
    bad_planes: list[str] = setting(
        ["SAT", "BAD", "NO_DATA", "UNMASKEDNAN", "INTRP"],
        "Mask planes whose pixels do not count when the level of the sky is measured.",
    )
