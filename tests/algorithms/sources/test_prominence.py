import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from obs.algorithms.sources.detection import find_peaks
from obs.algorithms.sources.prominence import find_prominent_peaks


def hills(*peaks, shape=(60, 80), floor=0.0):
    """Gaussian hills, each x, y, height, width."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = sum(h * np.exp(-0.5 * ((x - a) ** 2 + (y - b) ** 2) / w**2) for a, b, h, w in peaks)
    return (light + floor).astype(np.float32)


def judge(image, x, y, minimum, region=None):
    region = np.ones(image.shape, bool) if region is None else region
    minimum = np.broadcast_to(np.asarray(minimum, float), (len(x),))
    return find_prominent_peaks(image, region, np.array(x, np.int64), np.array(y, np.int64), minimum).tolist()


def test_a_bump_on_a_slope_does_not_stand_out_and_a_source_does():
    image = hills((30, 30, 100, 7), (55, 30, 20, 2))
    image[30, 20] += 15  # noise on a slope of five a pixel
    peaks = find_peaks(image, image > 5, np.ones(image.shape, np.int32))
    assert list(zip(peaks.x.tolist(), peaks.y.tolist(), strict=True)) == [(30, 30), (20, 30), (55, 30)]
    assert judge(image, peaks.x, peaks.y, 15.0) == [True, False, True]
    assert judge(image, peaks.x, peaks.y, 5.0) == [True, True, True]
    assert judge(image, peaks.x, peaks.y, 40.0) == [True, False, False]


def test_each_peak_has_its_own_limit():
    image = hills((20, 30, 50, 3), (40, 30, 30, 3), (60, 30, 30.5, 3))
    assert judge(image, [20, 40, 60], [30, 30, 30], [1.0, 40.0, 1.0]) == [True, False, True]


def test_where_no_way_leads_to_a_higher_peak_there_is_nothing_to_stand_out_of():
    image = hills((20, 30, 50, 3), (60, 30, 6, 3))
    assert judge(image, [20, 60], [30, 30], 10.0) == [True, False]
    assert judge(image, [20, 60], [30, 30], 10.0, region=image > 3) == [True, True]


def test_of_equal_peaks_one_is_left():
    image = np.full((9, 20), 4.0, np.float32)
    image[4, 5], image[4, 14] = 5, 5
    assert judge(image, [5, 14], [4, 4], 2.0) == [True, False]


def test_no_peak_is_nothing():
    assert judge(np.ones((5, 5), np.float32), [], [], 1.0) == []


def brute_force(image, x, y, minimum):
    """Whether no threshold within ``minimum`` below a peak joins it to a higher one."""
    result = []
    for a, b, wanted in zip(x, y, minimum, strict=True):
        height = image[b, a]
        levels = np.unique(image[(image > height - wanted) & (image <= height)])
        joined = False
        for level in levels:
            labels, _ = ndimage.label(image >= level, np.ones((3, 3)))
            joined |= bool(image[labels == labels[b, a]].max() > height)
        result.append(not joined)
    return result


@given(arrays(np.int64, (8, 9), elements=st.integers(0, 400)), st.integers(1, 300))
def test_it_is_what_thresholds_one_by_one_would_tell(values, minimum):
    # no two pixels alike: which of two equal peaks is the higher is a matter of taste
    image = np.zeros((10, 11), np.float32)
    image[1:-1, 1:-1] = values * 100 + np.arange(72).reshape(8, 9) + 1
    region = image > 0
    peaks = find_peaks(image, region, region.astype(np.int32))
    limits = np.full(len(peaks), minimum * 100.0 + 0.5)
    found = find_prominent_peaks(image, region, peaks.x, peaks.y, limits)
    assert found.tolist() == brute_force(np.where(region, image, -1e9), peaks.x, peaks.y, limits)
