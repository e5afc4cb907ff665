"""What a simulated frame shows: each test breaks a translator, a camera or the engine in one way."""

import importlib
import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

import obs_necam
from obs.errors import PluginError
from obs.geom import Box
from obs.instrument.discovery import load_instrument
from obs.scaffold.answers import Answers
from obs.scaffold.create import create_package
from obs.testing import simulated_frame
from obs.testing.cut_out import cut_detector, cut_instrument
from obs.testing.simulated_frame import frame_faults, smallest_detector
from obs.testing.simulated_header import header_faults
from obs_necam.translator import NecamTranslator

NECAM = obs_necam.instrument


class WithoutRun(NecamTranslator):
    @classmethod
    def make_header(cls, data_id, **exposure):
        return {key: value for key, value in super().make_header(data_id, **exposure).items() if key != "RUN"}


class InMinutes(NecamTranslator):
    @classmethod
    def make_header(cls, data_id, **exposure):
        header = super().make_header(data_id, **exposure)
        return header | {"EXPTIME": header["EXPTIME"] / 60}


class OtherDetector(NecamTranslator):
    @classmethod
    def make_header(cls, data_id, **exposure):
        return super().make_header(data_id, **exposure) | {"DETECTOR": 2}


class OtherPlace(NecamTranslator):
    @classmethod
    def make_header(cls, data_id, **exposure):
        header = super().make_header(data_id, **exposure)
        return header | {"RA2000": header["RA2000"] / 15}


class OtherFilter(NecamTranslator):
    @classmethod
    def make_header(cls, data_id, **exposure):
        return super().make_header(data_id, **exposure) | {"FILTER": "Red"}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (WithoutRun, "the header of a simulated bias frame is not read: visit: the header does not have RUN"),
        (InMinutes, "a simulated dark frame has expTime=30.0, its header 0.5"),
        (OtherDetector, "a simulated bias frame has ccd=1, its header 2"),
        (OtherPlace, "a simulated bias frame has boresight_ra 150 deg, its header 10"),
        (OtherFilter, "a simulated bias frame has the filter 'Clear': necam has no filter 'Red'; filters: Clear"),
    ],
)
def test_header_that_is_not_read_back_is_told(kind, message):
    reference = f"{__name__}:{kind.__name__}"
    found = list(header_faults(replace(NECAM, translator=reference)))
    assert f"{message}; complete make_header of {reference}" in found


@pytest.mark.parametrize("name", ["necam", "hsc"])
def test_headers_of_our_cameras_are_read_back(name):
    assert list(header_faults(load_instrument(name))) == []


def test_a_camera_without_filters_or_detectors_for_science_is_told(tmp_path):
    with pytest.raises(PluginError, match=r"^camera 'necam' has no filter$"):
        list(header_faults(replace(NECAM, filters=())))
    (detector,) = NECAM.load_camera()
    guider = cut_instrument(NECAM, [replace(detector, type="GUIDER")], size=64)
    with pytest.raises(PluginError, match=r"^camera 'necam' has no detector of type SCIENCE$"):
        smallest_detector(guider)


def test_a_frame_that_is_not_ingested_is_told(tmp_path):
    broken = replace(NECAM, translator=f"{__name__}:WithoutRun")
    (found,) = frame_faults(broken, tmp_path)
    assert found == "a simulated file is not ingested: visit: the header does not have RUN"


def test_a_frame_that_is_ingested_as_another_is_told(tmp_path):
    broken = replace(NECAM, translator=f"{__name__}:OtherDetector")
    (found,) = frame_faults(broken, tmp_path)
    assert found.startswith("a simulated file is not ingested: camera 'necam' has no detector 2")


@pytest.fixture
def spoil(monkeypatch):
    """Let signature removal do something to its result."""

    def apply(change):
        remove = simulated_frame.remove_raw_signature

        def spoiled(*arguments, **keywords):
            exposure = remove(*arguments, **keywords)
            change(exposure.masked_image)
            return exposure

        monkeypatch.setattr(simulated_frame, "remove_raw_signature", spoiled)

    return apply


def shift(masked):
    masked.image += 5.0


def mirror(masked):
    masked.image[:] = masked.image[:, ::-1].copy()


def boast(masked):
    masked.variance *= 0.8


def hide(masked):
    masked.mask.array[: masked.shape[0] // 2 + 1] |= masked.mask.bits("BAD")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shift, r"detector 'n1_necam', amplifier 'left': the light is off by \+[45]\.\d+ on average, noise allows 2\."),
        (mirror, r"the light scatters by \d+\.\d+ times the noise about the truth"),
        (boast, r"the variance plane gives 0\.89\d times the true noise"),
        (hide, r"5\d% of the pixels are masked"),
    ],
)
def test_what_differs_from_the_truth_is_told(tmp_path, spoil, change, message):
    spoil(change)
    with pytest.raises(AssertionError, match=message):
        assert list(frame_faults(NECAM, tmp_path)) == []


def test_settings_without_calibrations_are_compared_too(tmp_path):
    config = tmp_path / "config"
    config.mkdir()
    settings = dict.fromkeys(("do_bias", "do_dark", "do_flat", "do_defect", "do_overscan"), False)
    (config / "process.yaml").write_text(json.dumps({"isr": settings | {"do_apply_gains": True}}))
    (config / "simulate.yaml").write_bytes((NECAM.config_folder / "simulate.yaml").read_bytes())
    frames = tmp_path / "frames"
    frames.mkdir()
    assert list(frame_faults(replace(NECAM, config=str(config)), frames)) == []


def test_a_cut_camera_has_the_same_amplifiers_of_fewer_pixels():
    detector = load_instrument("hsc").load_camera().detector(50)
    cut = cut_detector(detector, size=100)
    assert cut.bbox.shape == (100, 400)
    for amp, whole in zip(cut.amplifiers, detector.amplifiers, strict=True):
        assert amp.raw_data_bbox.shape == (100, 100)
        assert amp.raw_serial_overscan_bbox.width == whole.raw_serial_overscan_bbox.width
        assert amp.raw_parallel_overscan_bbox.height == whole.raw_parallel_overscan_bbox.height
        assert (amp.flip_x, amp.flip_y, amp.readout_corner) == (whole.flip_x, whole.flip_y, whole.readout_corner)
        if not amp.raw_parallel_overscan_bbox.is_empty:
            assert amp.raw_parallel_overscan_bbox.y_min == amp.raw_data_bbox.y_max + (
                whole.raw_parallel_overscan_bbox.y_min - whole.raw_data_bbox.y_max
            )


def test_a_detector_that_cannot_be_cut_stays_as_it_is():
    detector = NECAM.load_camera().detector(1)
    (amp,) = detector.amplifiers
    lower, upper = Box(0, 0, 6144, 150), Box(0, 150, 6144, 3946)
    stacked = replace(
        detector,
        amplifiers=(
            replace(amp, name="lower", bbox=lower, raw_bbox=lower, raw_data_bbox=Box(0, 2000, 6144, 150)),
            replace(amp, name="upper", bbox=upper, raw_bbox=upper, raw_data_bbox=Box(0, 0, 6144, 3946)),
        ),
    )
    cut = cut_detector(stacked, size=100)
    assert cut.bbox.height == 4096
    assert cut.bbox.width == 100


def test_a_cut_instrument_is_otherwise_the_same():
    instrument = load_instrument("hsc")
    detector = smallest_detector(instrument)
    cut = cut_instrument(instrument, [detector], size=64)
    assert [d.name for d in cut.load_camera()] == [detector.name]
    assert (cut.name, cut.policy_path, cut.translator) == (
        instrument.name,
        instrument.policy_path,
        instrument.translator,
    )
    assert np.hypot(*cut.load_camera().detectors[0].bbox.shape) < 64 * 5


@pytest.mark.parametrize("extensions", ['extensions = ("ccd0", "ccd1")', "extensions = ()"])
def test_cameras_with_a_detector_in_each_extension_of_a_file(tmp_path, monkeypatch, extensions):
    name = "twins" if "ccd0" in extensions else "singles"
    answers = Answers(camera=name, detectors="2", amplifiers="2", width="64", height="48", gain="2.0", read_noise="4")
    package = create_package(answers, tmp_path)
    translator = package / f"obs_{name}" / "translator.py"
    translator.write_text(translator.read_text().replace("    unique =", f"    {extensions}\n    unique ="))
    monkeypatch.syspath_prepend(package)
    instrument = importlib.import_module(f"obs_{name}").instrument
    frames = tmp_path / "frames"
    frames.mkdir()
    assert list(frame_faults(instrument, frames)) == []
    with fits.open(frames / "raw.fits") as hdus:
        assert [hdu.name for hdu in hdus[1:]] == (["ccd0", "ccd1"] if name == "twins" else [])
