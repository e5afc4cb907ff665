"""Sources as symbols or ellipses over an image."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from obs.errors import DatasetNotFoundError
from obs.frozen import frozen
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs
from obs.plural import count_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SIGMAS", "Ellipses", "SourceStyle", "draw_sources", "moment_ellipses", "source_positions"]

SourceStyle = Literal["none", "symbols", "ellipses"]

SIGMAS = 3.0
"""Semi-axes of ellipses in units of the root of the second moments."""

_CENTROID, _SHAPE = "base_SdssCentroid", "base_SdssShape"
_COLOR = "darkorange"


@frozen
class Ellipses:
    """Ellipses of the moments of sources.

    Parameters
    ----------
    a, b : ndarray of float64, shape (n,)
        Semi-axes of one sigma, pixels; NaN where the moments are not known.
    angle : ndarray of float64, shape (n,)
        Angle of the major axis, degrees from x to y.
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    angle: NDArray[np.float64]


def source_positions(catalog: Catalog, wcs: TanSipWcs | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions of sources in the image: the centroids, or else the places of their coordinates.

    Parameters
    ----------
    catalog : Catalog
        The sources.
    wcs : TanSipWcs, optional
        Pixel to sky.

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        Pixels.

    Raises
    ------
    DatasetNotFoundError
        If the catalog has no positions that could be used.
    """
    if f"{_CENTROID}_x" in catalog:
        return catalog[f"{_CENTROID}_x"].astype(float), catalog[f"{_CENTROID}_y"].astype(float)
    if "coord_ra" in catalog and wcs is not None:
        turn = np.degrees if catalog.columns["coord_ra"].unit == "rad" else np.asarray
        return wcs.sky_to_pixel(ra=turn(catalog["coord_ra"]), dec=turn(catalog["coord_dec"]))
    raise DatasetNotFoundError(
        f"the catalog has no positions for this image: it needs {_CENTROID}_x and _y, or coord_ra, coord_dec and a WCS"
    )


def moment_ellipses(catalog: Catalog) -> Ellipses:
    """Return the ellipses of the second moments of sources.

    Parameters
    ----------
    catalog : Catalog
        Sources with ``base_SdssShape_xx``, ``_yy`` and ``_xy``, pixels squared.

    Raises
    ------
    DatasetNotFoundError
        If the catalog has no moments.
    """
    if f"{_SHAPE}_xx" not in catalog:
        raise DatasetNotFoundError(f"the catalog has no moments {_SHAPE}_xx, _yy and _xy: show symbols instead")
    xx, yy, xy = (catalog[f"{_SHAPE}_{name}"].astype(float) for name in ("xx", "yy", "xy"))
    mean, spread = (xx + yy) / 2.0, np.hypot((xx - yy) / 2.0, xy)
    with np.errstate(invalid="ignore"):
        a, b = np.sqrt(mean + spread), np.sqrt(mean - spread)
    return Ellipses(a, b, np.degrees(0.5 * np.arctan2(2.0 * xy, xx - yy)))


def draw_sources(
    axes: "Axes",
    catalog: Catalog,
    style: SourceStyle,
    *,
    wcs: TanSipWcs | None,
    low: tuple[float, float],
    high: tuple[float, float],
) -> str:
    """Draw the sources in a part of the image.

    Parameters
    ----------
    axes : Axes
        Axes in pixels.
    catalog : Catalog
        The sources.
    style : {"symbols", "ellipses"}
        How.
    wcs : TanSipWcs or None
        Pixel to sky, for pixels as on the axes.
    low, high : tuple of float
        Corners (x, y) of the part, pixels.

    Returns
    -------
    str
        Words for the legend.
    """
    from matplotlib.collections import EllipseCollection  # noqa: PLC0415 - matplotlib takes long to import

    x, y = source_positions(catalog, wcs)
    with np.errstate(invalid="ignore"):
        inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    count = int(inside.sum())
    words = count_of(count, "source")
    if style == "symbols":
        size = float(np.clip(3000.0 / max(count, 1), 12.0, 60.0))
        axes.scatter(x[inside], y[inside], s=size, marker="o", facecolors="none", edgecolors=_COLOR, linewidths=0.8)
        return words
    found = moment_ellipses(catalog.select(inside))
    known = np.isfinite(found.a) & np.isfinite(found.b)
    axes.add_collection(
        EllipseCollection(
            2.0 * SIGMAS * found.a[known],
            2.0 * SIGMAS * found.b[known],
            found.angle[known],
            units="xy",
            offsets=np.stack([x[inside][known], y[inside][known]], axis=1),
            offset_transform=axes.transData,
            facecolors="none",
            edgecolors=_COLOR,
            linewidths=0.8,
        )
    )
    axes.plot(x[inside][~known], y[inside][~known], "x", color=_COLOR, markersize=4)
    missing = int((~known).sum())
    return f"{words}, {SIGMAS:g} sigma of the moments" + (f" ({missing} without: crosses)" if missing else "")
