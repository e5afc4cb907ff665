import numpy as np
import pytest

from obs.algorithms.detector.interpolate import grow_plane, interpolate_pixels, set_bad_regions
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

SHAPE = (120, 150)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
PLANE = (100 + 2.0 * X + 3.0 * Y).astype(np.float32)


def pixels(bad, plane="BAD", image=PLANE):
    mask = Mask.zeros(SHAPE)
    mask.set(bad, plane)
    image = np.where(bad, np.float32(np.nan), image)
    variance = np.where(bad, np.float32(np.nan), np.float32(5.0))
    return MaskedImage(image, mask, variance)


def holes():
    bad = np.zeros(SHAPE, bool)
    bad[:, 40:43] = True  # trail
    bad[70, :] = True  # row
    bad[20:24, 100:104] = True
    bad[100, 100] = True
    return bad


def test_a_tilted_plane_is_restored():
    image = pixels(holes())
    assert interpolate_pixels(image, ("BAD",)) == holes().sum()
    assert image.image == pytest.approx(PLANE, rel=1e-5)
    assert np.all(image.variance == 5.0)
    assert np.array_equal(image.mask.any("INTRP"), holes())
    assert np.array_equal(image.mask.any("BAD"), holes())


def test_narrow_direction_wins():
    image = (100 + 1000 * np.sin(X / 3.0)).astype(np.float32)  # varies along rows only
    bad = np.zeros(SHAPE, bool)
    bad[50:53, 20:40] = True
    damaged = pixels(bad, image=image)
    interpolate_pixels(damaged, ("BAD",))
    assert damaged.image == pytest.approx(image, rel=1e-4)


def test_at_the_border_the_one_neighbor_counts():
    bad = np.zeros(SHAPE, bool)
    bad[:, :3] = bad[:, -2:] = True
    image = pixels(bad)
    interpolate_pixels(image, ("BAD",))
    assert np.all(image.image[:, :3] == image.image[:, 3:4])
    assert np.all(image.image[:, -2:] == image.image[:, -3:-2])


def test_corners_and_crossings_leave_nothing_behind():
    bad = np.zeros(SHAPE, bool)
    bad[:4, :4] = bad[-5:, -9:] = bad[60:64] = bad[:, 70:72] = True
    image = pixels(bad)
    interpolate_pixels(image, ("BAD",))
    assert np.isfinite(image.image).all()
    assert np.abs(image.image - PLANE).max() < 40


def test_wide_gaps_keep_the_value_of_bad_regions():
    bad = np.zeros(SHAPE, bool)
    bad[20:90, 30:100] = True
    image = pixels(bad)
    value = set_bad_regions(image)
    assert interpolate_pixels(image, ("BAD",), maximum_width=50) == 0
    assert np.all(image.image[bad] == np.float32(value))
    assert np.all(image.variance == 5.0)
    assert not image.mask.any("INTRP").any()


def test_only_the_planes_asked_for():
    image = pixels(holes(), "CR")
    assert interpolate_pixels(image, ("BAD", "SAT", "NOT_THERE")) == 0
    assert np.array_equal(np.isnan(image.image), holes())


def test_an_image_without_good_pixel_stays():
    image = pixels(np.ones(SHAPE, bool))
    assert interpolate_pixels(image, ("BAD",), maximum_width=1000) == 0
    assert np.isnan(set_bad_regions(image))


def test_noise_of_what_is_filled_is_not_above_its_variance():
    rng = np.random.default_rng(1)
    image = pixels(holes(), image=rng.normal(0, np.sqrt(5.0), SHAPE).astype(np.float32))
    interpolate_pixels(image, ("BAD",))
    assert 0.4 * 5.0 < np.var(image.image[holes()]) < 5.0


@pytest.mark.parametrize("statistic", ["MEANCLIP", "MEDIAN"])
def test_bad_regions_get_the_level_of_good_pixels(statistic):
    rng = np.random.default_rng(2)
    image = pixels(holes(), image=(500 + rng.normal(0, 3, SHAPE)).astype(np.float32))
    image.image[5, :20] = 1e6
    image.mask.array[5, :20] |= image.mask.bits("SAT")
    image.image[6, :20] = 600.0
    value = set_bad_regions(image, avoid=("SAT",), statistic=statistic)
    assert value == pytest.approx(500.0, abs=0.2)
    assert np.all(image.image[holes() & (Y != 5)] == np.float32(value))


def test_planes_grow_round():
    image = MaskedImage(np.zeros(SHAPE, np.float32))
    image.mask.array[50, 60] = image.mask.bits("SAT")
    grow_plane(image, "SAT", 2)
    assert np.array_equal(image.mask.any("SAT"), (X - 60) ** 2 + (Y - 50) ** 2 <= 4)
    grow_plane(image, "BAD", 2)
    assert not image.mask.any("BAD").any()
