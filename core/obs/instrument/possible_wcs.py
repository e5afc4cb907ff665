"""The WCS that a raw frame may have, from pointing and camera, or from its header."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.camera.distortion import RadialDistortion
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.instrument.boresight_wcs import fit_boresight_wcs

__all__ = ["boresight_wcs", "in_assembled", "in_color_plane", "known_cards", "possible_wcs"]


def possible_wcs(
    camera: Camera, detector: Detector, info: VisitInfo, header: TanSipWcs | None
) -> tuple[TanSipWcs | None, dict[str, TanSipWcs]]:
    """Return the likeliest WCS, and what else it may be, by who tells it.

    Parameters
    ----------
    camera : Camera
        The camera.
    detector : Detector
        One of its detectors.
    info : VisitInfo
        Where the telescope pointed.
    header : TanSipWcs or None
        The WCS of the header, for pixels of the raw image; of a color camera that of the whole mosaic.
    """
    header = None if header is None else in_assembled(in_color_plane(header, detector), detector)
    if not np.isfinite(info.boresight_ra + info.boresight_dec):
        # scale and distortion help to find the frame, wherever it is
        anywhere = fit_boresight_wcs(camera, detector, boresight_ra=0.0, boresight_dec=0.0)
        return header, {"the camera, pointed anywhere": anywhere}
    pointing = partial(boresight_wcs, detector=detector, info=info)
    others = {} if header is None else {"the header": header}
    if camera.distortion != RadialDistortion():
        others["the pointing without the camera's distortion"] = pointing(
            replace(camera, distortion=RadialDistortion())
        )
    return pointing(camera), others


def boresight_wcs(camera: Camera, *, detector: Detector, info: VisitInfo) -> TanSipWcs:
    """Return the WCS that follows from where the telescope pointed; a rotator that is not known is taken as 0.

    Parameters
    ----------
    camera : Camera
        The camera, with its plate scale and distortion.
    detector : Detector
        Detector of the image.
    info : VisitInfo
        Pointing, and angle of the rotator, degrees.
    """
    return fit_boresight_wcs(
        camera,
        detector,
        boresight_ra=info.boresight_ra,
        boresight_dec=info.boresight_dec,
        rotation=info.rotation_angle if np.isfinite(info.rotation_angle) else 0.0,
    )


def in_color_plane(header: TanSipWcs, detector: Detector) -> TanSipWcs:
    """Return the WCS of a detector, which may be a color of the mosaic that the header describes.

    Parameters
    ----------
    header : TanSipWcs
        WCS of the image that the header describes.
    detector : Detector
        Detector of the pixels.

    Returns
    -------
    TanSipWcs
        For the pixels of the color plane, which are twice as large; ``header`` itself for other detectors.
    """
    if detector.color_plane is None:
        return header
    x, y = detector.color_plane.center
    return header.sampled(2, x=x, y=y)


def in_assembled(header: TanSipWcs, detector: Detector) -> TanSipWcs:
    """Return the WCS for the assembled detector, which lacks overscan and prescan.

    Parameters
    ----------
    header : TanSipWcs
        WCS for the pixels of the raw image.
    detector : Detector
        Detector of the pixels.

    Returns
    -------
    TanSipWcs
        What holds for most pixels, where overscan lies between amplifiers of one image. ``header`` itself where the
        amplifiers have an image each.
    """
    amplifiers = detector.amplifiers
    if any(amp.raw_hdu != amplifiers[0].raw_hdu for amp in amplifiers):
        return header
    as_stored = [amp for amp in amplifiers if not (amp.flip_x or amp.flip_y)]
    first = as_stored[0] if as_stored else amplifiers[0]
    alike = [amp for amp in amplifiers if (amp.flip_x, amp.flip_y) == (first.flip_x, first.flip_y)]
    found = [_of_amplifier(header, amp) for amp in alike]
    places = np.array([wcs.crpix for wcs in found])
    x, y = np.average(places, axis=0, weights=[amp.bbox.width * amp.bbox.height for amp in alike])
    return replace(found[0], crpix=(float(x), float(y)))


def _of_amplifier(header: TanSipWcs, amp: Amplifier) -> TanSipWcs:
    """Return the WCS for the assembled detector, by where the data of an amplifier lie in the raw image."""
    data = amp.raw_data_bbox
    found = header.shifted(x=data.x_min, y=data.y_min)
    for axis, (is_flipped, size) in enumerate(((amp.flip_x, data.width), (amp.flip_y, data.height))):
        found = found.mirrored(axis=axis, size=size) if is_flipped else found
    return found.shifted(x=-amp.bbox.x_min, y=-amp.bbox.y_min)


def known_cards(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cards that have a value.

    Parameters
    ----------
    header : mapping
        Cards; a value of NaN stands for a card without a value.
    """
    return {keyword: value for keyword, value in header.items() if value == value}
