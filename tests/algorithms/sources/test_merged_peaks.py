import numpy as np

from obs.algorithms.sources.detection import Footprints, Peaks
from obs.algorithms.sources.merge import merge_footprints


def footprints(boxes, peaks):
    """Rectangles (x, y, width, height) with peaks (x, y, value, number of the rectangle)."""
    labels = np.zeros((60, 80), np.int32)
    for number, (x, y, width, height) in enumerate(boxes, 1):
        labels[y : y + height, x : x + width] = number
    x, y, value, footprint = (np.array(column) for column in zip(*peaks, strict=True))
    return Footprints(labels, len(boxes), Peaks(x, y, value.astype(np.float32), footprint), 5.0)


def test_peaks_of_two_images():
    first = footprints([(5, 5, 10, 10), (40, 30, 8, 8)], [(9, 9, 50, 1), (44, 33, 20, 2)])
    second = footprints([(6, 6, 12, 9), (60, 10, 6, 6)], [(10, 9, 30, 1), (16, 13, 12, 1), (62, 12, 40, 2)])
    merged = merge_footprints([first, second], same=1.5, apart=3.0)
    peaks = merged.footprints.peaks
    places = list(zip(peaks.x.tolist(), peaks.y.tolist(), strict=True))
    assert sorted(places) == [(9, 9), (16, 13), (44, 33), (62, 12)]
    detected = dict(zip(places, merged.detected.tolist(), strict=True))
    assert detected == {
        (9, 9): [True, True],
        (16, 13): [False, True],
        (44, 33): [True, False],
        (62, 12): [False, True],
    }
    assert merged.footprints.n == 3
    assert (np.diff(peaks.footprint) >= 0).all()
    # a blend of two and two single objects: three footprints, and then two children
    assert merged.by_source().shape == (5, 2)
    np.testing.assert_array_equal(merged.footprints.labels > 0, (first.labels > 0) | (second.labels > 0))


def test_peaks_in_between_belong_to_the_nearest():
    first = footprints([(5, 5, 10, 10)], [(9, 9, 50, 1)])
    second = footprints([(5, 5, 10, 10)], [(11, 9, 30, 1)])
    merged = merge_footprints([first, second], same=1.0, apart=3.0)
    assert len(merged.footprints.peaks) == 1
    assert merged.detected.all()


def test_one_image_stays_as_it_is():
    first = footprints([(5, 5, 10, 10), (30, 5, 5, 5)], [(9, 9, 50, 1), (32, 7, 9, 2)])
    merged = merge_footprints([first], same=1.0, apart=3.0)
    np.testing.assert_array_equal(merged.footprints.labels, first.labels)
    assert merged.detected.tolist() == [[True], [True]]
