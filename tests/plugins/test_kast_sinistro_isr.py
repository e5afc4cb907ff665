"""Signature removal on real raw frames of two cameras."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from obs.algorithms.pixels.statistics import clipped_statistics
from obs.camera.amplifier import Amplifier, NominalCalibration
from obs.camera.detector import Detector
from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.tasks.isr import Calibrations, IsrConfig, remove_signature

PLAIN = {"do_bias": False, "do_dark": False, "do_flat": False, "do_defect": False, "expect_wcs": False}
INFO = VisitInfo(exposure_time=1.0)


def kast():
    """Two amplifiers side by side, and behind them their overscans side by side, 32 columns each."""
    rows = 350
    amplifiers = tuple(
        Amplifier(
            name=name,
            bbox=Box(1024 * k, 0, 1024, rows),
            raw_bbox=Box(1024 * k, 0, 1024, rows),
            raw_data_bbox=Box(1024 * k, 0, 1024, rows),
            raw_serial_overscan_bbox=Box(2048 + 32 * k, 0, 32, rows),
            readout_corner=corner,
            nominal=NominalCalibration(gain=1.2, read_noise=3.7, saturation=65535.0),
        )
        for k, (name, corner) in enumerate((("left", "LL"), ("right", "LR")))
    )
    return Detector(0, "blue", Box(0, 0, 2048, rows), (rows, 2112), amplifiers)


def sinistro():
    """Four amplifiers in HDUs of their own, mirrored so that all are read towards the corners of the detector."""
    size = 512
    amplifiers = tuple(
        Amplifier(
            name=str(hdu),
            bbox=Box(size * column, size * row, size, size),
            raw_bbox=Box(0, 0, 544, 522),
            raw_data_bbox=Box(0, 0, size, size),
            raw_serial_overscan_bbox=Box(519, 0, 21, size),
            readout_corner=corner,
            flip_x=column == 1,
            flip_y=row == 1,
            nominal=NominalCalibration(gain=gain, read_noise=7.0, saturation=40000.0),
            raw_hdu=hdu,
        )
        for hdu, column, row, corner, gain in (
            (1, 0, 1, "UL", 6.42),
            (2, 0, 0, "LL", 6.23),
            (3, 1, 0, "LR", 6.27),
            (4, 1, 1, "UR", 6.26),
        )
    )
    return Detector(0, "fa05", Box(0, 0, 2 * size, 2 * size), (522, 544), amplifiers)


def read_kast(folder, name):
    with fits.open(folder / "kast" / f"{name}.fits.gz") as hdus:
        return Raw(hdus[0].data)


@pytest.fixture
def sinistro_raw(shared_data):
    with fits.open(shared_data / "sinistro" / "raw_four_amp_mef.fits.gz") as hdus:
        return Raw({hdu: hdus[hdu].data for hdu in range(1, 5)}, dict(hdus[0].header))


def levels(exposure, detector):
    """Clipped mean of each amplifier; of pixels that are sky."""
    image = exposure.masked_image.image
    return np.array([clipped_statistics(image[amp.bbox.slices]).mean for amp in detector.amplifiers])


@pytest.mark.parametrize("fit_type", ["MEDIAN", "MEANCLIP", "MEDIAN_PER_ROW", "POLY", "AKIMA_SPLINE"])
def test_two_kast_biases_agree(shared_data, fit_type):
    detector, config = kast(), IsrConfig(**PLAIN, overscan={"fit_type": fit_type, "order": 3})
    first, second = (
        remove_signature(read_kast(shared_data, name), detector, Calibrations(), config, visit_info=INFO)
        for name in ("b21", "b22")
    )
    assert np.abs(levels(first, detector) - levels(second, detector)).max() < 0.5
    assert np.abs(levels(first, detector)).max() < 2.0
    difference = first.masked_image.image - second.masked_image.image
    for amp in detector.amplifiers:
        assert first.metadata[f"ISR_OSCAN_LEVEL{amp.name}"] == pytest.approx(
            {"left": 943.6, "right": 964.9}[amp.name], abs=0.5
        )
        # two reads of the same bias differ by the noise that the overscan shows
        noise = clipped_statistics(difference[amp.bbox.slices]).sigma / np.sqrt(2)
        assert noise == pytest.approx(first.metadata[f"ISR_OSCAN_SIGMA{amp.name}"], rel=0.25)


def test_overscan_of_the_wrong_amplifier_would_be_seen(shared_data):
    detector = kast()
    left, right = detector.amplifiers
    swapped = replace(
        detector,
        amplifiers=(
            replace(left, raw_serial_overscan_bbox=right.raw_serial_overscan_bbox),
            replace(right, raw_serial_overscan_bbox=left.raw_serial_overscan_bbox),
        ),
    )
    result = remove_signature(
        read_kast(shared_data, "b21"), swapped, Calibrations(), IsrConfig(**PLAIN), visit_info=INFO
    )
    assert np.abs(levels(result, detector)).min() > 19


def test_a_kast_flat_divides_itself_to_one(shared_data):
    detector, config = kast(), IsrConfig(**PLAIN)
    bias, dome = (
        remove_signature(read_kast(shared_data, name), detector, Calibrations(), config, visit_info=INFO)
        for name in ("b21", "b11")
    )
    settings = PLAIN | {"do_bias": True, "do_flat": True, "flat": {"scaling_type": "MEDIAN"}}
    flat = Exposure(dome.copy().masked_image)
    flat.masked_image.image -= bias.masked_image.image
    scale = np.median(flat.masked_image.image[flat.masked_image.image > 0])
    result = remove_signature(
        read_kast(shared_data, "b11"),
        detector,
        Calibrations(bias=bias, flat=flat),
        IsrConfig(**settings),
        visit_info=INFO,
        warn=[].append,
    ).masked_image
    assert np.isfinite(result.image).all()
    assert np.isfinite(result.variance).all()
    good = result.mask.array == 0
    assert good.mean() > 0.85
    assert result.image[good] == pytest.approx(scale, rel=1e-4)


def test_sky_of_the_sinistro_amplifiers_agrees_in_electrons(sinistro_raw):
    detector = sinistro()
    config = IsrConfig(**PLAIN, do_apply_gains=True)
    result = remove_signature(sinistro_raw, detector, Calibrations(), config, visit_info=INFO)
    assert result.shape == (1024, 1024)
    sky = levels(result, detector)
    assert np.ptp(sky) / sky.mean() < 0.03
    assert sky.mean() == pytest.approx(1900, rel=0.05)
    counts = remove_signature(sinistro_raw, detector, Calibrations(), IsrConfig(**PLAIN), visit_info=INFO)
    assert {result.metadata[f"ISR_GAIN{hdu}"] for hdu in range(1, 5)} == {6.42, 6.23, 6.27, 6.26}
    for amp in detector.amplifiers:
        data = counts.masked_image.cutout(amp.bbox)
        # neighbors see the same sky: what they differ by is noise
        noise = clipped_statistics(np.diff(data.image, axis=1)).sigma / np.sqrt(2)
        assert noise**2 == pytest.approx(np.median(data.variance), rel=0.04)
        assert counts.metadata[f"ISR_OSCAN_SIGMA{amp.name}"] * amp.nominal.gain == pytest.approx(7.0, rel=0.12)


def test_light_is_continuous_over_the_sinistro_seams_only_with_the_right_flips(sinistro_raw):
    """Stars on a seam shine on both sides of it, unless an amplifier is mirrored."""

    def seam_correlation(flips):
        detector = sinistro()
        amplifiers = tuple(
            replace(amp, flip_x=amp.flip_x ^ flips[0], flip_y=amp.flip_y ^ flips[1]) for amp in detector.amplifiers
        )
        config = IsrConfig(**PLAIN, do_apply_gains=True, do_interpolate=False)
        image = remove_signature(
            sinistro_raw, replace(detector, amplifiers=amplifiers), Calibrations(), config, visit_info=INFO
        ).masked_image.image
        sides = [(image[:, 511], image[:, 512]), (image[511], image[512])]
        clipped = [[np.clip(side - np.median(side), -1000, 1000) for side in pair] for pair in sides]
        return [float(np.corrcoef(*pair)[0, 1]) for pair in clipped]

    right, wrong = seam_correlation((False, False)), seam_correlation((True, True))
    assert min(right) > max(wrong) + 0.15


def test_a_frame_of_the_other_camera_is_refused(shared_data, sinistro_raw):
    with pytest.raises(
        FileFormatError, match="the raw image has 2112 x 350 pixels, the camera has 544 x 522 for detector 'fa05'"
    ):
        remove_signature(
            Raw(dict.fromkeys(range(1, 5), read_kast(shared_data, "b21").images[0])),
            sinistro(),
            Calibrations(),
            IsrConfig(**PLAIN),
            visit_info=INFO,
        )
    with pytest.raises(
        FileFormatError, match="no image in HDU 0, where the camera has amplifier 'left' of detector 'blue'"
    ):
        remove_signature(sinistro_raw, kast(), Calibrations(), IsrConfig(**PLAIN), visit_info=INFO)
