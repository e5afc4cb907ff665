"""Saturated stars are recognized by their flat tops that pile up at one level."""

import numpy as np
import pytest

from obs.algorithms.detector.flat_tops import find_flat_tops

SHAPE = (400, 420)
SKY, NOISE = 200.0, 10.3


def stars(fwhm, seed=3, n=70, brightest=3e7, kernel=None):
    """Return an image of stars with noise, and the stars' positions and peak heights."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(15, SHAPE[1] - 15, n), rng.uniform(15, SHAPE[0] - 15, n)
    flux = np.exp(rng.uniform(np.log(5e3), np.log(brightest), n))
    rows, columns = np.indices(SHAPE)
    sigma = fwhm / 2.3548
    image = np.full(SHAPE, SKY)
    for a, b, f in zip(x, y, flux, strict=True):
        square = (rows - b) ** 2 + (columns - a) ** 2
        image += f * (np.exp(-0.5 * square / sigma**2) / (2 * np.pi * sigma**2) if kernel is None else kernel(square))
    image = rng.poisson(image * 2) / 2 + rng.normal(0, 2.5, SHAPE)
    return image, x, y, flux


def donut(square):
    return ((square > 25) & (square < 121)) / 301.6


def find(image):
    return find_flat_tops(image.astype(np.float32), np.zeros(image.shape, bool), sky=SKY, noise=NOISE)


@pytest.mark.parametrize("fwhm", [1.5, 2.5, 4.0, 8.0])
def test_clipped_stars_are_found_and_nothing_else(fwhm):
    image = stars(fwhm)[0]
    level = 0.1 * image.max()
    clipped = np.minimum(image, level)
    found = find(clipped)
    np.testing.assert_allclose(found.levels, level, rtol=0.001)
    assert found.saturated[clipped == level].all()
    assert not found.saturated[clipped < 0.99 * level].any()
    assert not find(image).levels.size


def test_stars_cut_off_little_above_a_bright_sky_are_found():
    rng = np.random.default_rng(5)
    image = 700.0 * (stars(1.7)[0] - SKY) / 8 + rng.normal(7772, 176, SHAPE)
    whole = np.rint(np.minimum(image, 16383))
    found = find_flat_tops(whole.astype(np.float32), np.zeros(SHAPE, bool), sky=7772.0, noise=176.0)
    assert found.levels == pytest.approx([16383])
    np.testing.assert_array_equal(found.saturated, whole == 16383)
    sharp = stars(1.0, brightest=3e5)[0]
    cut = np.minimum(sharp, np.partition(sharp, -12, axis=None)[-12])  # the highest pixels of a dozen stars
    assert find(cut).levels == pytest.approx([cut.max()])
    faint = np.rint(7772 + 20 * rng.normal(0, 176, SHAPE))  # rare values, of which none is repeated often
    assert not find_flat_tops(faint.astype(np.float32), np.zeros(SHAPE, bool), sky=7772.0, noise=176.0).levels.size


def test_a_level_that_flat_fielding_changed_is_found():
    image, _, _, _ = stars(4.0)
    flat = np.random.default_rng(1).normal(1, 0.01, SHAPE)
    found = find(np.minimum(image, 60_000) / flat)
    assert found.levels == pytest.approx([60_000], rel=0.01)
    assert found.saturated[image > 66_000].mean() > 0.97
    assert not found.saturated[image < 56_000].any()


@pytest.mark.parametrize("flattened", [False, True])
def test_amplifiers_may_saturate_at_different_levels(flattened):
    image, _, _, _ = stars(4.0)
    level = np.where(np.arange(SHAPE[1]) < 200, 60_000.0, 42_000.0)
    clipped = np.minimum(image, level)
    if flattened:
        clipped = clipped / np.random.default_rng(1).normal(1, 0.01, SHAPE)
    found = find(clipped)
    assert found.levels == pytest.approx([42_000, 60_000], rel=0.01)
    assert found.saturated[image > 1.1 * level].mean() > 0.97
    assert not found.saturated[image < 0.9 * level].any()


def test_defocused_stars_are_not_saturated():
    image = stars(1.0, n=40, brightest=4e6, kernel=donut)[0]
    assert not find(image).saturated.any()


@pytest.mark.parametrize("fwhm", [1.2, 2.0, 3.5, 10.0, 20.0])
def test_stars_of_any_width_are_not_saturated(fwhm):
    assert not find(stars(fwhm, seed=11, n=150)[0]).saturated.any()
    assert not find(np.rint(stars(fwhm, seed=12, brightest=1e5)[0])).saturated.any()


@pytest.mark.parametrize("slope", [0.3, 1.1, -2.5])
def test_the_trail_of_a_satellite_is_not_saturated(slope):
    image = stars(3.0, brightest=3e5)[0]
    rows, columns = np.indices(SHAPE)
    across = (rows - 200 - slope * (columns - 210)) / np.hypot(1, slope)
    light = 1e4 * np.exp(-0.5 * (across / 1.4) ** 2)
    assert not find(image + np.random.default_rng(4).poisson(light)).levels.size


def test_rays_of_even_charge_are_not_saturated():
    image = stars(3.5, brightest=3e5)[0]
    rng = np.random.default_rng(5)
    for charge in rng.uniform(300, 3000, 400):
        (x, y), angle = rng.integers(12, 388, 2), rng.uniform(0, np.pi)
        step = np.arange(rng.integers(1, 10))
        image[(y + step * np.sin(angle)).astype(int), (x + step * np.cos(angle)).astype(int)] += charge
    assert not find(image).saturated.any()
