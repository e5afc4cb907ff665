"""Assemble a frame and remove its signature, without calibration frames."""

from collections.abc import Iterator

import numpy as np

from obs.doctor.check import Check
from obs.doctor.exposure import RawFrame
from obs.doctor.places import shown
from obs.errors import ObsError
from obs.image.exposure import Exposure
from obs.instrument.instrument import Instrument
from obs.tasks.isr import Calibrations, remove_signature, required_calibrations
from obs.tasks.isr_config import IsrConfig
from obs.tasks.process_settings import process_settings

__all__ = ["check_signature", "signature_config"]

_AGREE = 0.2


def signature_config(instrument: Instrument) -> IsrConfig:
    """Return the camera's settings of signature removal, with all that needs calibration frames left out.

    Raises
    ------
    ConfigError
        If the camera's settings are at fault.
    """
    config = process_settings(instrument).build().isr
    filters = [(known.physical_filter, known.band) for known in instrument.filters] or [("", "")]
    switches = {
        switch
        for physical_filter, band in filters
        for switch in required_calibrations(config, physical_filter=physical_filter, band=band).values()
    }
    switches |= {"expect_wcs", "do_rough_zero_point"}
    return config.model_copy(update=dict.fromkeys(switches, False))


def check_signature(exposure: RawFrame) -> tuple[Exposure | None, list[Check]]:
    """Return the frame without its signature, if that can be had, and the checks of it."""
    warnings: list[str] = []
    try:
        config = signature_config(exposure.instrument)
        result = remove_signature(
            exposure.raw,
            exposure.detector,
            Calibrations(),
            config,
            visit_info=exposure.visit_info,
            physical_filter=exposure.filter_name,
            warn=warnings.append,
        )
    except Exception as error:  # noqa: BLE001 - a camera's own functions can fail in any way
        note = str(error) if isinstance(error, ObsError) else f"{type(error).__name__}: {error}"
        place = shown(exposure.instrument.config_folder / "process.yaml")
        return None, [Check("signature", "isr", verdict="wrong", note=note, remedy=f"{place}, or what it names")]
    checks = [Check("signature", "isr", f"{result.shape[1]} x {result.shape[0]} pixels", "no calibration frames")]
    checks += [Check("signature", "isr", verdict="doubtful", note=text) for text in dict.fromkeys(warnings)]
    return result, [*checks, *_levels(exposure, result)]


def _levels(exposure: RawFrame, result: Exposure) -> Iterator[Check]:
    """Yield the level of each amplifier in electrons, and whether they agree: they look at the same sky."""
    image = result.masked_image.image
    levels = {}
    for amp in exposure.detector.amplifiers:
        gain = amp.nominal.gain if np.isfinite(amp.nominal.gain) else 1.0
        levels[amp.name] = float(np.median(image[amp.bbox.slices])) * gain
    middle = float(np.median(list(levels.values())))
    for name, level in levels.items():
        odd = exposure.image_type in ("science", "sky") and len(levels) > 2 and abs(middle) > 50.0
        if odd and abs(level / middle - 1.0) > _AGREE:
            note = f"the others have {middle:.4g} e-: look at gain and overscan of this amplifier"
            yield Check("signature", f"level of {name}", f"{level:.4g} e-", "pixels", "doubtful", note)
        else:
            yield Check("signature", f"level of {name}", f"{level:.4g} e-", "pixels")
