"""Calibration frames built from raw frames with known truth, by the command, and used by the processing."""

import os
import re

import numpy as np
import pytest
from astropy.io import fits
from toy_camera import GAINS, READ_NOISE, make_instrument

from obs.errors import ConfigError, DatasetNotFoundError, FileFormatError, OutputError
from obs.frame_calibrations import find_calibrations
from obs.ingest.calib_store import CalibStore
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.repository import make_repository
from obs.raw_exposure import remove_raw_signature
from obs.repo.butler import Butler
from obs.tasks.isr_config import IsrConfig

SCALE = 4
HEIGHT, HALF = 40 * SCALE, 24 * SCALE
SHAPE = HEIGHT, 2 * HALF
LEVELS = 800.0, 900.0
DARK = 20.0  # electron/s

#: Relative sensitivity of the two detectors.
SENSITIVITY = {0: 1.2, 1: 0.8}


class Truth:
    """What is true of a detector."""

    def __init__(self, ccd):
        random = np.random.default_rng(ccd)
        self.ccd = ccd
        y, x = np.mgrid[:HEIGHT, : 2 * HALF]
        self.bias = (5 * np.sin(x / 9) + 3 * np.cos(y / 7)).astype(np.float32)
        self.dark = random.uniform(0.5, 1.5, SHAPE) * DARK
        self.dark[20, 30] = 1000.0
        self.flat = SENSITIVITY[ccd] * (1 + 0.1 * np.sin(x / 40) + random.normal(0, 0.01, SHAPE))
        self.flat[50:53, 60:64] = 0.02

    def expose(self, random, *, light=0.0, dark_time=0.0, hits=0):
        """Return a raw frame; ``light`` in electrons."""
        electrons = random.poisson(self.flat * light + self.dark * dark_time).astype(float)
        where = random.integers(0, HEIGHT, hits), random.integers(0, 2 * HALF, hits)
        electrons[where] += random.uniform(500, 5000, hits)
        raw = np.zeros((HEIGHT, 2 * HALF + 8))
        for level, gain, noise, amp, data, over in zip(
            LEVELS,
            GAINS,
            READ_NOISE,
            (slice(0, HALF), slice(HALF, None)),
            (slice(0, HALF), slice(HALF + 8, None)),
            (slice(HALF, HALF + 4), slice(HALF + 4, HALF + 8)),
            strict=True,
        ):
            raw[:, data] = electrons[:, amp] / gain + self.bias[:, amp]
            for part in (data, over):
                raw[:, part] += level + random.normal(0, noise / gain, raw[:, part].shape)
        return np.clip(np.round(raw), 0, 65535).astype(np.uint16)


@pytest.fixture
def camera(tmp_path, monkeypatch):
    toy = make_instrument(tmp_path, SCALE)
    for place in ("repo.find_instrument", "cli.calibs", "cli.calibs_build", "cli.process", "cli.verify"):
        monkeypatch.setattr(f"obs.{place}.load_instrument", lambda name: toy)
    make_repository(tmp_path / "data", toy)
    return toy


@pytest.fixture
def night(tmp_path, camera):
    """Fill the repository with frames as they are asked for."""
    random, truths = np.random.default_rng(3), {ccd: Truth(ccd) for ccd in SENSITIVITY}
    root, visits = tmp_path / "data", iter(range(1, 1000))

    def take(
        kind, count, *, ccds=(0,), light=0.0, seconds=0.0, hits=0, day="2024-03-01", filter_name="r", spoil=None, **more
    ):
        paths, levels = [], []
        for _ in range(count):
            visit = next(visits)
            levels.append(light * random.uniform(0.8, 1.2))
            for ccd in ccds:
                pixels = truths[ccd].expose(random, light=levels[-1], dark_time=seconds, hits=hits)
                cards = {"RUN": visit, "DETECTOR": ccd, "FILTER": filter_name, "IMGTYPE": kind, "EXPTIME": seconds}
                cards |= {key.replace("_", "-"): value for key, value in more.items()}
                cards["DATE-OBS"] = f"{day}T20:{visit % 60:02d}:00"
                path = tmp_path / "in" / f"{visit}-{ccd}.fits"
                path.parent.mkdir(exist_ok=True)
                fits.PrimaryHDU(pixels if spoil is None else spoil(pixels), fits.Header(cards)).writeto(path)
                paths.append(path)
        report = ingest_raws(Butler(root), paths, IngestOptions())
        assert report.ok, list(report.lines())
        return levels

    take.truths, take.root = truths, root
    return take


def good(image, truth):
    """Select pixels that are neither hot nor dead."""
    return image[(truth.dark < 100) & (truth.flat > 0.1)]


def get(night, name, **data_id):
    """Return a calibration, and its header."""
    butler = Butler(night.root)
    found = butler.get(name, data_id)
    path = butler.path(name, data_id)
    assert str(path).startswith(str(night.root / "CALIB"))
    return found, fits.getheader(path)


def gains(values):
    return np.repeat(np.array(values), HALF)[None]


def test_bias(night, obs):
    """The mean is true to 3 standard errors, and the variance tells the scatter to 3 %."""
    night("BIAS", 6, GAIN=100)
    status, out, err = obs("calibs", "build", "bias", night.root)
    assert status == 0, err
    assert re.search(r"filter=NONE ccd=0 calibDate=2024-03-01 +6 ", out)
    bias, header = get(night, "bias", visit=1, ccd=0)
    assert header["CALIB_MODE_GAIN"] == "100"
    pixels, truth = bias.masked_image, night.truths[0]
    error = pixels.image - truth.bias
    expected = gains(READ_NOISE) ** 2 / gains(GAINS) ** 2 / 6
    # The level of the overscan is known from four columns only, row by row not at all.
    assert abs(np.mean(error)) < 0.1
    assert np.mean((error - error.mean()) ** 2 / pixels.variance) == pytest.approx(1.0, abs=0.04)
    assert np.mean(pixels.variance / expected) == pytest.approx(1.0, abs=0.06)
    assert header["OBSTYPE"] == "bias"
    assert header["CALIB_ID"] == "filter=NONE calibDate=2024-03-01 ccd=0"
    assert header["DATE-OBS"] == "2024-03-01"
    assert [header[f"CALIB_INPUT_{n}"] for n in range(6)] == [
        f"dateObs=2024-03-01 visit={visit} filter=r ccd=0" for visit in range(1, 7)
    ]
    assert header["CALIB_NINPUT"] == 6
    assert {"OBSVERS", "VERSION_NUMPY", "CALIB_CREATION_DATE", "CALIB_CREATION_TIME"} <= set(header)


def test_dark(night, obs):
    """Electrons a second to 1 %, cosmic rays gone, hot pixels kept, bias noise in the variance."""
    night("BIAS", 5)
    night("DARK", 5, seconds=30.0, hits=60)
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    status, _, err = obs("calibs", "build", "dark", night.root)
    assert status == 0, err
    dark, header = get(night, "dark", visit=6, ccd=0)
    assert dark.visit_info.dark_time == 1.0
    assert header["CALIB_TIME_0"] == 30.0
    assert header["CALIB_BIAS"] == "bias-2024-03-01-0.fits"
    pixels, truth = dark.masked_image, night.truths[0]
    error = good(pixels.image - truth.dark / gains(GAINS), truth)
    assert abs(error.mean()) < 0.01 * DARK
    assert np.abs(error / np.sqrt(good(pixels.variance, truth))).max() < 7
    assert np.mean(error**2) == pytest.approx(np.mean(good(pixels.variance, truth)), rel=0.05)
    assert pixels.image[20, 30] == pytest.approx(truth.dark[20, 30] / GAINS[0], rel=0.05)
    wanted = {"physical_filter": "", "band": "", "warn": print}
    settings = IsrConfig(**{switch: False for switch in IsrConfig.model_fields if switch.startswith("do_")})
    settings = settings.model_copy(update={"do_bias": True, "do_dark": True})
    butler = Butler(night.root)
    found = find_calibrations(butler, butler.complete_raw({"visit": 6, "ccd": 0}), settings, **wanted)[0]
    assert found.shared_bias == pytest.approx(1 / 30.0)


@pytest.mark.parametrize("n_dark", [1, 2])
def test_cosmic_rays_in_few_darks(night, obs, n_dark):
    """In a single dark there is nothing to clip: what is sharp is masked. Of two, hot pixels keep their value."""
    night("BIAS", 9)
    night("DARK", n_dark, seconds=5.0, hits=110)
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    truth = night.truths[0]

    def count_wrong(*words):
        status, _, err = obs("calibs", "build", "dark", night.root, *words)
        assert status == 0, err
        pixels = get(night, "dark", visit=10, ccd=0)[0].masked_image
        known = ~pixels.mask.any("BAD")
        assert known[20, 30] == (n_dark > 1 or bool(words))
        if known[20, 30]:
            assert pixels.image[20, 30] == pytest.approx(truth.dark[20, 30] / GAINS[0], rel=0.05)
        error = (pixels.image - truth.dark / gains(GAINS)) / np.sqrt(pixels.variance)
        return np.sum(np.abs(error[known]) > 10)

    assert count_wrong() <= 1  # two rays may hit the same pixel
    if n_dark == 1:
        assert count_wrong("--clobber", "-c", "dark_hits.enabled=false") > 100


def test_the_noise_of_the_bias_does_not_average_out(night, obs):
    """Of one bias and many short darks, the bias is nearly all of the noise."""
    night("BIAS", 1)
    night("DARK", 8, seconds=1.0)
    for name in ("bias", "dark"):
        assert obs("calibs", "build", name, night.root)[0] == 0
    dark, _ = get(night, "dark", visit=2, ccd=0)
    truth = night.truths[0]
    error = good(dark.masked_image.image - truth.dark / gains(GAINS), truth)
    assert error.var() == pytest.approx(np.mean(good(dark.masked_image.variance, truth)), rel=0.06)


@pytest.mark.parametrize("times", [(60.0, 60.0, 60.0, 120.0), (1.0, 60.0, 60.0, 60.0), (2.0, 2.0, 2.0, 60.0, 60.0)])
def test_darks_of_mixed_times(night, obs, times):
    """The scatter is what the variance says, to 3 %; of hits in the long darks nothing is left."""
    night("BIAS", 9)
    for seconds in times:
        night("DARK", 1, seconds=seconds, hits=60)
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    status, _, err = obs("calibs", "build", "dark", night.root)
    assert status == 0, err
    truth = night.truths[0]
    pixels = get(night, "dark", visit=10, ccd=0)[0].masked_image
    error = good(pixels.image - truth.dark / gains(GAINS), truth)
    variance = good(pixels.variance, truth)
    assert np.mean(error**2 / variance) == pytest.approx(1.0, abs=0.06)
    assert np.sum(np.abs(error) > 7 * np.sqrt(variance)) <= 2  # two hits may share a pixel
    dark = np.mean(truth.dark[truth.dark < 100] / GAINS[0])
    electrons = np.array([(READ_NOISE[0] * 1.2 / seconds) ** 2 + dark * GAINS[0] / seconds for seconds in times])
    ideal = np.sqrt(1 / np.sum(1 / electrons)) / GAINS[0]
    assert np.sqrt(np.median(variance)) < 1.08 * ideal


def test_hot_pixels_in_darks_of_mixed_times(night, obs):
    night("BIAS", 4)
    for seconds in (1.0, 30.0, 30.0, 60.0):
        night("DARK", 1, seconds=seconds, hits=30)
    night("DARK", 1)
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    status, _, err = obs("calibs", "build", "defects", night.root)
    assert status == 0, err
    assert "visit=9 filter=r ccd=0: its dark time is 0.0 s, by which it cannot be divided" in err
    defects, _ = get(night, "defects", visit=5, ccd=0)
    assert (defects["x0"].tolist(), defects["y0"].tolist()) == ([30], [20])


def build_all(night, obs, *names):
    for name in names:
        status, _, err = obs("calibs", "build", name, night.root)
        assert status == 0, err


def test_flat(night, obs):
    """Response of pixels to 0.2 % rms, of detectors relative to one another to 0.2 %, variance to 5 %."""
    night("BIAS", 5, ccds=(0, 1))
    night("DARK", 4, ccds=(0, 1), seconds=30.0)
    night("FLAT", 6, ccds=(0, 1), light=20000.0, seconds=2.0, hits=20)
    build_all(night, obs, "bias", "dark", "flat")
    for ccd, truth in night.truths.items():
        flat, header = get(night, "flat", visit=10, ccd=ccd)
        pixels = flat.masked_image
        # The flat is that of the detectors' counts, which their gains differ in as well.
        response = truth.flat / gains(GAINS)
        ratio = good(pixels.image / response, truth)
        scale = np.median(ratio)
        assert np.std(ratio / scale) < 0.004
        error = good(pixels.image - scale * response, truth)
        assert error.var() == pytest.approx(np.mean(good(pixels.variance, truth)), rel=0.05)
        assert header["CALIB_SCALE"] == pytest.approx(SENSITIVITY[ccd], rel=0.003)
        assert np.mean(good(pixels.image, truth)) == pytest.approx(SENSITIVITY[ccd], rel=0.003)
        assert header["CALIB_LEVEL_0"] > 1000
    assert obs("calibs", "list", night.root, "flat")[1].count("flat-2024-03-01-r-") == 2
    # as after a build in which one detector failed: the other is kept, and the scale is relative to it
    kept, made = (Butler(night.root).path("flat", {"visit": 10, "ccd": ccd}) for ccd in (0, 1))
    before = kept.stat().st_mtime_ns, fits.getheader(made)["CALIB_SCALE"]
    made.unlink()
    status, _, err = obs("calibs", "build", "flat", night.root)
    assert (status, "kept, since it is there already: filter=r ccd=0 calibDate=2024-03-01" in err) == (0, True)
    assert (kept.stat().st_mtime_ns, fits.getheader(made)["CALIB_SCALE"]) == (before[0], pytest.approx(before[1]))
    assert "--clobber replaces it" in obs("calibs", "build", "flat", night.root)[2]


def test_science_frames_are_flat_afterwards(night, obs):
    """After bias, dark and flat a uniform light is uniform: mean to 0.3 %, scatter as the variance says to 3 %."""
    night("BIAS", 6)
    night("DARK", 6, seconds=30.0)
    night("FLAT", 8, light=30000.0, seconds=1.0)
    night("OBJECT", 1, light=4000.0, seconds=10.0)
    build_all(night, obs, "bias", "dark", "flat", "defects")
    exposure = remove_raw_signature(Butler(night.root), {"visit": 21, "ccd": 0}, IsrConfig())
    pixels, truth = exposure.masked_image, night.truths[0]
    keep = ~pixels.mask.any("BAD", "SAT", "NO_DATA")
    image, variance = pixels.image[keep], pixels.variance[keep]
    assert keep.mean() > 0.99
    assert pixels.mask.any("BAD")[20, 30]
    assert pixels.mask.any("BAD")[50:53, 60:64].all()
    assert image.var() == pytest.approx(variance.mean(), rel=0.03)
    assert exposure.metadata["CALIB_FLAT"] == "flat-2024-03-01-r-0.fits"
    assert np.median(good(image[: truth.flat.size // 1], truth) if image.shape == truth.flat.shape else image) > 0


def test_defects(night, obs):
    night("BIAS", 4)
    night("DARK", 4, seconds=30.0, hits=30)
    night("FLAT", 4, light=20000.0, hits=30)
    build_all(night, obs, "bias", "defects")
    defects, header = get(night, "defects", visit=5, ccd=0)
    boxes = list(zip(*(defects[name].tolist() for name in ("x0", "y0", "width", "height")), strict=True))
    assert sorted(boxes) == [(30, 20, 1, 1), (60, 50, 4, 3)]
    assert header["OBSTYPE"] == "defects" if "OBSTYPE" in header else defects.metadata["OBSTYPE"] == "defects"
    assert defects.metadata["NDEFECTS"] == 2


def test_fringe_and_sky(night, obs):
    night("BIAS", 4)
    y, x = np.mgrid[:HEIGHT, : 2 * HALF]
    pattern = 1 + 0.03 * np.sin(x / 3 + y / 5)
    truth = night.truths[0]
    truth.flat = pattern
    truth.dark = np.zeros(SHAPE)
    random = np.random.default_rng(9)

    def add_stars(pixels):
        for _ in range(6):
            row, column = random.integers(5, HEIGHT - 5), random.integers(5, HALF - 5)
            pixels[row - 2 : row + 3, column - 2 : column + 3] += 3000
        return pixels

    night("OBJECT", 8, light=5000.0, seconds=30.0, spoil=add_stars)
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    for name in ("fringe", "sky"):
        status, _, err = obs(
            "calibs", "build", name, night.root, "--id", "dataType=OBJECT",
            "-c", "isr.do_dark=false", "isr.do_flat=false", "sky_bin_size=40", "objects.bin_size=64",
        )  # fmt: skip
        assert status == 0, err
    fringe, _ = get(night, "fringe", visit=5, ccd=0)
    inner = fringe.masked_image.image[8:-8, 8 : HALF - 8]
    wanted = (pattern - 1)[8:-8, 8 : HALF - 8]
    slope = np.sum(inner * wanted) / np.sum(wanted**2)
    assert slope == pytest.approx(1.0, abs=0.05)
    assert np.std(inner - wanted) < 0.015
    sky, _ = get(night, "sky", visit=5, ccd=0)
    assert np.mean(sky.masked_image.image) == pytest.approx(1.0, abs=0.01)
    assert np.std(sky.masked_image.image) < 0.1


def test_frames_that_cannot_be_used_are_left_out(night, obs):
    night("BIAS", 3)
    night("FLAT", 3, light=20000.0)
    night("FLAT", 1, light=0.0, spoil=lambda pixels: pixels[:-1])
    night("FLAT", 1, light=0.0, spoil=lambda pixels: np.full_like(pixels, 65535))
    night("FLAT", 1, light=0.0)
    build_all(night, obs, "bias")
    status, out, err = obs("calibs", "build", "flat", night.root, "-c", "isr.do_dark=false")
    assert status == 0, err
    assert re.search(r" +3 +\d+ +", out)
    assert re.search(r"left out .*visit=7 .*: the raw image has 200 x 159 pixels, the camera has 200 x 160", err)
    assert re.search(r"left out .*visit=8 .*: no pixel of detector 'zero' can be used", err)
    assert re.search(r"left out .*visit=9 .*: its level is .* ADU, its scatter .* ADU: there is no light in it", err)


def test_when_no_frame_can_be_used(night, obs):
    night("FLAT", 2, light=0.0)
    status, _, err = obs("calibs", "build", "flat", night.root, "-c", "isr.do_dark=false", "isr.do_bias=false")
    assert status == 1
    assert re.search(r"not one of 2 frames can be used: .*there is no light in it", err)


def add_light(pixels):
    return pixels + (np.arange(pixels.shape[1])[None, :] // 2).astype(np.uint16)


def test_odd_frames_are_found_against_the_others(night, obs):
    """Light in a bias, a flat of another filter, a dark of another temperature, another gain: named and left out."""
    night("BIAS", 4)
    night("BIAS", 1, spoil=add_light)
    night("DARK", 3, seconds=20.0, CCD_TEMP=-20.0)
    night("DARK", 1, seconds=20.0, CCD_TEMP=-10.0)
    night("FLAT", 3, light=20000.0)
    night("FLAT", 1, light=20000.0, spoil=lambda pixels: (pixels * np.linspace(1, 1.1, 160)[:, None]).astype(np.uint16))
    said = {}
    for name in ("bias", "dark", "flat"):
        status, _, said[name] = obs("calibs", "build", name, night.root)
        assert status == 0, said[name]
    assert re.search(
        r"left out .*visit=5 .*: it differs from 4 others by [\d.]+ times the noise of a pixel, its level by \S+ "
        r"\(light, another offset, or a step\); to use it nevertheless: -c odd_frames.leave_out=false",
        said["bias"],
    )
    assert re.search(r"left out .*visit=9 .*: its temperature \(CCD-TEMP\) is -10, that of 3 others -20", said["dark"])
    assert re.search(r"left out .*visit=13 .*: it differs from 3 others by .*\(another filter, clouds", said["flat"])
    bias, header = get(night, "bias", visit=1, ccd=0)
    assert header["CALIB_NINPUT"] == 4
    assert np.abs(bias.masked_image.image - night.truths[0].bias).max() < 15
    status, _, err = obs("calibs", "build", "bias", night.root, "--clobber", "-c", "odd_frames.leave_out=false")
    assert status == 0, err
    assert re.search(r"WARNING .*visit=5 .* may not belong to the others: it differs from 4 others", err)
    assert re.search(r"the noise of .*visit=5 .* is \d+\.\d+ times the noise expected", err)


def test_frames_of_another_mode(night, obs):
    night("BIAS", 3, EGAIN=1.5)
    night("BIAS", 1, EGAIN=0.5)
    status, _, err = obs("calibs", "build", "bias", night.root)
    assert status == 0, err
    assert re.search(r"left out .*visit=4 .*: its EGAIN is 0.5, that of 3 others 1.5", err)


def test_two_frames_that_differ(night, obs):
    night("BIAS", 1)
    night("BIAS", 1, spoil=add_light)
    status, _, err = obs("calibs", "build", "bias", night.root)
    assert status == 0, err
    assert re.search(r"the two frames differ by [\d.]+ times the noise of a pixel .*; add a third one", err)


def test_frames_that_drift(night, obs):
    for step in range(5):
        night(
            "BIAS", 1, spoil=lambda pixels, step=step: pixels + (step * np.arange(160)[:, None] // 20).astype(np.uint16)
        )
    status, _, err = obs("calibs", "build", "bias", night.root)
    assert status == 0, err
    assert re.search(r"5 frames differ from one another by up to [\d.]+ times the noise of a pixel, .* they drift", err)


def test_empty_frames(night, obs):
    night("BIAS", 3)
    night("BIAS", 1, spoil=np.zeros_like)
    status, _, err = obs("calibs", "build", "bias", night.root)
    assert status == 0, err
    assert "all pixels of amplifier 'left' have the value 0: the frame is empty" in err


def test_noise_that_was_not_measured_is_not_printed(night, obs):
    night("BIAS", 1)
    status, out, err = obs("calibs", "build", "bias", night.root)
    assert status == 0, err
    assert re.search(r"calibDate=2024-03-01 +1 +0 +- ", out)


def test_a_master_without_data(night, obs):
    night("BIAS", 3)
    night("FLAT", 3, light=20000.0, spoil=lambda pixels: np.where(np.arange(160)[:, None] < 20, 65535, pixels))
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    status, _, err = obs("calibs", "build", "flat", night.root, "-c", "isr.do_dark=false")
    assert status == 1
    assert re.search(
        r"1\d % of the pixels of the flat have no value in any frame \(limit 5 %\)\. Rejected values are: SAT 100 %\. "
        r"Choose fainter frames with --id, or raise combine.maximum_without_data",
        err,
    )


@pytest.fixture
def unknown_noise(camera):
    """The camera without any gain and read noise, and without overscan."""
    table = camera.folder / "camera" / "amplifiers.csv"
    lines = [line.split(",") for line in table.read_text().splitlines()]
    for line in lines[1:]:
        line[lines[0].index("gain")] = line[lines[0].index("read_noise")] = "nan"
    table.write_text("\n".join(",".join(line) for line in lines) + "\n")


def test_gain_and_read_noise_that_no_table_has(night, obs, unknown_noise):
    """They are measured in biases and flats to 5 %, recorded there, and used from there."""
    off = ("-c", "isr.do_overscan=false")
    night("BIAS", 5)
    night("DARK", 4, seconds=20.0)
    night("FLAT", 4, light=20000.0)
    for name in ("bias", "dark", "flat"):
        status, out, err = obs("calibs", "build", name, night.root, *off)
        assert status == 0, err
        assert name == "bias" or re.search(r" +- +", out)
        what = {"bias": "read noise", "dark": "", "flat": "gain"}[name]
        pattern = rf"{what}, which the camera does not give, measured in these frames: left [\d.]+, right [\d.]+ "
        assert bool(re.search(pattern, err)) == bool(what)
    bias, dark, flat = (get(night, name, visit=6, ccd=0)[0] for name in ("bias", "dark", "flat"))
    assert dark.masked_image.mask.any("NO_DATA").sum() == 0
    for amp, gain, noise in zip(("left", "right"), GAINS, READ_NOISE, strict=True):
        assert bias.metadata[f"CALIB_READNOISE_{amp}"] == pytest.approx(noise / gain, rel=0.05)
        assert flat.metadata[f"CALIB_GAIN_{amp}"] == pytest.approx(gain, rel=0.05)
    config = IsrConfig(do_overscan=False, do_dark=False, do_defect=False)
    said = []
    exposure = remove_raw_signature(Butler(night.root), {"visit": 10, "ccd": 0}, config, warn=said.append)
    assert not any("unknown" in line for line in said)
    assert exposure.metadata["ISR_GAIN_SOURCEleft"] == "flat"
    assert exposure.metadata["ISR_READNOISE_SOURCEleft"] == "bias"


def test_few_frames_are_told(night, obs):
    night("BIAS", 1)
    _, _, err = obs("calibs", "build", "bias", night.root)
    assert "made from a single frame: nothing in it can be rejected" in err


def test_a_missing_bias(night, obs):
    night("DARK", 3, seconds=10.0)
    status, _, err = obs("calibs", "build", "dark", night.root)
    assert status == 1
    assert re.search(
        r"unable to retrieve bias for .*visit=1.*: no bias for ccd=0 taiObs=.* among 0 in the registry of "
        r"calibrations; the table bias is empty; make one with obs calibs build bias or obs calibs ingest, or "
        r"continue without it by --allow-missing or, in a new output, -c isr.do_bias=false",
        err,
    )
    status, _, err = obs("calibs", "build", "dark", night.root, "--allow-missing")
    assert status == 0, err
    config = IsrConfig(allow_missing=True)
    said = []
    exposure = remove_raw_signature(Butler(night.root), {"visit": 1, "ccd": 0}, config, warn=said.append)
    assert [line.split(":")[0] for line in said[:2]] == ["continues without bias", "continues without flat"]
    assert np.median(exposure.masked_image.image) == pytest.approx(0, abs=5)


def test_a_calibration_can_be_forced(night, obs, tmp_path):
    night("BIAS", 3)
    night("BIAS", 3, day="2024-09-01")
    for date in ("2024-03-01", "2024-09-01"):
        assert obs("calibs", "build", "bias", night.root, "--id", f"dateObs={date}")[0] == 0
    butler, data_id = Butler(night.root), {"visit": 1, "ccd": 0}
    off = {"do_dark": False, "do_flat": False}
    usual = remove_raw_signature(butler, data_id, IsrConfig(**off))
    assert usual.metadata["CALIB_BIAS"] == "bias-2024-03-01-0.fits"
    path = str(night.root / "CALIB/bias/2024-09-01/bias-2024-09-01-%(ccd)d.fits")
    forced = remove_raw_signature(butler, data_id, IsrConfig(bias_path=path, **off))
    assert forced.metadata["CALIB_BIAS"] == "bias-2024-09-01-0.fits"
    assert not np.array_equal(forced.masked_image.image, usual.masked_image.image)
    with pytest.raises(DatasetNotFoundError, match=r"unable to retrieve bias .*nowhere\.fits does not exist"):
        remove_raw_signature(butler, data_id, IsrConfig(bias_path="/nowhere.fits", **off))


@pytest.mark.parametrize(
    ("setting", "name", "problem"),
    [
        ("flat_path", "bias-2024-03-01-0", "is a calibration of the type bias, not flat"),
        ("bias_path", "bias-2024-03-01-1", "is of detector 'one', the frame of 'zero'"),
        ("defects_path", "../defects/defects-2024-03-01-0", None),
        ("defects_path", "wrong", "is a calibration of the type dark, not defects"),
        ("flat_path", "small", "has 4 x 3 pixels, detector 'zero' has 192 x 160"),
    ],
)
def test_a_forced_calibration_of_another_kind_is_refused(night, obs, setting, name, problem):
    night("BIAS", 3, ccds=(0, 1))
    night("DARK", 3, seconds=30.0)
    assert obs("calibs", "build", "bias", night.root)[0] == 0
    assert obs("calibs", "build", "defects", night.root)[0] == 0
    folder = night.root / "CALIB/bias/2024-03-01"
    fits.PrimaryHDU(np.ones((3, 4), np.float32)).writeto(folder / "small.fits")
    table = fits.BinTableHDU.from_columns([fits.Column(n, "J", array=[1]) for n in ("x0", "y0", "width", "height")])
    fits.HDUList([fits.PrimaryHDU(header=fits.Header({"OBSTYPE": "DARK"})), table]).writeto(folder / "wrong.fits")
    path = str((folder / f"{name}.fits").resolve())
    off = dict.fromkeys(("do_bias", "do_dark", "do_flat"), False) | {
        f"do_{setting.split('_')[0].replace('defects', 'defect')}": True
    }
    data_id = {"visit": 4, "ccd": 0}
    if problem is None:
        assert remove_raw_signature(Butler(night.root), data_id, IsrConfig(**off, **{setting: path}))
        return
    message = (
        f"isr.{setting}: {path} {problem}; name another file, or take it all the same by "
        "-c isr.check_forced_calibrations=false"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        remove_raw_signature(Butler(night.root), data_id, IsrConfig(**off, **{setting: path}))
    anyway = IsrConfig(**off, **{setting: path}, check_forced_calibrations=False)
    if name == "small":
        with pytest.raises(
            FileFormatError, match="the flat has 4 x 3 pixels, the image of detector 'zero' has 192 x 160"
        ):
            remove_raw_signature(Butler(night.root), data_id, anyway)
    else:
        assert remove_raw_signature(Butler(night.root), data_id, anyway)


def test_the_filter_to_fall_back_on(night, obs):
    night("BIAS", 3)
    night("FLAT", 3, light=20000.0, filter_name="g")
    night("OBJECT", 1, light=1000.0, seconds=1.0)
    build_all(night, obs, "bias")
    assert obs("calibs", "build", "flat", night.root, "-c", "isr.do_dark=false")[0] == 0
    data_id = {"visit": 7, "ccd": 0}
    with pytest.raises(DatasetNotFoundError, match=r"unable to retrieve flat .* its filter is g"):
        remove_raw_signature(Butler(night.root), data_id, IsrConfig(do_dark=False))
    exposure = remove_raw_signature(Butler(night.root), data_id, IsrConfig(do_dark=False, fallback_filter="g"))
    assert exposure.metadata["CALIB_FLAT"] == "flat-2024-03-01-g-0.fits"


def test_dates_keys_and_what_is_there(night, obs):
    night("BIAS", 2, day="2024-03-01")
    night("BIAS", 2, day="2024-03-03")
    command = ("calibs", "build", "bias", night.root)
    status, out, _ = obs(*command, "--show", "data")
    assert (status, out.count("visit=")) == (0, 4)
    assert out.startswith("filter=NONE ccd=0 calibDate=2024-03-02: ")
    assert obs(*command, "--no-ingest")[0] == 0
    assert "no bias in" in obs("calibs", "list", night.root, "bias")[2]
    status, _, err = obs(*command)
    assert status == 1
    assert re.search(r"there is a bias with .*calibDate=2024-03-02 already, .*; --clobber replaces it", err)
    assert obs(*command, "--clobber", "--validity", 5)[0] == 0
    assert "2024-03-02  NONE    0    2024-02-26  2024-03-07" in obs("calibs", "list", night.root, "bias")[1]
    assert obs(*command, "--calib-id", "calibDate=2024-06-01")[0] == 0
    assert "2024-06-01" in obs("calibs", "list", night.root, "bias")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["bias"],
            r"no raw frame has a dataType such as BIAS or ZERO \(there are: OBJECT\); name the frames with --id, "
            "or go on without a bias by -c isr.do_bias=false",
        ),
        (["fringe"], "name the raw frames that the fringe is made from with --id"),
        (
            ["bias", "--id", "visit=99"],
            "no raw frame in the registry for visit=99: no visit=99 in the registry; it has 1",
        ),
        (["bias", "--id", "visit=1", "dataType=BIAS"], "no dataType=BIAS in the registry; it has OBJECT"),
        (["bias", "--id", "visit=1", "--calib-id", "calibDate=tomorrow"], "calibDate 'tomorrow' is not a date like"),
        (["bias", "--id", "vist=1"], "unknown key 'vist' in --id; did you mean 'visit'"),
        (["bias", "-c", "combine.clp=1"], "combine.clp: there is no such setting"),
    ],
)
def test_mistakes(night, obs, words, message):
    night("OBJECT", 1)
    status, _, err = obs("calibs", "build", words[0], night.root, *words[1:])
    assert status == 1
    assert re.search(message, err)


def test_frames_of_other_types_are_left_out_unless_they_are_named(night, obs):
    night("BIAS", 2)
    night("OBJECT", 1, light=500.0)
    status, out, err = obs("calibs", "build", "bias", night.root, "--id")
    assert status == 0, err
    assert re.search(r"1 frames? .*left out of the bias \(1 OBJECT\); to use them: --id dataType=BIAS\^OBJECT", err)
    assert re.search(r"ccd=0 calibDate=2024-03-01 +2 ", out)
    status, out, err = obs("calibs", "build", "bias", night.root, "--show", "data", "--id", "visit=3")
    assert (status, out.count("visit=3")) == (0, 1), err


def test_short_darks_can_stand_in_for_biases(night, obs):
    night("DARK", 1, seconds=2.0)
    night("DARK", 2, seconds=120.0)
    status, _, err = obs("calibs", "build", "bias", night.root)
    assert status == 1
    advice = "the darks of 2 s can stand in: --id dataType=DARK expTime=2"
    assert advice in err
    status, out, _ = obs("calibs", "build", "bias", night.root, *advice.split(": ")[1].split(), "--show", "data")
    assert (status, out.count("visit=")) == (0, 1)


def test_darks_as_long_as_exposures_can_stand_in_for_biases(night, obs):
    night("DARK", 1, seconds=120.0)
    night("OBJECT", 2, seconds=60.0)
    assert "name the frames with --id, or go on without a bias" in obs("calibs", "build", "bias", night.root)[2]
    night("OBJECT", 3, seconds=120.0)
    err = obs("calibs", "build", "bias", night.root)[2]
    assert "--id dataType=DARK expTime=120, and since they hold" in err
    assert "of 120 s, go on with -c isr.do_dark=false" in err


def test_values_that_never_occur_together(night, obs):
    night("OBJECT", 1)
    night("FLAT", 1)
    status, _, err = obs("calibs", "build", "flat", night.root, "--id", "visit=1", "dataType=FLAT")
    assert status == 1
    assert "no raw frame in the registry for visit=1 dataType=FLAT" in err


def die(*args, **kwargs):
    os._exit(9)


def in_child(work):
    """Run a function in a forked process, and return its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    "place",
    [
        "obs.cli.calibs_build.detector_scales",
        "obs.calibration_frames.detector_scales.write_dataset",
        "obs.ingest.calib_staging.Staging.install",
        "obs.ingest.calib_staging.sync_folder",
        "obs.ingest.calib_store.CalibStore.add_within",
        "obs.cli.calibs_build._report",
    ],
)
def test_a_killed_build_can_simply_be_repeated(night, obs, monkeypatch, place):
    """Wherever it is killed: before the scales of the detectors are applied, in between, while it registers."""
    night("FLAT", 2, ccds=(0, 1), light=20000.0, seconds=2.0)
    command = ("calibs", "build", "flat", night.root, "-c", "isr.do_bias=false", "isr.do_dark=false")

    def killed():
        monkeypatch.setattr(place, die)
        obs(*command)

    assert in_child(killed) == 9
    folder = night.root / "CALIB"
    is_registered = place.endswith("_report")
    assert len(list(folder.glob(".*.build"))) == (0 if is_registered else 1)
    assert obs("calibs", "list", night.root, "flat")[1].count("flat-2024") == (2 if is_registered else 0)
    status, _, err = obs("verify", night.root)
    assert (status, err.count("LEFTOVER")) == ((0, 0) if is_registered else (1, 1))
    assert obs(*command)[0] == (1 if is_registered else 0)
    assert not list(folder.glob(".*"))
    assert obs("verify", night.root)[0] == 0
    found = CalibStore(Butler(night.root), read_only=True).find("flat")
    assert [calibration.path is not None for calibration in found] == [True, True]
    assert all("CALIB_SCALE" in fits.getheader(calibration.path) for calibration in found)


def test_a_build_that_cannot_be_registered_leaves_nothing(night, obs, monkeypatch):
    def refuse(*args):
        raise OutputError("the disk is full")

    monkeypatch.setattr(CalibStore, "add_within", refuse)
    night("BIAS", 2)
    status, _, err = obs("calibs", "build", "bias", night.root)
    assert status == 1
    assert "the disk is full" in err
    assert not [path for path in (night.root / "CALIB").rglob("*") if path.is_file() and path.suffix != ".sqlite3"]
