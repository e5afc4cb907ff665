"""Draw tracts, patches and exposures of a sky map."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from obs.coadds.frames import Frame
from obs.coadds.inputs import patches_near
from obs.plural import count_of
from obs.skymap.projection import TractWcs
from obs.skymap.tract import Tract

__all__ = ["draw_sky_map"]

_SIZE, _DPI = 10.0, 130  # inches
_TRACT, _PATCH, _FRAME = "#c0392b", "#4d5656", "#1f5a99"
_MOST = 10_000  # patches of a tract that are drawn; of more, those near exposures
_LARGEST = 400  # patches of a tract that are named


def draw_sky_map(tracts: Sequence[Tract], frames: Sequence[Frame], file: BinaryIO | Path) -> None:
    """Draw tracts, their patches with names, and exposures to a PNG image, north up and east left.

    Parameters
    ----------
    tracts : sequence of Tract
        The tracts; at least one.
    frames : sequence of Frame
        The exposures.
    file : BinaryIO or Path
        Where to.
    """
    # Imported here because matplotlib takes 0.1 s to load.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.collections import PolyCollection  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    plane = TractWcs(tracts[0].center, 3600.0, "ZEA")
    figure = Figure(figsize=(_SIZE, _SIZE), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()

    def place(corners: Sequence[tuple[float, float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        ra, dec = np.array(corners).T
        x, y = plane.sky_to_pixel(ra=ra, dec=dec)
        return np.stack([-x, y], axis=1)

    outlines = [place([(ra, dec) for ra, dec in frame.outline()]) for frame in frames]
    axes.add_collection(PolyCollection(outlines, facecolors=(*_rgb(_FRAME), 0.12), edgecolors=_FRAME, linewidths=0.6))
    for tract in tracts:
        patches = list(tract) if np.prod(tract.n_patch) <= _MOST else patches_near(frames, tract)
        boxes = [place(tract.corners(patch.inner_box)) for patch in patches]
        axes.add_collection(PolyCollection(boxes, facecolors="none", edgecolors=_PATCH, linewidths=0.5))
        if len(patches) <= _LARGEST:
            for patch, box in zip(patches, boxes, strict=True):
                name = axes.annotate(patch.name, box.mean(axis=0), ha="center", va="center", fontsize=7, color=_PATCH)
                name.set_path_effects([withStroke(linewidth=2, foreground="white")])
        whole = place(tract.corners())
        axes.add_collection(PolyCollection([whole], facecolors="none", edgecolors=_TRACT, linewidths=1.4))
        axes.annotate(
            f"tract {tract.number}",
            whole[2],
            xytext=(-4, -4),
            textcoords="offset points",
            color=_TRACT,
            fontsize=9,
            ha="right",
            va="top",
        )
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.invert_xaxis()
    axes.set_xlabel(f"east of RA {tracts[0].center[0]:.5f} deg (deg)")
    axes.set_ylabel(f"north of Dec {tracts[0].center[1]:.5f} deg (deg)")
    axes.set_title(f"{count_of(len(tracts), 'tract')}, {count_of(len(frames), 'exposure')}")
    figure.savefig(file, format="png", dpi=_DPI)


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
