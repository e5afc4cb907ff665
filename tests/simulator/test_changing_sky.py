"""What differs from visit to visit in simulated exposures."""

from datetime import datetime

import numpy as np
import pytest

from obs.instrument.discovery import load_instrument
from obs.simulator.changes import change_sky, mid_mjd
from obs.simulator.changes_config import ChangesConfig, SatelliteConfig
from obs.simulator.config import DetectorConfig, SourceConfig
from obs.simulator.fixed_pattern import flat_field_error
from obs.simulator.satellites import add_trails
from obs.simulator.sky import make_sky

AROUND = {"ra": 150.0, "dec": 2.0, "radius": 0.2}
NIGHT = mid_mjd(datetime(2020, 9, 4, 1), 0.0)


@pytest.fixture(scope="module")
def sky():
    return make_sky(SourceConfig(), **AROUND, seed=1)


def changed(sky, mjd=NIGHT, **settings):
    return change_sky(sky, ChangesConfig(**settings), **AROUND, mjd=mjd, seed=1)


def test_time_is_the_middle_of_the_exposure():
    assert mid_mjd(datetime(2000, 1, 1), 86400.0) == 51544.5


def test_nothing_changes_by_default(sky):
    assert changed(sky) is sky


def test_variable_stars_are_the_same_ones_at_any_time(sky):
    at = [changed(sky, NIGHT + t, variable_fraction=0.1) for t in np.linspace(0.0, 0.6, 40)]
    varies = at[0]["is_variable"]
    assert all(np.array_equal(part["is_variable"], varies) for part in at)
    stars = int(sky["is_star"].sum())
    assert abs(varies.sum() - 0.1 * stars) < 4 * np.sqrt(0.09 * stars)
    delta = np.array([part["delta_magnitude"] for part in at])
    assert np.all(delta[:, ~varies] == 0.0)
    assert np.abs(delta).max() == pytest.approx(0.3, rel=0.01)


def test_moving_objects_move_by_their_rate(sky):
    first, later = (changed(sky, NIGHT + t, moving_density=50.0) for t in (0.0, 2.0 / 24.0))
    rows = first["is_moving"]
    assert rows.sum() > 5
    dec, ra = (later[name][rows] - first[name][rows] for name in ("coord_dec", "coord_ra"))
    moved = 3600.0 * np.hypot(dec, ra * np.cos(np.radians(2.0)))
    # all objects of three square degrees are listed, so that cos(dec) differs by some 0.1 %
    np.testing.assert_allclose(moved, 2.0 * first["rate"][rows], rtol=5e-3)


def test_transients_appear_once_and_fade(sky):
    start = np.floor(NIGHT)
    settings = {"transient_density": 50.0, "epoch": start, "transient_decay": 1.0}
    before, after, later = (changed(sky, start + t, **settings) for t in (-0.1, 0.1, 1.1))
    assert len(before) == len(sky)
    new = after["is_transient"]
    assert new.sum() > 5
    np.testing.assert_allclose(later["mag_g"][new] - after["mag_g"][new], 1.0857, atol=1e-3)


def test_proper_motions_move_stars_and_no_galaxies(sky):
    year = changed(sky, 57388.0 + 365.25, proper_motion=100.0)
    moved = 3.6e6 * (year["coord_dec"] - sky["coord_dec"])
    assert np.all(moved[~sky["is_star"]] == 0.0)
    stars = moved[sky["is_star"]]
    assert stars.std() == pytest.approx(100.0, abs=4 * 100.0 / np.sqrt(2 * len(stars)))
    np.testing.assert_allclose(moved, year["pm_dec"], atol=1e-4)


def test_flat_error_is_smooth_and_as_large_as_asked():
    camera = load_instrument("necam").load_camera()
    parts = [
        flat_field_error(DetectorConfig(flat_error=0.01), detector, seed=seed, physical_filter="Clear")
        for detector in camera
        for seed in range(4)
    ]
    assert parts[0].shape == next(iter(camera)).bbox.shape
    assert 0.003 < np.std(parts) < 0.02
    assert np.abs(np.diff(parts[0], axis=0)).max() < 1e-3
    plain = flat_field_error(DetectorConfig(), next(iter(camera)), seed=1, physical_filter="Clear")
    assert plain.shape == (1, 1)


def test_trail_is_where_the_truth_says():
    light = np.zeros((300, 400), np.float32)
    config = SatelliteConfig(count=1, every=2, peak=100.0)
    assert add_trails(light, config, 3, np.random.default_rng(1)) == []
    ((x, y, angle),) = add_trails(light, config, 4, np.random.default_rng(1))
    along = np.array([-30.0, 0.0, 30.0])
    columns = np.round(x + along * np.cos(np.radians(angle))).astype(int)
    rows = np.round(y + along * np.sin(np.radians(angle))).astype(int)
    assert np.all(light[rows, columns] > 85.0)
    assert light.max() <= 100.0
