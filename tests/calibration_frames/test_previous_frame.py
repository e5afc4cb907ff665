"""How many pixels of a calibration frame have changed since the one before it."""

import numpy as np
import pytest

from obs.calibration_frames.previous_frame import changed_pixels
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage

SHAPE = (300, 200)


def frame(seed, level=0.0, sigma=1.5):
    image = np.random.default_rng(seed).normal(level, sigma, SHAPE).astype(np.float32)
    return Exposure(MaskedImage(image, variance=np.full(SHAPE, sigma**2, np.float32)))


def test_frames_that_differ_by_noise_and_level_are_the_same():
    assert changed_pixels(frame(1), frame(2, level=40.0)) == 0.0


def test_pixels_that_changed_are_counted():
    this = frame(1)
    this.masked_image.image[:30] += 20.0
    this.masked_image.image[40, 3] = np.nan
    assert changed_pixels(this, frame(2)) == pytest.approx(10.0, abs=0.3)


def test_without_variances_nothing_is_known():
    assert np.isnan(changed_pixels(frame(1, sigma=0.0), frame(2, sigma=0.0)))
