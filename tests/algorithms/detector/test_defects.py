import numpy as np

from obs.algorithms.detector.defects import mask_boxes, mask_edges, mask_not_finite
from obs.geom import Box
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage


def test_boxes_are_cut_at_the_border():
    mask = Mask.zeros((6, 8))
    mask_boxes(mask, [Box(1, 1, 2, 2), Box(6, -3, 10, 5), Box(20, 20, 3, 3), Box(3, 3, 0, 3)])
    expected = np.zeros((6, 8), bool)
    expected[1:3, 1:3] = expected[:2, 6:] = True
    assert np.array_equal(mask.any("BAD"), expected)


def test_edges_of_every_box():
    mask = Mask.zeros((6, 10))
    mask_edges(mask, [Box(0, 0, 5, 6), Box(5, 0, 5, 6)], 2)
    expected = np.ones((6, 10), bool)
    expected[2:4, [2, 7]] = False
    assert np.array_equal(mask.any("SUSPECT"), expected)


def test_an_edge_wider_than_the_box_is_the_box():
    mask = Mask.zeros((6, 10))
    mask_edges(mask, [Box(2, 2, 3, 2)], 50)
    assert mask.any("SUSPECT").sum() == 6


def test_pixels_that_are_no_number():
    image = MaskedImage(np.ones((400, 300), np.float32))
    image.image[350, :4] = [np.nan, np.inf, -np.inf, np.nan]
    image.mask.array[350, :4] = image.mask.bits("BAD"), image.mask.bits("SUSPECT"), 0, 0
    assert mask_not_finite(image) == 4
    assert np.argwhere(image.mask.any("UNMASKEDNAN")).tolist() == [[350, 1], [350, 2], [350, 3]]
