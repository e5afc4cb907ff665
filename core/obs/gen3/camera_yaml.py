"""A camera in the YAML layout that `lsst.obs.base.yamlCamera` reads."""

import math
from typing import Any

import yaml

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import DETECTOR_TYPES, Detector
from obs.camera.distortion import RadialDistortion
from obs.errors import PluginError
from obs.geom import Box

__all__ = ["camera_losses", "dump_camera"]

#: Gain that stands in where none is known, as in `obs process`; with NaN the stack has no variance at all.
_GAIN = 1.0
_UNLIMITED = 1e30


def dump_camera(camera: Camera) -> str:
    """Return a camera as YAML text.

    Amplifiers that have HDUs of their own are described as tiles of one raw image: the raw formatter puts them together
    in that way.

    Parameters
    ----------
    camera : Camera
        The camera.

    Raises
    ------
    PluginError
        If a detector's amplifiers are not on a grid of their own size, which the layout takes for granted.
    """
    description = {
        "name": camera.name,
        "plateScale": float(camera.plate_scale),
        "transforms": {
            "nativeSys": "FocalPlane",
            "FieldAngle": {"transformType": "radial", "coeffs": _radial_coefficients(camera)},
        },
        "CCDs": {detector.name: _detector(detector) for detector in camera},
    }
    return yaml.dump(description, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)


def camera_losses(camera: Camera) -> list[str]:
    """Return what the layout has no place for, or has an assumed value of, in words."""
    losses = []
    if not isinstance(camera.distortion, RadialDistortion):
        losses.append(
            "the distortion of the optics is a polynomial in x and y, which camera.yaml cannot hold: it is left out"
        )
    unknown = [f"{d.name} {a.name}" for d in camera for a in d.amplifiers if math.isnan(a.nominal.gain)]
    if unknown:
        losses.append(f"the gain of {_shorten(unknown)} is not known: camera.yaml has {_GAIN}")
    silent = [f"{d.name} {a.name}" for d in camera for a in d.amplifiers if math.isnan(a.nominal.read_noise)]
    if silent:
        losses.append(f"the read noise of {_shorten(silent)} is not known: config/isr.py lets the overscan show it")
    apart = [f"{d.name} {a.name}" for d in camera for a in d.amplifiers if a.overscan_hdu]
    if apart:
        losses.append(
            f"the overscan of {_shorten(apart)} is in an HDU of its own, which camera.yaml cannot name: let the raw "
            "formatter put it behind the data, or set doOverscan to False"
        )
    return losses


def _shorten(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _radial_coefficients(camera: Camera) -> list[float]:
    """Return the coefficients of the radius: 0, 1, 0, c3, 0, c5 and so on."""
    found = [0.0, 1.0, 0.0]
    if isinstance(camera.distortion, RadialDistortion):
        for coefficient in camera.distortion.coefficients:
            found += [float(coefficient), 0.0]
    return found


def _detector(detector: Detector) -> dict[str, Any]:
    own_hdus = len({amp.raw_hdu for amp in detector.amplifiers}) > 1
    first = detector.amplifiers[0].raw_bbox
    amplifiers = {}
    for number, amp in enumerate(detector.amplifiers):
        amplifiers[amp.name] = _amplifier(detector, amp, number, first, own_hdus=own_hdus)
    return {
        "detectorType": DETECTOR_TYPES.index(detector.type),
        "id": detector.id,
        "serial": detector.serial or "unknown",
        "physicalType": detector.physical_type,
        "offset": [float(detector.offset_x), float(detector.offset_y)],
        "refpos": [float(detector.reference_x), float(detector.reference_y)],
        "bbox": [[0, 0], [detector.bbox.width - 1, detector.bbox.height - 1]],
        "pixelSize": [float(detector.pixel_size_x), float(detector.pixel_size_y)],
        "transformDict": {"nativeSys": "Pixels", "transforms": None},
        "transposeDetector": False,
        "pitch": float(detector.pitch),
        "yaw": float(detector.yaw),
        "roll": float(detector.roll),
        "amplifiers": amplifiers,
    }


def _amplifier(detector: Detector, amp: Amplifier, number: int, first: Box, *, own_hdus: bool) -> dict[str, Any]:
    box = amp.bbox
    if box.x_min % box.width or box.y_min % box.height:
        raise PluginError(
            f"detector '{detector.name}', amplifier '{amp.name}': its bbox {box} is not on a grid of its own size, "
            "which camera.yaml of the LSST stack takes for granted; this camera cannot be exported"
        )
    column, row = box.x_min // box.width, box.y_min // box.height
    # The stack adds the tile's place, in extents of the first amplifier, to all raw boxes of a shared image.
    shift = (0, 0) if own_hdus else (column * first.width, row * first.height)
    nominal = amp.nominal
    largest = nominal.saturation if math.isfinite(nominal.saturation) else _UNLIMITED
    coefficients = [float(value) for value in nominal.linearity_coefficients if math.isfinite(value)]
    return {
        "hdu": amp.raw_hdu or number + 1,
        "ixy": [column, row],
        "readCorner": amp.readout_corner,
        "flipXY": [amp.flip_x, amp.flip_y],
        "perAmpData": False,
        "rawBBox": _corner_and_extent(amp.raw_bbox, shift),
        "rawDataBBox": _corner_and_extent(amp.raw_data_bbox, shift),
        "rawSerialPrescanBBox": _corner_and_extent(amp.raw_prescan_bbox, shift),
        "rawSerialOverscanBBox": _corner_and_extent(amp.raw_serial_overscan_bbox, shift),
        "rawParallelPrescanBBox": [[0, 0], [0, 0]],
        "rawParallelOverscanBBox": _corner_and_extent(amp.raw_parallel_overscan_bbox, shift),
        "saturation": float(nominal.saturation),
        "suspect": float(nominal.suspect),
        "linearityType": "PROPORTIONAL" if nominal.linearity_type == "None" else nominal.linearity_type,
        "linearityThreshold": 0.0,
        "linearityMax": float(largest),
        "linearityCoeffs": coefficients or [0.0, float(largest)],
        "gain": float(nominal.gain) if math.isfinite(nominal.gain) else _GAIN,
        "readNoise": float(nominal.read_noise),
    }


def _corner_and_extent(box: Box, shift: tuple[int, int]) -> list[list[int]]:
    if box.is_empty:
        return [[0, 0], [0, 0]]
    return [[box.x_min - shift[0], box.y_min - shift[1]], [box.width, box.height]]
