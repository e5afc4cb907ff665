"""Region files of SAOImage DS9."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np

from obs.display.symbols import SIGMAS, SourceStyle, moment_ellipses, source_positions
from obs.display.view import Outline
from obs.image.catalog import Catalog
from obs.image.wcs import TanSipWcs

__all__ = ["outline_regions", "region_file", "region_text", "source_regions"]

_HEAD = "# Region file format: DS9 version 4.1\nglobal color=green width=1\n"
_RADIUS = 6.0
_COLORS = {"lime": "green", "orange": "orange"}


def region_text(text: str) -> str:
    """Return words in a form that a region may hold."""
    cleaned = "".join(" " if character in "{}\n\r" or not character.isprintable() else character for character in text)
    return "{" + cleaned + "}"


def source_regions(catalog: Catalog, style: SourceStyle, wcs: TanSipWcs | None = None) -> Iterator[str]:
    """Yield a region for each source, with its id as text; pixels are counted from 1, as in DS9.

    Parameters
    ----------
    catalog : Catalog
        The sources.
    style : {"symbols", "ellipses"}
        Circles, or ellipses of 3 sigma of the moments (circles where these are not known).
    wcs : TanSipWcs, optional
        Pixel to sky, for catalogs that have no positions in pixels.
    """
    x, y = source_positions(catalog, wcs)
    names: Sequence[object] = catalog["id"].tolist() if "id" in catalog else range(len(catalog))
    nothing = np.full(len(catalog), np.nan)
    shapes = moment_ellipses(catalog) if style == "ellipses" else None
    a, b, angle = (nothing,) * 3 if shapes is None else (SIGMAS * shapes.a, SIGMAS * shapes.b, shapes.angle)
    for row in np.flatnonzero(np.isfinite(x) & np.isfinite(y)).tolist():
        place = f"{x[row] + 1:.3f},{y[row] + 1:.3f}"
        shape = f"circle({place},{_RADIUS:g})"
        if np.isfinite(a[row]) and np.isfinite(b[row]):
            shape = f"ellipse({place},{a[row]:.3f},{b[row]:.3f},{angle[row]:.2f})"
        yield f"{shape} # tag={region_text(str(names[row]))}"


def outline_regions(outlines: Iterable[Outline]) -> Iterator[str]:
    """Yield a region for each box.

    Parameters
    ----------
    outlines : iterable of Outline
        Boxes in 0-based pixels.

    Yields
    ------
    str
        Region whose pixels count from 1.
    """
    for outline in outlines:
        box = outline.box
        middle = f"{box.x_min + 0.5 + box.width / 2.0:g},{box.y_min + 0.5 + box.height / 2.0:g}"
        color = _COLORS.get(outline.color, outline.color)
        text = region_text(" ".join(filter(None, (outline.text, outline.label))))
        yield f"box({middle},{box.width},{box.height},0) # color={color} text={text}"


def region_file(regions: Iterable[str], system: Literal["image", "physical"] = "image") -> str:
    """Return the content of a region file, in a system of coordinates of DS9.

    Parameters
    ----------
    regions : iterable of str
        Regions, whose pixels count from 1.
    system : {"image", "physical"}, default: "image"
        Coordinates of the image, or of the detector from which it was cut.
    """
    return f"{_HEAD}{system}\n" + "".join(f"{region}\n" for region in regions)
