"""Hold what one file's pixels say of the camera against what kind of image it is, and against the other files.

A table of the camera is only at fault if an ordinary image of the sky or of a flat field shows it, and no other one
with as much light refutes it. Columns beside the slit of a spectrograph see no light; the overscan behind saturated
pixels holds their charge; the noise of a spectrum is not that of an even field.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from obs.doctor.check import Check
from obs.doctor.examine import Examined
from obs.doctor.exposure import RawExposure, RawFrame
from obs.doctor.geometry import SIZE_CARDS
from obs.doctor.levels import amplifier_image, measure_level
from obs.instrument.filter_wheels import is_open

__all__ = ["kind_of_image", "settle_disagreements"]

#: Steps whose verdicts rest on the pixels of a single file.
_BY_PIXELS = ("overscan", "noise", "signature")
_SPECTROGRAPH = re.compile(r"(GRAT|GRISM|GRISTE|DISPER|DISPAX|SLIT|SLM|ECHEL|FIBER|CAMANG)\w*")
_NOT_IN_USE = re.compile(
    r"(|none|mirror|image|imaging|out|park(ed)?|unused|<?no\b.*|n/?a|0|0\.0*|unknown|undefined)", re.IGNORECASE
)
_MODE = re.compile(r"(OBS|INS|INST|WAV|CAM)[-_]?MODE")
_SATURATED_SHARE = 0.2
"""A share of pixels at the highest level beyond which a frame shows nothing but saturation."""


def kind_of_image(exposure: RawExposure) -> str:
    """Return ``spectrum`` or ``saturated`` for exposures whose pixels say little of the camera; else nothing.

    Parameters
    ----------
    exposure : RawExposure
        With or without pixels.
    """
    if exposure.image_type in ("bias", "dark"):
        return ""
    if exposure.image_type == "arc":
        return "spectrum"
    if not _is_said_to_be_an_image(exposure) and any(map(_is_in_use, _spectrograph_values(exposure))):
        return "spectrum"
    if isinstance(exposure, RawFrame) and _is_saturated(exposure):
        return "saturated"
    return ""


def _spectrograph_values(exposure: RawExposure) -> list[str]:
    return [str(value) for keyword, value in exposure.header.items() if _SPECTROGRAPH.fullmatch(keyword)]


def _is_said_to_be_an_image(exposure: RawExposure) -> bool:
    """Whether a card has the mode of an instrument as that of images."""
    return any("imag" in str(v).lower() for keyword, v in exposure.header.items() if _MODE.fullmatch(keyword))


def _is_in_use(value: str) -> bool:
    return not _NOT_IN_USE.fullmatch(value.strip()) and not is_open(value.strip())


def _is_saturated(frame: RawFrame) -> bool:
    for amp in frame.detector.amplifiers:
        data = amplifier_image(frame.raw, amp)[amp.raw_data_bbox.slices]
        highest = data.max()
        level = amp.nominal.saturation
        full = highest >= 0.98 * level if np.isfinite(level) else True
        if full and highest > 1000 and float(np.mean(data >= 0.98 * highest)) > _SATURATED_SHARE:
            return True
    return False


def settle_disagreements(exposures: Sequence[Examined]) -> None:
    """Turn accusations that rest on a special image, or that another image refutes, into something to look at.

    Parameters
    ----------
    exposures : sequence of Examined
        All exposures; their checks are changed in place.
    """
    _settle_sizes(exposures)
    light = {examined.name: _light(examined.frame) for examined in exposures if examined.frame is not None}
    sound: dict[tuple[str, str], list[str]] = {}
    for examined in exposures:
        if examined.frame is None or kind_of_image(examined.frame):
            continue
        for check in examined.checks:
            if check.step in _BY_PIXELS and check.verdict == "ok" and check.value:
                sound.setdefault((check.step, check.name), []).append(examined.name)
    for examined in exposures:
        kind = "" if examined.frame is None else kind_of_image(examined.frame)
        examined.checks[:] = [_weigh(check, kind, examined.name, light, sound) for check in examined.checks]


def _settle_sizes(exposures: Sequence[Examined]) -> None:
    """Take files of another size than the camera's for windows and binned frames, if others of the detector fit."""
    sizes = {
        examined.name: [check for check in examined.checks if check.step == "geometry" and check.source == SIZE_CARDS]
        for examined in exposures
    }
    fitting = {
        examined.detector
        for examined in exposures
        if sizes[examined.name] and all(check.verdict == "ok" for check in sizes[examined.name])
    }
    for examined in exposures:
        others = [check for check in sizes[examined.name] if check.verdict == "wrong"]
        if not others or not examined.detector or examined.detector not in fitting:
            continue
        note = f"{others[0].note}; other files fit the camera, so that this one is a window of it, or binned"
        remedy = (
            "such files are left out of calibration frames and not processed: make a package of their own for them, "
        )
        size = replace(others[0], verdict="doubtful", note=note, remedy=f"{remedy}obs new NAME --from FILES")
        rest_on_size = ("geometry", "sky")
        examined.checks[:] = [check for check in examined.checks if check.step not in rest_on_size] + [size]


def _light(frame: RawFrame) -> float:
    """Return how far the data lie above the overscan, in units of the overscan's noise; the least lit amplifier's."""
    lights = []
    for amp in frame.detector.amplifiers:
        dark = measure_level(frame.raw, amp, amp.raw_serial_overscan_bbox)
        data = measure_level(frame.raw, amp, amp.raw_data_bbox)
        if dark is not None and data is not None:
            lights.append((data.level - dark.level) / max(dark.noise, 1.0))
    return min(lights, default=0.0)


def _weigh(
    check: Check, kind: str, name: str, light: dict[str, float], sound: dict[tuple[str, str], list[str]]
) -> Check:
    if check.verdict != "wrong" or check.step not in _BY_PIXELS:
        return check
    if kind:
        why = {"spectrum": "this is a spectrum", "saturated": "most of it is saturated"}[kind]
        return replace(check, verdict="doubtful", note=f"{check.note}; but {why}, which says little of the camera")
    # The data section and the overscan of an amplifier are one question: who refutes one, refutes the other.
    names = dict.fromkeys((check.name, check.name.replace("data of", "overscan of")))
    agreeing = [other for key in names for other in sound.get((check.step, key), [])]
    refuting = [other for other in agreeing if light.get(other, 0.0) >= max(0.5 * light.get(name, 0.0), 10.0)]
    if check.step != "overscan" or not refuting:
        return check
    return replace(
        check, verdict="doubtful", note=f"{check.note}; but {refuting[0]}, with as much light, does not show it"
    )
