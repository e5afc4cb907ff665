"""Draw a frame as it was read and as it is assembled, with the camera's boxes over it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from obs.algorithms.detector.assemble import assemble
from obs.camera.amplifier import Amplifier
from obs.doctor.exposure import RawFrame
from obs.doctor.levels import amplifier_image
from obs.geom import Box

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

__all__ = ["draw_frame"]

_SIZE, _DPI = 11.0, 110  # inches
_MOST = 1100  # pixels of an image that are drawn along a side
_DATA, _SERIAL, _PARALLEL, _PRESCAN, _CORNER = "#2f7ed8", "#e67e22", "#8e44ad", "#16a085", "#c0392b"
_CORNERS = {"LL": (0, 0), "LR": (1, 0), "UR": (1, 1), "UL": (0, 1)}


def draw_frame(frame: RawFrame, file: BinaryIO | Path) -> None:
    """Draw a frame to a PNG image.

    Left the images of the file, right the assembled detector without overscan. Boxes: data blue, overscan behind the
    columns orange, above the rows purple, prescan green. A red triangle fills the corner that is read first.

    Parameters
    ----------
    frame : RawFrame
        The frame.
    file : BinaryIO or Path
        Where to.
    """
    # A tenth of a second to import, for one command.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    height, width = frame.detector.bbox.shape
    figure = Figure(figsize=(2 * _SIZE, min(max(_SIZE * height / width, _SIZE / 3), 2 * _SIZE)), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(1, 2)
    _draw_raw(figure, halves[0, 0], frame)
    _draw_detector(figure.add_subplot(halves[0, 1]), frame)
    figure.suptitle(f"{frame.instrument.name}: {frame.path.name}, detector {frame.detector.name}")
    figure.savefig(file, dpi=_DPI, format="png", metadata={"Software": None})


def _draw_raw(figure: "Figure", half: "SubplotSpec", frame: RawFrame) -> None:
    """Draw the images of the file, those of amplifiers in HDUs of their own beside each other."""
    images = frame.raw.images
    columns = int(np.ceil(np.sqrt(len(images))))
    grid = half.subgridspec(-(-len(images) // columns), columns)
    for number, (hdu, image) in enumerate(sorted(images.items())):
        row, column = divmod(number, columns)
        axes = figure.add_subplot(grid[row, column])
        _show(axes, np.asarray(image))
        axes.set_title(f"raw, HDU {hdu or frame.hdu}: {image.shape[1]} x {image.shape[0]} pixels", fontsize=9)
        for amp in frame.detector.amplifiers:
            if amplifier_image(frame.raw, amp) is image:
                _draw_raw_boxes(axes, amp)


def _draw_raw_boxes(axes: "Axes", amp: Amplifier) -> None:
    for box, color, label in (
        (amp.raw_data_bbox, _DATA, amp.name),
        (amp.raw_serial_overscan_bbox, _SERIAL, ""),
        (amp.raw_parallel_overscan_bbox, _PARALLEL, ""),
        (amp.raw_prescan_bbox, _PRESCAN, ""),
    ):
        _outline(axes, box, color, label)
    right, up = _CORNERS[amp.readout_corner]
    _triangle(axes, amp.raw_data_bbox, bool(right) != amp.flip_x, bool(up) != amp.flip_y)


def _draw_detector(axes: "Axes", frame: RawFrame) -> None:
    amplifiers, shape = frame.detector.amplifiers, frame.detector.bbox.shape
    images = {amp.raw_hdu: np.asarray(amplifier_image(frame.raw, amp), np.float32) for amp in amplifiers}
    # Each amplifier above its own level, so that the eye sees what the amplifiers have in common.
    leveled = np.full(shape, np.nan, np.float32)
    whole = assemble(images, amplifiers, shape, fill=float("nan"))
    for amp in amplifiers:
        box = amp.raw_serial_overscan_bbox
        level = float(np.median(images[amp.raw_hdu][box.slices])) if not box.is_empty else 0.0
        gain = amp.nominal.gain if np.isfinite(amp.nominal.gain) else 1.0
        leveled[amp.bbox.slices] = (whole[amp.bbox.slices] - level) * gain
    _show(axes, leveled)
    axes.set_title(f"assembled, above the overscan, in electrons: {shape[1]} x {shape[0]} pixels", fontsize=9)
    for amp in amplifiers:
        _outline(axes, amp.bbox, _DATA, amp.name)
        right, up = _CORNERS[amp.readout_corner]
        _triangle(axes, amp.bbox, bool(right), bool(up))


def _show(axes: "Axes", image: NDArray[Any]) -> None:
    """Draw an image, thinned to what a screen shows, from its first to its 99th percentile."""
    step = max(1, -(-max(image.shape) // _MOST))
    thin = image[::step, ::step].astype(np.float32)
    good = thin[np.isfinite(thin)]
    low, high = np.percentile(good, (1, 99)) if good.size else (0.0, 1.0)
    height, width = image.shape
    axes.imshow(
        thin,
        origin="lower",
        cmap="gray",
        vmin=float(low),
        vmax=float(max(high, low + 1.0)),
        extent=(-0.5, width - 0.5, -0.5, height - 0.5),
        interpolation="nearest",
    )
    axes.tick_params(labelsize=7)


def _outline(axes: "Axes", box: Box, color: str, label: str) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - as above

    if box.is_empty:
        return
    corner = box.x_min - 0.5, box.y_min - 0.5
    axes.add_patch(Rectangle(corner, box.width, box.height, fill=False, edgecolor=color, linewidth=1.2))
    if label:
        center = box.x_min + box.width / 2, box.y_min + box.height / 2
        axes.text(*center, label, color=color, ha="center", va="center", fontsize=11, fontweight="bold")


def _triangle(axes: "Axes", box: Box, right: bool, up: bool) -> None:
    from matplotlib.patches import Polygon  # noqa: PLC0415 - as above

    if box.is_empty:
        return
    side = 0.12 * min(box.shape)
    x, y = box.x_min - 0.5 + right * box.width, box.y_min - 0.5 + up * box.height
    corners = [(x, y), (x - side if right else x + side, y), (x, y - side if up else y + side)]
    axes.add_patch(Polygon(corners, facecolor=_CORNER, edgecolor="none"))
