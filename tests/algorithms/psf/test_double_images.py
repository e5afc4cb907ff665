"""Fields in which every star is there twice."""

import numpy as np
import pytest

from obs.algorithms.psf.double_images import find_double_images

SIGMA, REACH = 1.5, 12.0


def field(n, seed=1, size=1000.0):
    random = np.random.default_rng(seed)
    return random.uniform(0, size, n), random.uniform(0, size, n), random.pareto(1.2, n) * 1e3 + 1e3


@pytest.mark.parametrize("part", [0.2, 0.35, 0.49])
@pytest.mark.parametrize("n", [30, 200])
def test_a_jump_is_found(part, n):
    x, y, flux = field(n)
    random = np.random.default_rng(2)
    both = (np.r_[x, x + 6 + random.normal(0, 0.2, n)], np.r_[y, y + 3], np.r_[(1 - part) * flux, part * flux])
    found = find_double_images(*both, sigma=SIGMA, reach=REACH)
    assert found is not None
    assert (found.dx, found.dy) == pytest.approx((6.0, 3.0), abs=0.3)


@pytest.mark.parametrize("size", [2000.0, 400.0, 150.0], ids=["sparse", "dense", "crowded"])
@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_field_is_not_double(size, seed):
    assert find_double_images(*field(600, seed, size), sigma=SIGMA, reach=REACH) is None


def test_a_few_sources_say_nothing():
    assert find_double_images(*field(5), sigma=SIGMA, reach=REACH) is None
