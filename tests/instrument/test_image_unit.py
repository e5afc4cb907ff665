"""Units of images as programs write them."""

import math

import pytest

from obs.instrument.image_unit import ImageUnit, parse_image_unit


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("", "adu", "count"),
        ("ADU", "adu", "count"),
        ("DNs", "adu", "count"),
        ("counts", "adu", "count"),
        ("[ct]", "adu", "count"),
        ("ADU/s", "adu/s", "count"),
        ("DN / s", "adu/s", "count"),
        ("counts s-1", "adu/s", "count"),
        ("count s^-1", "adu/s", "count"),
        ("adu s**(-1)", "adu/s", "count"),
        ("cps", "adu/s", "count"),
        ("counts/sec", "adu/s", "count"),
        ("counts per second", "adu/s", "count"),
        ("electron", "electron", "electron"),
        ("ELECTRONS", "electron", "electron"),
        ("e-", "electron", "electron"),
        ("photons", "electron", "electron"),
        ("ELECTRONS/S", "electron/s", "electron"),
        ("e-/s", "electron/s", "electron"),
        ("electron s-1", "electron/s", "electron"),
        ("nJy", "nJy", "flux"),
        ("uJy/pixel", "uJy/pixel", "flux"),
        ("MJy/sr", "MJy/sr", "flux"),
        ("Jy/beam", "Jy/beam", "flux"),
        ("nanomaggy", "nanomaggy", "flux"),
        ("erg/s/cm2/Angstrom", "erg/s/cm2/Angstrom", "flux"),
        ("furlong", "furlong", ""),
        ("K", "K", ""),
    ],
)
def test_kinds(text, name, kind):
    unit = parse_image_unit(text)
    assert (unit.name, unit.kind) == (name, kind)
    assert unit.is_rate == (name in ("adu/s", "electron/s"))
    assert parse_image_unit(unit.name) == unit


@pytest.mark.parametrize(
    ("text", "gain", "seconds", "electrons", "how"),
    [
        ("adu", 2.0, math.nan, 2.0, ""),
        ("adu", None, 300.0, None, ""),
        ("adu/s", 2.0, 300.0, 600.0, "the image is in adu/s, exposed for 300 s"),
        ("adu/s", 2.0, math.nan, None, "none, because the image is in adu/s"),
        ("electron", 2.0, 300.0, 1.0, "the image is in electron"),
        ("electron/s", 2.0, 300.0, 300.0, "the image is in electron/s, exposed for 300 s"),
        ("nJy", 2.0, 300.0, None, "none, because the image is in nJy"),
    ],
)
def test_electrons(text, gain, seconds, electrons, how):
    assert parse_image_unit(text).electrons(gain, seconds) == (electrons, how)


def test_the_unit_of_a_variance():
    assert ImageUnit().squared == "adu2"
    assert parse_image_unit("e/s").squared == "electron2/s2"
