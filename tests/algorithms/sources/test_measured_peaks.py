import numpy as np
import pytest

from obs.algorithms.pixels.smoothing import gaussian_kernel, smooth
from obs.algorithms.sources.detection import Peaks
from obs.algorithms.sources.measured_peaks import survives_without_filled_pixels

SIGMA = 1.8


def at(x, y):
    one = np.ones(len(x))
    return Peaks(np.array(x, np.int64), np.array(y, np.int64), one.astype(np.float32), one.astype(np.int64))


def star(peak_significance, x=30, y=30, shape=(60, 60)):
    """Noise-free star, and the threshold of five sigma in its smoothed image."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    profile = np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / SIGMA**2)
    noise = (gaussian_kernel(SIGMA) ** 2).sum()
    scale = peak_significance * noise / smooth(profile.astype(np.float32), SIGMA, to_border=True).image[y, x]
    return (scale * profile).astype(np.float32), 5 * noise


def judge(image, filled, x, y, threshold):
    return survives_without_filled_pixels(
        image, filled, at(x, y), sigma=SIGMA, n_sigma=7.0, threshold=threshold
    ).tolist()


def test_what_lies_in_filled_pixels_alone_is_no_source():
    image, threshold = np.zeros((60, 60), np.float32), star(7)[1]
    filled = np.zeros((60, 60), bool)
    filled[20:41, 30] = True
    image[filled] = 6.0
    assert smooth(image, SIGMA).image[30, 30] > threshold
    assert judge(image, filled, [30], [30], threshold) == [False]
    assert judge(image, np.zeros((60, 60), bool), [30], [30], threshold) == [True]


@pytest.mark.parametrize(("significance", "kept"), [(7, True), (3, False)])
def test_a_star_that_a_ray_grazed_is_still_one(significance, kept):
    image, threshold = star(significance)
    filled = np.zeros((60, 60), bool)
    filled[26:35, 31] = True
    assert judge(image, filled, [30], [30], threshold) == [kept]


def test_peaks_far_from_filled_pixels_are_not_looked_at():
    image, threshold = star(3)
    filled = np.zeros((60, 60), bool)
    filled[5, 5] = True
    assert judge(image, filled, [30], [30], threshold) == [True]


def test_at_the_border_and_where_nothing_was_measured():
    image, threshold = star(9, x=1, y=1)
    filled = np.zeros((60, 60), bool)
    filled[0, 3] = True
    assert judge(image, filled, [1], [1], threshold) == [True]
    assert judge(image, np.ones((60, 60), bool), [1, 30], [1, 30], threshold) == [False, False]
    assert judge(image, filled, [], [], threshold) == []
