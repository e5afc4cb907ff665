"""Settings of instrument-signature removal."""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from obs.algorithms.detector.overscan import FitType
from obs.config.base import TaskConfig, setting

__all__ = [
    "BrighterFatterConfig",
    "CrosstalkConfig",
    "FlatConfig",
    "FringeConfig",
    "InterpolationConfig",
    "IsrConfig",
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
    bias_jump: bool = setting(False, "Fit apart what lies before and behind a jump of the level.")
    bias_jump_row: int = setting(
        0, "First row of the raw image behind the jump of the level, if bias_jump is true.", unit="pixel", ge=0
    )
    bias_jump_keyword: str = setting("", "Header keyword that tells which device has the jump; empty for all.")
    bias_jump_devices: list[str] = setting([], "Values of the keyword of a bias jump for which there is one.")


class CrosstalkConfig(TaskConfig):
    """How ghosts of other amplifiers are removed."""

    before_assembly: bool = setting(False, "Correct the raw image, not the assembled one.")
    coefficients: list[float] = setting(
        [], "Matrix of as many rows and columns as there are amplifiers, row by row; if empty, that of the camera."
    )
    rows: Literal["SOURCE", "TARGET"] = setting(
        "SOURCE",
        "What a row of the matrix stands for. SOURCE: row j, column i is the part of amplifier j that appears in "
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


class IsrConfig(TaskConfig):
    """Settings of instrument-signature removal, in the order of its steps."""

    target: str | None = setting(
        None,
        "Function of an installed package that does this step instead, as package.module:function. It takes a "
        "function that reads a dataset by its type, and the data ID, and returns the exposure.",
    )
    do_convert_to_float: bool = setting(True, "Convert raw integers to float32 before anything is subtracted.")
    do_bias: bool = setting(True, "Subtract the bias frame, which removes the fixed pattern of the electronics.")
    do_bias_before_overscan: bool = setting(False, "Subtract it from the raw image, before the overscan.")
    do_saturation: bool = setting(True, "Mask pixels at or above the saturation level SAT.")
    saturation: float | None = setting(
        None,
        "Level from which pixels are masked SAT; that of each amplifier if null. Lower it if bright stars have flat "
        "tops.",
        unit="adu",
    )
    do_suspect: bool = setting(False, "Mask pixels above the suspect level of their amplifier SUSPECT.")
    do_find_saturation: bool = setting(
        True,
        "Look for stars that are cut off at one level below the known saturation, and mask their tops SAT. Set the "
        "saturation of the amplifiers if this finds any.",
    )
    do_mask_constant: bool = setting(
        True, "Mask areas of exactly equal pixels BAD and NO_DATA: dead amplifiers and columns, lines not read out."
    )
    do_overscan: bool = setting(True, "Subtract the level of the overscan from each amplifier.")
    overscan: OverscanConfig = setting(OverscanConfig(), "Overscan.")
    do_crosstalk: bool = setting(
        False, "Remove ghosts of bright pixels of other amplifiers. It needs crosstalk coefficients."
    )
    crosstalk: CrosstalkConfig = setting(CrosstalkConfig(), "Crosstalk.")
    do_assemble: bool = setting(True, "Assemble the amplifiers into the image of the detector, without overscan.")
    keywords_to_remove: list[str] = setting([], "Header keywords that are no longer true of the assembled image.")
    expect_wcs: bool = setting(True, "Warn of an exposure that comes without a WCS.")
    do_variance: bool = setting(True, "Compute the variance from light and read noise; else it is not a number.")
    do_empirical_read_noise: bool = setting(False, "Use the noise measured in the overscan, not that of the table.")
    gain: float | None = setting(
        None,
        "Gain of amplifiers whose table has none. If not set, it is the gain that the flat records, else that of the "
        "noise of the sky.",
        unit="electron/adu",
        gt=0,
    )
    read_noise: float | None = setting(
        None,
        "Read noise of amplifiers whose table has none. If not set, it is the noise of the overscan, else that which "
        "the bias records, else that of the frame's pixels.",
        unit="electron",
        ge=0,
    )
    do_linearize: bool = setting(
        True, "Correct nonlinearity, so that counts are proportional to the light. It needs a linearizer."
    )
    do_defect: bool = setting(True, "Mask the pixels of the table of defects BAD.")
    edge_suspect_width: int = setting(
        0,
        "Width of the edge that is masked SUSPECT. Raise it if sensitivity or geometry is distorted near the edge.",
        unit="pixel",
        ge=0,
    )
    edge_mask_level: Literal["DETECTOR", "AMP"] = setting(
        "DETECTOR", "Which edge is masked: that of each AMP (amplifier), or that of the DETECTOR."
    )
    do_nan_masking: bool = setting(True, "Mask pixels that are not finite number UNMASKEDNAN.")
    do_widen_saturation_trails: bool = setting(
        True, "Widen wide runs of saturated pixels, beside which charge spills over."
    )
    do_camera_specific_masking: bool = setting(False, "Run the masking function that the camera package supplies.")
    camera_masking: str | None = setting(
        None, "That function, ``package.module:name``, called with the masked image and the detector."
    )
    do_brighter_fatter: bool = setting(False, "Undo the spreading of bright stars by their own charge.")
    brighter_fatter: BrighterFatterConfig = setting(BrighterFatterConfig(), "Brighter-fatter effect.")
    do_dark: bool = setting(True, "Subtract the dark frame, scaled by dark time.")
    do_fringe: bool = setting(True, "Subtract fringes, in the filters that the setting fringe.filters names.")
    fringe: FringeConfig = setting(FringeConfig(), "Fringes.")
    do_stray_light: bool = setting(False, "Subtract the stray-light frame, scaled by exposure time.")
    stray_light_filters: list[str] = setting(
        [], "Physical filters or bands whose exposures have stray light to be subtracted."
    )
    do_flat: bool = setting(True, "Divide by the flat, which corrects the sensitivity of the pixels.")
    flat: FlatConfig = setting(FlatConfig(), "Flat.")
    do_apply_gains: bool = setting(False, "Turn counts into electrons, where there is no flat to level the amplifiers.")
    normalize_gains: bool = setting(False, "Then also level the medians of the amplifiers.")
    do_vignette: bool = setting(False, "Mask pixels outside of the vignetting circle NO_DATA.")
    vignette: VignetteConfig = setting(VignetteConfig(), "Vignetting.")
    do_attach_transmission_curve: bool = setting(
        False, "Attach the transmission of the whole system to the exposure. It needs transmission curves."
    )
    transmission: TransmissionConfig = setting(TransmissionConfig(), "Transmission.")
    do_illumination_correction: bool = setting(
        False, "Divide by the illumination correction, which corrects the flat on large scales."
    )
    illumination_filters: list[str] = setting([], "Physical filters or bands with one; all if empty.")
    do_save_interpolated_pixels: bool = setting(False, "Hand over a copy of the image as it is before interpolation.")
    do_set_bad_regions: bool = setting(True, "Give BAD pixels the value of the good ones.")
    bad_statistic: Literal["MEANCLIP", "MEDIAN"] = setting(
        "MEANCLIP", "Statistic of the good pixels that replaces bad regions: MEDIAN or MEANCLIP."
    )
    do_interpolate: bool = setting(True, "Fill bad pixels from their neighbors and mask them INTRP.")
    interpolation: InterpolationConfig = setting(InterpolationConfig(), "Interpolation.")
    do_rough_zero_point: bool = setting(
        True, "Attach a rough zero point for each filter, until the photometric calibration finds a better one."
    )
    rough_flux_mag0: dict[str, float] = setting(
        {}, "Counts in one second of a source of magnitude 0, by physical filter or band.", unit="adu/s"
    )
    default_flux_mag0: float = setting(
        10.0 ** (0.4 * 28.0),
        "Flux of magnitude 0 in an exposure of 1 s, for filters without a value of their own.",
        unit="adu/s",
        gt=0,
    )
    do_measure_background: bool = setting(False, "Measure the level and the flatness of the sky.")
    sky: SkyConfig = setting(SkyConfig(), "Sky.")
    write: bool = setting(False, "Write the exposure without instrument signature as the dataset ``postISRCCD``.")
    compare_checksums: bool = setting(
        True,
        "Compare raw files and calibrations with the DATASUM in their headers; a file with changed pixels fails.",
    )
    allow_missing: bool = setting(False, "Go on without a calibration that is missing, and say so.")
    fallback_filter: str | None = setting(
        None, "Physical filter whose calibration is taken where there is none for that of the exposure."
    )
    check_forced_calibrations: bool = setting(
        True, "Refuse a file named below that says it is another type of calibration, or of another detector."
    )
    bias_path: str | None = setting(
        None, "File with the bias, in place of the one that is found; may hold keys such as %(ccd)03d."
    )
    dark_path: str | None = setting(None, "File of the dark, instead of the one that the registry names.")
    flat_path: str | None = setting(None, "File of the flat, instead of the one that the registry names.")
    fringe_path: str | None = setting(None, "File of the fringe frame, instead of the one that the registry names.")
    defects_path: str | None = setting(
        None, "File of the table of defects, instead of the one that the registry names."
    )
    brighter_fatter_kernel_path: str | None = setting(
        None, "File of the brighter-fatter kernel, instead of the one that the registry names."
    )
    stray_light_path: str | None = setting(
        None, "File of the stray-light frame, instead of the one that the registry names."
    )
    illumination_path: str | None = setting(
        None, "File of the illumination correction, instead of the one that the registry names."
    )

    def wants_fringe(self, *filters: str) -> bool:
        """Return whether fringes are subtracted in an exposure with one of these filters or bands."""
        return self.do_fringe and any(name in self.fringe.filters for name in filters)

    def wants_stray_light(self, *filters: str) -> bool:
        """Return whether stray light is subtracted in an exposure with one of these filters or bands."""
        return self.do_stray_light and any(name in self.stray_light_filters for name in filters)

    def wants_illumination(self, *filters: str) -> bool:
        """Return whether the illumination is corrected in an exposure with one of these filters or bands."""
        chosen = self.illumination_filters
        return self.do_illumination_correction and (not chosen or any(name in chosen for name in filters))

    @field_validator("saturation")
    @classmethod
    def _not_a_number_is_none(cls, value: float | None) -> float | None:
        return None if value is None or value != value else value

    @model_validator(mode="after")
    def _one_kind_of_levelling(self) -> Self:
        if self.do_apply_gains and self.do_flat:
            raise ValueError(
                "do_apply_gains and do_flat exclude each other, since the flat levels the gains; set one to false"
            )
        if self.do_camera_specific_masking and self.camera_masking is None:
            raise ValueError(
                "do_camera_specific_masking needs camera_masking, the function 'package.module:name' to call"
            )
        return self
