import numpy as np
import pytest

from obs.algorithms.detector.variance import add_noise
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

SHAPE = (500, 400)


@pytest.mark.parametrize("gain", [0.5, 3.5])
def test_variance_is_that_of_simulated_counts(gain):
    rng = np.random.default_rng(1)
    electrons = rng.poisson(2000.0, SHAPE) + rng.normal(0.0, 30.0, SHAPE)
    image = MaskedImage((electrons / gain).astype(np.float32), variance=np.zeros(SHAPE, np.float32))
    add_noise(image, Box(0, 0, 400, 500), gain=gain, read_noise=30.0)
    assert np.mean(image.variance) == pytest.approx(np.var(image.image), rel=0.01)


def test_read_noise_is_in_electrons_and_variance_in_adu():
    image = MaskedImage(np.zeros(SHAPE, np.float32), variance=np.zeros(SHAPE, np.float32))
    add_noise(image, Box(0, 0, 400, 500), gain=4.0, read_noise=8.0)
    assert np.all(image.variance == 4.0)


def test_what_is_there_stays_and_other_amplifiers_are_left_alone():
    image = MaskedImage(np.full(SHAPE, -50.0, np.float32), Mask.zeros(SHAPE), np.full(SHAPE, 2.0, np.float32))
    add_noise(image, Box(100, 0, 100, 500), gain=2.0, read_noise=2.0, level_variance=0.25)
    assert np.all(image.variance[:, 100:200] == 3.25)  # fewer counts than none have no noise of their own
    assert np.all(image.variance[:, :100] == 2.0)
    assert np.all(image.variance[:, 200:] == 2.0)
