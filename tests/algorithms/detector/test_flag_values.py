"""Flags of masks and counts of few photons, told from each other by their values."""

import numpy as np
import pytest

from obs.algorithms.detector.flag_values import are_flags

SHAPE = (200, 200)


def flags(*values):
    image = np.zeros(SHAPE, np.float32)
    for row, value in enumerate(values):
        image[3 * row] = value
    return image


def photons(mean, step=1):
    rng = np.random.default_rng(1)
    image = rng.poisson(np.full(SHAPE, mean))
    image[50:80, 50:80] += rng.poisson(3.0, (30, 30))  # stars
    return (step * image).astype(np.float32)


@pytest.mark.parametrize("values", [(4, 16), (1, 2, 4), (1, 2, 64, 16384), (128, 1024)])
def test_flags(values):
    assert are_flags(flags(*values))


@pytest.mark.parametrize(("mean", "step"), [(0.01, 1), (0.1, 1), (0.5, 1), (0.03, 4), (0.1, 16)])
def test_photons(mean, step):
    assert not are_flags(photons(mean, step))


@pytest.mark.parametrize("values", [(), (1,), (1, np.nan, 4), (-1, -4), (1.5, 4), (1, 2, 3, 4)])
def test_other_values(values):
    assert not are_flags(flags(*values))
