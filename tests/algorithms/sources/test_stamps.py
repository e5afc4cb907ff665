import numpy as np
import pytest

from obs.algorithms.sources.deblend import Children
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.algorithms.sources.stamps import StampCutter, list_sources

SHAPE = (30, 40)


@pytest.fixture
def scene():
    """Two single sources and a blend of two, on a sky of ones; every source's pixels are its own number."""
    labels = np.zeros(SHAPE, np.int32)
    labels[0:4, 0:4], labels[10:15, 10:15], labels[20:26, 20:32] = 1, 2, 3
    image = np.ones(SHAPE, np.float32)
    for number in (1, 2, 3):
        image[labels == number] = 100 * number
    peaks = Peaks(
        np.array([1, 12, 23, 28]), np.array([2, 12, 22, 23]), np.array([9, 8, 7, 6], np.float32), np.array([1, 2, 3, 3])
    )
    left, right = (np.ravel_multi_index(np.nonzero((labels == 3) & side), SHAPE) for side in _halves())
    children = Children(
        peaks.select(np.array([2, 3])),
        np.array([0, len(left), len(left) + len(right)]),
        np.concatenate([left, right]),
        np.concatenate([np.full(len(left), 270), np.full(len(right), 30)]).astype(np.float32),
        np.array([True, False]),
    )
    return image, Footprints(labels, 3, peaks, 5.0), children


def _halves():
    x = np.broadcast_to(np.arange(SHAPE[1]), SHAPE)
    return x < 26, x >= 26


def cutter_of(scene, *, noise=2.0, seed=5):
    image, footprints, children = scene
    sources = list_sources(footprints, children)
    variance = np.full(SHAPE, 4, np.float32)
    return StampCutter(image, variance, footprints, children, sources, noise=noise, seed=seed), sources


def test_every_footprint_is_listed_and_then_every_child(scene):
    _, footprints, children = scene
    sources = list_sources(footprints, children)
    assert len(sources) == 5
    assert sources.footprint.tolist() == [1, 2, 3, 3, 3]
    assert sources.parent.tolist() == [-1, -1, -1, 2, 2]
    assert sources.child.tolist() == [-1, -1, -1, 0, 1]
    assert sources.n_child.tolist() == [0, 0, 2, 0, 0]
    assert list(zip(sources.x, sources.y, strict=True)) == [(1, 2), (12, 12), (23, 22), (23, 22), (28, 23)]


def test_without_children_only_footprints_are_listed(scene):
    sources = list_sources(scene[1], Children.none())
    assert len(sources) == 3
    assert not sources.n_child.any()
    assert (sources.parent == -1).all()


def test_nothing_found_is_nothing_listed():
    none = Children.none()
    sources = list_sources(Footprints(np.zeros(SHAPE, np.int32), 0, none.peaks, 1.0), none)
    assert len(sources) == len(sources.footprint) == len(sources.n_child) == 0


def test_a_stamp_holds_its_own_source_and_the_sky(scene):
    cutter, _ = cutter_of(scene)
    stamp = cutter.cut(np.array([1]), 6).image[0]
    assert stamp.shape == (13, 13)
    assert (stamp[4:9, 4:9] == 200).all()
    outside = np.ones((13, 13), bool)
    outside[4:9, 4:9] = False
    assert (stamp[outside] == 1).all()


def test_neighbors_are_replaced_by_noise_of_the_sky(scene):
    cutter, _ = cutter_of(scene)
    stamp = cutter.cut(np.array([1]), 17).image[0]
    neighbor = stamp[25:31, 25:34]  # the blend begins at (20, 20), the stamp at (-5, -5)
    assert abs(neighbor.mean()) < 4 * 2 / np.sqrt(neighbor.size)
    assert neighbor.std() == pytest.approx(2.0, abs=4 * 2 / np.sqrt(2 * neighbor.size))


def test_a_child_has_its_own_share_and_not_its_sibling(scene):
    cutter, _ = cutter_of(scene)
    left, right = cutter.cut(np.array([3, 4]), 12).image
    x, y = 20 - 23 + 12, 20 - 22 + 12
    assert (left[y : y + 6, x : x + 6] == 270).all()
    assert np.abs(left[y : y + 6, x + 6 : x + 12]).max() < 12
    x, y = 20 - 28 + 12, 20 - 23 + 12
    assert (right[y : y + 6, x + 6 : x + 12] == 30).all()
    assert np.abs(right[y : y + 6, x : x + 6]).max() < 12


def test_a_parent_has_all_its_light(scene):
    cutter, _ = cutter_of(scene)
    parent = cutter.cut(np.array([2]), 12).image[0]
    assert (parent == 300).sum() == 6 * 12


def test_outside_the_image_there_is_nothing(scene):
    cutter, _ = cutter_of(scene)
    stamps = cutter.cut(np.array([0]), 5)
    assert stamps.inside[0].sum() == (2 + 6) * (1 + 6)
    assert not stamps.image[~stamps.inside].any()
    assert not stamps.variance[~stamps.inside].any()
    assert (stamps.variance[stamps.inside] == 4).all()
    assert (stamps.image[0, 3:7, 4:8] == 100).all()


def test_a_stamp_may_be_larger_than_the_image(scene):
    cutter, _ = cutter_of(scene)
    stamps = cutter.cut(np.arange(5), 60)
    assert stamps.image.shape == (5, 121, 121)
    assert (stamps.inside.sum((1, 2)) == SHAPE[0] * SHAPE[1]).all()


def test_stamps_can_be_cut_beside_the_peak(scene):
    cutter, _ = cutter_of(scene)
    which = np.arange(5)
    large = cutter.cut(which, 10)
    shifted = cutter.cut(which, 7, shift_x=np.array([3, -3, 0, 1, 2]), shift_y=np.array([0, 2, -3, 1, -2]))
    for k, (x, y) in enumerate([(3, 0), (-3, 2), (0, -3), (1, 1), (2, -2)]):
        part = np.s_[3 + y : 18 + y, 3 + x : 18 + x]
        for name in ("image", "variance", "inside"):
            np.testing.assert_array_equal(getattr(shifted, name)[k], getattr(large, name)[k][part])


def test_the_noise_is_that_of_the_exposure_alone(scene):
    first, again, other = (cutter_of(scene, seed=seed)[0].cut(np.arange(5), 15).image for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_one_cut_is_as_another_whatever_is_cut_with_it(scene):
    cutter, _ = cutter_of(scene)
    together = cutter.cut(np.arange(5), 9).image
    for k in range(5):
        np.testing.assert_array_equal(cutter.cut(np.array([k]), 9).image[0], together[k])


def test_no_source_is_no_stamp(scene):
    cutter, _ = cutter_of(scene)
    stamps = cutter.cut(np.zeros(0, np.int64), 4)
    assert stamps.image.shape == stamps.inside.shape == (0, 9, 9)


def test_selected_stamps_are_copies_and_can_be_put_back(scene):
    cutter, _ = cutter_of(scene)
    stamps = cutter.cut(np.arange(5), 4)
    before = stamps.image.copy()
    chosen = stamps.select(np.array([4, 1]))
    chosen.image[...] = -1
    np.testing.assert_array_equal(stamps.image, before)
    stamps.replace(np.array([4, 1]), chosen)
    assert (stamps.image[[1, 4]] == -1).all()
    np.testing.assert_array_equal(stamps.image[[0, 2, 3]], before[[0, 2, 3]])


def test_the_image_is_not_changed(scene):
    before = scene[0].copy()
    cutter, _ = cutter_of(scene)
    cutter.cut(np.arange(5), 9).image[...] = 0
    np.testing.assert_array_equal(scene[0], before)
