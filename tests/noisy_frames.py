"""Biases and flats of one amplifier with a known gain and a known read noise."""

import numpy as np

from raw_frames import COMMON, write_frame

GAIN, READ_NOISE, BIAS = 1.6, 6.0, 1000.0
SHAPE = (192, 256)


def frame(path, kind, seed, *, level=0.0, overscan=0, more=(), exposure=2.0, filter_name="r", step=1):
    """Write a frame of an amplifier with a vignetted lamp; ``level`` in electrons, counts in multiples of ``step``."""
    random = np.random.default_rng(seed)
    ny, nx = SHAPE
    light = level * (1.0 - 0.1 * ((np.arange(nx) - nx / 2) / nx) ** 2) * np.ones((ny, 1))
    electrons = random.poisson(light) + random.normal(0, READ_NOISE, SHAPE)
    pixels = np.concatenate([electrons, random.normal(0, READ_NOISE, (ny, overscan))], axis=1) / GAIN + BIAS
    cards = [
        card for card in COMMON if card[0] not in ("IMAGETYP", "EXPTIME", "FILTER", "EXPNUM", "OBJECT", "DATE-OBS")
    ]
    cards += [
        ("IMAGETYP", kind),
        ("EXPTIME", exposure if kind != "BIAS" else 0.0),
        ("FILTER", filter_name),
        ("EXPNUM", seed),
        ("DATE-OBS", f"2024-03-01T05:{seed:02d}:07.500"),
        *more,
    ]
    if overscan:
        cards += [("DATASEC", f"[1:{nx},1:{ny}]"), ("BIASSEC", f"[{nx + 1}:{nx + overscan},1:{ny}]")]
    return write_frame(
        path / f"{kind.lower()}{seed}.fits", cards, step * np.round(np.clip(pixels, -32768, 32767) / step).astype(int)
    )
