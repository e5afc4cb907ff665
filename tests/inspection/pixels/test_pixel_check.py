"""Right sections of the header against pixels that are hard to read: none may be found wrong."""

import numpy as np
import pytest

from obs.geom import Box
from obs.inspection.inspect import inspect_files
from raw_frames import COMMON, write_frame

WIDTH, HEIGHT, OVERSCAN = 512, 300, 40
X, Y = np.arange(WIDTH)[None, :], np.arange(HEIGHT)[:, None]
RADIUS = ((X - WIDTH / 2) / WIDTH) ** 2 + ((Y - HEIGHT / 2) / HEIGHT) ** 2
FLAT = 1 + 0.01 * np.random.default_rng(1).normal(size=(HEIGHT, WIDTH))
LIGHT = {
    "sky": 800 + 0 * RADIUS,
    "vignetting": 5000 * np.clip(1 - 2.2 * RADIUS, 0, None),
    "slit": np.where((Y > 40) & (Y < 260), 4000.0, 3.0) + 0 * X,
    "spectrum": 30 + 8000 * np.exp(-0.5 * ((Y - 150) / 4.0) ** 2) + 0 * X,
    "faint": 12 + 0 * RADIUS,
    "gradient": 200.0 + 16 * X + 0 * Y,
    "flat": 25000 * FLAT,
    "bleeding": 300 + 30000.0 * (X == 200) + 0 * Y,
}


def frame_of(light):
    """Return a frame with charge left behind in the overscan, a ramp along rows and a drift along columns."""
    random = np.random.default_rng(2)
    image = np.full((HEIGHT, WIDTH + OVERSCAN), 1200.0)
    image[:, :WIDTH] += random.poisson(light * 1.5) / 1.5
    for column in range(6):
        image[:, WIDTH + column] += light[:, -1] * 0.01 * 0.5**column
    image += 20 * np.exp(-np.arange(WIDTH + OVERSCAN) / 30)[None, :] + np.linspace(0, 15, HEIGHT)[:, None]
    return np.clip(np.round(image + random.normal(0, 3.3, image.shape)), 0, 32700).astype(int)


def look(tmp_path, light, cards=()):
    found = inspect_files([write_frame(tmp_path / "raw.fits", [*COMMON, *cards], frame_of(light))])
    ((amp,),) = [chip.facts.amplifiers for chip in found.detectors]
    return amp, found.warnings


@pytest.mark.parametrize("name", LIGHT)
def test_right_sections_and_gain_stay(tmp_path, name):
    cards = [("DATASEC", "[1:512,1:300]"), ("BIASSEC", "[513:552,1:300]"), ("GAIN", 1.5, "e-/ADU")]
    amp, warnings = look(tmp_path, LIGHT[name], cards)
    assert (amp.data, amp.overscan) == (Box(0, 0, 512, 300), Box(512, 0, 40, 300))
    assert {amp.findings[part].confidence for part in ("data", "overscan", "gain")} == {"certain"}
    assert warnings == ()


@pytest.mark.parametrize("name", [name for name in LIGHT if name != "faint"])
def test_the_pixels_find_them_without_the_header(tmp_path, name):
    amp, _ = look(tmp_path, LIGHT[name])
    assert (amp.data, amp.overscan) == (Box(0, 0, 512, 300), Box(512, 0, 40, 300))
    assert amp.findings["overscan"].confidence in ("likely", "guess")


def test_columns_that_optics_leave_dark_stay_data_but_are_told(tmp_path):
    cards = [("DATASEC", "[1:512,1:300]"), ("BIASSEC", "[513:552,1:300]")]
    amp, warnings = look(tmp_path, np.where((X > 60) & (X < 450), 4000.0, 0.0) + 0 * Y, cards)
    assert (amp.data, amp.overscan) == (Box(0, 0, 512, 300), Box(512, 0, 40, 300))
    assert amp.findings["data"].confidence == "likely"
    assert any("451 to 512 of the data have no light in them" in text for text in warnings)


def test_of_an_overscan_above_the_data_rows_are_told(tmp_path):
    cards = [("DATASEC", "[1:300,5:508]"), ("BIASSEC", "[1:300,517:552]")]
    path = write_frame(tmp_path / "raw.fits", [*COMMON, *cards], frame_of(LIGHT["sky"]).T.copy())
    assert any("rows 509 to 512 and 1 to 4 beside the data" in text for text in inspect_files([path]).warnings)


def write(path, pixels, kind, seconds):
    cards = [("INSTRUME", "cam"), ("DATE-OBS", "2020-05-01T03:00:00"), ("IMAGETYP", kind), ("EXPTIME", seconds)]
    return write_frame(path, cards, np.clip(np.round(pixels), 0, 65535).astype(int))


@pytest.mark.parametrize("other", ["sky", "dark"])
def test_dark_columns_of_a_slit_are_no_overscan_if_another_frame_says_so(tmp_path, other):
    random = np.random.default_rng(5)
    bias = 1000.0 + random.normal(0, 4.0, (200, 256))
    flat, elsewhere = bias.copy(), bias.copy()
    flat[:, 24:] += random.poisson(3000.0, (200, 232))
    if other == "sky":
        elsewhere += random.poisson(500.0, elsewhere.shape)
    else:
        elsewhere[random.random(elsewhere.shape) < 5e-3] += 800.0
    paths = [
        write(tmp_path / "flat.fits", flat, "flat", 5.0),
        write(tmp_path / "other.fits", elsewhere, "object" if other == "sky" else "dark", 60.0),
    ]
    alone = inspect_files(paths[:1])
    assert alone.detectors[0].facts.amplifiers[0].overscan.width == 24
    found = inspect_files(paths)
    (amp,) = found.detectors[0].facts.amplifiers
    assert amp.overscan.is_empty
    assert amp.data.width == 256
    assert any("columns 1 to 24 are dark, but other.fits has" in text for text in found.warnings)


def test_overscan_stays_if_the_other_frames_agree(tmp_path):
    random = np.random.default_rng(6)
    bias = 1000.0 + random.normal(0, 4.0, (200, 256))
    flat, dark = bias.copy(), bias + 3.0
    flat[:, :232] += random.poisson(3000.0, (200, 232))
    dark[:, :232][random.random((200, 232)) < 5e-3] += 800.0
    paths = [write(tmp_path / "flat.fits", flat, "flat", 5.0), write(tmp_path / "dark.fits", dark, "dark", 60.0)]
    (amp,) = inspect_files(paths).detectors[0].facts.amplifiers
    assert (amp.overscan.x_min, amp.overscan.width) == (232, 24)


def test_narrow_prescans_of_amplifiers_side_by_side(tmp_path):
    random = np.random.default_rng(7)
    image = random.normal(0, 3.0, (200, 212))
    for x, levels in ((0, (964.0, 971.0)), (106, (1042.0, 1005.0))):
        for y, level in zip((0, 100), levels, strict=True):
            image[y : y + 100, x : x + 106] += level
            image[y : y + 100, x + 4 : x + 106] += random.poisson(180.0, (100, 102))
    (chip,) = inspect_files([write(tmp_path / "raw.fits", image, "object", 15.0)]).detectors
    boxes = [(amp.data.to_section(), amp.overscan.to_section()) for amp in chip.facts.amplifiers]
    assert boxes == [
        ("[5:106,1:100]", "[1:4,1:100]"),
        ("[5:106,101:200]", "[1:4,101:200]"),
        ("[111:212,1:100]", "[107:110,1:100]"),
        ("[111:212,101:200]", "[107:110,101:200]"),
    ]


@pytest.mark.parametrize("at_top", [True, False], ids=["top", "bottom"])
def test_rows_and_columns_without_light_that_no_card_names(tmp_path, at_top):
    random = np.random.default_rng(8)
    image = 700.0 + random.normal(0, 5.0, (220, 424))
    rows = slice(0, 200) if at_top else slice(20, 220)
    image[rows, :400] += random.poisson(9000.0, (200, 400))
    (amp,) = inspect_files([write(tmp_path / "flat.fits", image, "flat", 2.0)]).detectors[0].facts.amplifiers
    assert (amp.data.height, amp.data.y_min) == (200, 0 if at_top else 20)
    assert (amp.overscan.x_min, amp.overscan.width, amp.overscan.height) == (400, 24, 200)
    assert amp.findings["data"].confidence == "guess"
