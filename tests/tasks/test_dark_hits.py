"""Cosmic rays in single darks, and hot pixels that are none."""

import numpy as np
import pytest

from obs.tasks.dark_hits import DarkHitsConfig, find_dark_hits

SHAPE = 100, 140
CONFIG = DarkHitsConfig()
HOT = 70 * SHAPE[1] + 30


def dark(seed, track):
    """A dark with one hot pixel and a track along a row."""
    image = np.random.default_rng(seed).normal(5.0, 2.0, SHAPE).astype(np.float32)
    image.ravel()[HOT] += 800.0
    image[track, 50:62] += 400.0
    return image, np.full(SHAPE, 4.0, np.float32), np.zeros(SHAPE, bool)


def test_of_a_single_dark_all_that_is_sharp_is_found_and_grown():
    hits = find_dark_hits(*dark(1, 20), CONFIG)
    assert hits[20, 48:64].all()
    assert hits[18:23, 50:62].all()
    assert not hits[[14, 26]].any()
    assert hits.ravel()[HOT]
    assert hits.sum() < 13 + 5 * 16


def test_light_as_wide_as_the_gaussian_is_none():
    image, variance, bad = dark(1, 20)
    image[20, 50:62] -= 400.0
    image.ravel()[HOT] -= 800.0
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image += (800 * np.exp(-0.5 * ((y - 40.3) ** 2 + (x - 60.2) ** 2) / 1.5**2)).astype(np.float32)
    assert not find_dark_hits(image, variance, bad, CONFIG).any()


def test_faint_hits_and_bad_pixels_are_left_alone():
    image, variance, bad = dark(1, 20)
    bad.ravel()[HOT] = True
    image.ravel()[HOT] = np.nan
    assert not find_dark_hits(image, variance, bad, CONFIG).ravel()[HOT]
    # in units of 100 adu, the least sum is that of ADU all the same
    scaled = image / 100, variance / 100**2, bad
    assert find_dark_hits(*scaled, CONFIG, scale=100.0)[20, 55]
    assert not find_dark_hits(*scaled, CONFIG.model_copy(update={"min_counts": 1e5}), scale=100.0).any()


@pytest.mark.parametrize("n", [2, 5])
def test_what_all_darks_show_is_no_hit(n):
    """Hot pixels, and pixels that differ from one another more than their noise."""
    pattern = np.random.default_rng(9).uniform(0, 300, SHAPE).astype(np.float32)
    darks = [dark(seed, 20 + 10 * seed) for seed in range(n)]
    darks = [(image + pattern, variance, bad) for image, variance, bad in darks]
    lowest = np.min([image for image, _, _ in darks], axis=0)
    for seed, frame in enumerate(darks):
        hits = find_dark_hits(*frame, CONFIG, lowest=lowest)
        assert hits[20 + 10 * seed, 48:64].all()
        assert not hits.ravel()[HOT]
        assert hits.sum() < 5 * 16


def test_a_short_dark_among_long_ones():
    """Its noise is not taken for hits in the long ones, whether the reference's noise is known or not."""
    random, seconds = np.random.default_rng(1), np.array([1, 300, 300, 300, 300, 300.0])
    images = np.stack([random.normal(0, 3.0, SHAPE) / s for s in seconds]).astype(np.float32)
    variances = np.stack([np.full(SHAPE, (3.0 / s) ** 2) for s in seconds]).astype(np.float32)
    mean, noise = images[1:].mean(axis=0), variances[1:].sum(axis=0) / 25
    for lowest, lowest_variance in ((images.min(axis=0), None), (mean, noise)):
        for image, variance, scale in zip(images, variances, seconds, strict=True):
            bad = np.zeros(SHAPE, bool)
            more = {"lowest": lowest, "lowest_variance": lowest_variance, "scale": scale}
            assert not find_dark_hits(image, variance, bad, CONFIG, **more).any()
