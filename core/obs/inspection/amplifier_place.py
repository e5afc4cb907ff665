"""Where an amplifier's pixels are in a raw image, and how that is known."""

from dataclasses import field, replace

from obs.camera.color_plane import cells_in
from obs.frozen import frozen
from obs.geom import Box
from obs.inspection.cards import Cards
from obs.inspection.finding import Finding

__all__ = ["EMPTY", "Place", "around", "in_color_plane"]

EMPTY = Box(0, 0, 0, 0)


@frozen
class Place:
    """An amplifier's pixels in the raw image.

    Parameters
    ----------
    name : str
        Name of the amplifier.
    label : str
        Letter or number that its cards end with; empty where they have none.
    hdu : int
        HDU of its pixels, where it has one of its own; else 0.
    cards : Cards
        The header.
    frame : Box
        The whole image.
    data, overscan, prescan, above : Box
        Pixels with light, beside them, before them, and in the rows behind them.
    whole : Box
        All that the amplifier read, where cards say so; else empty.
    data_from, overscan_from : Finding
        How data and overscan are known.
    """

    name: str
    label: str
    hdu: int
    cards: Cards
    frame: Box
    data: Box
    overscan: Box = EMPTY
    prescan: Box = EMPTY
    above: Box = EMPTY
    whole: Box = EMPTY
    data_from: Finding = field(default_factory=lambda: Finding.unknown("data"))
    overscan_from: Finding = field(default_factory=lambda: Finding.unknown("overscan"))


def in_color_plane(place: Place) -> Place:
    """Return an amplifier of a color camera in the pixels of one of its colors.

    Parameters
    ----------
    place : Place
        Amplifier in the pixels of the mosaic.
    """
    return replace(
        place,
        frame=cells_in(place.frame),
        data=cells_in(place.data),
        overscan=cells_in(place.overscan),
        prescan=cells_in(place.prescan),
        above=cells_in(place.above),
        whole=cells_in(place.whole),
        data_from=_in_color_plane(place.data_from),
        overscan_from=_in_color_plane(place.overscan_from),
    )


def _in_color_plane(finding: Finding) -> Finding:
    return replace(finding, value=cells_in(finding.value)) if isinstance(finding.value, Box) else finding


def around(first: Box, second: Box) -> Box:
    """Return the smallest box that holds both.

    Parameters
    ----------
    first, second : Box
        Boxes in the same pixels.
    """
    x_min, y_min = min(first.x_min, second.x_min), min(first.y_min, second.y_min)
    return Box(x_min, y_min, max(first.x_max, second.x_max) - x_min, max(first.y_max, second.y_max) - y_min)
