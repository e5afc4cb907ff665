"""Skies of which most pixels have no photon at all."""

import numpy as np
import pytest

from obs.algorithms.pixels.smoothing import smooth
from obs.algorithms.sky.few_photons import count_photons, predict_photon_noise
from obs.tasks.plain_variance import make_variance


def photons(counts, *, shape=(400, 400), seed=3):
    return np.random.default_rng(seed).poisson(counts, shape).astype(np.float32)


@pytest.mark.parametrize("unit", [1.0, 1 / 300])
@pytest.mark.parametrize("counts", [0.003, 0.03, 0.1, 0.5])
def test_the_sky_is_counted_and_no_noise_passes_the_threshold(counts, unit):
    image = photons(counts) * np.float32(unit)
    sky = count_photons(image)
    error = (counts / image.size) ** 0.5 * unit
    assert abs(sky.level - counts * unit) < 6 * error
    assert sky.photon == pytest.approx(unit, rel=1e-3)
    noise = predict_photon_noise(sky, 1.5, 7.0, 5.0)
    assert smooth(image - np.float32(sky.level), 1.5, 7.0).image.max() < 5.5 * noise


@pytest.mark.parametrize(
    "image",
    [
        photons(3.0),  # most pixels have some
        np.maximum(np.random.default_rng(1).normal(-1.0, 3.0, (400, 400)), 0.0).astype(np.float32),  # cut off at zero
        np.rint(np.maximum(np.random.default_rng(1).normal(-3.0, 6.0, (400, 400)), 0.0)).astype(np.float32),
        np.zeros((400, 400), np.float32),
        photons(0.1, shape=(20, 20)),  # too few pixels
    ],
)
def test_other_images_are_not_counted(image):
    assert count_photons(image) is None


@pytest.mark.parametrize(("counts", "said"), [(0.1, "most pixels have no photon"), (0.75, "are counts of photons")])
def test_whole_photons_tell_their_gain(counts, said):
    image = photons(counts)
    found = make_variance(image, np.isfinite(image), gain=None, read_noise=None)
    assert found.gain == pytest.approx(1.0)
    assert np.median(found.variance) == pytest.approx(counts, rel=0.06)
    assert said in found.warning
