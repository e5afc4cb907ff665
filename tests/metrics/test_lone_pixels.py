"""Pixels without neighbors, which hot pixels are and tracks of cosmic rays are not."""

import math

import numpy as np
import pytest

from obs.metrics.lone_pixels import percent_alone


def test_tracks_and_lone_pixels():
    where = np.zeros((40, 40), bool)
    where[np.arange(0, 30), np.arange(0, 30)] = True  # a diagonal track
    assert percent_alone(where) == 0.0
    where[0, 39] = where[39, 0] = where[39, 39] = where[20, 5] = where[22, 5] = True
    where[10, 30:35] = True
    assert percent_alone(where) == pytest.approx(100.0 * 5 / 40)


def test_few_pixels_say_nothing():
    where = np.zeros((40, 40), bool)
    where[::10, ::10] = True
    assert math.isnan(percent_alone(where))
