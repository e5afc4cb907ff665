"""Cards of a header that the stars contradict."""

import pytest
from astropy.io import fits

from obs.doctor.orientation import MountedCamera
from obs.doctor.refuted import refuted_cards
from obs.inspection.cards import parse_cards
from obs.instrument.discovery import load_instrument

DETECTOR = load_instrument("necam").load_camera().detectors[0]
PIXELS = 1.4 / DETECTOR.pixel_size_x
"""Plate scale of 1.4 arcsec a pixel."""
TRUE = (-1.4 / 3600, 0.0, 0.0, 1.4 / 3600)


@pytest.mark.parametrize(
    ("matrix", "stated", "text"),
    [
        (TRUE, 1.41, ""),
        (
            tuple(2 * part for part in TRUE),
            1.4,
            "do not believe CD1_1 .. CD2_2 (2.8 arcsec a pixel): the stars show 1.4",
        ),
        (TRUE, 0.7, "do not believe PIXSCALE (0.7 arcsec a pixel): the stars"),
        ((TRUE[3], 0.0, 0.0, TRUE[3]), 1.4, "do not believe CD1_1 .. CD2_2 (rotation 0, flip_x true): the stars show"),
    ],
)
def test_the_card_that_is_wrong_is_named(matrix, stated, text):
    header = fits.Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("PIXSCALE", stated)])
    header.update(zip(("CD1_1", "CD1_2", "CD2_1", "CD2_2"), matrix, strict=True))
    mount = MountedCamera(0.4, False, PIXELS, 1, 0)
    found = refuted_cards(parse_cards(header.tostring(sep="\n").splitlines()), (1, 1), DETECTOR, mount)
    assert found.startswith(text) if text else found == ""
