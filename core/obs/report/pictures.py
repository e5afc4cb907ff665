"""Small pictures of calibrated images, and what their plots need, of the frames that somebody will look at."""

import base64
import io
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.display.binning import bin_image, bin_mask, bin_step
from obs.display.limits import find_limits
from obs.display.mask_colors import PLANE_COLORS, RGB
from obs.display.thumbnail import gray_levels
from obs.errors import ObsError
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.metrics.nights import visit_name
from obs.repo.butler import Butler
from obs.report.night import Frame, Night
from obs.report.residual import subtract_stars
from obs.report.stars import star_data

__all__ = ["Pictures", "add_other_pictures", "extract_data_id", "make_pictures"]

logger = logging.getLogger(__name__)

THUMBNAIL = 256
_QUALITY = 82
#: Length of the arrows to north and east on the sky, degrees.
_STEP = 0.001
#: Pixels of the longer side, and number, of the pictures that make that of the focal plane.
_SMALL, _MOST_SMALL = 96, 220
#: Planes that the mask picture shows; later ones lie on top.
_PLANES = ("EDGE", "SUSPECT", "SAT", "CR", "BAD")
_OPACITY = 170
#: Black and white of the residual, in noise of a block of pixels.
_RESIDUAL = 10.0
#: Frames with pictures and star plots at most, for pages that can be mailed.
MOST_PICTURES = 60


@dataclass
class Pictures:
    """Pictures and stars of some frames, and the outlines of detectors.

    Attributes
    ----------
    images : dict
        Frame to ``image`` and ``mask`` as data URIs, and ``text``; ``other`` is the image of another rerun.
    stars : dict
        Frame to columns of its stars; see `obs.report.stars.star_data`.
    focal : dict
        Detector name to its corners in the focal plane, mm.
    compass : dict
        Visit to the directions of north and east in the focal plane, two unit vectors.
    limits : dict
        Frame to the pixel values that are black and white in its image.
    """

    images: dict[str, dict[str, str]] = field(default_factory=dict)
    stars: dict[str, dict[str, Any]] = field(default_factory=dict)
    focal: dict[str, list[list[float]]] = field(default_factory=dict)
    compass: dict[str, list[list[float]]] = field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)


def make_pictures(
    butler: Butler, night: Night, *, most: int = MOST_PICTURES, known: Pictures | None = None
) -> Pictures:
    """Return pictures and stars of the frames that are not good and of the median one, or of all if they are few.

    Parameters
    ----------
    butler : Butler
        The output.
    night : Night
        The frames.
    most : int, optional
        Frames at most.
    known : Pictures, optional
        Pictures that were made before; those of other frames are added.

    Returns
    -------
    Pictures
        Frames without a calibrated image have none.
    """
    pictures = known or Pictures()
    if night.is_mosaic and not pictures.focal:
        try:
            pictures.focal = _outlines(butler)
        except ObsError as error:
            logger.info("no map of the focal plane: %s", error)
    for frame in choose_frames(night.detectors, most):
        if frame.name not in pictures.images or "mini" in pictures.images[frame.name]:
            _try(pictures, butler, frame, _add)
    if night.is_mosaic and most:
        for frame in _typical_visit(night):
            if frame.name not in pictures.images:
                _try(pictures, butler, frame, _add_small)
    return pictures


def add_other_pictures(pictures: Pictures, butler: Butler, night: Night) -> None:
    """Add the images that another rerun has of the frames with large pictures, in the same gray levels.

    Parameters
    ----------
    pictures : Pictures
        The pictures of this rerun; changed in place.
    butler : Butler
        The output of the other.
    night : Night
        The frames of this rerun.
    """
    for frame in night.detectors:
        if frame.name in pictures.limits and "other" not in pictures.images[frame.name]:
            _try(pictures, butler, frame, _add_other)


def _add_other(pictures: Pictures, butler: Butler, frame: Frame) -> None:
    pixels = butler.get("calexp", extract_data_id(frame.row)).masked_image.image
    small = bin_image(pixels, bin_step(pixels.shape, THUMBNAIL))
    pictures.images[frame.name]["other"] = _jpeg(gray_levels(small, pictures.limits[frame.name]))


def _try(pictures: Pictures, butler: Butler, frame: Frame, add: Callable[[Pictures, Butler, Frame], None]) -> None:
    """Add the picture of a frame that is done; a frame that cannot be read has none."""
    if frame.row.get("status") != "done":
        return
    try:
        add(pictures, butler, frame)
    except (ObsError, ValueError, KeyError, OSError) as error:
        logger.info("no picture of %s: %s", frame.name, error)


def _typical_visit(night: Night) -> list[Frame]:
    """Return the detectors of the visit whose seeing is the median: they make the picture of the focal plane."""
    known = sorted(
        (frame for frame in night.visits if frame.row.get("seeing") is not None),
        key=lambda frame: float(frame.row["seeing"]),
    )
    if not known:
        return []
    chosen = known[len(known) // 2].name
    return [frame for frame in night.detectors if night.find_visit(frame) == chosen][:_MOST_SMALL]


def choose_frames(frames: Sequence[Frame], most: int) -> list[Frame]:
    """Return all frames if they are few; else the worst of each cause, those that are not good, and the median one."""
    if len(frames) <= most:
        return list(frames)
    order = {"bad": 0, "failed": 1, "look": 2}
    flawed = [frame for frame in frames if frame.verdict.level in order]
    worst = sorted(flawed, key=lambda frame: order[frame.verdict.level])
    good = [frame for frame in frames if frame.verdict.level == "good" and frame.row.get("seeing") is not None]
    good.sort(key=lambda frame: float(frame.row["seeing"]))
    median = [good[len(good) // 2]] if good else []
    return [*median, *worst[: most - 1]]


def extract_data_id(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data ID of a row of metrics.

    Parameters
    ----------
    row : mapping
        Row of the table of metrics.
    """
    names = [word.partition("=")[0] for word in str(row["data_id"]).split() if "=" in word]
    return {name: row[name] for name in names if row.get(name) is not None}


def _add(pictures: Pictures, butler: Butler, frame: Frame) -> None:
    data_id = extract_data_id(frame.row)
    exposure: Exposure = butler.get("calexp", data_id)
    image, text, pictures.limits[frame.name] = _thumbnail(exposure)
    pictures.images[frame.name] = {"image": image, "mask": _mask_picture(exposure.masked_image.mask), "text": text}
    catalog = butler.get("src", data_id) if butler.exists("src", data_id) else None
    if catalog is not None:
        residual = subtract_stars(exposure, catalog)
        if residual is not None:
            picture, limit = _residual_picture(residual)
            pictures.images[frame.name] |= {"residual": picture, "limit": limit}
        matches = butler.get("srcMatchFull", data_id) if butler.exists("srcMatchFull", data_id) else None
        pictures.stars[frame.name] = star_data(exposure, catalog, matches)


def _add_small(pictures: Pictures, butler: Butler, frame: Frame) -> None:
    """Add a small picture, and the plots, which are drawn from numbers."""
    data_id = extract_data_id(frame.row)
    exposure: Exposure = butler.get("calexp", data_id)
    visit = visit_name(frame.row)
    if visit not in pictures.compass and (found := _compass(butler, exposure, frame)) is not None:
        pictures.compass[visit] = found
    image, text, _ = _thumbnail(exposure, _SMALL)
    pictures.images[frame.name] = {"image": image, "mask": "", "text": text, "mini": "1"}
    if butler.exists("src", data_id):
        matches = butler.get("srcMatchFull", data_id) if butler.exists("srcMatchFull", data_id) else None
        pictures.stars[frame.name] = star_data(exposure, butler.get("src", data_id), matches)


def _compass(butler: Butler, exposure: Exposure, frame: Frame) -> list[list[float]] | None:
    """Return the directions of north and east in the focal plane, unit vectors; None without WCS or detector."""
    if exposure.wcs is None:
        return None
    try:
        detector = butler.instrument.load_camera().detector(str(frame.row.get("detector_name") or ""))
    except ObsError:
        return None
    height, width = exposure.shape
    ra, dec = (float(value) for value in exposure.wcs.pixel_to_sky(x=0.5 * (width - 1), y=0.5 * (height - 1)))
    east = _STEP / max(math.cos(math.radians(dec)), 1e-3)
    x, y = exposure.wcs.sky_to_pixel(ra=[ra, ra, ra + east], dec=[dec, dec + _STEP, dec])
    place = np.stack(detector.pixel_to_focal_plane(x=x, y=y), axis=1)
    return [[round(float(part), 4) for part in (to - place[0]) / np.hypot(*(to - place[0]))] for to in place[1:]]


def _outlines(butler: Butler) -> dict[str, list[list[float]]]:
    """Return the corners of science detectors in the focal plane, mm."""
    found = {}
    for detector in butler.instrument.load_camera():
        if detector.type != "SCIENCE":
            continue
        box = detector.bbox
        x = np.array([box.x_min, box.x_max, box.x_max, box.x_min], float) - 0.5
        y = np.array([box.y_min, box.y_min, box.y_max, box.y_max], float) - 0.5
        u, v = detector.pixel_to_focal_plane(x=x, y=y)
        found[detector.name] = [[round(float(a), 3), round(float(b), 3)] for a, b in zip(u, v, strict=True)]
    return found


def _thumbnail(exposure: Exposure, size: int = THUMBNAIL) -> tuple[str, str, tuple[float, float]]:
    """Return a JPEG of a background-subtracted image, means of blocks, how gray levels are to be read, and these."""
    pixels = exposure.masked_image.image
    step = bin_step(exposure.shape, size)
    small = bin_image(pixels, step)
    limits = find_limits(small)
    text = f"means of {step} by {step} pixels, black to white {limits[0]:.3g} to {limits[1]:.3g} adu"
    return _jpeg(gray_levels(small, limits)), text, limits


def _residual_picture(residual: NDArray[np.float32]) -> tuple[str, str]:
    """Return a JPEG of an image without its stars, and what black and white are."""
    step = bin_step((residual.shape[0], residual.shape[1]), THUMBNAIL)
    # the mean of a block has this much less noise
    small = bin_image(residual, step) * np.float32(step)
    return _jpeg(gray_levels(small, (-_RESIDUAL, _RESIDUAL))), f"{_RESIDUAL:g}"


def _jpeg(levels: NDArray[np.uint8]) -> str:
    from PIL import Image  # noqa: PLC0415 - slow to import, and only reports need it

    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _mask_picture(mask: Mask) -> str:
    """Return a PNG with the masked pixels in color, transparent elsewhere; empty if none is masked."""
    from PIL import Image  # noqa: PLC0415 - as above

    blocks = bin_mask(mask.array, bin_step(mask.shape, THUMBNAIL))
    index = np.zeros(blocks.shape, np.uint8)
    colors: list[int] = [0, 0, 0]
    for number, name in enumerate(_PLANES, 1):
        index[(blocks & mask.known_bits([name])) != 0] = number
        colors += [round(255 * part) for part in RGB[PLANE_COLORS[name]]]
    if not index.any():
        return ""
    image = Image.fromarray(index[::-1], mode="P")
    image.putpalette(colors)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, transparency=bytes([0, *[_OPACITY] * len(_PLANES)]))
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
