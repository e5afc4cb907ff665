import numpy as np
import pytest

from obs.algorithms.measure.shape import measure_shape
from obs.image.gaussian_psf import gaussian_psf


@pytest.mark.parametrize("moments", [(0.3, 0.3, 0.0), (2.0, 2.0, 0.0), (4.0, 2.5, 0.8), (30.0, 12.0, -9.0)])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.4, -0.3)])
def test_the_moments_are_those_asked_for(moments, offset):
    psf = gaussian_psf(*moments, 61)
    stamp = psf.render(x=[30 + offset[0]], y=[30 + offset[1]])
    assert stamp.shape == (1, 61, 61)
    assert stamp.sum() == pytest.approx(1.0, abs=2e-3)
    found = measure_shape(stamp, np.ones_like(stamp), np.array([offset[0]]), np.array([offset[1]]))
    tolerance = {"rel": 0.01, "abs": 0.01} if moments[0] > 1 else {"abs": 0.2}
    for name, expected in zip(("xx", "yy", "xy"), moments, strict=True):
        assert getattr(found, name)[0] == pytest.approx(expected, **tolerance)
