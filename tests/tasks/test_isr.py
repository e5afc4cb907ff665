"""Signature removal, from raw frames of known light to exposures."""

import re

import numpy as np
import pytest

from obs.algorithms.detector.linearity import Linearity
from obs.algorithms.photometry.transmission import TransmissionCurve
from obs.camera.amplifier import Amplifier, NominalCalibration
from obs.camera.detector import Detector
from obs.config.layers import ConfigLayers
from obs.config.lsst_names import PROCESS_NAMES
from obs.errors import ConfigError, DatasetNotFoundError, FileFormatError, MeasurementError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.tasks.calibs_config import OddFramesConfig
from obs.tasks.isr import STEPS, Calibrations, IsrConfig, remove_signature, required_calibrations
from obs.tasks.process_config import ProcessConfig
from obs.tasks.readout_cards import record_readout

W, H = 200, 300  # data of one amplifier
PRE, OVER, BELOW = 4, 16, 6
SHAPE = (H, 2 * W)
RAW_SHAPE = (H + BELOW, 2 * (W + PRE + OVER))
GAINS, READ_NOISES, SATURATION = (2.0, 4.0), (6.0, 10.0), 30000.0
LEVELS = (1000.0, 1500.0)
SKY = 4000.0  # electrons
INFO = VisitInfo(exposure_time=100.0, dark_time=102.0)


def detector(**nominal):
    """Two amplifiers, the second read from the right: its overscan lies left of its data, as in HSC."""
    amplifiers = []
    for k in range(2):
        x = k * (W + PRE + OVER)
        data, overscan = (x + PRE, x + PRE + W) if k == 0 else (x + OVER, x)
        amplifiers.append(
            Amplifier(
                name=f"A{k}",
                bbox=Box(k * W, 0, W, H),
                raw_bbox=Box(x, 0, W + PRE + OVER, H + BELOW),
                raw_data_bbox=Box(data, BELOW, W, H),
                raw_serial_overscan_bbox=Box(overscan, BELOW, OVER, H),
                readout_corner=("LL", "LR")[k],
                nominal=NominalCalibration(
                    **{"gain": GAINS[k], "read_noise": READ_NOISES[k], "saturation": SATURATION, "suspect": 25000.0}
                    | nominal
                ),
            )
        )
    return Detector(3, "1_53", Box(0, 0, 2 * W, H), RAW_SHAPE, tuple(amplifiers), pixel_size_x=0.1, pixel_size_y=0.1)


def per_amplifier(values):
    return np.repeat(np.asarray(values, float), W)[None, :]


def raw_frame(counts, *, levels=LEVELS, noise=True, seed=5, whole=True):
    """Add what the electronics do to counts (ADU, shape of the detector)."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros(RAW_SHAPE)
    for amp, level, gain, read_noise in zip(detector().amplifiers, levels, GAINS, READ_NOISES, strict=True):
        pixels[amp.raw_bbox.slices] = np.broadcast_to(level, (RAW_SHAPE[0],))[:, None]
        pixels[amp.raw_data_bbox.slices] += counts[amp.bbox.slices]
        if noise:
            pixels[amp.raw_bbox.slices] += rng.normal(0, read_noise / gain, amp.raw_bbox.shape)
    return np.rint(pixels).clip(0, 65535).astype(np.uint16) if whole else pixels.astype(np.float32)


def light(seed=6):
    """Counts of an even sky, with its noise, ADU."""
    return np.random.default_rng(seed).poisson(SKY, SHAPE) / per_amplifier(GAINS)


def frame(image, variance=0.0, **info):
    image = np.broadcast_to(image, SHAPE).astype(np.float32)
    return Exposure(
        MaskedImage(image, Mask.zeros(SHAPE), np.full(SHAPE, variance, np.float32)),
        visit_info=VisitInfo(**info) if info else None,
    )


OFF = dict.fromkeys(["do_bias", "do_dark", "do_flat", "do_defect", "expect_wcs"], False)
# frames without noise have equal pixels everywhere, and flat tops
OFF |= {"do_mask_constant": False, "do_find_saturation": False}


def run(pixels, calibrations=Calibrations(), *, where=None, warn=None, **settings):  # noqa: B008 - immutable
    given = {
        name: settings.pop(name)
        for name in ("visit_info", "physical_filter", "band", "keep", "time_fault")
        if name in settings
    }
    config = IsrConfig(**(OFF | settings))
    messages = [] if warn is None else warn
    raw = pixels if isinstance(pixels, Raw) else Raw(pixels)
    given = {"visit_info": INFO} | given
    result = remove_signature(raw, where or detector(), calibrations, config, warn=messages.append, **given)
    assert messages == [] or warn is not None
    return result


def test_the_whole_chain_restores_light_noise_and_variance():
    rng = np.random.default_rng(1)
    bias, dark_rate = rng.normal(0, 5, SHAPE), rng.uniform(0.0, 0.5, SHAPE)
    flat = 1 + rng.normal(0, 0.03, SHAPE)
    flat[:, 150:] *= 0.9
    electrons = SKY * flat + 102.0 * dark_rate * per_amplifier(GAINS)
    counts = rng.poisson(electrons) / per_amplifier(GAINS) + bias
    calibrations = Calibrations(
        bias=frame(bias + rng.normal(0, 1.0, SHAPE), 1.0),
        dark=frame(dark_rate, 0.0, dark_time=1.0),
        flat=frame(flat + rng.normal(0, 0.005, SHAPE), 0.005**2),
        defects=[],
    )
    result = run(
        raw_frame(counts),
        calibrations,
        do_bias=True,
        do_dark=True,
        do_flat=True,
        do_defect=True,
        overscan={"fit_type": "MEDIAN_PER_ROW"},
    ).masked_image
    for k in range(2):
        there = (slice(None), slice(k * W, (k + 1) * W))
        image, variance = result.image[there], result.variance[there]
        truth = SKY / GAINS[k]
        assert np.mean(image) == pytest.approx(truth, rel=1e-3)
        assert np.mean(variance) == pytest.approx(np.var(image - truth), rel=0.02)
    assert result.image.dtype == result.variance.dtype == np.float32
    assert not result.mask.array.any()


def test_infinite_counts_are_no_counts():
    """They would be in the level of the overscan, and so in all pixels."""
    counts = raw_frame(light()).astype(np.float32)
    counts[::3, 10] = np.inf
    counts[::3, -1] = -np.inf
    found, usual = run(counts).masked_image, run(raw_frame(light())).masked_image
    lost = found.mask.any("UNMASKEDNAN")
    assert np.array_equal(np.flatnonzero(lost), np.flatnonzero(found.mask.any("INTRP")))
    assert lost.sum() == 100
    assert found.image[~lost] == pytest.approx(usual.image[~lost], abs=0.2)


def test_the_raw_frame_stays_as_it_was():
    for whole in (True, False):
        pixels = raw_frame(light(), whole=whole)
        before = pixels.copy()
        run(pixels, do_linearize=False)
        assert np.array_equal(pixels, before)


def test_level_noise_gain_and_read_noise_are_recorded():
    metadata = run(raw_frame(light())).metadata
    for k in range(2):
        assert metadata[f"ISR_OSCAN_LEVELA{k}"] == pytest.approx(LEVELS[k], abs=0.2)
        assert metadata[f"ISR_OSCAN_SIGMAA{k}"] == pytest.approx(READ_NOISES[k] / GAINS[k], rel=0.05)
        assert metadata[f"ISR_GAINA{k}"] == GAINS[k]
        assert metadata[f"ISR_READNOISEA{k}"] == READ_NOISES[k]
    assert metadata["OVERSCAN"] == "Overscan corrected"


@pytest.mark.parametrize("fit_type", ["MEDIAN_PER_ROW", "POLY", "AKIMA_SPLINE"])
def test_overscan_follows_the_rows(fit_type):
    slope = np.linspace(-30, 30, RAW_SHAPE[0])
    pixels = raw_frame(light(), levels=(1000 + slope, 1500 - slope))
    image = run(pixels, overscan={"fit_type": fit_type, "order": 1 if fit_type == "POLY" else 20}).masked_image.image
    for k in range(2):
        half = image[:, k * W : (k + 1) * W]
        assert np.mean(half[:100]) == pytest.approx(SKY / GAINS[k], abs=0.8)
        assert np.mean(half[200:]) == pytest.approx(SKY / GAINS[k], abs=0.8)


def test_columns_next_to_the_data_are_skipped_on_the_right_side():
    pixels = raw_frame(light())
    first, second = (amp.raw_serial_overscan_bbox for amp in detector().amplifiers)
    pixels[first.y_min : first.y_max, first.x_min : first.x_min + 3] += 500  # trailing charge
    pixels[second.y_min : second.y_max, second.x_max - 3 : second.x_max] += 500
    told = []
    metadata = run(pixels, warn=told, overscan={"fit_type": "MEAN", "leading_columns_to_skip": 3}).metadata
    assert len(told) == 1
    assert "light reaches these columns" in told[0]
    assert [metadata[f"ISR_OSCAN_LEVELA{k}"] for k in range(2)] == pytest.approx(LEVELS, abs=0.2)
    metadata = run(pixels, warn=told, overscan={"fit_type": "MEAN", "trailing_columns_to_skip": 3}).metadata
    assert metadata["ISR_OSCAN_LEVELA0"] > LEVELS[0] + 50


def test_a_jump_of_the_bias_of_certain_devices():
    jump = np.where(np.arange(RAW_SHAPE[0]) < 150, 0.0, 20.0)
    pixels = raw_frame(light(), levels=(1000 + jump, 1500 + jump))
    overscan = {"bias_jump": True, "bias_jump_row": 150, "bias_jump_keyword": "DET", "bias_jump_devices": ["5", "7"]}
    steps = []
    for device in (7, 8):
        image = run(Raw(pixels, {"DET": device}), overscan=overscan).masked_image.image
        steps.append(np.mean(image[145:, :W]) - np.mean(image[:140, :W]))
    assert steps[0] == pytest.approx(0.0, abs=1.0)
    assert steps[1] == pytest.approx(20.0, abs=1.0)


def test_overscan_above_the_data_is_fitted_along_columns():
    box = Box(0, 0, 64, 40)
    amp = Amplifier(
        "A", box, Box(0, 0, 64, 50), box, Box(0, 42, 64, 8), nominal=NominalCalibration(gain=1.0, read_noise=1.0)
    )
    slope = np.linspace(0, 100, 64)
    pixels = np.broadcast_to(500 + slope, (50, 64)).astype(np.float32)
    result = run(pixels, where=Detector(0, "a", box, (50, 64), (amp,)), overscan={"fit_type": "POLY"})
    assert np.abs(result.masked_image.image).max() < 1e-3


def test_an_overscan_without_a_number_costs_the_amplifier_only():
    pixels = raw_frame(light(), whole=False)
    pixels[detector().amplifiers[0].raw_serial_overscan_bbox.slices] = np.nan
    warnings = []
    result = run(pixels, warn=warnings).masked_image
    assert warnings == ["amplifier 'A0': no overscan pixel has a finite value near the others: masked BAD"]
    assert result.mask.any("BAD")[:, :W].all()
    assert not result.mask.any("BAD")[:, W:].any()
    assert np.isfinite(result.image).all()


def test_saturated_and_suspect_pixels_are_masked_at_raw_levels():
    pixels = raw_frame(light())
    first = detector().amplifiers[0].raw_data_bbox
    pixels[first.y_min + 50, first.x_min + 60] = 30000  # where the electronics may stop
    pixels[first.y_min + 80, first.x_min + 60] = 29999
    mask = run(pixels, do_suspect=True, do_interpolate=False).masked_image.mask
    assert np.argwhere(mask.any("SAT")).tolist() == [[50, 60]]
    assert np.argwhere(mask.any("SUSPECT")).tolist() == [[50, 60], [80, 60]]
    mask = run(pixels, saturation=29999.0, do_interpolate=False).masked_image.mask
    assert np.argwhere(mask.any("SAT")).tolist() == [[50, 60], [80, 60]]
    assert not run(pixels, do_saturation=False).masked_image.mask.array.any()


def test_the_highest_number_of_the_file_is_saturated_whatever_the_table_says():
    pixels = raw_frame(light())
    first = detector().amplifiers[0].raw_data_bbox
    pixels[first.y_min + 50, first.x_min + 60] = 65535
    mask = run(pixels, where=detector(saturation=65535.0), do_interpolate=False).masked_image.mask
    assert np.argwhere(mask.any("SAT")).tolist() == [[50, 60]]


def test_wide_trails_are_widened_before_interpolation_and_filled():
    pixels = raw_frame(light())
    first = detector().amplifiers[0].raw_data_bbox
    pixels[first.y_min : first.y_max, first.x_min + 60 : first.x_min + 68] = 60000
    result = run(pixels).masked_image
    columns = np.flatnonzero(result.mask.any("SAT").all(axis=0))
    assert columns.tolist() == list(range(60 - 3 - 1, 68 + 3 + 1))  # the rule, and one more for interpolation
    assert np.array_equal(result.mask.any("SAT"), result.mask.any("INTRP"))
    assert np.abs(result.image[:, :W] - SKY / GAINS[0]).max() < 300
    mask = run(pixels, do_widen_saturation_trails=False, interpolation={"saturation": False}).masked_image.mask
    assert np.flatnonzero(mask.any("SAT").any(axis=0)).tolist() == list(range(60, 68))
    assert not mask.any("INTRP").any()


def test_an_amplifier_that_is_all_saturated_is_bad():
    pixels = raw_frame(light())
    pixels[detector().amplifiers[1].raw_data_bbox.slices] = 50000
    warnings = []
    result = run(pixels, warn=warnings).masked_image
    assert warnings == ["amplifier 'A1': every pixel is saturated or suspect: masked BAD"]
    assert result.mask.any("BAD")[:, W:].all()
    assert np.mean(result.image[:, :W]) == pytest.approx(SKY / GAINS[0], rel=2e-3)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (65535, "no pixel of detector '1_53' can be used: BAD 100 %, SAT 100 %; nothing to process"),
        (np.nan, "no pixel of detector '1_53' can be used: BAD 100 %; nothing to process"),
    ],
)
def test_a_frame_without_a_good_pixel_is_refused(value, message):
    pixels = np.full(RAW_SHAPE, value, np.uint16 if value == 65535 else np.float32)
    with pytest.raises(MeasurementError, match=message):
        run(pixels, warn=[])


def test_nan_without_overscan_correction_is_refused_too():
    with pytest.raises(MeasurementError, match="can be used: UNMASKEDNAN 100 %"):
        run(np.full(RAW_SHAPE, np.nan, np.float32), do_overscan=False)


def test_single_nans_are_counted_and_filled():
    pixels = raw_frame(light(), whole=False)
    pixels[BELOW + 10, PRE + 20] = pixels[BELOW + 12, PRE + 20] = np.nan
    result = run(pixels)
    assert result.metadata["NUMNANS"] == 2
    assert result.masked_image.mask.any("UNMASKEDNAN").sum() == 2
    assert np.isfinite(result.masked_image.image).all()
    left = run(pixels, interpolation={"not_a_number": False}).masked_image
    assert np.isnan(left.image).sum() == 2


def test_defects_and_edges():
    calibrations = Calibrations(defects=[Box(30, 0, 2, H), Box(250, 100, 10, 10)])
    result = run(raw_frame(light()), calibrations, do_defect=True, edge_suspect_width=3).masked_image
    bad = np.zeros(SHAPE, bool)
    bad[:, 30:32] = bad[100:110, 250:260] = True
    assert np.array_equal(result.mask.any("BAD"), bad)
    assert np.array_equal(result.mask.any("INTRP"), bad)
    edge = np.ones(SHAPE, bool)
    edge[3:-3, 3:-3] = False
    assert np.array_equal(result.mask.any("SUSPECT"), edge)
    mask = run(
        raw_frame(light()), calibrations, do_defect=True, edge_suspect_width=3, edge_mask_level="AMP"
    ).masked_image.mask
    assert mask.any("SUSPECT")[100, W - 3 : W + 3].all()


def test_a_defect_over_an_amplifier_spares_it_all_corrections():
    calibrations = Calibrations(defects=[Box(0, 0, W, H)])
    result = run(raw_frame(light()), calibrations, do_defect=True)
    assert "ISR_OSCAN_LEVELA0" not in result.metadata
    assert result.masked_image.mask.any("BAD")[:, :W].all()
    wide = result.masked_image.image[:, :W]
    assert np.ptp(wide) == 0  # too wide a gap to interpolate: the level of the good amplifier
    assert wide[0, 0] == pytest.approx(SKY / GAINS[1], rel=1e-2)


def test_bias_before_overscan_is_a_raw_frame():
    pattern = np.random.default_rng(3).normal(0, 30, RAW_SHAPE)
    pixels = (raw_frame(light(), whole=False) + pattern).astype(np.float32)
    raw_bias = Exposure(
        MaskedImage(pattern.astype(np.float32), Mask.zeros(RAW_SHAPE), np.full(RAW_SHAPE, 2.0, np.float32))
    )
    settings = {"do_bias": True, "do_bias_before_overscan": True}
    result = run(pixels, Calibrations(bias=raw_bias), **settings).masked_image
    assert np.std(result.image[:, :W]) < 40
    assert np.mean(result.variance[:, :W]) == pytest.approx(np.var(result.image[:, :W]) + 2.0, rel=0.03)
    with pytest.raises(
        FileFormatError, match="the bias has 400 x 300 pixels, the image of detector '1_53' has 440 x 306"
    ):
        run(pixels, Calibrations(bias=frame(0.0)), **settings)


def test_dark_is_scaled_by_dark_time():
    dark = frame(3.0, 0.5, dark_time=2.0)
    counts = light()
    off, on = (run(raw_frame(counts), Calibrations(dark=dark), do_dark=d).masked_image for d in (False, True))
    assert np.unique(off.image - on.image) == pytest.approx(3.0 * 51, rel=1e-3)
    assert np.mean(on.variance - off.variance) == pytest.approx(0.5 * 51**2, rel=1e-3)
    info = VisitInfo(exposure_time=100.0)  # no dark time in the header
    rate = frame(3.0, exposure_time=50.0)
    rate.metadata["BUNIT"] = "adu/s"
    on = run(raw_frame(counts), Calibrations(dark=rate), do_dark=True, visit_info=info).masked_image
    assert np.unique(off.image - on.image) == pytest.approx(300.0, rel=1e-3)


@pytest.mark.parametrize(("share", "noise"), [(0.0, 25.0 + 34.0), (1 / 102, 9.0)])
def test_noise_of_a_bias_that_is_in_the_dark_cancels(share, noise):
    """The dark is a mean of raw darks, variance 9, minus the bias, variance 25; the exposure is as long as they."""
    bias, dark = frame(0.0, 25.0), frame(0.0, 34.0 / 102**2, dark_time=1.0)
    off = run(raw_frame(light())).masked_image
    given = Calibrations(bias=bias, dark=dark, shared_bias=share)
    on = run(raw_frame(light()), given, do_bias=True, do_dark=True).masked_image
    assert np.median(on.variance - off.variance) == pytest.approx(noise, rel=1e-3)


@pytest.mark.parametrize(
    ("info", "cards", "seconds"),
    [({"exposure_time": 60.0}, {}, 60.0), ({}, {"EXPOSURE": "60"}, 60.0), ({"exposure_time": 0.0}, {}, None)],
)
def test_darks_made_elsewhere_are_scaled_by_their_exposure_time(info, cards, seconds):
    dark, warnings = frame(3.0, **info), []
    dark.metadata |= cards
    off, on = (
        run(raw_frame(light()), Calibrations(dark=dark), do_dark=d, warn=warnings).masked_image for d in (False, True)
    )
    assert np.unique(off.image - on.image) == pytest.approx(3.0 * 102.0 / (seconds or 1.0), rel=1e-3)
    assert [text.split(" and")[0] for text in warnings] == (
        [] if seconds else ["the dark has no exposure time (EXPTIME or DARKTIME)"]
    )


@pytest.mark.parametrize(
    ("cards", "settings", "found"),
    [
        ({"GAIN": 100.0, "CCD-TEMP": -9.0}, {}, None),
        ({"GAIN": 200, "CCD-TEMP": -9.0}, {}, "GAIN is 200, 100 in the frames of bias and dark: read out"),
        ({"GAIN": 200}, {"do_dark": False}, "GAIN is 200, 100 in the frames of bias: read out"),
        ({"GAIN": 200}, {"compare_readout": False}, None),
        ({"CCD-TEMP": 0.0}, {}, "CCD-TEMP is 0, -10 in the frames of dark: read out"),
        ({"CCD-TEMP": 0.0}, {"temperature_tolerance": 20.0}, None),
        ({"CCD-TEMP": 999.0}, {}, None),
    ],
)
def test_another_readout_than_that_of_the_calibrations_is_told(cards, settings, found):
    headers = [{"GAIN": 100, "CCD-TEMP": -10.2, "EGAIN": 0.7}, {"GAIN": 100, "CCD-TEMP": -9.8, "EGAIN": 0.8}]
    recorded = record_readout(headers, OddFramesConfig())
    assert recorded == {"CALIB_MODE_GAIN": "100", "CALIB_TEMPERATURE_CCD-TEMP": pytest.approx(-10)}
    bias, dark = frame(0.0), frame(0.0, dark_time=1.0)
    bias.metadata |= recorded
    dark.metadata |= recorded
    warnings = []
    raw = Raw(raw_frame(light()), cards)
    run(raw, Calibrations(bias=bias, dark=dark), warn=warnings, **{"do_bias": True, "do_dark": True} | settings)
    assert len(warnings) == (found is not None)
    assert found is None or warnings[0].startswith(found)


def test_calibrations_made_elsewhere_are_compared_by_their_own_cards():
    bias, flat = frame(0.0), frame(1.0)
    bias.metadata |= {"GAIN": "100.0", "XBINNING": 1, "CCD-TEMP": 20.0}
    flat.metadata |= {"GAIN": 0.0, "XBINNING": 2}
    warnings = []
    raw = Raw(raw_frame(light()), {"GAIN": 100, "XBINNING": 1, "CCD-TEMP": -10.0})
    run(raw, Calibrations(bias=bias, flat=flat), warn=warnings, do_bias=True, do_flat=True)
    assert len(warnings) == 1
    assert warnings[0].startswith("GAIN is 100, 0 in the frames of flat; XBINNING is 1, 2 in the frames of flat: read")


@pytest.mark.parametrize(
    ("given", "settings", "found"),
    [
        ({"bias": frame(1240.0)}, {}, "the bias has a level of 1240, that of the overscan (1250)"),
        ({"dark": frame(1300.0, dark_time=100.0)}, {}, "the dark has a level of 1300, like the bias (1250)"),
        (
            {"bias": frame(1000.0), "dark": frame(1100.0, dark_time=100.0)},
            {"do_overscan": False},
            "the dark has a level of 1100, like the bias (1000)",
        ),
        ({"bias": frame(1000.0)}, {"do_overscan": False}, ""),
        ({"bias": frame(3.0), "dark": frame(300.0, dark_time=100.0)}, {}, ""),
        ({"flat": frame(30000.0)}, {}, "the flat has a level of 3e+04, not of about 1"),
        ({"flat": frame(30000.0)}, {"flat": {"scaling_type": "MEDIAN"}}, ""),
    ],
)
def test_levels_of_calibrations_that_do_not_fit_are_told(given, settings, found):
    warnings = []
    switches = {f"do_{name}": True for name in given}
    run(raw_frame(light()), Calibrations(**given), warn=warnings, **switches | settings)
    assert [text[: len(found)] for text in warnings] == [found] * bool(found)


def test_a_dark_in_electrons_is_told():
    dark = frame(1.0, dark_time=100.0)
    dark.metadata["BUNIT"] = "electron"
    warnings = []
    run(raw_frame(light()), Calibrations(dark=dark), warn=warnings, do_dark=True)
    assert [text[:29] for text in warnings] == ["the dark is in electron (BUNI"]


@pytest.mark.parametrize("seconds", [float("nan"), -1.0, float("inf")])
def test_an_unknown_exposure_time_is_refused(seconds):
    info = VisitInfo(exposure_time=seconds)
    with pytest.raises(
        FileFormatError,
        match=r"exposure time is (not known|-1.0 s|inf s), so that the dark cannot be scaled.*-c isr.do_dark=false",
    ):
        run(raw_frame(light()), Calibrations(dark=frame(1.0)), do_dark=True, visit_info=info)
    warnings = []
    given = {"visit_info": VisitInfo(), "time_fault": "EXPTIME = -5"}
    assert run(raw_frame(light()), warn=warnings, **given).photo_calib is None
    assert warnings == ["the exposure time is not known (EXPTIME = -5): no rough zero point"]


def test_missing_frames_are_one_error_that_names_the_switches():
    with pytest.raises(
        DatasetNotFoundError, match=r"no bias for detector '1_53': build or ingest .* by -c isr.do_bias=false$"
    ):
        run(raw_frame(light()), do_bias=True)
    with pytest.raises(
        DatasetNotFoundError,
        match=r"no bias, defects, dark, flat for .* by -c isr.do_bias=false -c isr.do_defect=false -c isr.do_dark=f",
    ):
        remove_signature(Raw(raw_frame(light())), detector(), Calibrations(), IsrConfig(), visit_info=INFO)


def test_required_calibrations_depend_on_the_filter():
    config = IsrConfig(
        **OFF
        | {
            "fringe": {"filters": ["y"]},
            "do_stray_light": True,
            "stray_light_filters": ["HSC-Y"],
            "do_illumination_correction": True,
        }
    )
    assert required_calibrations(config, physical_filter="HSC-R", band="r") == {
        "illumination": "do_illumination_correction"
    }
    assert set(required_calibrations(config, physical_filter="HSC-Y", band="y")) == {
        "fringe",
        "stray_light",
        "illumination",
    }
    assert required_calibrations(IsrConfig()) == {
        "bias": "do_bias",
        "defects": "do_defect",
        "dark": "do_dark",
        "flat": "do_flat",
    }


def test_a_flat_with_zeros_masks_and_gives_no_infinity():
    flat = frame(0.5, 1e-4)
    flat.masked_image.image[100:103, 50:53] = 0.0
    flat.masked_image.image[:, 300] = np.nan
    warnings = []
    result = run(raw_frame(light()), Calibrations(flat=flat), do_flat=True, warn=warnings).masked_image
    assert warnings == [f"the flat has no value above 0.001 in {9 + H} pixels: masked BAD and NO_DATA"]
    assert np.isfinite(result.image).all()
    assert np.isfinite(result.variance).all()
    assert (result.mask.any("NO_DATA") & result.mask.any("BAD") & result.mask.any("INTRP")).sum() == 9 + H
    assert result.image[101, 51] == pytest.approx(2 * SKY / GAINS[0], rel=0.1)


def test_a_flat_of_zeros_is_refused():
    with pytest.raises(MeasurementError, match=r"the flat of detector '1_53' has no value above 0\.001 in any pixel"):
        run(raw_frame(light()), Calibrations(flat=frame(0.0)), do_flat=True, warn=[])
    with pytest.raises(MeasurementError, match="the flat of detector '1_53' has no pixel above zero"):
        run(raw_frame(light()), Calibrations(flat=frame(0.0)), do_flat=True, flat={"scaling_type": "MEAN"})


@pytest.mark.parametrize(("kind", "scale"), [("USER", 1.0), ("MEAN", 20000.0), ("MEDIAN", 20000.0)])
def test_flat_scaling(kind, scale):
    flat = frame(20000.0)
    settings = {"do_flat": True, "flat": {"scaling_type": kind}, "compare_readout": False}
    image = run(raw_frame(light()), Calibrations(flat=flat), **settings).masked_image.image
    assert np.mean(image[:, :W]) == pytest.approx(SKY / GAINS[0] * scale / 20000.0, rel=2e-3)


@pytest.mark.parametrize("name", ["bias", "dark", "flat"])
def test_a_calibration_of_another_shape_is_refused_with_both(name):
    other = Exposure(MaskedImage(np.ones((10, 20), np.float32)), visit_info=VisitInfo(dark_time=1.0))
    with pytest.raises(
        FileFormatError, match=f"the {name} has 20 x 10 pixels, the image of detector '1_53' has 400 x 300"
    ):
        run(raw_frame(light()), Calibrations(**{name: other}), **{f"do_{name}": True})


def test_masks_of_calibration_frames_are_taken_over():
    bias = frame(0.0)
    bias.masked_image.mask.array[5, 6] = bias.masked_image.mask.bits("BAD", "CR")
    mask = run(raw_frame(light()), Calibrations(bias=bias), do_bias=True).masked_image.mask
    assert mask.array[5, 6] == mask.bits("BAD", "INTRP")


def test_a_raw_of_another_shape_is_refused_with_both():
    with pytest.raises(
        FileFormatError, match="the raw image has 440 x 300 pixels, the camera has 440 x 306 for detector '1_53'"
    ):
        run(np.zeros((300, 440), np.uint16))


def test_a_window_is_put_in_its_place():
    box = Box(0, 0, 40, 30)
    bare = Detector(
        0, "c", box, (30, 40), (Amplifier("1", box, box, box, nominal=NominalCalibration(gain=2.0, read_noise=5.0)),)
    )
    window = np.random.default_rng(2).poisson(900, (10, 16)).astype(np.uint16)
    raw = Raw(window, {"XORGSUBF": 5, "YORGSUBF": 7})
    result = run(raw, where=bare, do_overscan=False).masked_image
    inside = np.zeros((30, 40), bool)
    inside[7:17, 5:21] = True
    assert np.array_equal(result.image[inside].reshape(10, 16), window)
    assert np.array_equal(result.mask.any("NO_DATA"), ~inside)
    for cards in ({}, {"XORGSUBF": 30, "YORGSUBF": 7}):
        with pytest.raises(FileFormatError, match="the raw image has 16 x 10 pixels, the camera has 40 x 30"):
            run(Raw(window, cards), where=bare, do_overscan=False)


@pytest.mark.parametrize("corner", [(0, 9), (7, 9)])
def test_a_window_with_overscan_has_its_level_subtracted(corner):
    data, overscan = Box(0, 0, 40, 30), Box(40, 0, 8, 30)
    amp = Amplifier(
        "1", data, Box(0, 0, 48, 30), data, raw_serial_overscan_bbox=overscan, nominal=NominalCalibration(gain=2.0)
    )
    bare = Detector(0, "c", data, (30, 48), (amp,))
    whole = np.random.default_rng(2).normal(300, 1, (30, 48))
    whole[:, :40] += 500.0
    x, y = corner
    cards = {"XORGSUBF": x, "YORGSUBF": y}
    for width, height in ((44 - x, 12), (48 - x, 12)):
        part = whole[y : y + height, x : x + width].round().astype(np.uint16)
        result = run(Raw(part, cards), where=bare).masked_image
        inside = result.image[y : y + height, x:40]
        assert np.median(inside) == pytest.approx(500.0, abs=1.0)
        assert np.count_nonzero(~result.mask.any("NO_DATA")) == inside.size
    part = np.hstack([whole[y : y + 12, 40:46], whole[y : y + 12, x:40]]).round().astype(np.uint16)
    cards = {"BIASSEC": "[1:6,1:12]", "TRIMSEC": f"[7:{46 - x},1:12]", "CCDSEC": f"[{x + 1}:40,{y + 1}:{y + 12}]"}
    result = run(Raw(part, cards), where=bare).masked_image
    assert np.median(result.image[y : y + 12, x:40]) == pytest.approx(500.0, abs=1.0)
    assert np.count_nonzero(~result.mask.any("NO_DATA")) == 12 * (40 - x)
    cards = {"XORGSUBF": x, "YORGSUBF": y}
    part = whole[y : y + 12, x:40].round().astype(np.uint16)
    with pytest.raises(FileFormatError, match=r"without the overscan of amplifier '1', .* is not known: read out"):
        run(Raw(part, cards), where=bare)


def test_whole_numbers_need_the_conversion():
    with pytest.raises(ConfigError, match=r"the raw image is uint16, .* set isr.do_convert_to_float=true"):
        run(raw_frame(light()), do_convert_to_float=False)
    assert run(raw_frame(light(), whole=False), do_convert_to_float=False).shape == SHAPE


def test_without_assembly_the_raw_layout_stays():
    pixels = raw_frame(light())
    result = run(pixels, do_assemble=False)
    assert result.shape == RAW_SHAPE
    for k, amp in enumerate(detector().amplifiers):
        data = result.masked_image.cutout(amp.raw_data_bbox)
        assert np.mean(data.image) == pytest.approx(SKY / GAINS[k], rel=2e-3)
        assert np.mean(data.variance) == pytest.approx(np.var(data.image), rel=0.03)
    warnings = []
    run(pixels, Calibrations(defects=[Box(0, 0, 1, 1)]), do_defect=True, do_assemble=False, warn=warnings)
    assert warnings == ["defects are those of the assembled detector, and isr.do_assemble is off: not masked"]


def test_cards_of_the_raw_image_go_and_others_stay():
    metadata = {"DATASEC": "[1:2,1:2]", "BIASSEC": "", "TRIMSEC": "", "GAIN": 7.0, "PC001001": 1.0, "OBJECT": "M31"}
    result = run(Raw(raw_frame(light()), metadata), keywords_to_remove=["PC001001"])
    assert result.metadata["OBJECT"] == "M31"
    assert not {"DATASEC", "BIASSEC", "TRIMSEC", "PC001001"} & result.metadata.keys()
    assert result.metadata["GAIN"] == pytest.approx(np.mean(GAINS))
    warnings = []
    run(raw_frame(light()), expect_wcs=True, warn=warnings)
    assert warnings == ["the frame comes without a WCS"]


def test_the_gain_and_saturation_of_the_whole_image():
    metadata = run(raw_frame(light())).metadata
    assert metadata["GAIN"] == pytest.approx(np.mean(GAINS))
    assert metadata["SATURATE"] == pytest.approx(SATURATION - max(LEVELS), abs=10)
    metadata = run(raw_frame(light()), do_apply_gains=True, do_flat=False).metadata
    assert (metadata["GAIN"], metadata["BUNIT"]) == (1.0, "electron")
    assert metadata["SATURATE"] == pytest.approx((SATURATION - max(LEVELS)) * np.mean(GAINS), rel=1e-3)


_OF_AMPLIFIERS = ["DATASECA", "BIASSEC2", "TSEC_1", "CCDSECA", "DETSECUL", "AMPSEC", "BSEC12", "GAINB", "GAIN_01"]
_OTHERS = ["SECPIX", "GAINSET", "DATASUM", "CCDSUM", "SECZ-STR"]


def test_sections_and_gains_of_amplifiers_go_too():
    metadata = dict.fromkeys([*_OF_AMPLIFIERS, *_OTHERS, "CCDSEC", "DETSEC"], "[1:2,1:2]")
    result = run(Raw(raw_frame(light()), metadata))
    assert metadata.keys() & result.metadata.keys() == {*_OTHERS, "CCDSEC", "DETSEC"}


def test_places_of_amplifiers_with_extensions_go():
    metadata = {"DETSEC": "[1:2,1:2]", "CCDSEC": "[1:2,1:2]", "OBJECT": "M31"}
    result = run(Raw({k: np.full((H, W + OVER), LEVELS[0]) for k in (1, 2)}, metadata), where=several_hdus())
    assert {"DETSEC", "CCDSEC", "OBJECT"} & result.metadata.keys() == {"OBJECT"}


def several_hdus():
    where = detector()
    boxes = {
        "raw_bbox": Box(0, 0, W + OVER, H),
        "raw_data_bbox": Box(0, 0, W, H),
        "raw_serial_overscan_bbox": Box(W, 0, OVER, H),
    }
    amplifiers = tuple(
        Amplifier(name=amp.name, bbox=amp.bbox, nominal=amp.nominal, raw_hdu=k + 1, flip_x=k == 1, **boxes)
        for k, amp in enumerate(where.amplifiers)
    )
    return Detector(3, "mef", where.bbox, (H, W + OVER), amplifiers)


def test_amplifiers_in_hdus_of_their_own():
    counts = light()
    raw = {}
    for k in range(2):
        data = counts[:, k * W : (k + 1) * W]
        raw[k + 1] = np.full((H, W + OVER), LEVELS[k])
        raw[k + 1][:, :W] += data[:, :: -1 if k else 1]
    result = run(Raw(raw), where=several_hdus())
    assert result.masked_image.image == pytest.approx(counts, abs=0.01)
    with pytest.raises(
        FileFormatError,
        match="no image in HDU 2, where the camera has amplifier 'A1' of detector 'mef'; it has images in 1",
    ):
        run(Raw({1: raw[1]}), where=several_hdus())
    with pytest.raises(
        FileFormatError, match=r"is in 2 HDUs, which have to be assembled for this; leave isr.do_assemble on"
    ):
        run(Raw(raw), where=several_hdus(), do_assemble=False)


def test_variance_without_gain_or_read_noise():
    nan, warnings = float("nan"), []
    pixels = raw_frame(light())
    result = run(pixels, where=detector(gain=nan, read_noise=nan), warn=warnings)
    for k in range(2):
        gain = result.metadata[f"ISR_GAINA{k}"]
        assert gain == pytest.approx(GAINS[k], rel=0.15)
        assert warnings[k] == (
            f"amplifier 'A{k}': the gain is unknown, the camera's table has nan, and taken as {gain:.3g} electron/adu "
            "from the noise of the sky: write it into amplifiers.csv (obs doctor measures it in flats and biases), or "
            "set isr.gain"
        )
        assert result.metadata[f"ISR_GAIN_SOURCEA{k}"] == "pixels"
        assert result.metadata[f"ISR_READNOISE_SOURCEA{k}"] == "overscan"
        assert result.metadata[f"ISR_READNOISEA{k}"] == pytest.approx(
            result.metadata[f"ISR_OSCAN_SIGMAA{k}"] * gain, rel=1e-6
        )
    result = run(pixels, where=detector(gain=nan, read_noise=nan), gain=2.0, read_noise=6.0)
    assert np.mean(result.masked_image.variance[:, :W]) == pytest.approx(
        np.var(result.masked_image.image[:, :W]), rel=0.03
    )
    warnings = []
    result = run(pixels, where=detector(read_noise=nan), do_overscan=False, warn=warnings)
    assert warnings[0] == (
        "amplifier 'A0': the read noise is unknown, and too small beside the noise of the sky to be measured; "
        f"{12.0**-0.5 * GAINS[0]:.3g} electron are used, the noise of rounding to whole counts: write it into "
        "amplifiers.csv (obs doctor measures it in flats and biases), or set isr.read_noise"
    )
    assert result.metadata["ISR_READNOISE_SOURCEA0"] == "rounding"


def test_the_level_of_a_missing_bias_is_not_light():
    """Without bias and overscan the noise of the sky does not give the gain, and all of it counts as read noise."""
    nan, warnings = float("nan"), []
    settings = {"do_overscan": False, "do_bias": False, "warn": warnings}
    result = run(raw_frame(light()), where=detector(gain=nan, read_noise=nan), allow_missing=True, **settings)
    assert warnings[0].startswith(
        "amplifier 'A0': the gain is unknown, the camera's table has nan, and taken as 1 electron/adu, because neither "
        "a bias nor overscan gives the level without light: write it into amplifiers.csv"
    )
    for k, x in enumerate((slice(0, W), slice(W, None))):
        assert result.metadata[f"ISR_GAINA{k}"] == 1.0
        noise = np.std(result.masked_image.image[:, x])
        assert result.metadata[f"ISR_READNOISEA{k}"] == pytest.approx(noise, rel=0.1)


def test_an_unknown_read_noise_is_never_zero():
    """Without overscan, and of a frame without light: that of the pixels, to 10 %."""
    dark = raw_frame(np.zeros_like(light()))
    bias = Calibrations(bias=frame(per_amplifier(LEVELS) + np.zeros(SHAPE)))
    for read_noise in (float("nan"), 0.0):
        result = run(dark, bias, where=detector(read_noise=read_noise), do_overscan=False, do_bias=True, warn=[])
        for k in range(2):
            assert result.metadata[f"ISR_READNOISE_SOURCEA{k}"] == "pixels"
            assert result.metadata[f"ISR_READNOISEA{k}"] == pytest.approx(READ_NOISES[k], rel=0.1)
        assert (result.masked_image.variance > 0).all()


def test_gain_and_read_noise_that_calibrations_record():
    nan, warnings = float("nan"), []
    shape = light().shape
    flat = Exposure(MaskedImage(np.ones(shape, np.float32), Mask.zeros(shape), np.zeros(shape, np.float32)))
    bias = Exposure(MaskedImage(np.zeros(shape, np.float32), Mask.zeros(shape), np.zeros(shape, np.float32)))
    flat.metadata |= {"CALIB_GAIN_A0": 1.7, "CALIB_GAIN_A1": 1.8}
    bias.metadata |= {"CALIB_READNOISE_A0": 3.0, "CALIB_READNOISE_A1": 4.0}
    calibrations = Calibrations(bias=bias, flat=flat)
    result = run(
        raw_frame(light()),
        where=detector(gain=nan, read_noise=nan),
        calibrations=calibrations,
        warn=warnings,
        do_overscan=False,
        do_bias=True,
        do_flat=True,
    )
    assert not warnings
    assert result.metadata["ISR_GAINA1"] == 1.8
    assert result.metadata["ISR_GAIN_SOURCEA1"] == "flat"
    assert result.metadata["ISR_READNOISEA1"] == pytest.approx(4.0 * 1.8)
    assert result.metadata["ISR_READNOISE_SOURCEA1"] == "bias"


def test_measured_read_noise_is_in_electrons():
    result = run(raw_frame(light()), where=detector(read_noise=99.0), do_empirical_read_noise=True)
    for k in range(2):
        assert result.metadata[f"ISR_READNOISEA{k}"] == pytest.approx(READ_NOISES[k], rel=0.05)


def test_without_variance_it_is_not_a_number():
    assert np.isnan(run(raw_frame(light()), do_variance=False).masked_image.variance).all()


def test_linearity_of_the_table_and_of_a_linearizer():
    c = 2e-6
    true = light()
    response = (np.sqrt(1 + 4 * c * true) - 1) / (2 * c)
    where = detector(linearity_type="Squared", linearity_coefficients=(c,))
    image = run(raw_frame(response), where=where).masked_image.image
    assert np.mean(image - true) == pytest.approx(0.0, abs=0.2)
    assert np.mean(run(raw_frame(response), where=where, do_linearize=False).masked_image.image - true) < -2
    tables = {f"A{k}": Linearity("Polynomial", (c, 0.0)) for k in range(2)}
    image = run(raw_frame(response), Calibrations(linearizer=tables)).masked_image.image
    assert np.mean(image - true) == pytest.approx(0.0, abs=0.2)
    with pytest.raises(
        FileFormatError, match="detector '1_53', amplifier 'A0': linearity type 'LookupTable' needs a table"
    ):
        run(raw_frame(response), where=detector(linearity_type="LookupTable", linearity_coefficients=(0.0, 0.0)))


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("rows", ["SOURCE", "TARGET"])
def test_crosstalk_in_both_conventions_and_at_both_places(before, rows):
    counts = np.zeros(SHAPE)
    counts[100, 50] = 20000.0  # of the first amplifier, read from the left
    counts[100, 2 * W - 1 - 50] = 0.01 * 20000.0  # its ghost in the second, read from the right
    source_rows = [0.0, 0.01, 0.03, 0.0]
    settings = {
        "do_crosstalk": True,
        "crosstalk": {
            "coefficients": source_rows if rows == "SOURCE" else np.reshape(source_rows, (2, 2)).T.ravel().tolist(),
            "rows": rows,
            "before_assembly": before,
            "minimum_pixel_to_mask": 10000.0,
        },
    }
    pixels = raw_frame(counts, levels=(0.0, 0.0), noise=False, whole=False)
    result = run(pixels, do_saturation=False, do_interpolate=False, **settings).masked_image
    assert result.image[100, 2 * W - 1 - 50] == pytest.approx(0.0, abs=0.1)
    assert result.image[100, 50] == pytest.approx(20000 - 0.03 * 200)
    assert np.argwhere(result.mask.any("CROSSTALK")).tolist() == [[100, 2 * W - 1 - 50]]


def test_crosstalk_background_and_missing_coefficients():
    pixels = raw_frame(np.full(SHAPE, 1000.0), noise=False, whole=False)
    for background, expected in (("None", 990.0), ("AMP", 1000.0), ("DETECTOR", 1000.0)):
        crosstalk = {"coefficients": [0, 0.01, 0.01, 0], "background": background}
        image = run(pixels, do_crosstalk=True, crosstalk=crosstalk).masked_image.image
        assert image == pytest.approx(expected, abs=0.05)
    table = np.array([[0.0, 0.01], [0.01, 0.0]])
    assert run(pixels, Calibrations(crosstalk=table), do_crosstalk=True).masked_image.image == pytest.approx(
        990, abs=0.05
    )
    with pytest.raises(DatasetNotFoundError, match=r"no crosstalk coefficients .* -c isr.do_crosstalk=false"):
        run(pixels, do_crosstalk=True)
    with pytest.raises(
        ConfigError, match=r"isr.crosstalk.coefficients has 3 values, detector '1_53' with 2 amplifiers needs 4"
    ):
        run(pixels, do_crosstalk=True, crosstalk={"coefficients": [0.0, 1.0, 2.0]})


def brighter_fatter_kernel():
    y, x = np.mgrid[-8:9, -8:9]
    return (-4e-7 * np.exp(-(x**2 + y**2) / 8.0)).astype(np.float32)


def test_brighter_fatter_adds_the_difference_only():
    y, x = np.mgrid[:H, : 2 * W]
    star = 10000 * np.exp(-0.5 * ((x - 100) ** 2 + (y - 100) ** 2) / 9.0)
    pixels = raw_frame(1000 + star, noise=False, whole=False)
    pixels[BELOW + 200, PRE + 50] = np.nan
    calibrations = Calibrations(
        brighter_fatter_kernel=brighter_fatter_kernel(), flat=frame(0.8), dark=frame(1.0, dark_time=1.0)
    )
    settings = {"do_flat": True, "do_dark": True, "do_interpolate": False}
    off = run(pixels, calibrations, **settings).masked_image
    on = run(pixels, calibrations, do_brighter_fatter=True, **settings).masked_image
    change = on.image - off.image
    assert change[100, 100] > 20
    moved = change * per_amplifier(GAINS)
    assert np.nansum(moved) == pytest.approx(0.0, abs=0.01 * float(np.nansum(np.abs(moved))))
    assert np.isnan(on.image[200, 50])  # what was filled for the convolution is not kept
    assert np.nanmax(np.abs(change[190:210, 40:60])) < 0.01
    edge = np.ones(SHAPE, bool)
    edge[8:-8, 8:-8] = False
    assert np.array_equal(on.mask.any("EDGE"), edge)


def test_brighter_fatter_works_in_electrons_and_says_when_it_does_not_converge():
    y, x = np.mgrid[:H, : 2 * W]
    counts = [
        20000 / gain * np.exp(-0.5 * ((x - at) ** 2 + (y - 100) ** 2) / 9.0)
        for at, gain in zip((100, 300), GAINS, strict=True)
    ]
    calibrations = Calibrations(brighter_fatter_kernel=brighter_fatter_kernel())
    pixels = raw_frame(sum(counts), noise=False, whole=False)
    off, on = (run(pixels, calibrations, do_brighter_fatter=b).masked_image.image for b in (False, True))
    change = (on - off) * per_amplifier(GAINS)
    assert change[100, 100] == pytest.approx(change[100, 300], rel=1e-3)
    warnings = []
    run(
        pixels,
        calibrations,
        do_brighter_fatter=True,
        brighter_fatter={"maximum_iterations": 1, "mask_grow_size": 1},
        warn=warnings,
    )
    assert len(warnings) == 1
    assert "after 1 iterations, not below 1000" in warnings[0]


def test_fringes_only_in_their_filters():
    y, x = np.mgrid[:H, : 2 * W]
    pattern = np.sin(0.15 * x + 0.1 * y).astype(np.float32)
    pixels = raw_frame(1000 + 40.0 * pattern)
    settings = {"fringe": {"filters": ["y"], "number": 3000}}
    calibrations = Calibrations(fringe=frame(pattern))
    for at in (True, False):
        settings["fringe"]["after_flat"] = at
        result = run(pixels, calibrations, physical_filter="HSC-Y", band="y", **settings)
        assert result.metadata["ISR_FRINGE"] == pytest.approx(40.0, abs=0.5)
        assert np.std(result.masked_image.image[:, :W]) == pytest.approx(READ_NOISES[0] / GAINS[0], rel=0.05)
    assert "ISR_FRINGE" not in run(pixels, calibrations, band="r", **settings).metadata
    with pytest.raises(DatasetNotFoundError, match=r"no fringe for detector '1_53'.*-c isr.do_fringe=false"):
        run(pixels, band="y", **settings)


def test_the_level_of_the_fringe_frame_is_kept_or_not():
    y, x = np.mgrid[:H, : 2 * W]
    pattern = (0.5 + np.sin(0.15 * x + 0.1 * y)).astype(np.float32)
    pixels = raw_frame(1000 + 40.0 * pattern)
    means = [
        np.mean(
            run(
                pixels,
                Calibrations(fringe=frame(pattern)),
                band="y",
                fringe={"filters": ["y"], "number": 3000, "pedestal": p},
            ).masked_image.image
        )
        for p in (False, True)
    ]
    assert means == pytest.approx([1000, 1020], abs=1.5)


def test_fringes_that_cannot_be_measured_are_told():
    warnings = []
    run(
        raw_frame(light()),
        Calibrations(fringe=frame(0.0)),
        band="y",
        fringe={"filters": ["y"], "number": 200},
        warn=warnings,
    )
    assert warnings[0].startswith("fringes are not subtracted: ")


def test_stray_light_is_scaled_by_exposure_time():
    calibrations = Calibrations(stray_light=frame(0.5, exposure_time=2.0))
    settings = {"do_stray_light": True, "stray_light_filters": ["HSC-Y"]}
    pixels = raw_frame(light())
    off, on = (run(pixels, calibrations, physical_filter=f, **settings).masked_image.image for f in ("HSC-R", "HSC-Y"))
    assert np.unique(off - on) == pytest.approx(25.0, rel=1e-3)


def test_gains_level_the_amplifiers_and_exclude_the_flat():
    result = run(raw_frame(light()), do_apply_gains=True)
    for k in range(2):
        half = result.masked_image.cutout(Box(k * W, 0, W, H))
        assert np.mean(half.image) == pytest.approx(SKY, rel=2e-3)
        assert np.mean(half.variance) == pytest.approx(SKY + READ_NOISES[k] ** 2, rel=0.01)
    counts = light()
    counts[:, W:] *= 1.1
    leveled = run(raw_frame(counts), do_apply_gains=True, normalize_gains=True).masked_image.image
    assert np.median(leveled[:, :W]) == pytest.approx(np.median(leveled[:, W:]), rel=1e-4)
    with pytest.raises(ValueError, match="do_apply_gains and do_flat exclude each other"):
        IsrConfig(do_apply_gains=True)


def test_vignetting_masks_what_lies_outside():
    result = run(raw_frame(light()), do_vignette=True, vignette={"x": 0.0, "y": 0.0, "radius": 35.0})
    outside = np.hypot(*np.mgrid[: 2 * W, :H]).T * 0.1 > 35.0
    assert np.array_equal(result.masked_image.mask.any("NO_DATA"), outside)
    assert result.metadata["ISR_VIGNETTED"] == outside.mean()


def test_transmission_is_recorded():
    curve = TransmissionCurve(np.array([500.0, 700.0]), np.array([0.5, 0.5]))
    calibrations = Calibrations(transmission={"optics": curve, "filter": curve})
    settings = {"do_attach_transmission_curve": True, "transmission": {"sensor": False, "atmosphere": False}}
    metadata = run(raw_frame(light()), calibrations, **settings).metadata
    assert metadata["ISR_WAVELENGTH"] == pytest.approx(600.0)
    assert metadata["ISR_THROUGHPUT"] == pytest.approx(0.25)
    with pytest.raises(DatasetNotFoundError, match="no transmission curve of sensor, atmosphere for detector '1_53'"):
        run(raw_frame(light()), calibrations, do_attach_transmission_curve=True)


def test_illumination_correction_divides():
    pixels = raw_frame(light())
    settings = {"do_illumination_correction": True, "illumination_filters": ["r"]}
    calibrations = Calibrations(illumination=frame(2.0))
    off, on = (run(pixels, calibrations, band=b, **settings).masked_image for b in ("g", "r"))
    assert on.image == pytest.approx(off.image / 2)
    assert on.variance == pytest.approx(off.variance / 4)


def test_pixels_before_interpolation_are_handed_over():
    kept = []
    calibrations = Calibrations(defects=[Box(30, 40, 2, 2)])
    settings = {"do_defect": True, "do_save_interpolated_pixels": True, "keep": kept.append}
    pixels = raw_frame(light())
    pixels[BELOW + 40 : BELOW + 42, PRE + 30 : PRE + 32] = 9000
    result = run(pixels, calibrations, **settings).masked_image
    (before,) = kept
    assert before.image[40, 30] == pytest.approx(8000, abs=1)
    assert result.image[40, 30] == pytest.approx(SKY / GAINS[0], rel=0.2)


def mask_one(masked_image, detector):
    masked_image.mask.array[detector.id, 0] |= masked_image.mask.bits("NO_DATA")


def test_the_camera_masks_with_its_own_function():
    reference = f"{__name__}:mask_one"
    mask = run(raw_frame(light()), do_camera_specific_masking=True, camera_masking=reference).masked_image.mask
    assert np.argwhere(mask.any("NO_DATA")).tolist() == [[3, 0]]
    with pytest.raises(ValueError, match="do_camera_specific_masking needs camera_masking"):
        IsrConfig(do_camera_specific_masking=True)


def test_rough_zero_point_by_filter_band_or_default():
    settings = {"rough_flux_mag0": {"HSC-R": 10.0**10, "i": 10.0**9}, "default_flux_mag0": 10.0**8}
    for names, rate in ((("HSC-R", "r"), 10.0**10), (("HSC-I2", "i"), 10.0**9), (("SH", ""), 10.0**8)):
        calib = run(raw_frame(light()), physical_filter=names[0], band=names[1], **settings).photo_calib
        assert calib.flux_mag0 == 100 * rate
    assert run(raw_frame(light()), do_rough_zero_point=False).photo_calib is None


def test_level_and_flatness_of_the_sky_are_recorded():
    counts = np.random.default_rng(1).normal(1000, 10, SHAPE) * np.linspace(0.95, 1.05, 2 * W)
    metadata = run(raw_frame(counts, noise=False), do_measure_background=True, sky={"mesh": 100}).metadata
    assert metadata["SKYLEVEL"] == pytest.approx(1000, rel=2e-3)
    assert metadata["FLATNESS_PP"] == pytest.approx(0.075, rel=0.05)
    assert (metadata["FLATNESS_NGRIDS"], metadata["FLATNESS_MESHX"]) == ("4x3", 100)


def test_the_steps_stand_in_the_order_of_the_recipe():
    names = [step.apply.__name__ for step in STEPS]
    assert names == [
        "convert_to_float", "subtract_bias", "mask_bad_amplifiers", "mask_saturation", "mask_suspect",
        "find_saturation", "mask_constant", "subtract_overscan", "find_deferred_charge", "restore_charge",
        "remove_crosstalk", "assemble_amplifiers",
            "subtract_bias", "compute_variance",
        "linearize_amplifiers", "remove_crosstalk", "mask_defects", "mask_nans", "check_usable", "widen_trails",
        "mask_camera_specific", "remove_brighter_fatter", "subtract_dark", "subtract_fringe", "subtract_stray_light",
        "apply_flat", "apply_gains", "subtract_fringe", "mask_vignetting", "attach_transmission",
        "apply_illumination_correction", "save_uninterpolated", "fill_bad_regions", "interpolate",
        "attach_rough_zero_point",
        "measure_background",
    ]  # fmt: skip


def test_pixels_that_no_amplifier_covers_are_no_data():
    where = detector()
    wider = Detector(3, "gap", Box(0, 0, 2 * W + 80, H), RAW_SHAPE, where.amplifiers)
    result = run(raw_frame(light()), where=wider).masked_image
    assert (result.mask.any("NO_DATA") & result.mask.any("BAD"))[:, 2 * W :].all()
    assert np.isfinite(result.image).all()


def test_lsst_spellings_set_ours(tmp_path):
    path = tmp_path / "processCcd.py"
    path.write_text(
        "config.isr.overscan.fitType = 'AKIMA_SPLINE'\n"
        "config.isr.overscanOrder = 30\n"
        "config.isr.doSuspect = True\n"
        "config.isr.fringe.filters = ['y', 'N921']\n"
        "config.isr.fluxMag0T1 = {'g': 398107170553.5}\n"
        "config.isr.crosstalk.crosstalkBackgroundMethod = 'DETECTOR'\n"
    )
    layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
    layers.load(path)
    for text in ("isr.doBias=False", "isr.saturation=nan", "isr.maskListToInterpolate=[SAT,BAD]", "isr.doWrite=True"):
        layers.set(text)
    config = layers.build().isr
    assert (config.overscan.fit_type, config.overscan.order, config.do_suspect) == ("AKIMA_SPLINE", 30, True)
    assert config.fringe.filters == ["y", "N921"]
    assert config.rough_flux_mag0 == {"g": 398107170553.5}
    assert config.crosstalk.background == "DETECTOR"
    assert (config.do_bias, config.saturation, config.write) == (False, None, True)
    assert config.interpolation.planes == ["SAT", "BAD"]


def test_gains_and_flat_together_are_told_with_the_setting():
    layers = ConfigLayers(ProcessConfig, PROCESS_NAMES)
    layers.set("isr.doApplyGains=True")
    with pytest.raises(ConfigError, match="isr: do_apply_gains and do_flat exclude each other"):
        layers.build()


def stars(peaks, *, seed=4):
    """Counts of an even sky with stars of the given heights above it, ADU, a third of the detector apart at least."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    counts = np.zeros(SHAPE)
    places = [(40 * (k % 9) + 35, 50 * (k // 9) + 30) for k in range(len(peaks))]
    for peak, (x0, y0) in zip(peaks, places, strict=True):
        counts += peak * np.exp(-0.5 * ((x - x0 - rng.uniform()) ** 2 + (y - y0 - rng.uniform()) ** 2) / 2.0**2)
    gains = per_amplifier(GAINS)
    return rng.poisson(counts * gains + SKY) / gains


def test_stars_cut_off_below_the_known_saturation_are_saturated():
    counts = np.minimum(stars(np.geomspace(500, 60000, 45)), 18000.0)
    warnings = []
    ungrown = {"do_widen_saturation_trails": False, "do_interpolate": False}
    exposure = run(raw_frame(counts), warn=warnings, do_find_saturation=True, **ungrown)
    saturated = exposure.masked_image.mask.any("SAT")
    assert saturated[counts == 18000.0].all()
    assert not saturated[counts < 16000.0].any()
    assert any(re.search(r"stars are cut off at 1[5-7]\d\d\d.* ADU above the sky.*isr.saturation", w) for w in warnings)
    assert any(f"below the saturation of {SATURATION:g} ADU that amplifiers.csv gives" in text for text in warnings)
    warnings = []
    where = detector(saturation=float("nan"))
    unknown = run(raw_frame(counts), where=where, warn=warnings, do_find_saturation=True, **ungrown)
    np.testing.assert_array_equal(unknown.masked_image.mask.any("SAT"), saturated)
    assert any("where no saturation is given" in text for text in warnings)
    assert exposure.metadata["SATURATE"] < 18000


def test_cores_whose_counts_wrap_are_saturated():
    raw, warnings = raw_frame(stars(np.geomspace(500, 40000, 45))), []
    ungrown = {"do_widen_saturation_trails": False, "do_interpolate": False}
    exposure = run((raw % 16384).astype(raw.dtype), warn=warnings, do_find_saturation=True, **ungrown)
    assert any(
        re.search(r"counts wrap at 16384.* [5-9] bright stars|counts wrap at 16384.* 1\d bright", w) for w in warnings
    )
    beyond = run(raw, do_find_saturation=False, **ungrown).masked_image.image > 16384
    assert exposure.masked_image.mask.any("SAT")[beyond].mean() > 0.97
    assert not any("cut off" in text for text in warnings)


def test_stars_that_are_not_cut_off_are_not_saturated():
    warnings = []
    exposure = run(raw_frame(stars(np.geomspace(500, 20000, 45))), warn=warnings, do_find_saturation=True)
    assert not exposure.masked_image.mask.any("SAT").any()
    assert not any("cut off" in text for text in warnings)
    assert exposure.metadata["SATURATE"] == pytest.approx(SATURATION - max(LEVELS), abs=5)


def test_a_dead_amplifier_and_lines_without_data_are_masked():
    pixels, second = raw_frame(light()), detector().amplifiers[1]
    pixels[second.raw_bbox.slices] = 77
    pixels[100:104, :200] = 0
    warnings = []
    exposure = run(pixels, warn=warnings, do_mask_constant=True)
    masked = exposure.masked_image.mask.any("NO_DATA") & exposure.masked_image.mask.any("BAD")
    assert masked[second.bbox.slices].all()
    first = masked[:, :W]
    assert first[100 - BELOW : 104 - BELOW, : 200 - PRE].all()
    assert first.sum() == 4 * (200 - PRE)
    assert np.isfinite(exposure.masked_image.image).all()
    assert [text for text in warnings if "equal" in text] == [
        "all pixels are equal in amplifier 'A1': masked BAD and NO_DATA"
    ]


def test_raw_noise_that_is_cut_off_is_a_warning():
    pixels, first = raw_frame(np.full_like(light(), 50.0)), detector().amplifiers[0].raw_data_bbox.slices
    warnings = []
    run(pixels, warn=warnings, do_mask_constant=True)
    assert not any("cut off" in text for text in warnings)
    pixels[first] = np.maximum(pixels[first], np.median(pixels[first]))
    run(pixels, warn=warnings, do_mask_constant=True)
    assert any(text.startswith("amplifier 'A0'") and "the noise is cut off" in text for text in warnings)
