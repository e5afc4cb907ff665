"""The amplifiers of a detector: what the header has, compared with the pixels, and put where they belong."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from obs.geom import Box
from obs.inspection.amplifier_facts import OF_ONE_AMPLIFIER, AmplifierFacts, DetectorFacts
from obs.inspection.amplifier_place import EMPTY, Place, around, in_color_plane
from obs.inspection.detector_boxes import find_corner, find_detector_boxes
from obs.inspection.finding import Finding
from obs.inspection.header.amplifier_sections import find_header_places
from obs.inspection.header.binning import find_binning
from obs.inspection.header.gains import find_gain, find_read_noise, find_saturation
from obs.inspection.pixels.layout import find_adjacent_sections, places_in_pixels
from obs.inspection.pixels.noise import PixelNoise, judge_gain, judge_read_noise, measure_pixel_noise
from obs.inspection.pixels.other_frames import find_contradiction
from obs.inspection.pixels.section_check import check_place, find_rows_above
from obs.inspection.raw_file import RawImage

__all__ = ["find_detector"]


def find_detector(
    images: Sequence[RawImage], others: Sequence[RawImage] = (), *, in_colors: bool = False
) -> DetectorFacts:
    """Return the amplifiers of a detector.

    Parameters
    ----------
    images : sequence of RawImage
        The images that the detector fills: one, or one an amplifier.
    others : sequence of RawImage
        Images of the same HDUs in other files, against which overscan is held that only the pixels show.
    in_colors : bool, optional
        Whether the pixels of a Bayer mosaic are taken a color at a time: shape and boxes are then those of a color,
        with half of the rows and columns.
    """
    warnings: list[str] = []
    step = 2 if in_colors else 1
    found = [place for image in images for place in _places(image, others, len(images) > 1, step, warnings)]
    places = _unique([place for place, _ in found])
    noises = [noise for _, noise in found]
    binning = find_binning(images[0].cards)
    amplifiers = []
    boxes = find_detector_boxes(places, binning, warnings)
    for place, noise, (bbox, flip_x, flip_y, bbox_from) in zip(places, noises, boxes, strict=True):
        corner, corner_from = find_corner(place, flip_x, flip_y)
        findings = {
            "data": place.data_from,
            "overscan": place.overscan_from,
            "bbox": bbox_from,
            "readout_corner": corner_from,
            **_of_one_amplifier(_nominal(place, noise, warnings), place, places),
        }
        amplifiers.append(
            AmplifierFacts(
                place.name,
                place.hdu,
                _raw_box(place, places),
                place.data,
                place.overscan,
                place.above,
                place.prescan,
                bbox,
                flip_x,
                flip_y,
                corner,
                next((image.overscan_hdu for image in images if place.hdu in (0, image.hdu)), 0),
                findings,
            )
        )
    height = max(image.shape[-2] for image in images) // step
    width = max(image.shape[-1] for image in images) // step
    return DetectorFacts((height, width), tuple(amplifiers), binning, tuple(dict.fromkeys(warnings)))


def _nominal(place: Place, noise: PixelNoise | None, warnings: list[str]) -> dict[str, Finding]:
    """Return gain, read noise and saturation, as sure as the pixels let them be."""
    where = f"amplifier {place.name}: "
    gain = judge_gain(find_gain(place.cards, place.label), noise, where, warnings)
    read_noise = judge_read_noise(find_read_noise(place.cards, place.label), gain, noise, where, warnings)
    return {"gain": gain, "read_noise": read_noise, "saturation": find_saturation(place.cards, place.label)}


_AMPLIFIER_CARDS = ("AMPID", "AMP-ID", "AMPNAME", "AMPLIFIE")


def _of_one_amplifier(findings: dict[str, Finding], place: Place, places: Sequence[Place]) -> dict[str, Finding]:
    """Return gain, read noise and saturation: guesses where the cards are of one amplifier, and several are found."""
    card = next((name for name in _AMPLIFIER_CARDS if str(place.cards.get(name, "")).strip()), "")
    if not card or len([other for other in places if other.hdu == place.hdu]) < 2:
        return findings
    note = f"{OF_ONE_AMPLIFIER} {card} = {place.cards.get(card)}"
    own = place.label.upper()
    return {
        name: replace(found, confidence="guess", note=note)
        if found.is_known and not (own and found.source.endswith(own))
        else found
        for name, found in findings.items()
    }


def _unique(places: list[Place]) -> list[Place]:
    """Return amplifiers of which no two have one name."""
    if len({place.name for place in places}) == len(places):
        return places
    return [replace(place, name=str(place.hdu or number)) for number, place in enumerate(places, 1)]


def _raw_box(place: Place, places: Sequence[Place]) -> Box:
    """Return what the amplifier read: all of its image, or its data and the overscan that touches them."""
    if len([other for other in places if other.hdu == place.hdu]) == 1:
        return place.frame
    if not place.whole.is_empty:
        return place.whole
    box = place.data
    for part in (place.overscan, place.prescan):
        if not part.is_empty and (part.x_max in (box.x_min, box.x_max) or part.x_min in (box.x_min, box.x_max)):
            box = around(box, part)
    others = [other.data for other in places if other is not place and other.hdu == place.hdu]
    return place.data if any(not box.intersection(other).is_empty for other in others) else box


def _places(
    image: RawImage, others: Sequence[RawImage], own_hdu: bool, step: int, warnings: list[str]
) -> list[tuple[Place, PixelNoise | None]]:
    """Return the amplifiers of one image, and the noise of their pixels; of a mosaic those of one of its colors."""
    where = f"HDU {image.hdu}: " if own_hdu else ""
    found = find_header_places(image, own_hdu=own_hdu, warnings=warnings)
    found = [in_color_plane(place) for place in found] if step > 1 else found
    if image.pixels is None:
        return [(place, None) for place in found]
    pixels = image.pixels[::step, ::step]
    if len(found) == 1:
        alike = [other for other in others if other.hdu == image.hdu]
        found = _alone(found[0], pixels, warnings, where)
        found = _checked_against(found, pixels, alike, step, warnings, where)
    else:
        found = [_one_of_several(place, found, pixels, warnings, where) for place in found]
    with_rows = [p if not p.above.is_empty else replace(p, above=find_rows_above(pixels, p)) for p in found]
    return [(place, measure_pixel_noise(pixels, place)) for place in with_rows]


def _checked_against(
    places: list[Place],
    pixels: NDArray[np.float32],
    others: Sequence[RawImage],
    step: int,
    warnings: list[str],
    where: str,
) -> list[Place]:
    """Return amplifiers without the overscan of which other frames say that it sees light."""
    if not any(place.overscan_from.source == "pixels" for place in places):
        return places
    kept = []
    for place in places:
        text = ""
        if place.overscan_from.source == "pixels":
            text = find_contradiction(place, pixels, _pixels_of(others, step))
        if text:
            columns = f"columns {place.overscan.x_min + 1} to {place.overscan.x_max} are dark"
            warnings.append(f"{where}{columns}, but {text}: not taken for overscan")
            whole = place.frame if len(places) == 1 else around(place.data, place.overscan)
            doubt = Finding("data", whole, "image size", "guess", f"{columns}, but {text}")
            place = replace(place, data=whole, data_from=doubt, overscan=EMPTY, prescan=EMPTY)
            place = replace(place, overscan_from=Finding.unknown("overscan", text))
        kept.append(place)
    return kept


def _pixels_of(images: Sequence[RawImage], step: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield name and pixels of images, one at a time."""
    for image in images:
        pixels = image.pixels
        image.release()
        if pixels is not None:
            yield image.path.name, pixels[::step, ::step]


def _alone(place: Place, pixels: NDArray[np.float32], warnings: list[str], where: str) -> list[Place]:
    """Return the amplifiers of an image for which the header has one."""
    if place.overscan_from.is_known:
        verdict = check_place(place, pixels)
        if not verdict.is_wrong:
            _complain(place, verdict.complaints, warnings, where)
            return [verdict.place]
        shown = f"{where}{place.overscan_from.source} = {place.overscan.to_section()}"
        seen = places_in_pixels(place, pixels, warnings, where)
        if seen:
            return seen
        text = "; ".join(verdict.complaints)
        warnings.append(f"{shown}: {text}: not used")
        return [_without_overscan(place, text)]
    seen = places_in_pixels(place, pixels, warnings, where)
    if seen:
        return seen
    if place.overscan_from.note:
        return [place]
    note = "no section names it, and no columns at the edges are darker than the rest"
    return [replace(place, overscan_from=Finding.unknown("overscan", note))]


def _one_of_several(
    place: Place, places: list[Place], pixels: NDArray[np.float32], warnings: list[str], where: str
) -> Place:
    """Return one of the amplifiers that the header has for an image."""
    if not place.overscan_from.is_known:
        return find_adjacent_sections(place, places, pixels)
    verdict = check_place(place, pixels, [other for other in places if other is not place])
    _complain(place, verdict.complaints, warnings, where)
    return _without_overscan(place, "; ".join(verdict.complaints)) if verdict.is_wrong else verdict.place


def _without_overscan(place: Place, why: str) -> Place:
    doubt = replace(place.data_from, confidence="guess", note="the overscan section is wrong")
    return replace(place, overscan=Box(0, 0, 0, 0), overscan_from=Finding.unknown("overscan", why), data_from=doubt)


def _complain(place: Place, complaints: Sequence[str], warnings: list[str], where: str) -> None:
    shown = f"{place.data_from.source} = {place.data.to_section()}"
    if place.overscan_from.is_known:
        shown += f", {place.overscan_from.source} = {place.overscan.to_section()}"
    warnings += [f"{where}amplifier {place.name}: {shown}: {text}" for text in complaints]
