import numpy as np
import pytest

from obs.algorithms.measure.pixel_flags import ANYWHERE, AT_CENTER, measure_pixel_flags
from obs.algorithms.sources.deblend import Children
from obs.algorithms.sources.detection import Footprints, Peaks
from obs.algorithms.sources.stamps import list_sources
from obs.image.mask import Mask

SHAPE = (20, 30)


@pytest.fixture
def scene():
    """A single source, and a blend whose children are its left and right halves."""
    labels = np.zeros(SHAPE, np.int32)
    labels[2:9, 2:9], labels[10:17, 10:24] = 1, 2
    peaks = Peaks(np.array([5, 13, 20]), np.array([5, 13, 13]), np.array([3, 2, 1], np.float32), np.array([1, 2, 2]))
    pixel = np.arange(labels.size).reshape(SHAPE)
    left, right = pixel[10:17, 10:17].ravel(), pixel[10:17, 17:24].ravel()
    children = Children(
        peaks.select(np.array([1, 2])),
        np.array([0, len(left), len(left) + len(right)]),
        np.concatenate([left, right]),
        np.ones(len(left) + len(right), np.float32),
        np.zeros(2, bool),
    )
    return labels, list_sources(Footprints(labels, 2, peaks, 1.0), children), children


def flags_of(scene, plane, x, y, *, at=None):
    labels, sources, children = scene
    mask = Mask.zeros(SHAPE)
    where = np.zeros(SHAPE, bool)
    where[y, x] = True
    mask.set(where, plane)
    positions = (sources.x.astype(float), sources.y.astype(float)) if at is None else at
    return measure_pixel_flags(mask, labels, sources, children, *positions)


@pytest.mark.parametrize(("name", "plane"), [(name, plane) for name, planes in ANYWHERE.items() for plane in planes])
def test_a_pixel_anywhere_in_the_footprint_counts(scene, name, plane):
    found = flags_of(scene, plane, 2, 8)
    assert found[name].tolist() == [True, False, False, False]
    others = set(ANYWHERE) - {name}
    assert not any(found[other].any() for other in others)


def test_a_pixel_of_a_blend_belongs_to_one_child(scene):
    assert flags_of(scene, "SAT", 11, 11)["saturated"].tolist() == [False, True, True, False]
    assert flags_of(scene, "SAT", 23, 11)["saturated"].tolist() == [False, True, False, True]


def test_a_pixel_of_the_sky_belongs_to_nobody(scene):
    found = flags_of(scene, "CR", 28, 1)
    assert not any(flag.any() for flag in found.values())


@pytest.mark.parametrize(("name", "plane"), [(name, plane) for name, planes in AT_CENTER.items() for plane in planes])
def test_the_center_is_nine_pixels(scene, name, plane):
    for x, y, expected in ((5, 5, True), (6, 4, True), (7, 5, False), (5, 3, False)):
        assert flags_of(scene, plane, x, y)[name][0] == expected


def test_the_center_is_that_of_the_centroid(scene):
    x, y = np.array([6.6, 13, 13, 20]), np.array([5.0, 13, 13, 13])
    assert flags_of(scene, "SAT", 8, 5, at=(x, y))["saturatedCenter"][0]
    assert not flags_of(scene, "SAT", 5, 5, at=(x, y))["saturatedCenter"][0]


@pytest.mark.parametrize(
    ("x", "y", "off"),
    [(0, 0, False), (-0.4, 19.4, False), (-0.6, 5, True), (29.6, 5, True), (5, 19.6, True), (5, -1, True)],
)
def test_centroids_outside_the_image_are_marked(scene, x, y, off):
    at = np.array([x, 13, 13, 20], float), np.array([y, 13, 13, 13], float)
    assert flags_of(scene, "SAT", 28, 1, at=at)["offImage"].tolist() == [off, False, False, False]


def test_nothing_masked_and_nothing_found(scene):
    labels, sources, children = scene
    found = measure_pixel_flags(Mask.zeros(SHAPE), labels, sources, children, sources.x + 0.0, sources.y + 0.0)
    assert set(found) == {"offImage", *ANYWHERE, *AT_CENTER}
    assert not any(flag.any() for flag in found.values())
    none = Children.none()
    empty = Footprints(np.zeros(SHAPE, np.int32), 0, none.peaks, 1.0)
    found = measure_pixel_flags(
        Mask.zeros(SHAPE), empty.labels, list_sources(empty, none), none, np.zeros(0), np.zeros(0)
    )
    assert all(flag.shape == (0,) for flag in found.values())
