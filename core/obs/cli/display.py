"""`obs display`: pictures of images."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import numpy as np

from obs.cli.display_subject import Asked, Subject, find_subjects, other_subject
from obs.display.compare import How, blink, difference
from obs.display.draw import draw_view, pixel_extent
from obs.display.ds9.viewer import connect
from obs.display.look import Look
from obs.display.picture import Animation, Picture, has_screen
from obs.display.regions import outline_regions, region_file, source_regions
from obs.display.rgb import draw_rgb
from obs.display.symbols import source_positions
from obs.display.view import View
from obs.display.zoom import Zoom, parse_zoom
from obs.errors import ConfigError, DataIdError, DatasetNotFoundError, OutputError
from obs.image.catalog import Catalog
from obs.instrument.discovery import load_instrument
from obs.repo.atomic import atomic_write

__all__ = ["display"]

_AROUND_SOURCE = 100
"""Pixels a side of the part around a source."""
_SMALL_PART = 0.5
"""A picture is cut to the box with data if this is less of the image."""
_LONGEST_NAME = 100


def display(
    places: tuple[str, ...],
    ids: list[list[str]],
    output: Path | None,
    scale: str,
    stretch: Any,  # noqa: ANN401 - one of the choices of the option
    limits: str | None,
    colormap: str,
    planes: str | None,
    transparency: float,
    sources: Any,  # noqa: ANN401 - one of the choices of the option
    catalog: str | None,
    zoom: str | None,
    source: int | None,
    compare: tuple[str, str] | None,
    how: How,
    rgb: bool,
    regions: Path | None,
    ds9: bool,
    frame: int,
    clobber: bool,
    camera: str | None,
) -> int:
    """Do what the command says; see obs.cli.commands.display."""
    for path in filter(None, (output, regions)):
        if path.exists() and not clobber:
            raise OutputError(f"{path} is there already; --clobber replaces it", path=path)
    look = Look(
        scale=scale,
        stretch=stretch,
        limits=_pair(limits),
        colormap=colormap,
        planes=_names(planes),
        transparency=transparency,
        sources=sources or ("none" if source is None else "symbols"),
    )
    part = None if zoom is None else parse_zoom(zoom)
    instrument = None if camera is None else load_instrument(camera)
    if compare is not None:
        asked = Asked.from_words(places, ids, instrument) if places else Asked()
        first, second = _same_part([other_subject(asked, word).view for word in compare], part)
        result = blink(first, second, look) if how == "blink" else difference(first, second, look)
        return _write_or_show(result, output)
    subjects = find_subjects(Asked.from_words(places, ids, instrument))
    if rgb:
        return _write_or_show(draw_rgb(_same_part([one.view for one in _by_wavelength(subjects)], part), look), output)
    if len(subjects) != 1:
        some = "; ".join(subject.view.title for subject in subjects[:3])
        raise DataIdError(f"{len(subjects)} images match ({some}, ...): name one, or ask for --rgb or --compare")
    for line in subjects[0].warnings:
        click.echo(f"WARNING {line}", err=True)
    is_picture = not ds9 and regions is None
    asked_for = sources is not None  # else only the source that is named
    view, stars = _shown(
        *(subjects[0], part, source, look, catalog),
        with_others=asked_for,
        need=regions is not None,
        is_picture=is_picture,
    )
    with nullcontext() if regions is None else _regions_written(regions, view, stars, look):
        if ds9:
            _show_in_ds9(view, stars, look, frame)
        if output is None and (ds9 or regions is not None):
            return 0
        return _write_or_show(draw_view(view, look, stars), output)


def _pair(text: str | None) -> tuple[float, float] | None:
    """Return the numbers of ``LOW,HIGH``."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ConfigError(f"limits: expected LOW,HIGH such as -10,100, got '{text}'")
    return low, high


def _names(text: str | None) -> tuple[str, ...] | None:
    """Return the names of mask planes; none for ``none``, None for all."""
    if text is None or text == "all":
        return None
    return () if text == "none" else tuple(name.strip() for name in text.split(",") if name.strip())


def _by_wavelength(subjects: list[Subject]) -> list[Subject]:
    """Return images from the longest wavelength to the shortest, or as they came if one is not known."""
    if any(math.isnan(subject.wavelength) for subject in subjects):
        click.echo(
            "WARNING wavelengths of the filters are not known: red, green, blue are in the order given", err=True
        )
        return subjects
    return sorted(subjects, key=lambda subject: -subject.wavelength)


def _same_part(views: list[View], part: Zoom | None) -> list[View]:
    """Return the part of the first image; the others stay whole if they can be put on its pixels by their WCS."""
    if part is None:
        return views
    box = part.box(views[0].wcs)
    by_wcs = all(view.wcs is not None for view in views)
    return [view if by_wcs and number else view.cut(box) for number, view in enumerate(views)]


def _shown(
    subject: Subject,
    part: Zoom | None,
    source: int | None,
    look: Look,
    catalog: str | None,
    *,
    with_others: bool = False,
    need: bool = False,
    is_picture: bool = True,
) -> tuple[View, Catalog | None]:
    """Return the part of an image that is asked for, and its sources if they are.

    Of an image that is mostly without data, such as the only patch of a small field, a picture shows the rest.
    """
    view = subject.view
    wanted = look.sources != "none" or source is not None
    if need and not view.outlines:
        wanted = True
    stars = subject.load_catalog(catalog) if wanted else None
    if source is not None and stars is not None:
        named = _one_source(stars, source)
        x, y = (float(values[0]) for values in source_positions(named, view.wcs))
        stars = stars if with_others else named
        part = part or Zoom(x, y, _AROUND_SOURCE, in_pixels=True)
    if part is None:
        box = view.data_box() if is_picture else None
        if box is None or box.width * box.height > _SMALL_PART * view.image.size:
            return view, stars
        shown = view.cut(box)
    else:
        shown = view.cut(part.box(view.wcs))
    return shown, None if stars is None else _inside(stars, view, shown)


def _inside(stars: Catalog, view: View, shown: View) -> Catalog:
    """Return the sources in the part of the image that is shown."""
    x, y = source_positions(stars, view.wcs)
    left, right, lower, upper = pixel_extent(shown)
    return stars.select((x >= left) & (x <= right) & (y >= lower) & (y <= upper))


def _one_source(catalog: Catalog, number: int) -> Catalog:
    rows = np.flatnonzero(catalog["id"] == number)
    if not rows.size:
        raise DatasetNotFoundError(
            f"the catalog has no source {number}; its {len(catalog)} ids begin with "
            f"{', '.join(str(name) for name in catalog['id'][:3].tolist())}"
        )
    return catalog.select(rows)


def _show_in_ds9(view: View, stars: Catalog | None, look: Look, frame: int) -> None:
    settings = {} if look.limits is None else {"scale": f"limits {look.limits[0]:g} {look.limits[1]:g}"}
    viewer = connect()
    viewer.show(
        view, frame=frame, transparency=look.transparency, planes=look.planes, settings={**settings, "zoom": "to fit"}
    )
    viewer.draw(_regions(view, stars, look), frame=frame)


@contextmanager
def _regions_written(path: Path, view: View, stars: Catalog | None, look: Look) -> Iterator[None]:
    """Write the regions; the file has its name only when what is done meanwhile succeeds."""
    lines = _regions(view, stars, look)
    with atomic_write(path) as file:
        file.write(region_file(lines).encode("utf-8"))
        file.flush()
        yield
    click.echo(f"{len(lines)} regions: {path}")


def _regions(view: View, stars: Catalog | None, look: Look) -> list[str]:
    """Return the regions of amplifiers and sources."""
    lines = list(outline_regions(view.outlines))
    if stars is not None:
        lines += source_regions(stars, "ellipses" if look.sources == "ellipses" else "symbols", view.wcs)
    return lines


def _write_or_show(result: Picture | Animation, output: Path | None) -> int:
    """Write a picture to the file that is asked for, or write it here and open it where there is a screen."""
    if output is not None:
        result.save(output)
        return 0
    name = re.sub(r"[^\w.=+-]+", "_", result.title)[:_LONGEST_NAME].strip("_.") or "picture"
    path = result.save(Path(name + (".gif" if isinstance(result, Animation) else ".png")))
    click.echo(f"picture: {path}")
    if has_screen():
        click.launch(str(path))
    return 0
