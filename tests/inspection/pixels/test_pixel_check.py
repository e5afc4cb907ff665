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
