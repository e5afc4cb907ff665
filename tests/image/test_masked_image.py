import numpy as np
import pytest

from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage

SHAPE = (4, 6)


def image():
    return np.arange(24, dtype=np.float32).reshape(SHAPE)


def test_an_image_alone_has_an_empty_mask_and_no_known_variance():
    masked = MaskedImage(image())
    assert masked.shape == SHAPE
    assert not masked.mask.array.any()
    assert np.isnan(masked.variance).all()
    assert masked.variance.dtype == np.float32


def test_a_cutout_is_a_view_of_all_planes():
    masked = MaskedImage(image(), Mask.zeros(SHAPE), np.ones(SHAPE, np.float32))
    part = masked.cutout(Box(1, 2, 3, 2))
    assert part.shape == (2, 3)
    np.testing.assert_array_equal(part.image, image()[2:4, 1:4])
    part.image[0, 0], part.variance[0, 0] = -1, -2
    part.mask.set(np.ones((2, 3), bool), "CR")
    assert (masked.image[2, 1], masked.variance[2, 1]) == (-1, -2)
    assert masked.mask.any("CR").sum() == 6


def test_a_copy_shares_nothing():
    masked = MaskedImage(image())
    copy = masked.copy()
    copy.image += 1
    copy.variance[...] = 0
    copy.mask.set(np.ones(SHAPE, bool), "BAD")
    np.testing.assert_array_equal(masked.image, image())
    assert np.isnan(masked.variance).all()
    assert not masked.mask.array.any()


@pytest.mark.parametrize("box", [Box(4, 0, 3, 1), Box(-1, 0, 2, 2), Box(0, 3, 1, 2)])
def test_a_cutout_beyond_the_image_is_refused(box):
    with pytest.raises(ValueError, match=r"leaves the image of 6 x 4 pixels"):
        MaskedImage(image()).cutout(box)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 0), Box(6, 4, 0, 0)])
def test_an_empty_cutout_is_empty(box):
    assert MaskedImage(image()).cutout(box).image.size == 0


def test_planes_of_another_shape_are_named_with_both_shapes():
    other = np.zeros((4, 5), np.float32)
    with pytest.raises(ValueError, match=r"variance has shape \(4, 5\), image has shape \(4, 6\)"):
        MaskedImage(image(), None, other)
    with pytest.raises(ValueError, match=r"mask has shape \(4, 5\), image has shape \(4, 6\)"):
        MaskedImage(image(), Mask.zeros((4, 5)))


def test_planes_of_another_type_are_named():
    with pytest.raises(ValueError, match="image is a 2-d float32 array, got 2-d float64"):
        MaskedImage(image().astype(float))
    with pytest.raises(ValueError, match="variance is a 2-d float32 array, got 2-d int64"):
        MaskedImage(image(), None, np.zeros(SHAPE, np.int64))


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_images_are_two_dimensional(shape):
    with pytest.raises(ValueError, match=f"image is a 2-d float32 array, got {len(shape)}-d float32"):
        MaskedImage(np.zeros(shape, np.float32))
