import re

import numpy as np
import pytest

from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.psf import PixelPsf
from obs.tasks.repair import CosmicRayConfig, repair_dark_pixels
from obs.tasks.unusable_pixels import fill_narrow_gaps, restore_negative_counts, warn_of_lost_values

SHAPE = (120, 130)
NOISE = 10.0


def sky(level=100.0):
    random = np.random.default_rng(2)
    image = random.normal(level, NOISE, SHAPE).astype(np.float32)
    return MaskedImage(image, Mask.zeros(SHAPE), np.full(SHAPE, NOISE**2, np.float32))


def test_a_cut_and_coarse_counts_are_warnings():
    pixels = sky(0.0)
    assert warn_of_lost_values(pixels) == []
    np.maximum(pixels.image, 0.0, out=pixels.image)
    assert re.search(
        "the noise is cut off: (49|50|51) % of the pixels have the lowest value, 0", warn_of_lost_values(pixels)[0]
    )
    coarse = sky()
    coarse.image[:] = 40.0 * np.rint(coarse.image / 40.0 + 0.3)
    assert "steps of 40" in warn_of_lost_values(coarse)[0]


def test_narrow_gaps_are_filled_and_wide_ones_and_borders_stay():
    pixels = sky()
    holes = np.zeros(SHAPE, bool)
    holes[30, 40], holes[:, 60:62] = True, True
    wide = np.zeros(SHAPE, bool)
    wide[80:100, 10:30], wide[:, -8:] = True, True
    pixels.image[holes | wide] = np.nan
    pixels.mask.set(holes | wide, "NO_DATA", "UNMASKEDNAN")
    fill_narrow_gaps(pixels)
    assert np.isfinite(pixels.image[holes]).all()
    assert np.isnan(pixels.image[wide]).all()
    np.testing.assert_array_equal(pixels.mask.any("BAD"), holes)
    np.testing.assert_array_equal(pixels.mask.any("INTRP"), holes)
    np.testing.assert_array_equal(pixels.mask.any("NO_DATA"), wide)


def test_bad_pixels_of_the_mask_lose_their_values():
    pixels = sky()
    pixels.image[50, 50] = 65535.0
    pixels.mask.set(pixels.image > 60000, "BAD")
    fill_narrow_gaps(pixels)
    assert abs(pixels.image[50, 50] - 100.0) < 6 * NOISE


def star(flux):
    y, x = np.mgrid[-12:13, -12:13]
    profile = np.exp(-0.5 * (x**2 + y**2) / 1.5**2)
    return (flux * profile / profile.sum()).astype(np.float32)


def test_dark_pixels_are_filled_and_smooth_hollows_and_stars_stay():
    pixels, psf = sky(0.0), PixelPsf(star(1.0)[None], 0)
    pixels.image[20:45, 20:45] += star(30_000.0)
    pixels.image[60:85, 60:85] -= star(30_000.0)
    dark = np.zeros(SHAPE, bool)
    dark[10, 100], dark[100, 10:13], dark[34, 31] = True, True, True
    pixels.image[dark] = -300.0
    found = repair_dark_pixels(pixels, psf, CosmicRayConfig())
    assert found.n_pixel == dark.sum()
    assert "5 pixels are more than 8 times its noise below the sky" in found.warning
    np.testing.assert_array_equal(pixels.mask.any("BAD"), dark)
    assert pixels.image[dark].min() > -6 * NOISE


def test_pixels_between_stars_are_not_dead_where_the_sky_is_too_high():
    pixels, psf = sky(-5.0 * NOISE), PixelPsf(star(1.0)[None], 0)
    single = np.zeros(SHAPE, bool)
    single[3::20, 5::20] = True
    pixels.image[single] = -12.0 * NOISE
    found = repair_dark_pixels(pixels, psf, CosmicRayConfig())
    assert found.n_pixel == 0
    assert not pixels.mask.any("BAD").any()
    assert "it was measured wrongly there" in found.warning


def test_dark_pixels_are_left_alone_if_the_setting_says_so():
    pixels = sky(0.0)
    pixels.image[10, 10] = -500.0
    assert repair_dark_pixels(pixels, PixelPsf(star(1.0)[None], 0), CosmicRayConfig(dark_pixels=False)).n_pixel == 0
    assert pixels.image[10, 10] == -500.0


@pytest.mark.parametrize("level", [0.0, 20.0])
def test_negative_counts_in_unsigned_numbers_are_restored(level):
    pixels = sky(level)
    pixels.image[40:44, 50:54] = 9000.0
    before = np.rint(pixels.image)
    pixels.image[:] = before % 65536
    (warning,) = restore_negative_counts(pixels)
    assert "just below 65536" in warning
    np.testing.assert_array_equal(pixels.image, before)


def test_saturated_stars_are_no_negative_counts():
    pixels = sky(20.0)
    pixels.image[:] = np.maximum(np.rint(pixels.image), 0.0)
    pixels.image[40:44, 50:54], pixels.image[60, 60:70] = 65535.0, 50000.0
    assert restore_negative_counts(pixels) == []
    pixels = sky(1000.0)
    pixels.image[40:44, 50:54] = 65535.0
    assert restore_negative_counts(pixels) == []
