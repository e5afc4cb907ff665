import numpy as np
import pytest

from obs.algorithms.detector.detrend import divide_by_flat, merge_mask, scale_image, subtract_frame
from obs.algorithms.pixels.row_blocks import row_blocks
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

SHAPE = (300, 400)  # more than one block of rows


def frame(image, variance=0.0, planes=None):
    pixels = np.broadcast_to(np.float32(image), SHAPE).astype(np.float32)
    noise = np.broadcast_to(np.float32(variance), SHAPE).astype(np.float32)
    return MaskedImage(pixels, Mask.zeros(SHAPE, planes), noise)


@pytest.mark.parametrize("pixels", [1, 100, 401, 10**7])
def test_blocks_cover_every_row_once(pixels):
    rows = [row for block in row_blocks((37, 100), pixels) for row in range(block.start, block.stop)]
    assert rows == list(range(37))


def test_subtraction_adds_the_scaled_variance():
    image, dark = frame(100.0, 4.0), frame(3.0, 0.5)
    subtract_frame(image, dark, scale=2.0)
    assert np.all(image.image == 94.0)
    assert np.all(image.variance == 6.0)
    assert np.all(dark.image == 3.0)


def test_noise_of_bias_and_flat_is_in_the_variance():
    rng = np.random.default_rng(1)
    bias_noise, flat_noise, level, sensitivity = 2.0, 0.02, 500.0, 0.8
    image = frame(level * sensitivity + rng.normal(0, 5.0, SHAPE), 25.0)
    subtract_frame(image, frame(rng.normal(0, bias_noise, SHAPE), bias_noise**2))
    divide_by_flat(image, frame(sensitivity + rng.normal(0, flat_noise, SHAPE), flat_noise**2))
    assert np.mean(image.image) == pytest.approx(level, rel=2e-3)
    assert np.mean(image.variance) == pytest.approx(np.var(image.image), rel=0.03)


def test_unknown_variance_of_a_frame_counts_as_none():
    image = frame(100.0, 4.0)
    subtract_frame(image, frame(1.0, np.nan))
    divide_by_flat(image, frame(0.5, np.nan))
    assert np.all(image.image == 198.0)
    assert np.all(image.variance == 16.0)


def test_a_frame_without_value_marks_the_pixel_and_leaves_it():
    bias = frame(10.0)
    bias.image[250, 7] = np.nan
    bias.image[3, 8] = np.inf
    image = frame(100.0, 1.0)
    assert subtract_frame(image, bias) == 2
    assert image.image[250, 7] == image.image[3, 8] == 100.0
    assert image.mask.any("BAD").sum() == 2


@pytest.mark.parametrize("value", [0.0, -0.1, np.nan, np.inf, 1e-38])
def test_a_flat_without_sensitivity_gives_no_infinity(value):
    flat = frame(0.5, 1e-4)
    flat.image[250, 7] = value
    image = frame(100.0, 9.0)
    assert divide_by_flat(image, flat, minimum=1e-3) == 1
    assert image.image[250, 7] == 100.0
    assert np.isfinite(image.variance).all()
    assert image.mask.array[250, 7] == image.mask.bits("BAD", "NO_DATA")
    assert np.count_nonzero(image.mask.array) == 1
    assert image.image[0, 0] == 200.0


def test_flat_is_relative_to_its_scale():
    image = frame(100.0, 9.0)
    divide_by_flat(image, frame(30000.0, 0.0), scale=20000.0)
    assert image.image[0, 0] == pytest.approx(100 / 1.5)
    assert image.variance[0, 0] == pytest.approx(9 / 1.5**2)


def test_planes_are_taken_over_by_name():
    flat = frame(1.0, planes={"DETECTED": 0, "SUSPECT": 1, "BAD": 5})
    flat.mask.array[250, :4] = [1, 2, 32, 35]
    image = frame(1.0)
    image.mask.array[250, 3] = image.mask.bits("SAT")
    divide_by_flat(image, flat, planes=("BAD", "SUSPECT", "NO_DATA"))
    bits = image.mask.bits
    assert image.mask.array[250, :5].tolist() == [0, bits("SUSPECT"), bits("BAD"), bits("BAD", "SUSPECT", "SAT"), 0]


def test_merging_an_empty_mask_changes_nothing():
    mask = Mask.zeros(SHAPE)
    merge_mask(mask, Mask.zeros(SHAPE, {"OTHER": 0}), ("BAD",))
    assert not mask.array.any()


def test_scaling_squares_for_the_variance():
    image = frame(3.0, 2.0)
    scale_image(image, 4.0)
    assert (image.image[0, 0], image.variance[0, 0]) == (12.0, 32.0)
