"""Prepared frames are combined, and the result becomes a calibration frame."""

import numpy as np
import pytest

from obs.algorithms.combine.frames import Combined
from obs.errors import MeasurementError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.tasks.calibs_config import CalibsConfig
from obs.tasks.combine_calibs import combine_frames, finish_frame
from obs.tasks.prepare_calib_frame import prepare_frame

SHAPE = 60, 80
WHOLE = [Box(0, 0, 80, 60)]
CONFIG = CalibsConfig()


def make(level=100.0, sigma=2.0, *, seed=1, **more):
    image = np.random.default_rng(seed).normal(level, sigma, SHAPE).astype(np.float32)
    variance = np.full(SHAPE, sigma**2, np.float32)
    return Exposure(MaskedImage(image, Mask.zeros(SHAPE), variance), **more)


class Frames:
    """Prepared frames in memory."""

    def __init__(self, prepared):
        self.planes = [np.stack([getattr(p, name) for p in prepared]) for name in ("image", "variance", "rejected")]
        self.n_frame, self.shape = len(prepared), SHAPE

    def read(self, low, high):
        return tuple(plane[:, low:high] for plane in self.planes)


def test_noise_that_is_not_known_is_measured():
    """Variances are those of the mean to 5 %, for each amplifier."""
    regions = [Box(0, 0, 40, 60), Box(40, 0, 40, 60)]
    prepared = []
    for seed in range(5):
        exposure = make(0.0, seed=seed)
        exposure.masked_image.image[:, 40:] *= 3
        exposure.masked_image.variance[...] = np.nan
        prepared.append(prepare_frame("defects", exposure, CONFIG, regions=regions))
    master = combine_frames(Frames(prepared), [1.0] * 5, regions, CONFIG.combine)
    assert master.noise == pytest.approx([2.0, 6.0], rel=0.05)
    for region, sigma in zip(regions, (2.0, 6.0), strict=True):
        assert np.median(master.combined.variance[region.slices]) == pytest.approx(sigma**2 / 5, rel=0.1)


def combined(n_used=None):
    image = np.random.default_rng(1).normal(1.0, 0.01, SHAPE).astype(np.float32)
    n_used = np.full(SHAPE, 5, np.int32) if n_used is None else n_used
    image[n_used == 0] = np.nan
    variance = np.where(n_used > 0, np.float32(1e-4), np.float32(np.nan))
    return Combined(image, variance, n_used, 0)


def test_places_without_value_get_the_median_and_are_masked():
    n_used = np.full(SHAPE, 5, np.int32)
    n_used[3, 4] = 0
    pixels = finish_frame("flat", combined(n_used), Mask.zeros(SHAPE), CONFIG)
    assert pixels.image[3, 4] == pytest.approx(1.0, abs=0.01)
    assert np.isfinite(pixels.variance).all()
    assert pixels.mask.any("BAD")[3, 4]
    assert pixels.mask.any("NO_DATA")[3, 4]
    assert pixels.mask.any("BAD").sum() == 1


def test_a_flat_that_is_not_positive_is_masked():
    master = combined()
    master.image[7, 7] = -0.1
    pixels = finish_frame("flat", master, Mask.zeros(SHAPE), CONFIG)
    assert pixels.mask.any("BAD")[7, 7]


def test_a_sky_is_smooth_and_a_fringe_has_no_level():
    sky = finish_frame("sky", combined(), Mask.zeros(SHAPE), CalibsConfig(sky_bin_size=30))
    assert np.std(sky.image) < 0.005
    assert np.mean(sky.image) == pytest.approx(1.0, abs=1e-3)
    fringe = finish_frame("fringe", combined(), Mask.zeros(SHAPE), CONFIG)
    assert abs(np.mean(fringe.image)) < 1e-3


def test_nothing_at_all():
    with pytest.raises(MeasurementError, match="not one pixel has a value in any frame"):
        finish_frame("bias", combined(np.zeros(SHAPE, np.int32)), Mask.zeros(SHAPE), CONFIG)
