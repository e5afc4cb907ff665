"""The mosaic of a color camera: by cards as programs write them, and by the levels of the pixels."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.color_mosaic import find_color_mosaic
from obs.inspection.raw_file import read_raw_file

LIGHT = {"R": 6000.0, "G": 9000.0, "B": 5000.0}


def write(folder, cards, stored="RGGB", *, name="flat.fits", shape=(64, 96), level=1.0):
    """Write a flat whose pixels have the colors as they are stored."""
    cell = np.array([LIGHT[color] for color in stored]).reshape(2, 2) * level
    light = np.tile(cell, (shape[0] // 2 + 1, shape[1] // 2 + 1))[: shape[0], : shape[1]]
    pixels = 500 + np.random.default_rng(1).poisson(light)
    fits.PrimaryHDU(pixels.astype(np.uint16), fits.Header(cards)).writeto(folder / name)
    return read_raw_file(folder / name)


def look(folder, cards, stored="RGGB", binning=(1, 1), **how):
    file = write(folder, cards, stored, **how)
    finding, warnings = find_color_mosaic([file], file, binning)
    return finding, " ".join(warnings)


@pytest.mark.parametrize(
    ("cards", "stored"),
    [
        ([("BAYERPAT", "RGGB"), ("XBAYROFF", 0), ("YBAYROFF", 0), ("ROWORDER", "TOP-DOWN")], "RGGB"),
        ([("BAYERPAT", "bggr")], "BGGR"),
        ([("COLORTYP", "GRBG")], "GRBG"),
        ([("CFA-PAT", "GB")], "GBRG"),
        ([("FILTER", "RGGB")], "RGGB"),
        ([("BAYERPAT", "RGGB"), ("XBAYROFF", 1), ("YBAYROFF", 0)], "GRBG"),
        ([("BAYERPAT", "RGGB"), ("BAYOFFX", 1), ("BAYOFFY", 1)], "BGGR"),
        ([("BAYERPAT", "RGGB"), ("ROWORDER", "BOTTOM-UP")], "GBRG"),
        ([("BAYERPAT", "GRBG"), ("ROWORDER", "BOTTOM-UP")], "BGGR"),
    ],
)
def test_patterns_as_the_pixels_have_them(tmp_path, cards, stored):
    finding, _ = look(tmp_path, cards, stored)
    assert (finding.value, finding.confidence) == (stored, "certain")


def test_pixels_that_are_stored_upside_down(tmp_path):
    finding, warnings = look(tmp_path, [("BAYERPAT", "RGGB")], "GBRG")
    assert (finding.value, finding.confidence) == ("GBRG", "guess")
    assert "the greens lie on the other diagonal: taken as stored upside down, GBRG" in warnings


def test_a_dark_frame_shows_no_colors(tmp_path):
    finding, _ = look(tmp_path, [("BAYERPAT", "RGGB")], level=0.0)
    assert (finding.value, finding.confidence) == ("RGGB", "likely")


@pytest.mark.parametrize("cards", [[("COLORTYP", "Mono")], [("BAYERPAT", "NONE")], [("FILTER", "RGB")], []])
def test_cameras_without_a_mosaic(tmp_path, cards):
    finding, warnings = look(tmp_path, cards, "GGGG")
    assert not finding.is_known
    assert not finding.note
    assert not warnings


def test_a_card_of_a_camera_that_sees_no_colors(tmp_path):
    finding, warnings = look(tmp_path, [("BAYERPAT", "RGGB")], "GGGG")
    assert not finding.is_known
    assert not finding.note
    assert "the pixels of flat.fits show no colors: not taken for a color mosaic" in warnings


@pytest.mark.parametrize(
    ("cards", "how", "why"),
    [
        ([("BAYERPAT", "CYYM")], {}, "not a Bayer cell"),
        ([("BAYERPAT", "GGRGGB" * 6)], {}, "not a Bayer cell"),
        ([("BAYERPAT", "RGGB")], {"binning": (2, 2)}, "binned pixels"),
        ([("BAYERPAT", "RGGB")], {"shape": (63, 96)}, "odd sizes"),
    ],
)
def test_mosaics_that_are_not_split(tmp_path, cards, how, why):
    finding, warnings = look(tmp_path, cards, **how)
    assert not finding.is_known
    assert why in finding.note
    assert "the band color_mosaic, so that positions hold and no zero point is fitted" in warnings


def test_files_that_disagree(tmp_path):
    files = [write(tmp_path, [("BAYERPAT", text)], name=f"{text}.fits") for text in ("RGGB", "BGGR")]
    finding, warnings = find_color_mosaic(files, files[0], (1, 1))
    assert not finding.is_known
    assert "RGGB.fits: BAYERPAT = RGGB, BGGR.fits: BAYERPAT = BGGR: the files disagree" in warnings[0]
