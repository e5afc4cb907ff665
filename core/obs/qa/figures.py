"""Pictures of results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from obs.display.binning import bin_image, bin_step
from obs.image.exposure import Exposure
from obs.policy.data_id import format_data_id
from obs.qa.report import FrameReport
from obs.repo.atomic import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_report", "show_magnitudes"]

_WIDTH = 12.0  # inches
_NAMED = 6  # more frames than these have no legend
_LARGEST = 1200  # pixels a side of the image that is shown
_SOFTENING = 8.0
_PERCENT = 98.0


def draw_report(reports: Sequence[FrameReport], exposure: Exposure, path: Path) -> None:
    """Draw an image and the errors of stars' magnitudes and positions into a PNG file.

    Parameters
    ----------
    reports : sequence of FrameReport
        The frames; the errors of all of them are shown.
    exposure : Exposure
        Calibrated image of the first.
    path : Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    # Not pyplot, which would look for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import, and only for this
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    ny, nx = exposure.masked_image.image.shape
    # the image has three fifths of the width
    figure = Figure(figsize=(_WIDTH, float(np.clip(0.6 * _WIDTH * ny / nx + 0.6, 6.0, 9.0))), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 5)
    _show_image(figure.add_subplot(grid[:, :3]), exposure, format_data_id(reports[0].data_id))
    show_magnitudes(figure.add_subplot(grid[0, 3:]), {format_data_id(one.data_id): [one] for one in reports})
    _show_positions(figure.add_subplot(grid[1, 3:]), reports)
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=100, metadata={"Software": "obs"})


def _show_image(axes: "Axes", exposure: Exposure, title: str) -> None:
    image = exposure.masked_image.image
    step = bin_step((image.shape[0], image.shape[1]), _LARGEST)
    shown = _stretch(bin_image(image, step))
    extent = (-0.5, image.shape[1] - 0.5, -0.5, image.shape[0] - 0.5)
    axes.imshow(shown, origin="lower", cmap="gray", extent=extent, interpolation="nearest", vmin=0.0, vmax=1.0)
    axes.set(title=title, xlabel="x / pixel", ylabel="y / pixel")


def _stretch(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an image from 0 to 1 in which faint and bright sources are seen."""
    level = np.nanmedian(image)
    noise = max(float(1.4826 * np.nanmedian(np.abs(image - level))), 1e-6)
    bright = np.arcsinh((image - level) / (_SOFTENING * noise))
    low, high = np.arcsinh(-2.0 / _SOFTENING), np.arcsinh(400.0 / _SOFTENING)
    stretched: NDArray[np.float32] = np.clip((bright - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return stretched


def show_magnitudes(axes: "Axes", groups: Mapping[str, Sequence[FrameReport]]) -> None:
    """Draw errors of the magnitudes of isolated stars against true magnitudes, a color for each group of frames.

    Parameters
    ----------
    axes : Axes
        Where.
    groups : mapping of str to sequence of FrameReport
        Name of each group to its frames.
    """
    shown = []
    for name, reports in groups.items():
        magnitude = np.concatenate([report.comparison.magnitude for report in reports])
        shown.append(1e3 * np.concatenate([report.comparison.magnitude_error for report in reports]))
        axes.plot(magnitude, shown[-1], ".", markersize=2, alpha=0.5, label=name)
    axes.axhline(0.0, color="black", linewidth=0.8)
    limit = _limit(np.concatenate(shown))
    axes.set(xlabel="true magnitude", ylabel="measured - true / mmag", ylim=(-limit, limit), title="Isolated stars")
    if len(groups) <= _NAMED:
        axes.legend(loc="lower left", fontsize="small", markerscale=4.0)


def _show_positions(axes: "Axes", reports: Sequence[FrameReport]) -> None:
    pairs = [(r.comparison.ra_error[r.comparison.bright], r.comparison.dec_error[r.comparison.bright]) for r in reports]
    for east, north in pairs:
        axes.plot(east, north, ".", markersize=3, alpha=0.5)
    limit = _limit(np.concatenate([axis for pair in pairs for axis in pair]))
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set(xlim=(limit, -limit), ylim=(-limit, limit), aspect="equal")
    axes.set(xlabel="right ascension, measured - true / mas", ylabel="declination / mas", title="Bright isolated stars")


def _limit(values: NDArray[Any]) -> float:
    """Return how far an axis reaches so that nearly all values are on it."""
    known = np.abs(values[np.isfinite(values)])
    return max(1.0, 1.3 * float(np.percentile(known, _PERCENT))) if len(known) else 1.0
