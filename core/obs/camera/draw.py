"""Draw a focal plane: detectors, amplifiers, where each is read out, and how it stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from obs.camera.amplifier import Amplifier
from obs.camera.camera import Camera
from obs.camera.detector import Detector
from obs.geom import Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_camera"]

_SIZE, _DPI = 12.0, 150  # inches
_FILLS = ("#dfe9f5", "#c9daee")
_TYPE_FILLS = {"FOCUS": ("#f5e8d0", "#eedcb8"), "GUIDER": ("#e2f0dc", "#d2e6c8"), "WAVEFRONT": ("#f0dfee", "#e4cbe1")}
_EDGE, _CORNER, _ARROW = "#33475b", "#c0392b", "#1e6b3a"
_CORNERS = {"LL": (0, 0), "LR": (1, 0), "UR": (1, 1), "UL": (0, 1)}


def draw_camera(camera: Camera, file: BinaryIO | Path) -> None:
    """Draw the focal plane of a camera to a PNG image.

    Amplifiers are shaded in turn; a red triangle fills the corner that each is read from. An arrow from the middle of
    a detector along its x axis, and a shorter one along y, show how it stands. Inset: north and east.

    Parameters
    ----------
    camera : Camera
        The camera.
    file : BinaryIO or Path
        Where to.
    """
    # A tenth of a second to import, for one command.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    outlines = np.concatenate([_corners(detector, detector.bbox) for detector in camera])
    low, high = outlines.min(axis=0), outlines.max(axis=0)
    span = high - low
    width, height = (_SIZE * span / span.max()).clip(min=_SIZE / 3)
    figure = Figure(figsize=(width + 2.2, height + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    text_size = _text_size(camera, float(span.max()))
    for detector in camera:
        _draw_detector(axes, detector, text_size)
    margin = 0.04 * span.max()
    axes.set_xlim(low[0] - margin, high[0] + margin)
    axes.set_ylim(low[1] - margin, high[1] + margin)
    axes.set_aspect("equal")
    axes.set_xlabel("x in the focal plane (mm)")
    axes.set_ylabel("y in the focal plane (mm)")
    axes.set_title(
        f"{camera.name}: detectors {len(camera)}, amplifiers {sum(len(d.amplifiers) for d in camera)}, "
        f"{camera.plate_scale:g} arcsec/mm"
    )
    _draw_compass(axes, camera)
    figure.savefig(file, dpi=_DPI, format="png", metadata={"Software": None})


def _text_size(camera: Camera, span: float) -> float:
    """Return a size of type, points, with which a name fits into the smallest detector."""
    points = _SIZE * 72 / span  # a mm
    sizes = []
    for detector in camera:
        width, height = detector.bbox.width * detector.pixel_size_x, detector.bbox.height * detector.pixel_size_y
        sizes.append(points * min(0.9 * width / max(len(detector.name), 4), 0.13 * height))
    return float(np.clip(min(sizes), 2.0, 16.0))


def _corners(detector: Detector, box: Box) -> NDArray[np.float64]:
    """Return the corners of a box of pixels in the focal plane, counter-clockwise, mm, shape (4, 2)."""
    x = [box.x_min - 0.5, box.x_max - 0.5, box.x_max - 0.5, box.x_min - 0.5]
    y = [box.y_min - 0.5, box.y_min - 0.5, box.y_max - 0.5, box.y_max - 0.5]
    return np.stack(detector.pixel_to_focal_plane(x=x, y=y), axis=1)


def _readout_triangle(detector: Detector, amp: Amplifier) -> NDArray[np.float64]:
    """Return the triangle that marks an amplifier's read-out corner, mm, shape (3, 2)."""
    right, up = _CORNERS[amp.readout_corner]
    corner_x, corner_y = amp.bbox.x_min - 0.5 + right * amp.bbox.width, amp.bbox.y_min - 0.5 + up * amp.bbox.height
    side = min(0.45 * min(amp.bbox.shape), 0.1 * min(detector.bbox.shape))
    x = [corner_x, corner_x + (-side if right else side), corner_x]
    y = [corner_y, corner_y, corner_y + (-side if up else side)]
    return np.stack(detector.pixel_to_focal_plane(x=x, y=y), axis=1)


def _draw_detector(axes: "Axes", detector: Detector, text_size: float) -> None:
    from matplotlib.patches import Polygon  # noqa: PLC0415 - as above

    fills = _TYPE_FILLS.get(detector.type, _FILLS)
    for number, amp in enumerate(detector.amplifiers):
        axes.add_patch(Polygon(_corners(detector, amp.bbox), facecolor=fills[number % 2], edgecolor="none"))
        axes.add_patch(Polygon(_readout_triangle(detector, amp), facecolor=_CORNER, edgecolor="none"))
    axes.add_patch(Polygon(_corners(detector, detector.bbox), fill=False, edgecolor=_EDGE, linewidth=0.6))
    width, height = detector.bbox.width, detector.bbox.height
    side = min(width, height)
    start_x, start_y = width / 2 - 0.3 * side, 0.14 * height
    for reach_x, reach_y in ((0.6 * side, 0.0), (0.0, 0.22 * side)):
        x, y = detector.pixel_to_focal_plane(x=[start_x, start_x + reach_x], y=[start_y, start_y + reach_y])
        _arrow(axes, (x[0], y[0]), (x[1], y[1]), color=_ARROW, linewidth=0.12 * text_size)
    x, y = detector.pixel_to_focal_plane(x=0.5 * (width - 1), y=0.55 * (height - 1))
    # names are read from below or from the right, whatever way the detector is turned
    turn = (detector.yaw + 90.0) % 180.0 - 90.0
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": text_size, "color": "black"}
    axes.text(float(x), float(y), f"{detector.name}\n{detector.id}", rotation=turn, linespacing=1.0, **style)


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float], *, color: str, linewidth: float) -> None:
    properties = {"arrowstyle": "-|>", "color": color, "linewidth": linewidth, "mutation_scale": 8 * linewidth + 3}
    axes.annotate("", xy=end, xytext=start, arrowprops={**properties, "shrinkA": 0, "shrinkB": 0})


def _draw_compass(axes: "Axes", camera: Camera) -> None:
    """Draw north and east, as they are at the camera's own rotation, beside the lower right corner."""
    from matplotlib.text import OffsetFrom  # noqa: PLC0415 - as above

    angle = np.deg2rad(camera.rotation)
    # on the sky y stands `rotation` east of north; east is to the left of north unless x is mirrored
    east_of_y = 1.0 if camera.flip_x else -1.0
    north = np.array([-east_of_y * np.sin(angle), np.cos(angle)])
    east = np.array([east_of_y * np.cos(angle), np.sin(angle)])
    center, length = np.array([48.0, 48.0]), 24.0
    corner = OffsetFrom(axes.patch, (1.0, 0.0), unit="points")
    for way, name in ((north, "N"), (east, "E")):
        tip = center + length * way
        axes.annotate(
            name,
            xy=tuple(center),
            xytext=tuple(tip),
            xycoords=corner,
            textcoords=corner,
            ha="center",
            va="center",
            fontsize=9,
            arrowprops={"arrowstyle": "<|-", "color": "black", "linewidth": 1.0, "shrinkA": 4, "shrinkB": 0},
        )
