"""Charge that the read-out leaves behind is seen in the overscan, told, and put back."""

import numpy as np
import pytest

from obs.camera.amplifier import Amplifier, NominalCalibration
from obs.camera.detector import Detector
from obs.geom import Box
from obs.image.raw import Raw
from obs.image.visit_info import VisitInfo
from obs.tasks.isr import Calibrations, IsrConfig, remove_signature

WIDTH, HEIGHT, OVER = 220, 200, 24
SKY, LEVEL, NOISE = 1200.0, 1000.0, 3.0
RELEASE = np.exp(-np.arange(1, 9) / 2.0)
RELEASE /= RELEASE.sum()


def camera(first):
    """One amplifier with overscan in both directions, before the data or after them."""
    x, y = (OVER, OVER) if first else (0, 0)
    # the columns next to the data are not part of the camera's overscan
    serial = Box(0 if first else WIDTH + 2, y, OVER - 2, HEIGHT)
    parallel = Box(x, 0 if first else HEIGHT, WIDTH, OVER)
    shape = (HEIGHT + OVER, WIDTH + OVER)
    amplifier = Amplifier(
        name="A",
        bbox=Box(0, 0, WIDTH, HEIGHT),
        raw_bbox=Box(0, 0, shape[1], shape[0]),
        raw_data_bbox=Box(x, y, WIDTH, HEIGHT),
        raw_serial_overscan_bbox=serial,
        raw_parallel_overscan_bbox=parallel,
        readout_corner="LR" if first else "LL",
        nominal=NominalCalibration(gain=1.0, read_noise=NOISE, saturation=60000.0),
    )
    return Detector(0, "0", Box(0, 0, WIDTH, HEIGHT), shape, (amplifier,), pixel_size_x=0.1, pixel_size_y=0.1)


def delayed(light, part):
    """Leave charge behind along rows that are read from their first pixel."""
    number = np.arange(1, light.shape[1] + 1) / (light.shape[1] - OVER)
    lost = part * number * light
    result = light - lost
    for distance, share in enumerate(RELEASE, 1):
        result[:, distance:] += share * lost[:, :-distance]
    return result


def raw(first, serial=0.0, parallel=0.0):
    rng = np.random.default_rng(3)
    light = np.zeros((HEIGHT + OVER, WIDTH + OVER))
    light[:HEIGHT, :WIDTH] = SKY
    light[60:63, 150:153] += 9000.0
    light[20:23, WIDTH - 2 :] += 20000.0  # a star in the last columns
    electrons = delayed(delayed(rng.poisson(light), serial).T, parallel).T
    counts = electrons + LEVEL + rng.normal(0, NOISE, light.shape)
    return np.rint(counts[::-1, ::-1] if first else counts).clip(0, 65535).astype(np.uint16)


def run(first, counts, **settings):
    off = dict.fromkeys(["do_bias", "do_dark", "do_flat", "do_defect", "expect_wcs"], False)
    told = []
    given = IsrConfig(**(off | settings), overscan={"fit_type": "MEDIAN_PER_ROW", "leading_columns_to_skip": 8})
    info = VisitInfo(exposure_time=10.0)
    result = remove_signature(Raw(counts), camera(first), Calibrations(), given, visit_info=info, warn=told.append)
    return result, told


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("direction", ["serial", "parallel"])
def test_what_stays_behind_is_measured_told_and_restored(first, direction):
    counts = raw(first, **{direction: 0.03})
    exposure, told = run(first, counts)
    assert exposure.metadata[f"ISR_DEFERRED_{direction.upper()}_A"] == pytest.approx(0.03, abs=0.002)
    assert len(told) == 1
    assert f"the {direction} overscan begins with 3" in told[0]
    exposure, told = run(first, counts, do_deferred_charge=True)
    assert not told
    image = exposure.masked_image.image
    image = image[::-1, ::-1] if first else image
    star, sky = image[60:63, 150:153].mean(), np.median(image)
    behind = image[60:63, 153:160] if direction == "serial" else image[63:70, 150:153]
    assert star - sky == pytest.approx(9000, rel=0.004)
    assert behind.mean() == pytest.approx(sky, abs=4 * (SKY / 21) ** 0.5 + 1)


def test_a_good_read_out_is_not_told():
    exposure, told = run(False, raw(False))
    assert not told
    assert abs(exposure.metadata["ISR_DEFERRED_SERIAL_A"]) < 0.001
    exposure, told = run(False, raw(False, serial=-0.01))
    assert len(told) == 1
    assert "swing below" in told[0]
