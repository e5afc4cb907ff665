"""Gain and read noise from pairs of flats and biases, as `obs new` finds them."""

import numpy as np
import pytest
from astropy.io import fits

from noisy_frames import GAIN, READ_NOISE, frame
from obs.geom import Box
from obs.inspection.inspect import inspect_files
from raw_frames import COMMON, write_frame


def night(path, *, overscan=0, more=(), flats=(20_000.0, 19_000.0), biases=2):
    frames = [frame(path, "BIAS", n + 1, overscan=overscan, more=more) for n in range(biases)]
    frames += [frame(path, "FLAT", n + 11, level=level, overscan=overscan, more=more) for n, level in enumerate(flats)]
    return inspect_files(frames)


def noise_of(findings):
    return findings["gain of amplifier 1"], findings["read_noise of amplifier 1"]


def test_frames_of_another_setting_are_named(tmp_path):
    frames = [frame(tmp_path, "BIAS", n, more=[("GAIN", 200 if n == 3 else 100)]) for n in (1, 2, 3)]
    expected = "bias3.fits: GAIN = 200, that of 2 others 100: gain and bias may be others there"
    assert any(text.startswith(expected) for text in inspect_files(frames).warnings)
    assert not any("GAIN" in text for text in inspect_files(frames[:2]).warnings)


@pytest.mark.parametrize("overscan", [0, 24])
def test_what_no_card_gives_is_measured(tmp_path, overscan):
    gain, noise = noise_of(night(tmp_path, overscan=overscan))
    assert gain.value == pytest.approx(GAIN, rel=0.03)
    assert (gain.source, gain.confidence) == ("photon noise of flat11.fits and flat12.fits", "likely")
    assert noise.value == pytest.approx(READ_NOISE, rel=0.05)
    assert (noise.source, noise.confidence) == ("noise of bias1.fits and bias2.fits", "likely")


def test_a_top_down_camera_is_measured_too(tmp_path):
    gain, _ = noise_of(night(tmp_path, more=[("ROWORDER", "TOP-DOWN")]))
    assert gain.value == pytest.approx(GAIN, rel=0.03)


@pytest.mark.parametrize(("step", "is_known"), [(4, True), (16, False)])
def test_counts_in_steps(tmp_path, step, is_known):
    frames = [frame(tmp_path, "BIAS", n, step=step) for n in (1, 2)]
    frames += [frame(tmp_path, "FLAT", n, level=2e4, step=step) for n in (11, 12)]
    gain, noise = noise_of(inspect_files(frames))
    assert gain.value == pytest.approx(GAIN, rel=0.03)
    if is_known:
        assert noise.value == pytest.approx(READ_NOISE, rel=0.1)
        assert noise.note == "the counts come in steps of 4"
    else:
        assert (noise.value, noise.note) == (None, "it is less than 0.45 of the step of the counts, 16 ADU")


@pytest.mark.parametrize(("seconds", "is_known"), [(2.0, True), (60.0, False)])
def test_short_darks_stand_in_for_biases(tmp_path, seconds, is_known):
    frames = [frame(tmp_path, "DARK", n, exposure=seconds) for n in (1, 2)]
    frames += [frame(tmp_path, "FLAT", n, level=2e4) for n in (11, 12)]
    gain, noise = noise_of(inspect_files(frames))
    assert (gain.is_known, noise.is_known) == (is_known, is_known)
    if is_known:
        assert gain.value == pytest.approx(GAIN, rel=0.03)
        assert (noise.value, noise.source) == (
            pytest.approx(READ_NOISE, rel=0.05),
            "noise of dark1.fits and dark2.fits",
        )


def test_a_card_with_its_unit_is_kept(tmp_path):
    gain, noise = noise_of(night(tmp_path, more=[("GAIN", 1.62, "e-/ADU"), ("RDNOISE", 6.1, "electrons")]))
    assert (gain.value, gain.source) == (1.62, "GAIN")
    assert (noise.value, noise.source) == (6.1, "RDNOISE")


def test_a_setting_that_stands_for_the_gain_is_replaced(tmp_path):
    gain, _ = noise_of(night(tmp_path, more=[("GAIN", 1.0)]))
    assert gain.value == pytest.approx(GAIN, rel=0.03)
    assert gain.note == "GAIN = 1 is not the gain"


@pytest.mark.parametrize(
    "more",
    [{"flats": (20_000.0,)}, {"flats": (60.0, 60.0)}, {"more": [("CALSTAT", "BDF")]}, {"more": [("NCOMBINE", 9)]}],
)
def test_frames_that_cannot_show_it_leave_it_unknown(tmp_path, more):
    gain, _ = noise_of(night(tmp_path, **more))
    assert gain.confidence in ("not known", "guess")


def test_flats_of_different_filters_are_no_pair(tmp_path):
    frames = [frame(tmp_path, "BIAS", n, level=0) for n in (1, 2)]
    frames += [frame(tmp_path, "FLAT", 11, level=2e4), frame(tmp_path, "FLAT", 12, level=2e4, filter_name="g")]
    gain, noise = noise_of(inspect_files(frames))
    assert not gain.is_known
    assert not noise.is_known


def test_saturated_flats_are_not_used(tmp_path):
    """A converter of fewer bits, whose highest number no card gives."""
    gain, _ = noise_of(night(tmp_path, flats=(200_000.0, 190_000.0)))
    assert gain.confidence in ("not known", "guess")


@pytest.mark.parametrize(("factor", "sure"), [(1.02, "likely"), (1.16, "guess"), (1.3, "likely")])
def test_a_gain_that_nobody_measured_is_held_against_the_noise(tmp_path, factor, sure):
    gain, _ = noise_of(night(tmp_path, more=[("EGAIN", GAIN * factor), ("GAIN", 120)]))
    assert gain.confidence == sure
    assert gain.value == pytest.approx(GAIN * factor if factor < 1.25 else GAIN, rel=0.03)


@pytest.mark.parametrize(("stated", "kept"), [(1.5, True), (1.7, True), (2.0, False)])
def test_a_setting_without_a_unit_is_held_against_the_noise(tmp_path, stated, kept):
    gain, _ = noise_of(night(tmp_path, more=[("CCDGAIN", stated)]))
    assert gain.value == pytest.approx(stated if kept else GAIN, rel=0.03)
    assert gain.confidence in (("likely", "guess") if kept else ("likely",))
    assert gain.source == "CCDGAIN" or gain.note == "CCDGAIN = 2 is not the gain"


def test_each_amplifier_is_measured_where_the_card_is_of_one(tmp_path):
    files = []
    for number, (kind, level) in enumerate([("BIAS", 0.0), ("BIAS", 0.0), ("FLAT", 2e4), ("FLAT", 1.9e4)]):
        random, halves = np.random.default_rng(number), []
        for gain, bias in ((GAIN, 1000.0), (1.25 * GAIN, 1100.0)):
            dark = random.normal(0.0, READ_NOISE, (192, 8))
            light = random.poisson(level, (192, 120)) + random.normal(0.0, READ_NOISE, (192, 120))
            halves.append(np.hstack([dark, light]) / gain + bias)
        cards = [
            *(card for card in COMMON if card[0] not in ("IMAGETYP", "EXPTIME", "EXPNUM")),
            *[("IMAGETYP", kind), ("EXPTIME", 2.0 * bool(level)), ("EXPNUM", number + 1)],
            *[("GAIN", 1.1 * GAIN), ("RDNOISE", 3.0, "electrons"), ("AMPID", "C00")],
        ]
        files.append(write_frame(tmp_path / f"{kind}{number}.fits", cards, np.hstack(halves).round()))
    amplifiers = inspect_files(files).detectors[0].facts.amplifiers
    for amp, gain in zip(amplifiers, (GAIN, 1.25 * GAIN), strict=True):
        found, noise = amp.findings["gain"], amp.findings["read_noise"]
        assert (found.value, found.confidence) == (pytest.approx(gain, rel=0.06), "likely")
        assert found.note.startswith("GAIN = 1.76 is that of the amplifier AMPID = C00; standard error")
        assert (noise.value, noise.confidence) == (pytest.approx(READ_NOISE, rel=0.08), "likely")


def test_a_master_does_not_show_where_the_overscan_is(tmp_path):
    random = np.random.default_rng(4)
    paths = []
    for number, light in enumerate((150.0, 160.0, 0.0)):
        pixels = 1100.0 + 3.0 * number + random.normal(0.0, 5.0, (200, 232))
        pixels[:, :200] += light
        header = fits.Header({"IMAGETYP": "Light Frame" if light else "Bias Frame", "EXPTIME": 60.0 if light else 0.0})
        paths.append(tmp_path / f"frame{number}.fits")
        fits.PrimaryHDU(pixels.astype(np.uint16), header).writeto(paths[-1])
    flat = np.zeros((200, 232), np.float32)
    flat[:, :200] = 40000.0
    header = fits.Header({"IMAGETYP": "Master Flat", "CALSTAT": "BD", "EXPTIME": 3.0})
    fits.PrimaryHDU(flat, header).writeto(tmp_path / "master.fits")
    findings = inspect_files([*paths, tmp_path / "master.fits"])
    (amplifier,) = findings.detectors[0].facts.amplifiers
    assert amplifier.overscan == Box(200, 0, 32, 200)
    assert findings["image_type"].value == "science"
    assert any("master.fits: made of several frames" in text for text in findings.warnings)
    assert findings.masters == {"flat"}
