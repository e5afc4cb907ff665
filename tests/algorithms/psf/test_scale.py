"""The size that sources share, from pixels alone."""

import galsim
import numpy as np
import pytest

from obs.algorithms.psf.scale import SourceSizes, common_size, measure_source_sizes

SHAPE = (500, 520)
FINE = galsim.GSParams(folding_threshold=1e-2)


def field(profile, n=25, signal=80.0, seed=1):
    """Return an image of stars in noise of one, well apart."""
    rng = np.random.default_rng(seed)
    image = galsim.ImageD(SHAPE[1], SHAPE[0], xmin=0, ymin=0)
    stamp = profile.drawImage(nx=161, ny=161, scale=1.0).array
    flux = signal / np.sqrt(np.sum(stamp**2))
    for k in range(n):
        x, y = 50 + 100 * (k % 5) + rng.uniform(-15, 15), 50 + 95 * (k // 5) + rng.uniform(-15, 15)
        star = galsim.ImageD(galsim.BoundsI(int(x) - 80, int(x) + 80, int(y) - 80, int(y) + 80))
        profile.withFlux(flux).drawImage(star, center=galsim.PositionD(x, y), scale=1.0)
        common = star.bounds & image.bounds
        image[common] += star[common]
    return (image.array + rng.normal(0, 1, SHAPE)).astype(np.float32)


def sizes_of(image):
    return measure_source_sizes(image, lambda tile: np.zeros(image[tile].shape, bool))


def size_of(image):
    return common_size(sizes_of(image))


@pytest.mark.parametrize("fwhm", [1.2, 2.0, 3.5, 6.0, 10.0, 18.0])
def test_the_size_of_stars_is_found(fwhm):
    sigma = np.hypot(fwhm / 2.355, 0.29)
    # sizes are found in steps of 1.4, between which they are interpolated
    assert size_of(field(galsim.Gaussian(fwhm=fwhm, gsparams=FINE))) == pytest.approx(sigma, rel=0.2)


def test_a_defocused_star_is_one_source_of_its_whole_size():
    ring = galsim.TopHat(12.0) - 0.16 * galsim.TopHat(4.8)
    image = field(galsim.Convolve(ring.withFlux(1.0), galsim.Gaussian(fwhm=2.5, gsparams=FINE)))
    sizes = sizes_of(image)
    assert len(sizes) == pytest.approx(25, abs=2)
    assert 5 < common_size(sizes) < 11


def test_a_trail_has_the_mean_of_its_axes():
    image = field(galsim.Gaussian(fwhm=6.0, gsparams=FINE).shear(q=0.25, beta=30 * galsim.degrees))
    # a round Gaussian fits an ellipse best that lies between its axes, 1.3 and 5.1
    assert 1.8 < size_of(image) < 3.5


def test_the_noise_alone_has_no_size():
    image = np.random.default_rng(3).normal(0, 5, SHAPE).astype(np.float32)
    assert np.isnan(size_of(image))


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_image_without_noise_has_no_sources(value):
    assert len(sizes_of(np.full((200, 200), value, np.float32))) == 0


def test_of_two_sizes_the_smaller_one_wins_if_it_is_common():
    size = np.r_[np.full(30, 1.5), np.full(40, 4.0), np.full(5, 0.4)]
    zero = np.zeros(len(size))
    assert common_size(SourceSizes(zero, zero, size, zero, zero, zero)) == pytest.approx(1.5)


@pytest.mark.parametrize("fwhm", [1.0, 1.2, 3.5, 15.0])
def test_hot_pixels_do_not_pass_for_stars(fwhm):
    """They share a size and a shape, too, and may be many more than stars; neighbors of a star's peak have light."""
    image = field(galsim.Gaussian(fwhm=fwhm, gsparams=FINE))
    random = np.random.default_rng(11)
    alone = size_of(image)
    image[tuple(random.integers(2, side - 2, 400) for side in SHAPE)] += random.exponential(60.0, 400) + 15.0
    assert size_of(image) == pytest.approx(alone, rel=0.15)


@pytest.mark.parametrize("fwhm", [1.2, 2.0, 3.5])
@pytest.mark.parametrize("axis_ratio", [1.0, 0.6])
def test_many_more_cosmic_rays_than_stars_do_not_hide_the_size(fwhm, axis_ratio):
    star = galsim.Gaussian(fwhm=fwhm, gsparams=FINE).shear(q=axis_ratio, beta=40 * galsim.degrees)
    alone, image = field(star), field(star)
    random = np.random.default_rng(7)
    for _ in range(120):
        length, angle = random.uniform(1, 15), random.uniform(0, np.pi)
        steps = np.arange(0, length, 0.2)
        x, y = random.uniform(20, 480) + steps * np.cos(angle), random.uniform(20, 480) + steps * np.sin(angle)
        np.add.at(image, (np.rint(y).astype(int), np.rint(x).astype(int)), random.uniform(10, 60))
    assert len(sizes_of(image)) > 4 * 25
    assert size_of(image) == pytest.approx(size_of(alone), rel=0.1)


def test_what_is_left_about_saturated_cores_does_not_pass_for_stars():
    profile = galsim.Gaussian(fwhm=1.65, gsparams=FINE)
    image = field(profile, n=15) + np.roll(field(profile, n=25, signal=6000.0, seed=2), 47, axis=1)
    size = common_size(measure_source_sizes(image, lambda tile: image[tile] > 600.0))
    assert size == pytest.approx(np.hypot(0.70, 0.29), rel=0.2)


def test_large_images_are_sampled_in_tiles():
    tile = field(galsim.Gaussian(fwhm=3.0, gsparams=FINE))
    image = np.tile(tile, (4, 4))
    sizes = sizes_of(image)
    assert 100 < len(sizes) < 350
    assert common_size(sizes) == pytest.approx(np.hypot(3.0 / 2.355, 0.29), rel=0.1)
