"""Pixel scale against the header's WCS, and the direction of the telescope against pointing, place and time."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from obs.doctor.check import Check, Verdict
from obs.doctor.exposure import RawExposure
from obs.doctor.places import camera_place, detector_place, translator_place
from obs.errors import FileFormatError
from obs.image.visit_info import VisitInfo
from obs.inspection.header.sky_scale import find_pixel_size, find_sky_scale
from obs.instrument.card_values import parse_date
from obs.instrument.consistency import DEGREE, compare_direction

__all__ = ["check_sky"]

_SCALE_TOLERANCE = 0.03
_TURNED = 1.5
"""Degrees by which a camera may be turned against its package; frames are found in the catalog all the same."""


def check_sky(exposure: RawExposure) -> Iterator[Check]:
    """Yield a check for the scale, and one for the direction."""
    yield from _check_scale(exposure)
    yield from _check_orientation(exposure)
    yield from _check_direction(exposure)


def _check_scale(exposure: RawExposure) -> Iterator[Check]:
    detector = exposure.detector
    if detector is None:
        return
    camera = exposure.instrument.load_camera()
    ours = camera.plate_scale * detector.pixel_size_x
    value = f"{ours:.4g} arcsec a pixel"
    found = find_sky_scale(exposure.cards).scale
    if not found.is_known:
        yield Check("sky", "pixel scale", value, "camera.yaml", "not known", found.note or "no WCS to compare it with")
        return
    step = 1 if detector.color_plane is None else 2  # a color has one pixel of two
    stated = float(found.value) * step
    bins = exposure.facts.binning.value[0] if exposure.facts is not None and exposure.facts.binning.is_known else 1
    if abs(ours / (stated * bins) - 1.0) <= _SCALE_TOLERANCE and "CD" not in found.source:
        stated *= bins  # the card gives the scale of unbinned pixels
    if abs(ours / stated - 1.0) <= _SCALE_TOLERANCE:
        yield Check("sky", "pixel scale", f"{value}; header {stated:.4g}", found.source)
        return
    note = f"{found.source} says {stated:.4g} arcsec"
    size = find_pixel_size(exposure.cards)
    binning = exposure.facts.binning.value if exposure.facts is not None and exposure.facts.binning.is_known else (1, 1)
    pixel = float(size.value) * binning[0] * step if size.is_known else detector.pixel_size_x
    if abs(detector.pixel_size_x / pixel - 1.0) > _SCALE_TOLERANCE:
        place = detector_place(exposure.instrument, detector, "pixel_size_x, pixel_size_y")
        how = f"{pixel:g} mm ({size.source}) in place of {detector.pixel_size_x:g}"
    else:
        place = camera_place(exposure.instrument, "plate_scale")
        how = f"{stated / pixel:.6g} arcsec/mm in place of {camera.plate_scale:g}"
    verdict: Verdict = "doubtful" if found.confidence == "guess" else "wrong"
    yield Check("sky", "pixel scale", value, found.source, verdict, note, f"{place}: {how}")


def _check_orientation(exposure: RawExposure) -> Iterator[Check]:
    """Hold rotation and parity of the camera against the header's WCS; a mount that flips turns it by 180 degrees."""
    detector = exposure.detector
    if detector is None or detector.yaw or math.isfinite(exposure.visit_info.rotation_angle):
        return
    found = find_sky_scale(exposure.cards)
    if found.rotation.confidence not in ("certain", "likely"):
        return
    camera = exposure.instrument.load_camera()
    ours = f"rotation {camera.rotation:g} deg, flip_x {str(camera.flip_x).lower()}"
    turned = abs((float(found.rotation.value) - camera.rotation + 90.0) % 180.0 - 90.0)
    if found.flip_x == camera.flip_x and turned <= _TURNED:
        yield Check("sky", "orientation", ours, found.rotation.source)
        return
    theirs = f"rotation {float(found.rotation.value):.3f}, flip_x {str(found.flip_x).lower()}"
    remedy = f"{camera_place(exposure.instrument, 'rotation')}: {theirs}, if other frames say so too"
    yield Check("sky", "orientation", ours, found.rotation.source, "doubtful", f"the WCS says {theirs}", remedy)


def _check_direction(exposure: RawExposure) -> Iterator[Check]:
    info = exposure.visit_info
    altitude, azimuth = info.boresight_altitude, info.boresight_azimuth
    if exposure.image_type not in ("science", "") or not math.isfinite(altitude):
        return
    if "SIMSEED" in exposure.header:
        yield Check("sky", "altitude, azimuth", f"{altitude:.2f} deg", "", "not known", "the frame is simulated")
        return
    names = ("boresight_ra", "boresight_dec", "longitude", "latitude", "date_begin")
    lacking = [name for name in names if not _is_usable(exposure, name)]
    stood = None if lacking else compare_direction(info)
    if stood is None:
        note = f"{', '.join(lacking)} would have to be known"
        yield Check("sky", "altitude, azimuth", f"{altitude:.2f} deg", "", "not known", note)
        return
    value = f"{altitude:.2f}, {azimuth:.2f} deg"
    if stood.distance <= DEGREE:
        yield Check("sky", "altitude, azimuth", value, "boresight, place, date")
        return
    note = f"pointing, place and date put it at {stood.altitude:.2f}, {stood.azimuth:.2f} deg"
    name, how = _what_would_fix(info)
    remedy = f"{translator_place(exposure.translator, name)}: {how}"
    yield Check("sky", "altitude, azimuth", value, "boresight, place, date", "wrong", note, remedy)


def _what_would_fix(info: VisitInfo) -> tuple[str, str]:
    """Return the circumstance that fits if it is read otherwise, and how."""
    ra, azimuth = info.boresight_ra, info.boresight_azimuth
    trials: list[tuple[str, Any, str]] = [
        ("boresight_ra", ra * 15.0 % 360.0, "the unit: it fits if the card is in hours"),
        ("boresight_ra", ra / 15.0, "the unit: it fits if the card is in degrees"),
        ("longitude", -info.longitude, "the sign: it fits if the card counts west as positive"),
        ("boresight_azimuth", azimuth + 180.0, "it fits if the card counts from south through west"),
        ("boresight_azimuth", 180.0 - azimuth, "it fits if the card counts from south through east"),
    ]
    found = [(compare_direction(replace(info, **{name: value})), name, how) for name, value, how in trials]
    fits = [(stood.distance, name, how) for stood, name, how in found if stood is not None and stood.distance <= DEGREE]
    if fits:
        return min(fits)[1:]
    return "boresight_ra", "look at ra, dec, longitude, latitude, altitude, azimuth and the date: one is wrong"


def _is_usable(exposure: RawExposure, name: str) -> bool:
    """Return whether a direction can be reckoned with a value: whether it is known, and can be."""
    if name == "date_begin":
        try:
            return parse_date(str(exposure.value(name))).year > 1900
        except FileFormatError:
            return False
    limit = 90.0 if name in ("boresight_dec", "latitude") else 360.0
    return abs(exposure.number(name)) <= limit
