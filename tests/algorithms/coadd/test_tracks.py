"""Moving objects among variables and chance."""

import numpy as np
import pytest

from obs.algorithms.coadd.tracks import find_tracks

SIZE, LIMITS = 600.0, {"tolerance": 1.0, "least_motion": 3.0, "largest_rate": 60.0, "area": 600.0**2}


def detections(movers, *, n_image=6, n_false=25, seed=1):
    """Return places and times (hours) of moving objects, variable stars at rest, and false detections."""
    random = np.random.default_rng(seed)
    variables = random.uniform(0, SIZE, (10, 2))
    places, times = [], []
    for hour in np.linspace(0.0, 2.0, n_image):
        moved = np.array([start + np.array(rate) * hour for start, rate in movers]).reshape(-1, 2)
        here = np.concatenate([moved + random.normal(0, 0.1, moved.shape), variables + random.normal(0, 0.1, (10, 2)),
                               random.uniform(0, SIZE, (n_false, 2))])  # fmt: skip
        places.append(here)
        times.append(np.full(len(here), hour))
    return np.concatenate(places), np.concatenate(times)


def test_moving_objects_are_found_with_their_rates():
    movers = [(np.array([100.0, 500.0]), (30.0, -12.0)), (np.array([400.0, 80.0]), (-3.0, 2.0))]
    tracks = find_tracks(*detections(movers), **LIMITS)
    assert len(tracks) == 2
    rates = sorted(tuple(track.rate) for track in tracks)
    np.testing.assert_allclose(rates, [(-3.0, 2.0), (30.0, -12.0)], atol=0.3)
    assert all(len(track.rows) == 6 for track in tracks)


def test_stars_that_are_seen_in_one_night_each_do_not_move():
    random = np.random.default_rng(3)
    stars = random.uniform(0, SIZE, (2, 8, 2))
    hours = [0.0, 0.1, 0.2, 0.3, 24.0, 24.1, 24.2, 24.3]
    places = [stars[int(hour > 12)] + random.normal(0, 0.1, (8, 2)) for hour in hours]
    tracks = find_tracks(np.concatenate(places), np.repeat(hours, 8), **LIMITS)
    assert tracks == []
    moved = [stars[0] + hour * np.array([10.0, 0.0]) + random.normal(0, 0.1, (8, 2)) for hour in hours]
    tracks = find_tracks(np.concatenate(moved), np.repeat(hours, 8), **LIMITS)
    assert [len(track.rows) for track in tracks] == [8] * 8


@pytest.mark.parametrize("seed", range(4))
def test_neither_variables_nor_chance_move(seed):
    assert find_tracks(*detections([], seed=seed), **LIMITS) == []
    assert find_tracks(*detections([], n_image=2, seed=seed), **LIMITS) == []
