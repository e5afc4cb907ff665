"""Fields in which every star is there twice."""

import numpy as np
import pytest

from obs.algorithms.psf.double_images import find_double_images

SIGMA, REACH = 1.5, 100.0


def field(n, seed=1, size=1000.0):
    random = np.random.default_rng(seed)
    return random.uniform(0, size, n), random.uniform(0, size, n), random.pareto(1.2, n) * 1e3 + 1e3


@pytest.mark.parametrize(("dx", "dy"), [(6.0, 3.0), (-4.0, 70.0)])
@pytest.mark.parametrize("part", [0.1, 0.35, 0.5])
@pytest.mark.parametrize("n", [30, 200])
def test_a_jump_is_found(part, n, dx, dy):
    x, y, flux = field(n)
    random = np.random.default_rng(2)
    noise = random.normal(1.0, 0.02, (2, n))
    light = np.r_[(1 - part) * flux * noise[0], part * flux * noise[1]]
    found = find_double_images(
        np.r_[x, x + dx + random.normal(0, 0.2, n)], np.r_[y, y + dy], light, sigma=SIGMA, reach=REACH
    )
    assert found is not None
    # of equal images noise decides which is the fainter one
    sign = np.sign(found.dy * dy) if part == 0.5 else 1.0
    assert (sign * found.dx, sign * found.dy) == pytest.approx((dx, dy), abs=0.3)
    assert found.part == pytest.approx(part, abs=0.05)


@pytest.mark.parametrize("size", [2000.0, 400.0, 150.0], ids=["sparse", "dense", "crowded"])
@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_field_is_not_double(size, seed):
    assert find_double_images(*field(600, seed, size), sigma=SIGMA, reach=REACH) is None


def test_a_few_sources_say_nothing():
    assert find_double_images(*field(5), sigma=SIGMA, reach=REACH) is None
