"""How a camera is mounted and how large its pixels are on the sky, as processed exposures show, for camera.yaml."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from obs.algorithms.astrometry.compare import compare_wcs
from obs.camera.detector import Detector
from obs.errors import DataIdError, FileFormatError, MeasurementError, ObsError
from obs.frozen import frozen
from obs.instrument.boresight_wcs import fit_boresight_wcs
from obs.instrument.instrument import Instrument
from obs.instrument.possible_wcs import boresight_wcs
from obs.policy.data_id import DataId
from obs.repo.atomic import atomic_write
from obs.repo.butler import Butler
from obs.repo.find_datasets import find_datasets
from obs.repo.fits_exposure_header import header_box, header_visit_info, header_wcs
from obs.small_file import read_small_text

__all__ = ["MountedCamera", "find_mount", "write_mount"]

_METADATA = "processCcd_metadata"
#: Exposures agree within so many degrees, and within this part of their scale.
_DEGREES, _SCALE = 0.5, 0.005
#: Part of the exposures that must agree.
_AGREEING = 0.8


@frozen
class MountedCamera:
    """Orientation and scale that camera.yaml should contain.

    Attributes
    ----------
    rotation : float
        Angle from north to the focal plane's y axis, through east, degrees.
    flip_x : bool
        Whether the optics mirror.
    plate_scale : float
        Scale, arcsec/mm.
    n_exposure : int
        Number of detector images that were looked at.
    n_flipped : int
        Number of those that stand upside down against the others, as behind a meridian flip.
    """

    rotation: float
    flip_x: bool
    plate_scale: float
    n_exposure: int
    n_flipped: int


def find_mount(butler: Butler, elsewhere: Collection[int] = ()) -> MountedCamera:
    """Return how the camera is mounted, from the WCS of all exposures of an output.

    Parameters
    ----------
    butler : Butler
        Butler of the repository; its output is read if it has one.
    elsewhere : collection of int, optional
        Ids of detectors that lie elsewhere than the camera says, and so do not show how it is mounted.

    Raises
    ------
    MeasurementError
        If no exposure was matched to a reference catalog, or they do not agree.
    """
    changes, names = _changes(butler, butler.output or butler.root, elsewhere)
    if not len(changes):
        raise MeasurementError(
            f"{butler.root} has no exposure whose WCS was fitted to a reference catalog; process some first"
        )
    rotation, scale, mirrored = changes.T
    is_mirrored = bool(mirrored[0])
    if not (mirrored == is_mirrored).all():
        if odd := _mirrored_detectors(names, mirrored):
            raise MeasurementError(
                f"mirrored against the others, in all exposures: {', '.join(odd)}; change flip_x of their amplifiers "
                "in amplifiers.csv (0 to 1, 1 to 0), order their bbox_x_min from the other side, and process again"
            )
        raise MeasurementError(f"{int(mirrored.sum())} of {len(mirrored)} exposures are mirrored, the others are not")
    # A mount that flips turns the camera by 180 degrees; doubled angles do not see that.
    double = np.exp(2j * np.deg2rad(rotation))
    axis = np.rad2deg(np.angle(np.median(double.real) + 1j * np.median(double.imag))) / 2.0
    if np.sum(np.abs(_turn(rotation - axis)) > 90.0) * 2 > len(rotation):
        axis += 180.0
    distance = np.abs(_turn(rotation - axis))
    flipped = distance > 90.0
    agreeing = np.minimum(distance, 180.0 - distance) <= _DEGREES
    factor = float(np.median(scale))
    agreeing &= np.abs(scale / factor - 1.0) <= _SCALE
    if agreeing.mean() < _AGREEING:
        raise MeasurementError(
            f"{int((~agreeing).sum())} of {len(rotation)} exposures disagree: they are turned by {rotation.min():.2f} "
            f"to {rotation.max():.2f} degrees, and scaled by {scale.min():.4f} to {scale.max():.4f}; "
            "a camera that is turned between exposures needs a rotation angle in its headers"
        )
    camera = butler.instrument.load_camera()
    if is_mirrored and any(detector.yaw % 360.0 for detector in camera.detectors):
        raise MeasurementError(
            "the frames are mirrored, and detectors of this camera are turned: change orientation.flip_x by hand, and "
            "process again"
        )
    return MountedCamera(
        rotation=float(_turn(camera.rotation + axis)),
        flip_x=camera.flip_x != is_mirrored,
        plate_scale=camera.plate_scale * factor,
        n_exposure=len(rotation),
        n_flipped=int(flipped.sum()),
    )


def _mirrored_detectors(names: Sequence[str], mirrored: NDArray[np.float64]) -> list[str]:
    """Return the detectors whose parity differs from that of most; none if a detector's own exposures disagree."""
    seen: dict[str, set[float]] = {}
    for name, parity in zip(names, mirrored, strict=True):
        seen.setdefault(name, set()).add(float(parity))
    if len(seen) < 2 or any(len(parities) > 1 for parities in seen.values()):
        return []
    odd = float(2 * sum(1.0 in parities for parities in seen.values()) <= len(seen))
    return sorted(name for name, parities in seen.items() if odd in parities)


def _changes(butler: Butler, root: Path, elsewhere: Collection[int]) -> tuple[NDArray[np.float64], list[str]]:
    """Return rotation, scale and parity of WCSs against those from the camera, shape (n, 3), and their detectors."""
    kind = butler.mapper.dataset_type(_METADATA)
    rows, names = [], []
    for path in find_datasets([root], [kind]).get(_METADATA, {}).values():
        data_id = kind.parse(path.relative_to(root).as_posix())
        facts = butler.get(_METADATA, data_id) if data_id is not None else {}
        row = [facts.get("wcs_rotation", np.nan), facts.get("wcs_scale", np.nan), facts.get("wcs_mirrored", False)]
        if data_id is None or facts.get("status") != "done":
            continue
        try:
            detector = butler.instrument.find_detector(data_id)
        except DataIdError:  # the registry knows the rest
            detector = butler.instrument.find_detector(butler.complete_raw(data_id))
        if detector.id in elsewhere:
            continue
        if not all(np.isfinite(float(value)) for value in row):  # it came without a WCS
            row = []
        if row or np.isfinite(facts.get("astrometric_scatter", np.nan)):
            row = _change_now(butler, data_id, detector) or row
        if row:
            rows.append([float(value) for value in row])
            names.append(detector.name)
    return np.array(rows).reshape(-1, 3), names


def _change_now(butler: Butler, data_id: DataId, detector: Detector) -> list[float]:
    """Return rotation, scale and parity of a fitted WCS against the camera as it is now; nothing without an image.

    The metadata of an exposure tell them against the camera as it was when the exposure was processed.
    """
    try:
        header = butler.get("calexp_md", data_id)
    except ObsError:
        return []
    wcs, info, camera = header_wcs(header), header_visit_info(header), butler.instrument.load_camera()
    if wcs is None:
        return []
    height, width = shape = header_box(header).shape
    if info is not None and np.isfinite(info.boresight_ra + info.boresight_dec):
        expected = boresight_wcs(camera, detector=detector, info=info)
    else:
        ra, dec = wcs.pixel_to_sky(x=0.5 * (width - 1), y=0.5 * (height - 1))
        expected = fit_boresight_wcs(camera, detector, boresight_ra=float(ra), boresight_dec=float(dec))
    change = compare_wcs(wcs, expected, shape)
    return [change.rotation, change.scale, float(change.mirrored)]


def _turn(degrees: ArrayLike) -> NDArray[np.float64]:
    """Return angles from -180 to 180 degrees."""
    return np.asarray((np.asarray(degrees) + 180.0) % 360.0 - 180.0)


def write_mount(instrument: Instrument, mount: MountedCamera) -> Path:
    """Write rotation, parity and scale into camera.yaml, whose other lines stay as they are; return its path.

    Parameters
    ----------
    instrument : Instrument
        Camera whose folder is written to.
    mount : MountedCamera
        Plate scale (arcsec/mm), rotation (degrees) and parity.

    Raises
    ------
    FileFormatError
        If the file lacks one of the lines.
    OutputError
        If it cannot be written.
    """
    path = instrument.camera_folder / "camera.yaml"
    text = read_small_text(path, error=FileFormatError)
    values = {
        "plate_scale": f"{mount.plate_scale:.7g}",
        "rotation": f"{mount.rotation:.3f}",
        "flip_x": str(mount.flip_x).lower(),
    }
    if not re.search(r"(?m)^orientation:", text):
        # generated packages have the lines behind # where nothing is known
        text = re.sub(r"(?m)^#[ \t]*(orientation:|rotation:|flip_x:).*\n?", "", text).rstrip("\n")
        text += "\norientation:\n  rotation: 0.0  # degrees from north to y, through east\n  flip_x: false\n"
    for key, value in values.items():
        found = re.search(rf"(?m)^\s*{key}:[ \t]*([^\s#]+)(.*?)(; from .*)?$", text)
        if found is None:
            raise FileFormatError(f"has no line '{key}:'; write {key}: {value} there", path=path)
        # what a generated package says of where the old value came from is true no more
        source = "; from the stars" if found[3] else ""
        text = f"{text[: found.start(1)]}{value}{found[2]}{source}{text[found.end() :]}"
    with atomic_write(path) as file:
        file.write(text.encode())
    return path
