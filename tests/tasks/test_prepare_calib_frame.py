"""What is done to single frames before they are combined."""

import numpy as np
import pytest

from obs.errors import MeasurementError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.visit_info import VisitInfo
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.prepare_calib_frame import find_objects, prepare_frame

SHAPE = 60, 80
WHOLE = [Box(0, 0, 80, 60)]
CONFIG = CalibsConfig()


def make(level=100.0, sigma=2.0, *, seed=1, **more):
    image = np.random.default_rng(seed).normal(level, sigma, SHAPE).astype(np.float32)
    variance = np.full(SHAPE, sigma**2, np.float32)
    return Exposure(MaskedImage(image, Mask.zeros(SHAPE), variance), **more)


def test_a_dark_is_divided_by_its_time():
    prepared = prepare_frame("dark", make(visit_info=VisitInfo(dark_time=50.0)), CONFIG, regions=WHOLE)
    assert prepared.level == 50.0
    assert np.mean(prepared.image) == pytest.approx(2.0, rel=0.01)
    assert prepared.variance[0, 0] == pytest.approx(4.0 / 2500)
    assert prepared.weight == pytest.approx(2500 / 4.0)


@pytest.mark.parametrize("info", [None, VisitInfo(), VisitInfo(dark_time=0.0)])
def test_a_dark_without_time(info):
    with pytest.raises(MeasurementError, match=r"its dark time is (nan|0\.0) s, by which it cannot be divided"):
        prepare_frame("dark", make(visit_info=info), CONFIG, regions=WHOLE)


def test_a_flat_is_divided_by_its_level_without_bad_pixels():
    exposure = make(1000.0)
    exposure.masked_image.image[:20] = 5000.0
    exposure.masked_image.mask.array[:20] |= exposure.masked_image.mask.bits("BAD")
    exposure.masked_image.mask.array[20, 0] |= exposure.masked_image.mask.bits("SAT")
    exposure.masked_image.image[21, 0] = np.nan
    prepared = prepare_frame("flat", exposure, CONFIG, regions=WHOLE)
    assert prepared.level == pytest.approx(1000.0, rel=1e-3)
    # A defect is a value like any other; what is saturated or no number is none.
    assert sorted(zip(*np.nonzero(prepared.rejected), strict=True)) == [(20, 0), (21, 0)]


def test_a_flat_without_light():
    with pytest.raises(MeasurementError, match=r"its level is .* ADU, its scatter .* ADU: there is no light in it"):
        prepare_frame("flat", make(0.5), CONFIG, regions=WHOLE)


@pytest.mark.parametrize("level", [0.0, 300.0])
def test_the_level_of_a_bias_without_overscan_is_no_light(level):
    exposure = make(level)
    exposure.masked_image.variance += np.maximum(exposure.masked_image.image, 0) / np.float32(0.9)
    exposure.masked_image.image[3, 3] = np.nan
    prepared = prepare_frame("bias", exposure, CONFIG, regions=WHOLE)
    np.testing.assert_allclose(prepared.variance, 4.0, rtol=1e-3)


def test_counts_of_a_bias_are_no_light():
    exposure = make(0.0)
    exposure.masked_image.variance += np.maximum(exposure.masked_image.image, 0)
    prepared = prepare_frame("bias", exposure, CONFIG, regions=WHOLE)
    assert np.all(prepared.variance == 4.0)


def test_the_noise_of_what_was_subtracted_is_put_aside():
    common = np.full(SHAPE, 3.0, np.float32)
    prepared = prepare_frame("flat", make(10.0), CONFIG, regions=WHOLE, common_variance=lambda rows: common[rows])
    assert prepared.variance[0, 0] == pytest.approx(1.0 / prepared.level**2)


def test_objects_are_found_and_the_pattern_is_not():
    x = np.mgrid[: SHAPE[0], : SHAPE[1]][1]
    pattern = (20 * np.sin(x / 3)).astype(np.float32)
    image = make().masked_image.image + pattern
    image[30:34, 40:44] += 60
    found = find_objects(image, np.zeros(SHAPE, bool), pattern + 100, CONFIG.objects)
    assert found[30:34, 40:44].all()
    assert found.mean() < 0.3
