"""What the order of frames tells: clocks that were set back, dew, thin cloud, a field that runs away."""

import numpy as np
import pytest

from obs.metrics.compare_order import add_clock_steps, add_drifts
from obs.metrics.gates import load_gates
from obs.metrics.verdict import judge
from synthetic_night import night


def test_a_clock_that_was_set_back():
    rows = night(6)
    rows[3]["mjd"] -= 600 / 86400
    add_clock_steps(rows)
    assert [row["clock_step"] or 0.0 for row in rows[:3]] == [0.0, 0.0, 0.0]
    assert 550 < rows[3]["clock_step"] < 600


def test_a_steady_drift_is_dew_and_weather_is_not():
    rows = night(12)
    for i, row in enumerate(rows):
        row["transparency"] = 1.0 - 0.05 * i
        row["seeing"] *= 1.0 + 0.1 * i
    add_drifts(rows)
    assert all(row["dew"] > 0.7 for row in rows)
    short = night(4)
    for row in short:
        row["transparency"] = 1.0
    add_drifts(short)
    assert short[3]["dew"] is None
    random, highest = np.random.default_rng(1), 0.0
    for _ in range(20):
        rows = night(12, seed=int(random.integers(1000)))
        for row in rows:
            row["transparency"] = random.uniform(0.7, 1.0)
        add_drifts(rows)
        highest = max(highest, *(row["dew"] or 0.0 for row in rows))
    assert highest < 0.7


def causes_of(rows):
    return [[cause.name for cause in verdict.causes] for verdict in judge(rows, load_gates())]


def test_frost_grows_in_stars_and_sky_while_light_comes_and_goes():
    clear = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.95, 0.964, 0.952, 0.895, 0.874, 0.885, 0.849)

    def frost(i, names=("zp_scatter", "sky_gradient")):
        grown = {"zp_scatter": 0.015 + 0.005 * max(i - 6, 0), "sky_gradient": 2.0 + 0.4 * max(i - 6, 0)}
        return {"clear": clear[i], "halo": 0.4} | {name: grown[name] for name in names}

    rows = night(14, change=frost)
    assert causes_of(rows)[9:] == [[], *[["dew"]] * 4]
    assert "step by step over eight frames" in judge(rows, load_gates())[13].text
    cloud = night(14, change=lambda i: frost(i, ("sky_gradient",)))
    for row, light in zip(cloud, clear, strict=True):
        row["transparency"] = light
    add_drifts(cloud)
    assert not any(row["fading"] for row in cloud)


def test_cloud_that_takes_a_tenth_shows_beside_clear_frames():
    rows = night(16, change=lambda i: {"clear": 0.9} if i in (4, 10, 11, 12) else {})
    assert causes_of(rows) == [["cloud"] if i in (4, 10, 11, 12) else [] for i in range(16)]
    assert rows[4]["dimming"] == pytest.approx(10.0, abs=4.0)


def test_light_that_changes_slowly_or_with_the_airmass_is_no_cloud():
    assert not any(causes_of(night(16, change=lambda i: {"clear": 1.0 - 0.008 * i})))
    low = night(16, change=lambda i: {"clear": 0.9, "airmass": 2.2} if i == 8 else {})
    assert causes_of(low)[8] == []
    assert low[8]["dimming"] is None


def test_a_field_that_runs_away_is_named_as_such():
    far = {"pointing_error": 400.0, "pointing_share": 0.6}
    rows = night(12, change=lambda i: {"pointing_error": 8.0 * i, "pointing_share": 8.0 * i / 600.0})
    assert causes_of(rows) == [[]] * 4 + [["pointing drift"]] * 8
    assert rows[11]["pointing_drift"] == pytest.approx(8.0 * 3600 / 90, rel=0.01)  # one frame in 90 s
    assert causes_of(night(12, change=lambda i: far if i > 5 else {})) == [[]] * 6 + [["pointing"]] * 6


def test_dithers_that_the_headers_do_not_tell_are_not_off_position():
    steps = np.random.default_rng(3).uniform(-25, 25, (24, 2))
    steps[20] = 300.0, 40.0

    def dither(i, offset=0.0):
        x, y = steps[i]
        error = float(np.hypot(x + offset, y))
        place = {"ra": 132.8 + x / 3600 / np.cos(np.radians(11.8)), "dec": 11.8 + y / 3600, "field_size": 0.3}
        return place | {"pointing_error": error, "pointing_share": error / 600}

    assert max(np.hypot(*steps[:20].T)) > 30.0
    rows = night(24, change=dither)
    expected = [["pointing"] if i == 20 else [] for i in range(24)]
    assert causes_of(rows) == expected
    assert causes_of(rows) == expected  # judged again
    told = {"pointing_error": 60.0, "pointing_share": 0.1}  # a constant error of dithers that the headers tell
    assert all(causes_of(night(24, change=lambda i: dither(i) | told)))
