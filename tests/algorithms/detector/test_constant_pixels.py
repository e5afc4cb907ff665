"""Areas of exactly equal pixels: padding, dead amplifiers, dead columns, and what only looks like them."""

import numpy as np
import pytest

from obs.algorithms.detector.constant_pixels import find_constant_pixels

SHAPE = (300, 320)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def padded(image):
    """Set a corner, a strip and a triangle to one value each; return the image and where they are."""
    constant = np.zeros(image.shape, bool)
    constant[:, :90] = constant[-7:] = True
    y, x = np.indices(image.shape)
    triangle = x - y > 250
    result = image.copy()
    result[constant], result[triangle] = 0.0, 1e30
    return result, constant | triangle


@pytest.mark.parametrize("kind", ["float", "integer", "coarse"])
def test_padding_is_found_exactly(rng, kind):
    image = rng.normal(200, 10, SHAPE).astype(np.float32)
    image = {"float": image, "integer": np.rint(image), "coarse": np.rint(image / 8) * 8}[kind]
    assert not find_constant_pixels(image).any()
    found, constant = padded(image)
    wrong = find_constant_pixels(found) != constant
    # the corners of a triangle are narrower than a square of five pixels
    assert wrong.sum() < 60
    assert not find_constant_pixels(found)[~constant].any()


@pytest.mark.parametrize("sky", [3.0, 0.3, 0.05])
def test_few_photons_are_not_padding(rng, sky):
    image = rng.poisson(sky, SHAPE).astype(np.float32)
    assert not find_constant_pixels(image).any()
    image[:, :90] = 0
    found = find_constant_pixels(image)
    assert found[:, :90].all()
    # zeros beside the padding may belong to it
    assert not found[:, 140:].any()


def test_dead_lines_are_found(rng):
    image = rng.normal(200, 10, SHAPE).astype(np.float32)
    image[:, 50], image[100, 100:200] = 7.0, 9.0
    found = find_constant_pixels(image)
    assert found[:, 50].all()
    assert found[100, 100:200].all()
    assert found.sum() == SHAPE[0] + 100


def test_nan_and_tiny_images_have_none():
    assert not find_constant_pixels(np.full((50, 50), np.nan, np.float32)).any()
    assert not find_constant_pixels(np.zeros((3, 3), np.float32)).any()
    assert find_constant_pixels(np.zeros((50, 50), np.float32)).all()
