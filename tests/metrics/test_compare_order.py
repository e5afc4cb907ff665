"""What the order of frames tells: clocks that were set back, and dew."""

import numpy as np

from obs.metrics.compare_order import add_clock_steps, add_drifts
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
