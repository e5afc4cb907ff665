"""Overscan in HDUs of its own, put to the images that it belongs to."""

import re
from collections.abc import Sequence
from dataclasses import replace

from obs.geom import Box
from obs.inspection.cards import Card, Cards
from obs.inspection.raw_file import RawFile, RawImage
from obs.inspection.sections import amplifier_labels, find_section

__all__ = ["join_overscan"]

_SMALL = 0.25
"""Part of the columns, or rows, of an image that its overscan has at most."""
_NAMED = re.compile(r"(?i)(over|o)_?sc(a?n)|bias")
_SECTIONS = ("DATASEC", "TRIMSEC", "BIASSEC")


def join_overscan(file: RawFile) -> RawFile:
    """Return a file whose images have their overscan, where that is in HDUs of its own.

    There must be as many of these as images, in the same order, each as high and far narrower (or as wide and far
    lower) as its image; fewer if their names say that they are overscan.

    Parameters
    ----------
    file : RawFile
        The file.
    """
    largest = max(image.shape[-1] * image.shape[-2] for image in file.images)
    large = [image for image in file.images if image.shape[-1] * image.shape[-2] >= _SMALL * largest]
    small = [image for image in file.images if image not in large and len(image.shape) == 2]
    named = [image for image in small if _NAMED.search(image.name)]
    small = named or small
    if len(small) != len(large) or not all(map(_belongs, large, small)) or any(map(_has_overscan, large)):
        return file
    whole = tuple(map(_joined, large, small))
    left = tuple(image for image in file.images if image not in large and image not in small)
    return replace(file, images=tuple(sorted((*whole, *left), key=lambda image: image.hdu)))


def _belongs(image: RawImage, overscan: RawImage) -> bool:
    (ny, nx), (height, width) = image.shape[-2:], overscan.shape
    return (height == ny and width <= _SMALL * nx) or (width == nx and height <= _SMALL * ny)


def _has_overscan(image: RawImage) -> bool:
    """Whether cards name overscan in the image itself, or several amplifiers."""
    return find_section(image.own, "bias") is not None or len(amplifier_labels(image.own)) > 1


def _joined(image: RawImage, overscan: RawImage) -> RawImage:
    (ny, nx), (height, width) = image.shape[-2:], overscan.shape
    beside = height == ny
    data = Box(0, 0, nx, ny)
    bias = Box(nx, 0, width, ny) if beside else Box(0, ny, nx, height)
    return replace(
        image,
        shape=(ny, nx + width) if beside else (ny + height, nx),
        own=_with_sections(image.own, data, bias),
        cards=_with_sections(image.cards, data, bias),
        overscan_hdu=overscan.hdu,
    )


def _with_sections(cards: Cards, data: Box, bias: Box) -> Cards:
    """Return cards that say where the overscan is, in pixels of the image that is put together."""
    comment = "[binned pixel] HDUs put together"
    kept: Sequence[Card] = [card for card in cards.cards if card.keyword not in _SECTIONS]
    section_cards = [Card("DATASEC", data.to_section(), comment), Card("BIASSEC", bias.to_section(), comment)]
    return Cards([*kept, *section_cards], cards.problems, cards.history)
