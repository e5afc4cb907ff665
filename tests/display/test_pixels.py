"""What happens to pixel values and mask bits before they are drawn."""

import numpy as np
import pytest
from astropy.visualization import ZScaleInterval

from obs.display.binning import bin_image, bin_mask, bin_step
from obs.display.limits import find_limits, zscale_limits
from obs.display.mask_colors import RGB, overlay, shown_planes
from obs.display.thumbnail import gray_levels, thumbnail
from obs.display.view import View
from obs.errors import ConfigError
from obs.geom import Box
from obs.image.mask import Mask


def test_bins_are_means_of_finite_pixels():
    image = np.arange(35, dtype=np.float32).reshape(5, 7)
    image[0, 0] = np.nan
    image[4, 6] = np.inf
    binned = bin_image(image, 3)
    assert binned.shape == (2, 3)
    assert binned[0, 0] == pytest.approx(np.nanmean(image[:3, :3]))
    assert binned[1, 1] == pytest.approx(image[3:, 3:6].mean())
    assert binned[1, 2] == pytest.approx(image[3, 6])
    assert bin_image(image, 1) is image


def test_a_bin_without_a_number_is_none():
    assert np.isnan(bin_image(np.full((4, 4), np.nan, np.float32), 2)).all()


def test_many_rows_are_binned_in_parts():
    image = np.random.default_rng(3).normal(size=(401, 6)).astype(np.float32)
    expected = [image[low : low + 2].mean(axis=0) for low in range(0, 401, 2)]
    np.testing.assert_allclose(bin_image(image, 2)[:, 0], [row[:2].mean() for row in expected], rtol=1e-4, atol=1e-6)


def test_bits_of_a_block_are_joined():
    assert bin_mask(np.array([[1, 0, 8], [0, 2, 0], [4, 0, 0]], np.int32), 2).tolist() == [[3, 8], [4, 0]]


def test_the_longer_side_decides_the_step():
    assert (bin_step((10_000, 50), 1200), bin_step((100, 1200), 1200)) == (9, 1)


@pytest.mark.parametrize("seed", range(3))
def test_zscale_is_that_of_iraf(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(100.0, 10.0, 1000).astype(np.float32)
    values[:50] += rng.exponential(500.0, 50).astype(np.float32)
    expected = ZScaleInterval(n_samples=1000).get_limits(values.reshape(20, 50))
    # rejected samples are grown a little differently
    np.testing.assert_allclose(zscale_limits(values), expected, atol=3.0)


def test_limits_of_odd_images():
    assert find_limits(np.full((3, 3), np.nan, np.float32)) == (0.0, 1.0)
    counts = np.zeros((40, 40), np.uint16)
    counts[15:25, 15:25] = 4
    assert find_limits(counts) == (0.0, 4.0)  # most pixels are equal
    low, high = find_limits(np.full((3, 3), 7.0, np.float32))
    assert low < 7.0 < high
    image = np.zeros((500, 500), np.float32)
    image[3, 7] = 9.0
    assert find_limits(image, "minmax") == (0.0, 9.0)
    one = np.full((900, 900), np.nan, np.float32)
    one[1, 1] = 5.0  # beside the grid that is looked at
    low, high = find_limits(one)
    assert low < 5.0 < high


def test_a_percentage_lies_between_the_limits():
    image = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    assert find_limits(image, "90") == pytest.approx((500.0, 9500.0), abs=2.0)


@pytest.mark.parametrize("scale", ["zmax", "0", "101", "nan", ""])
def test_a_scale_that_is_none(scale):
    with pytest.raises(ConfigError, match=r"scale: expected zscale, minmax or a percentage such as 99\.5, got"):
        find_limits(np.zeros((2, 2), np.float32), scale)


def test_planes_have_the_colors_of_the_stack():
    mask = Mask.zeros((2, 2))
    colors = shown_planes(mask, None)
    named = {"BAD": "red", "CR": "magenta", "EDGE": "yellow", "INTRP": "green", "SAT": "green", "DETECTED": "blue"}
    named |= {"DETECTED_NEGATIVE": "cyan", "SUSPECT": "yellow"}
    assert {name: colors[name] for name in named} == named
    assert set(colors) == set(mask.planes)
    assert next(iter(colors)) == "DETECTED"  # below all others
    for name in ("STREAK", "REJECTED", "INEXACT_PSF", "MINE", "YOURS"):
        mask.add_plane(name)
    colors = shown_planes(mask, None)
    assert len({colors[name] for name in mask.planes if name not in named}) >= 7  # coadds have these side by side
    assert colors["YOURS"] == shown_planes(mask, ["YOURS"])["YOURS"]
    assert set(colors.values()) <= set(RGB)


def test_an_unknown_plane():
    with pytest.raises(ConfigError, match="the mask has no plane 'SATT'; did you mean 'SAT'"):
        shown_planes(Mask.zeros((2, 2)), ["SATT"])


def test_colors_lie_over_each_other():
    mask = Mask.zeros((1, 3))
    mask.array[0, 1] = mask.bits("CR")
    mask.array[0, 2] = mask.bits("CR", "DETECTED")
    shown = overlay(mask, shown_planes(mask, None), 60.0)
    assert shown[0, 0].tolist() == [0.0, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(shown[0, 1], [1.0, 0.0, 1.0, 0.4], atol=1e-6)
    assert shown[0, 2, 3] == pytest.approx(0.64)
    assert mask.percentages() == pytest.approx({"DETECTED": 100 / 3, "CR": 200 / 3})
    for name in ("INEXACT_PSF", "REJECTED"):
        mask.add_plane(name)
        mask.array[0, 0] |= mask.bits(name)
    shown = overlay(mask, shown_planes(mask, None), 60.0)
    np.testing.assert_allclose(shown[0, 0], [*RGB["deepskyblue"], 0.4], atol=1e-6)  # as in the legend


def test_a_thumbnail_is_a_png():
    image = np.full((600, 3), np.nan, np.float32)
    assert thumbnail(image).startswith("data:image/png;base64,iVBOR")
    assert gray_levels(np.array([[0.0], [np.nan], [9.0]], np.float32), (0.0, 2.0)).ravel().tolist() == [255, 0, 0]


def test_a_value_that_pads_the_image_does_not_set_its_levels():
    image = np.random.default_rng(4).normal(50.0, 3.0, (200, 200)).astype(np.float32)
    levels = find_limits(image)
    image[:120] = 0.0
    assert find_limits(image) == pytest.approx(levels, abs=3.0)  # the noise: extremes of fewer pixels
    counts = np.random.default_rng(5).poisson(2.0, (200, 200)).astype(np.float32)
    assert find_limits(counts)[0] == counts.min()


def test_the_box_with_data():
    image, mask = np.zeros((30, 40), np.float32), Mask.zeros((30, 40))
    image[:, :5] = np.nan
    no_data = np.ones((30, 40), bool)
    no_data[12:20, 3:9] = False
    mask.set(no_data, "NO_DATA")
    view = View(image, mask=mask, x_min=100, y_min=200)
    assert view.data_box() == Box(105, 212, 4, 8)
    assert view.cut(view.data_box()).shape == (8, 4)
    assert View(np.full((3, 4), np.nan, np.float32)).data_box() == Box(0, 0, 4, 3)
