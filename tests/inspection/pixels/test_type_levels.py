"""The level of a frame against the type that its header names."""

import numpy as np
import pytest

from obs.inspection.inspect import inspect_files
from raw_frames import COMMON, write_frame

LEVELS = {"bias": 500.0, "dark": 520.0, "flat": 20000.0}


def write(folder, number, kind, level=None):
    cards = [card for card in COMMON if card[0] not in ("IMAGETYP", "EXPNUM", "EXPTIME", "OBJECT")]
    cards += [("IMAGETYP", kind.upper()), ("EXPNUM", number), ("EXPTIME", 0.0 if kind == "bias" else 5.0)]
    pixels = np.random.default_rng(number).normal(level or LEVELS[kind], 5.0, (64, 96)).round().astype(np.uint16)
    return write_frame(folder / f"{kind}{number}.fits", cards, pixels)


def look(folder, odd, *kinds):
    """Return how sure the type of the odd frame is, and what is said of it; the others are as they should be."""
    paths = [write(folder, 1, *odd), *(write(folder, n, kind) for n, kind in enumerate(kinds, 2))]
    found = inspect_files(paths)
    kind = found.frames.files[0].image_type[0]
    return kind.confidence, [text for text in found.warnings if "its level" in text]


@pytest.mark.parametrize(
    ("odd", "kinds", "said"),
    [
        (("bias", 15000.0), ("bias", "bias", "flat"), "bias1.fits: IMAGETYP says bias, but its level of 15000 ADU is"),
        (("dark", 9000.0), ("bias", "flat"), "dark1.fits: IMAGETYP says dark, but its level of 9000 ADU is that of"),
        (("flat", 505.0), ("bias", "dark", "flat"), "flat1.fits: IMAGETYP says flat, but its level of 505 ADU is that"),
        (("flat", 505.0), ("bias",), "flat1.fits: IMAGETYP says flat, but its level of 505 ADU is that of biases"),
        (("dark", 25000.0), (), "dark1.fits: IMAGETYP says dark, but its level of 25000 ADU is that of light"),
    ],
)
def test_levels_against_types(tmp_path, odd, kinds, said):
    sure, warnings = look(tmp_path, odd, *kinds)
    assert sure == "guess"
    assert said in warnings[0]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("odd", "kinds"),
    [
        (("bias", None), ("bias", "dark", "flat")),
        (("dark", 2000.0), ("bias", "bias", "flat")),
        (("flat", 3000.0), ("bias", "flat", "flat")),
        (("flat", None), ()),
        (("dark", 9000.0), ()),
    ],
)
def test_levels_as_they_may_be(tmp_path, odd, kinds):
    assert look(tmp_path, odd, *kinds) == ("certain", [])
