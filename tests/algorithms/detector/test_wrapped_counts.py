"""Cores of bright stars that begin again at zero are found, and dark middles of other kinds are not."""

import numpy as np
import pytest

from obs.algorithms.detector.wrapped_counts import find_wrapped_counts
from obs.algorithms.pixels.grow import grow

SHAPE = (200, 210)
SKY, NOISE = 200.0, 10.0


def gaussian(square, width=2.0):
    return np.exp(-0.5 * square / width**2) / (2 * np.pi * width**2)


def donut(square):
    return ((square > 25) & (square < 121)) / 301.6


def stars(profile, brightest, seed=3, n=25):
    """Return counts of stars, before they are held by a pixel."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(15, SHAPE[1] - 15, n), random.uniform(15, SHAPE[0] - 15, n)
    flux = np.exp(random.uniform(np.log(5e3), np.log(brightest), n))
    rows, columns = np.indices(SHAPE)
    image = np.full(SHAPE, SKY)
    for a, b, f in zip(x, y, flux, strict=True):
        image += f * profile((rows - b) ** 2 + (columns - a) ** 2)
    return np.rint(random.poisson(image * 2) / 2 + random.normal(0, 2.5, SHAPE))


def find(image):
    return find_wrapped_counts(image.astype(np.float32), np.zeros(SHAPE, bool), sky=SKY, noise=NOISE)


@pytest.mark.parametrize(("lowest", "modulus"), [(0, 65536), (-32768, 65536), (0, 4096)])
def test_pixels_beyond_the_largest_number_are_found(lowest, modulus):
    image = stars(gaussian, 40 * modulus)
    found = find((image - lowest) % modulus + lowest)
    beyond = image >= modulus + lowest
    assert found.modulus == modulus
    # pixels that are high again after they wrapped are beside those that are low
    assert grow(found.pixels, 1)[beyond].mean() > 0.95
    assert not found.pixels[~beyond].any()


def test_dark_cores_at_another_level_need_several_stars():
    image = stars(gaussian, 3e6)
    cores = image > 50000
    found = find(np.where(cores, 100.0, image))
    assert found.modulus == 0
    assert found.n_star >= 3
    assert (found.pixels == cores).all()
    image[cores] = 50000.0
    assert find(image) is None


@pytest.mark.parametrize(("profile", "brightest", "seed"), [(gaussian, 9e5, 3), (donut, 1e7, 3), (donut, 1e7, 4)])
def test_ordinary_stars_and_donuts_do_not_wrap(profile, brightest, seed):
    image = stars(profile, brightest, seed)
    assert find(image * 65530 / image.max()) is None


def test_dead_pixels_are_no_wraps():
    image = stars(gaussian, 9e5) * 65530 / 60000
    image = np.minimum(image, 65535)
    image[np.random.default_rng(1).random(SHAPE) < 0.003] = 0.0
    assert find(image) is None
