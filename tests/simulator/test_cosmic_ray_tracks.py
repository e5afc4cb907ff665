import numpy as np
import pytest
from scipy import ndimage

from obs.simulator.config import CosmicRayConfig
from obs.simulator.cosmic_rays import cosmic_ray_charge, track_count


def _charge(count, **changes):
    random = np.random.default_rng(2)
    config = CosmicRayConfig(**changes)
    return cosmic_ray_charge(config, shape=(800, 700), pixel_size=0.015, count=count, random=random)


def test_each_track_leaves_charge_of_its_path_through_the_silicon():
    charge = _charge(200, thickness=0.2)
    _, number = ndimage.label(charge > 10, np.ones((3, 3)))
    assert 150 < number <= 260
    per_track = charge.sum(dtype=np.float64) / 200
    assert 0.2 * 80000 < per_track < 4 * 0.2 * 80000


def test_steep_tracks_are_points_and_long_ones_are_thin():
    charge = _charge(300, curled=0.0)
    labels, number = ndimage.label(charge > 10, np.ones((3, 3)))
    areas = ndimage.sum_labels(np.ones_like(charge), labels, np.arange(1, number + 1))
    boxes = ndimage.find_objects(labels)
    lengths = np.array([np.hypot(b[0].stop - b[0].start, b[1].stop - b[1].start) for b in boxes])
    assert (areas < 8).any()
    assert lengths.max() > 30
    long = lengths > 30
    assert (areas[long] < 5 * lengths[long]).all()


def test_no_track_no_charge():
    assert not _charge(0).any()


def test_number_of_tracks_goes_with_area_and_time():
    config, random = CosmicRayConfig(rate=0.5), np.random.default_rng(1)
    shape = (2000, 2000)  # 9 cm^2 of 0.015 mm
    counts = [track_count(config, shape=shape, pixel_size=0.015, dark_time=60.0, random=random) for _ in range(50)]
    assert np.mean(counts) == pytest.approx(0.5 * 9 * 60, rel=0.03)
    fixed = CosmicRayConfig(count=17)
    assert track_count(fixed, shape=shape, pixel_size=0.015, dark_time=1.0, random=random) == 17
