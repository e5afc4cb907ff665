"""Least squares without negative parts, against scipy's."""

import numpy as np
import pytest
from scipy.optimize import nnls

from obs.algorithms.numeric.nonnegative import solve_nonnegative


@pytest.mark.parametrize("sign", [False, True])
def test_agrees_with_scipy(sign):
    rng = np.random.default_rng(7)
    for _ in range(100):
        n = int(rng.integers(1, 12))
        rows = rng.normal(size=(n + 5, n))
        rows, wanted = rows if sign else np.abs(rows), rng.normal(size=n + 5)
        found = solve_nonnegative(rows, wanted)
        assert (found >= 0).all()
        assert np.allclose(found, nnls(rows, wanted)[0], rtol=1e-8, atol=1e-10)


def test_a_solution_at_the_border_and_one_inside():
    rows = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    assert np.allclose(solve_nonnegative(rows, rows @ [3.0, 0.5]), [3.0, 0.5])
    assert solve_nonnegative(rows, -np.ones(3)).tolist() == [0.0, 0.0]
