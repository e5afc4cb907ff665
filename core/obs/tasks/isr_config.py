"""Settings of instrument-signature removal."""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from obs.config.base import TaskConfig, setting
from obs.tasks.isr_step_configs import (
    BrighterFatterConfig,
    CrosstalkConfig,
    FlatConfig,
    FringeConfig,
    InterpolationConfig,
    OverscanConfig,
    SkyConfig,
    TransmissionConfig,
    VignetteConfig,
)

__all__ = ["NO_WCS", "IsrConfig"]

#: Warning of a frame that has no WCS, although `IsrConfig.expect_wcs` is set.
NO_WCS = "the frame comes without a WCS"


class IsrConfig(TaskConfig):
    """Settings of instrument-signature removal, in the order of its steps."""

    target: str | None = setting(
        None,
        "Function of an installed package that does this step instead, as package.module:function. It takes a "
        "function that reads a dataset by its type, and the data ID, and returns the exposure.",
    )
    do_place_windows: bool = setting(
        True,
        "Put a frame of a part of the detector in its place by the cards XORGSUBF and YORGSUBF, so that calibrations "
        "of the whole detector fit. The other pixels are NO_DATA. If the detector has overscan, the frame has to show "
        "some.",
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
        gt=0,
    )
    do_suspect: bool = setting(False, "Mask pixels above the suspect level of their amplifier SUSPECT.")
    do_find_saturation: bool = setting(
        True,
        "Look for stars that are cut off at one level, be a saturation given or not, and for cores whose counts wrap, "
        "and mask them SAT. Set the saturation of the amplifiers if this finds any.",
    )
    do_mask_constant: bool = setting(
        True, "Mask areas of exactly equal pixels BAD and NO_DATA: dead amplifiers and columns, lines not read out."
    )
    do_overscan: bool = setting(True, "Subtract the level of the overscan from each amplifier.")
    overscan: OverscanConfig = setting(OverscanConfig(), "Overscan.")
    do_deferred_charge: bool = setting(
        False,
        "Put charge that the read-out left behind back where it came from, as far as the overscan behind the data "
        "shows it.",
    )
    do_crosstalk: bool = setting(
        False, "Remove ghosts of bright pixels of other amplifiers. It needs crosstalk coefficients."
    )
    crosstalk: CrosstalkConfig = setting(CrosstalkConfig(), "Crosstalk.")
    do_assemble: bool = setting(True, "Assemble the amplifiers into the image of the detector, without overscan.")
    keywords_to_remove: list[str] = setting(
        [], "Header keywords to remove because they do not describe the assembled image."
    )
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
    compare_readout: bool = setting(
        True,
        "Warn if gain setting, offset, read-out mode or temperature are not those of the calibration frames, or if "
        "bias, dark or flat have a level or unit that does not fit.",
    )
    temperature_tolerance: float = setting(
        2.0,
        "Largest difference of the temperature of the detector from that of the dark without a warning.",
        unit="K",
        ge=0,
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

    @field_validator("saturation", mode="before")
    @classmethod
    def _not_a_number_is_none(cls, value: object) -> object:
        return None if str(value).lower() == "nan" else value

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
