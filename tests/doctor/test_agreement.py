"""Special images, and images that contradict each other, do not accuse the camera."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from broken_package import run_doctor

from obs.doctor.agreement import kind_of_image


def write(path, source, data=None, **cards):
    with fits.open(source) as hdus:
        header = hdus[0].header.copy()
        header.update(cards)
        fits.PrimaryHDU(hdus[0].data if data is None else data, header).writeto(path)
    return path


def pixels(path):
    return fits.getdata(path).astype(float)


def test_a_spectrum_says_little_of_the_camera(made, night, tmp_path, capsys):
    """A slit leaves columns without light, beside columns with much."""
    data = pixels(night["science"][0])
    level = np.median(data[:, -10:])
    data[:, :60] = level + np.random.default_rng(1).normal(0, 3, (len(data), 60))
    data[:, 60:256] += 4000
    plain = write(tmp_path / "plain.fits", night["science"][0], data.astype(np.uint16))
    assert "see no light" in run_doctor(capsys, made, [plain], "--no-picture", "--no-trial")[1]
    assert run_doctor(capsys, made, [plain], "--no-picture", "--no-trial")[0] == 1
    spectrum = write(tmp_path / "slit.fits", night["science"][0], data.astype(np.uint16), GRATING="600/4310")
    status, out, last = run_doctor(capsys, made, [spectrum], "--no-picture")
    assert status == 0, out
    assert "this is a spectrum, which says little of the camera" in out
    assert "the science exposures are spectra" in out
    assert last.startswith("nothing left to fix")


@pytest.mark.parametrize(
    ("cards", "kind"),
    [
        ({"GRISM": "free", "SLIT": "<NO MASK>", "GRATING": "<NO GRATING>"}, ""),
        ({"GRISM": "F0 Clear", "SLITPOS": "parked"}, ""),
        ({"GRISM": "Grism_#4", "OBS_MODE": "IMAGING"}, ""),
        ({"GRISM": "Grism_#4", "OBS_MODE": "SPECTRA"}, "spectrum"),
    ],
)
def test_an_empty_place_for_a_grism_makes_no_spectrum(cards, kind):
    exposure = SimpleNamespace(image_type="science", header=cards)
    assert kind_of_image(exposure) == kind


def test_a_saturated_flat_does_not_accuse_the_overscan(made, night, tmp_path, capsys):
    data = pixels(night["flat"][0])
    for start in (0, 280):
        data[:, start : start + 256] = 65535
        data[:, start + 256 : start + 268] = 20000  # charge that follows the last columns
    flat = write(tmp_path / "saturated.fits", night["flat"][0], data.astype(np.uint16))
    status, out, _ = run_doctor(capsys, made, [flat], "--no-picture", "--no-trial")
    assert status == 0, out
    assert "most of it is saturated" in out


def test_another_file_with_more_light_refutes_dark_columns(made, night, tmp_path, capsys):
    """A flat that a filter holder vignettes, among others that it does not."""
    data = pixels(night["flat"][0])
    level = np.median(data[:, 258:278])
    random = np.random.default_rng(2)
    data[:, :40] = level + random.normal(0, 3, (len(data), 40))
    dark = write(tmp_path / "vignetted.fits", night["flat"][0], data.astype(np.uint16))
    assert run_doctor(capsys, made, [dark], "--no-picture", "--no-trial")[0] == 1
    status, out, _ = run_doctor(capsys, made, [dark, *night["flat"][1:]], "--no-picture", "--no-trial")
    assert "with as much light, does not show it" in out
    assert status == 0, out


@pytest.mark.parametrize("word", ["OPEN", "None", "mirror", "", "0"])
def test_a_spectrograph_that_is_not_in_use_is_no_spectrum(made, night, tmp_path, capsys, word):
    path = write(tmp_path / "image.fits", night["science"][0], GRISM=word)
    assert "spectrum" not in run_doctor(capsys, made, [path], "--no-picture", "--no-trial")[1]


def test_a_window_among_full_frames_does_not_accuse_the_camera(made, night, tmp_path, capsys):
    part = write(tmp_path / "window.fits", night["bias"][0], fits.getdata(night["bias"][0])[:100, :200])
    status, out, last = run_doctor(capsys, made, [part], "--no-picture", "--no-trial")
    assert status == 1
    assert "raw_width 200, raw_height 100" in last
    status, out, _ = run_doctor(capsys, made, [part, *night["bias"][1:]], "--no-picture", "--no-trial")
    assert status == 0, out
    assert "other files fit the camera, so that this one is a window of it, or binned" in out
    assert "raw_width" not in out


@pytest.mark.parametrize(
    ("card", "kinds", "wanted"),
    [
        ((1.0, "Electronic gain in e-/ADU"), ("flat", "science", "bias"), "of fixed-"),
        ((4.4, "[e-/ADU]"), ("flat", "science", "bias"), "of fixed-"),
        ((1.0, ""), ("science",), "of the sky"),
    ],
)
def test_the_noise_refutes_the_gain_of_a_card(made, night, tmp_path, capsys, card, kinds, wanted):
    copies = [write(tmp_path / path.name, path, EGAIN=card) for kind in kinds for path in sorted(night[kind])[:2]]
    status, out, last = run_doctor(capsys, made, copies, "--no-picture")
    assert (status, last[:19]) == (0, "nothing left to fix")
    assert f"EGAIN says {card[0]:g} e-/ADU, which the noise {wanted}" in out
    assert "WRONG" not in out
    assert "in place of" not in out


def test_a_gain_that_only_some_files_state_is_theirs(made, night, tmp_path, capsys):
    # Flats without the card cannot refute it: the other frames may have been taken with another setting.
    bias = write(tmp_path / "other_setting.fits", night["bias"][0], EGAIN=(4.4, "[e-/ADU]"))
    status, out, _ = run_doctor(capsys, made, [*night["flat"], bias], "--no-picture", "--no-trial")
    assert status == 1
    assert re.search(r"gain of amp1 +WRONG +1.5 e-/ADU: EGAIN says 4.4 e-/ADU", out)
