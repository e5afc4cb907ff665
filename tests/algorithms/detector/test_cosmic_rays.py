"""Cosmic rays: hits are found, stars are left alone."""

import numpy as np
import pytest

from obs.algorithms.detector import cosmic_rays
from obs.algorithms.detector.cosmic_rays import find_cosmic_rays

SIZE, SKY, READ_NOISE = 600, 2000.0, 4.5


def moffat(dx, dy, fwhm, half=15, beta=3.5, fine=5):
    """Pixel-integrated Moffat of unit flux, shape (2 half + 1, 2 half + 1), off the middle by (dx, dy)."""
    step = (np.arange((2 * half + 1) * fine) + 0.5) / fine - half - 0.5
    radius2 = (step - dx) ** 2 + (step[:, None] - dy) ** 2
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    profile = (1 + radius2 / alpha**2) ** -beta
    size = 2 * half + 1
    profile = profile.reshape(size, fine, size, fine).sum((1, 3))
    return profile / profile.sum()


@pytest.fixture(scope="module", params=[2.5, 4.1])
def field(request):
    """A field of stars without hits: image with noise, variance, true light, and the PSF."""
    fwhm, rng = request.param, np.random.default_rng(17)
    light = np.zeros((SIZE, SIZE))
    for x, y, flux in zip(*rng.uniform(20, SIZE - 20, (2, 400)), 10 ** rng.uniform(2.5, 5.5, 400), strict=True):
        column, row = round(x), round(y)
        light[row - 15 : row + 16, column - 15 : column + 16] += flux * moffat(x - column, y - row, fwhm)
    image = rng.poisson(light + SKY) - SKY + rng.normal(0, READ_NOISE, light.shape)
    variance = np.maximum(image + SKY, 1) + READ_NOISE**2
    return image.astype(np.float32), variance.astype(np.float32), light, moffat(0, 0, fwhm).astype(np.float32)


def add_hits(image, n, rng):
    """Return the image with straight tracks, and the light of each pixel's track."""
    hits = np.zeros(image.shape)
    for _ in range(n):
        length, angle = rng.exponential(5) + 1, rng.uniform(0, np.pi)
        x, y = rng.uniform(20, SIZE - 20, 2)
        places = np.linspace(-length / 2, length / 2, int(4 * length) + 1)
        rows = np.clip(np.rint(y + places * np.sin(angle)).astype(int), 0, SIZE - 1)
        columns = np.clip(np.rint(x + places * np.cos(angle)).astype(int), 0, SIZE - 1)
        np.add.at(hits, (rows, columns), 10 ** rng.uniform(2.6, 3.7) * length / len(places))
    return (image + hits).astype(np.float32), hits


def test_hits_are_found(field):
    """At least 95 % of the pixels that a track raises by more than 10 sigma."""
    image, variance, _, psf = field
    hit, tracks = add_hits(image, 200, np.random.default_rng(5))
    found = find_cosmic_rays(hit, (variance + tracks).astype(np.float32), psf)
    strong = tracks > 10 * np.sqrt(variance)
    assert strong.sum() > 300
    assert found[strong].mean() > 0.95


def test_stars_are_left_alone(field):
    """Fewer than one star pixel in a thousand is flagged, and hardly a pixel of sky."""
    image, variance, light, psf = field
    found = find_cosmic_rays(image, variance, psf)
    star = light > 3 * np.sqrt(SKY)
    assert star.sum() > 5000
    assert found[star].mean() < 1e-3
    assert found[~star].mean() < 1e-4


def test_sharper_psf_protects_more(field):
    """A PSF assumed too narrow never flags a star."""
    image, variance, light, _ = field
    found = find_cosmic_rays(image, variance, moffat(0, 0, 1.8).astype(np.float32))
    assert not found[light > 3 * np.sqrt(SKY)].any()


def test_bad_pixels_are_no_hits(field):
    image, variance, _, psf = field
    spiked = image.copy()
    spiked[300, 300] += 10_000
    bad = np.zeros(image.shape, bool)
    assert find_cosmic_rays(spiked, variance, psf, bad=bad)[300, 300]
    bad[300, 300] = True
    assert not find_cosmic_rays(spiked, variance, psf, bad=bad)[300, 300]


def test_faint_hits_need_enough_counts(field):
    image, variance, light, psf = field
    row, column = np.argwhere(light < 0.1)[1000]
    spiked = image.copy()
    spiked[row, column] = 10 * np.sqrt(SKY)
    assert find_cosmic_rays(spiked, variance, psf, min_counts=100)[row, column]
    assert not find_cosmic_rays(spiked, variance, psf, min_counts=1000)[row, column]


def test_hit_in_the_corner(field):
    """Pixels of the border have neighbors on one side only, and are tested all the same."""
    image, variance, _, psf = field
    spiked = image.copy()
    spiked[0, 5:9] += 5000
    spiked[100, 0] += 5000
    found = find_cosmic_rays(spiked, variance, psf)
    assert found[0, 5:9].any()
    assert found[100, 0]


def test_inputs_are_untouched(field):
    image, variance, _, psf = field
    before = image.copy()
    find_cosmic_rays(image, variance, psf)
    np.testing.assert_array_equal(image, before)


def test_no_pixel_of_noise_free_zeros():
    """An empty image has no hit."""
    empty = np.zeros((40, 40), np.float32)
    psf = moffat(0, 0, 3.0).astype(np.float32)
    assert not find_cosmic_rays(empty, np.ones_like(empty), psf).any()


def test_defocused_stars_are_no_cosmic_rays():
    y, x = np.mgrid[-15:16, -15:16]
    radius = np.hypot(x, y)
    ring = (1 / (1 + np.exp((radius - 9) / 0.7)) - 1 / (1 + np.exp((radius - 4) / 0.7))).astype(np.float32)
    ring /= ring.sum()
    image = np.zeros((120, 120), np.float32)
    for row, column in ((30, 30), (80, 70)):
        image[row - 15 : row + 16, column - 15 : column + 16] += 1e6 * ring
    variance = 100 + image
    image += np.random.default_rng(2).normal(0, np.sqrt(variance)).astype(np.float32)
    image[100, 20] += 3000
    found = find_cosmic_rays(image, variance, ring)
    assert found[100, 20]
    assert found.sum() <= 3


def test_rows_searched_at_a_time_do_not_matter(field, monkeypatch):
    """Tracks that cross from one block of rows into the next are followed as in the whole image."""
    image, variance, _, psf = field
    hit, tracks = add_hits(image, 2000, np.random.default_rng(6))
    variance = (variance + tracks).astype(np.float32)
    whole = find_cosmic_rays(hit, variance, psf)
    monkeypatch.setattr(cosmic_rays, "SEARCHED_AT_ONCE", 1)
    assert whole.sum() > 2000
    np.testing.assert_array_equal(find_cosmic_rays(hit, variance, psf), whole)
