"""Raw frames of cameras as observatories lay them out: small, with known levels, gains and places."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from obs.geom import Box
from raw_frames import write_frame

SKY = 8000.0
"""Electrons in every pixel that sees light, so that amplifiers agree when all is right."""
READ_NOISE = 6.0
ROWS = 64


@dataclass(frozen=True)
class Amp:
    """An amplifier's truth: sections as FITS has them, of the raw image and (``put``) of the detector.

    ``others`` are pixels that see no light and are neither data nor overscan. ``apart`` is where overscan of another
    HDU is put beside the data.
    """

    data: str
    overscan: str = ""
    put: str = ""
    gain: float = 1.6
    bias: float = 1000.0
    flip: str = ""
    others: tuple[str, ...] = ()
    apart: str = ""
    gain_is_told: bool = True


@dataclass(frozen=True)
class Image:
    """An HDU: its cards, its size, and who read it."""

    cards: list
    size: tuple[int, int]
    amps: tuple[Amp, ...]
    detector: object = 0


@dataclass(frozen=True)
class Camera:
    """A camera: cards of the primary HDU, its images, and what has to be found.

    ``expected`` has a value for each quantity, or a value and how sure it may be; None where it is not known.
    """

    name: str
    cards: list
    images: tuple[Image, ...]
    expected: dict = field(default_factory=dict)
    in_primary: bool = False
    warnings: tuple[str, ...] = ()


def wide_section(first, last, rows=ROWS):
    return f"[{first}:{last},1:{rows}]"


def box_of(section):
    return Box.from_section(section)


def pixels_of(image, seed, sky=SKY):
    random = np.random.default_rng(seed)
    width, height = image.size
    frame = np.full((height, width), image.amps[0].bias) + random.normal(0, 4, (height, width))
    for amp in image.amps:
        for section in (amp.data, amp.overscan, *amp.others):
            if section:
                box = box_of(section)
                frame[box.slices] = amp.bias + random.normal(0, READ_NOISE / amp.gain, box.shape)
    for amp in image.amps:
        box = box_of(amp.data)
        frame[box.slices] += random.normal(sky, sky**0.5, box.shape) / amp.gain
    return np.round(frame).astype(int)


def write_camera(camera, folder: Path, *, sky=SKY):
    path = folder / f"{camera.name}.fits"
    frames = [(image.cards, pixels_of(image, number, sky)) for number, image in enumerate(camera.images)]
    if camera.in_primary:
        cards, pixels = frames[0]
        return write_frame(path, [*camera.cards, *cards], pixels, frames[1:])
    return write_frame(path, camera.cards, None, frames)


def changed(camera, name, **cards):
    """Return a camera with other values of primary cards; None takes one away."""
    names = {key.replace("_", "-") if key.startswith(("DATE", "MJD")) else key: value for key, value in cards.items()}
    kept = [card for card in camera.cards if isinstance(card, str) or card[0] not in names]
    return replace(
        camera, name=name, cards=[*kept, *((key, value) for key, value in names.items() if value is not None)]
    )
