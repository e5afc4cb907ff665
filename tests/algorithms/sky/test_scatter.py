"""Noise of the sky against the noise that is predicted."""

import numpy as np
import pytest

from obs.algorithms.sky.scatter import measure_scatter

SHAPE = (256, 256)


@pytest.mark.parametrize("slope", [0.0, 1e-5], ids=["whole counts", "whole counts less a smooth sky"])
@pytest.mark.parametrize("photons", [0.3, 1.0, 3.0])
def test_few_photons_scatter_as_they_do(photons, slope):
    """Most pixels of a faint sky hold the same count, so that the median of differences is zero or nearly so."""
    image = np.random.default_rng(1).poisson(photons, SHAPE).astype(np.float32)
    image -= np.float32(slope) * np.arange(SHAPE[1], dtype=np.float32)
    variance = np.full(SHAPE, photons, np.float32)
    found = measure_scatter(image, variance, np.zeros(SHAPE, bool))
    assert found.pixel / found.predicted == pytest.approx(1.0, abs=0.12)
