import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

from obs.image.akima import akima_spline


@pytest.mark.parametrize("n", [3, 4, 9])
@pytest.mark.parametrize("m", [1, 50])
def test_curves_are_those_of_scipy(n, m):
    generator = np.random.default_rng(n)
    points, values = np.cumsum(generator.uniform(20, 60, n)), generator.normal(2000.0, 5.0, (n, m))
    values[:, 0] = np.where(np.arange(n) > 1, 3.0, 1.0)  # level, with a step
    place = np.clip(np.arange(600.0), points[0], points[-1])
    wanted = Akima1DInterpolator(points, values)(place)
    np.testing.assert_allclose(akima_spline(points, values, place), wanted, rtol=1e-12)
    assert akima_spline(points, values.astype(np.float32), place).dtype == np.float32
