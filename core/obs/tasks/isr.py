"""Remove the instrument's signature from raw pixels.

The recipe is `STEPS`, from top to bottom; what each does is in `obs.tasks.isr_raw`, `obs.tasks.isr_pixels`,
`obs.tasks.deferred_charge`, `obs.tasks.isr_steps`, `obs.tasks.isr_masks` and `obs.tasks.isr_frames`.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from obs.camera.detector import Detector
from obs.errors import DatasetNotFoundError, FileFormatError
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.tasks import deferred_charge, isr_frames, isr_masks, isr_pixels, isr_raw, isr_steps
from obs.tasks.calibration_levels import warn_of_levels
from obs.tasks.isr_config import IsrConfig
from obs.tasks.isr_window import place_window
from obs.tasks.isr_work import Calibrations, Work
from obs.tasks.readout_cards import warn_of_other_readout

__all__ = ["STEPS", "Calibrations", "IsrConfig", "Step", "remove_signature", "required_calibrations"]

logger = logging.getLogger(__name__)


class Step(NamedTuple):
    """One step: what it does to a frame, and whether the settings want it for that frame.

    Parameters
    ----------
    apply : callable
        Function that is called with the `Work` of a frame.
    wanted : callable
        Function that is called with the settings and the filter (physical name and band), and returns whether the step
        runs.
    """

    apply: Callable[[Work], None]
    wanted: Callable[[IsrConfig, tuple[str, str]], bool]


STEPS: tuple[Step, ...] = (
    Step(isr_raw.convert_to_float, lambda c, f: True),
    Step(isr_raw.subtract_bias, lambda c, f: c.do_bias and c.do_bias_before_overscan),
    Step(isr_raw.mask_bad_amplifiers, lambda c, f: c.do_defect),
    Step(isr_raw.mask_saturation, lambda c, f: c.do_saturation),
    Step(isr_raw.mask_suspect, lambda c, f: c.do_suspect),
    Step(isr_pixels.find_saturation, lambda c, f: c.do_find_saturation),
    Step(isr_pixels.mask_constant, lambda c, f: c.do_mask_constant),
    Step(isr_raw.subtract_overscan, lambda c, f: c.do_overscan),
    Step(deferred_charge.find_deferred_charge, lambda c, f: c.do_overscan),
    Step(deferred_charge.restore_charge, lambda c, f: c.do_overscan and c.do_deferred_charge),
    Step(isr_raw.remove_crosstalk, lambda c, f: c.do_crosstalk and c.crosstalk.before_assembly),
    Step(isr_raw.assemble_amplifiers, lambda c, f: c.do_assemble),
    Step(isr_raw.subtract_bias, lambda c, f: c.do_bias and not c.do_bias_before_overscan),
    Step(isr_steps.compute_variance, lambda c, f: c.do_variance),
    Step(isr_steps.linearize_amplifiers, lambda c, f: c.do_linearize),
    Step(isr_raw.remove_crosstalk, lambda c, f: c.do_crosstalk and not c.crosstalk.before_assembly),
    Step(isr_masks.mask_defects, lambda c, f: c.do_defect),
    Step(isr_masks.mask_nans, lambda c, f: c.do_nan_masking),
    Step(isr_masks.check_usable, lambda c, f: True),
    Step(isr_masks.widen_trails, lambda c, f: c.do_widen_saturation_trails),
    Step(isr_masks.mask_camera_specific, lambda c, f: c.do_camera_specific_masking),
    Step(isr_frames.remove_brighter_fatter, lambda c, f: c.do_brighter_fatter),
    Step(isr_frames.subtract_dark, lambda c, f: c.do_dark),
    Step(isr_frames.subtract_fringe, lambda c, f: c.wants_fringe(*f) and not c.fringe.after_flat),
    Step(isr_frames.subtract_stray_light, lambda c, f: c.wants_stray_light(*f)),
    Step(isr_frames.apply_flat, lambda c, f: c.do_flat),
    Step(isr_steps.apply_gains, lambda c, f: c.do_apply_gains),
    Step(isr_frames.subtract_fringe, lambda c, f: c.wants_fringe(*f) and c.fringe.after_flat),
    Step(isr_masks.mask_vignetting, lambda c, f: c.do_vignette),
    Step(isr_steps.attach_transmission, lambda c, f: c.do_attach_transmission_curve),
    Step(isr_frames.apply_illumination_correction, lambda c, f: c.wants_illumination(*f)),
    Step(isr_masks.save_uninterpolated, lambda c, f: c.do_save_interpolated_pixels),
    Step(isr_masks.fill_bad_regions, lambda c, f: c.do_set_bad_regions),
    Step(isr_masks.interpolate, lambda c, f: c.do_interpolate),
    Step(isr_steps.attach_rough_zero_point, lambda c, f: c.do_rough_zero_point),
    Step(isr_steps.measure_background, lambda c, f: c.do_measure_background),
)
"""All steps, in their order. The tuple handed to `Step.wanted` is the exposure's physical filter and band."""


def required_calibrations(config: IsrConfig, *, physical_filter: str = "", band: str = "") -> dict[str, str]:
    """Return which calibrations the settings need.

    Parameters
    ----------
    config : IsrConfig
        Settings.
    physical_filter, band : str, optional
        Filter of the exposure.

    Returns
    -------
    dict of str to str
        Field of `Calibrations` to the switch that does without it.
    """
    filters = physical_filter, band
    needed = {
        "bias": ("do_bias", config.do_bias),
        "defects": ("do_defect", config.do_defect),
        "brighter_fatter_kernel": ("do_brighter_fatter", config.do_brighter_fatter),
        "dark": ("do_dark", config.do_dark),
        "flat": ("do_flat", config.do_flat),
        "fringe": ("do_fringe", config.wants_fringe(*filters)),
        "stray_light": ("do_stray_light", config.wants_stray_light(*filters)),
        "illumination": ("do_illumination_correction", config.wants_illumination(*filters)),
    }
    return {name: switch for name, (switch, wanted) in needed.items() if wanted}


def remove_signature(
    raw: Raw,
    detector: Detector,
    calibrations: Calibrations,
    config: IsrConfig,
    *,
    visit_info: VisitInfo,
    physical_filter: str = "",
    band: str = "",
    wcs: TanSipWcs | None = None,
    warn: Callable[[str], None] = logger.warning,
    keep: Callable[[MaskedImage], None] | None = None,
    time_fault: str = "",
) -> Exposure:
    """Turn a raw frame into counts that are proportional to light.

    Parameters
    ----------
    raw : Raw
        The frame as read, ADU; left as it is.
    detector : Detector
        Geometry of its detector.
    calibrations : Calibrations
        What other frames tell of the detector.
    config : IsrConfig
        Settings.
    visit_info : VisitInfo
        When the exposure was taken, and for how long.
    physical_filter, band : str, optional
        Its filter.
    wcs : TanSipWcs, optional
        Pixel to sky, as far as known.
    warn : callable, optional
        Called with each line that the user should see.
    keep : callable, optional
        Called with a copy of the pixels before interpolation, if ``do_save_interpolated_pixels``.
    time_fault : str, optional
        Cards of the header's exposure time with their values, where these cannot be.

    Returns
    -------
    Exposure
        Image in ADU (electrons after ``do_apply_gains``), mask, and variance in its square.

    Raises
    ------
    DatasetNotFoundError
        If a calibration is missing that a switched-on step needs.
    FileFormatError
        If a shape, the exposure time, or a table is not what it has to be.
    MeasurementError
        If no pixel can be used.
    """
    work = Work(
        raw=_by_hdu(raw, detector),
        detector=detector,
        calibrations=calibrations,
        config=config,
        visit_info=visit_info,
        physical_filter=physical_filter,
        band=band,
        wcs=wcs,
        warn=warn,
        keep=keep,
        metadata=dict(raw.metadata),
        time_fault=time_fault,
    )
    _check(work)
    if config.compare_readout:
        warn_of_other_readout(work)
    for step in STEPS:
        if step.wanted(config, work.filters):
            step.apply(work)
    if config.compare_readout:
        warn_of_levels(work)
    return Exposure(
        work.pixels,
        wcs=wcs,
        photo_calib=work.photo_calib,
        visit_info=visit_info,
        detector_name=detector.name,
        physical_filter=physical_filter,
        metadata=work.metadata,
    )


def _by_hdu(raw: Raw, detector: Detector) -> Raw:
    """Take a frame's only image for all amplifiers of a camera that does not say HDUs."""
    if len(raw.images) == 1 and all(amp.raw_hdu == 0 for amp in detector.amplifiers):
        return Raw(next(iter(raw.images.values())), raw.metadata)
    return raw


def _check(work: Work) -> None:
    """Refuse what cannot work before anything is done."""
    if work.config.do_place_windows:
        place_window(work)
    isr_raw.check_raw(work)
    needed = required_calibrations(work.config, physical_filter=work.physical_filter, band=work.band)
    missing = {name: switch for name, switch in needed.items() if getattr(work.calibrations, name) is None}
    if missing:
        names = ", ".join(name.replace("_", " ") for name in missing)
        switches = " ".join(f"-c isr.{switch}=false" for switch in missing.values())
        raise DatasetNotFoundError(
            f"no {names} for detector '{work.detector.name}': build or ingest what is missing, or continue without it "
            f"by {switches}",
            dataset_type=next(iter(missing)),
        )
    info = work.visit_info
    seconds = info.dark_time if np.isfinite(info.dark_time) else info.exposure_time
    for frame, switch, time in (("dark", "do_dark", seconds), ("stray_light", "do_stray_light", info.exposure_time)):
        if frame in needed and not (np.isfinite(time) and time >= 0):
            raise FileFormatError(
                f"the exposure time is {work.seconds_text(time)}, so that the {frame.replace('_', ' ')} cannot be "
                "scaled: correct the header or its translation, or continue without it by "
                f"-c isr.{switch}=false"
            )
