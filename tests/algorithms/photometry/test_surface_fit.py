import numpy as np
import pytest

from obs.algorithms.photometry.surface import interpolate_surface, surface_nodes
from obs.algorithms.photometry.surface_fit import fit_surface

SHAPE = (1361, 2048)
GRID = [axis.ravel() for axis in np.meshgrid(np.linspace(50, 2000, 7), np.linspace(50, 1300, 7))]


def truth(x, y):
    u, v = x / SHAPE[1] - 0.5, y / SHAPE[0] - 0.5
    return 1.04 + 0.02 * u - 0.01 * v + 0.03 * u * v - 0.02 * u**2


def stars(n, *, noise=0.005, seed=1, outliers=0, shape=truth):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, SHAPE[1], n), rng.uniform(0, SHAPE[0], n)
    values = shape(x, y) * (1 + rng.normal(0, noise, n))
    values[:outliers] *= 1.3
    return x, y, values


def fit(x, y, values, sigma=None, *, order=3, clip=3.0, robust=True):
    sigma = np.zeros(len(x)) if sigma is None else sigma
    return fit_surface(x, y, values, sigma, SHAPE, order=order, clip=clip, robust=robust)


@pytest.mark.parametrize("robust", [True, False])
def test_a_surface_is_recovered_within_its_error(robust):
    x, y = GRID
    pulls = []
    for seed in range(40):
        found = fit(*stars(80, seed=seed), robust=robust)
        pulls.append((found.surface.evaluate(x=x, y=y) - truth(x, y)) / found.evaluate_error(x, y))
    assert 5 < found.freedom < 10
    assert abs(np.mean(pulls)) < 0.3
    assert 0.8 < np.std(pulls) < 1.3
    assert found.excess == pytest.approx(0.005 * 1.04, rel=0.4)


@pytest.mark.parametrize("n", [12, 20, 40, 100])
def test_a_surface_that_is_not_there_is_not_found(n):
    """Noise alone bends the result by a fraction of what it would bend a polynomial of this order."""
    x, y = GRID
    bends = []
    for seed in range(30):
        found = fit(*stars(n, noise=0.01, seed=seed, shape=lambda x, y: np.ones(len(x))))
        bends.append(np.std(found.surface.evaluate(x=x, y=y)))
    # ten free coefficients would have three times the error of a mean
    assert np.sqrt(np.mean(np.square(bends))) < 1.6 * 0.01 / np.sqrt(n)


def test_the_surface_changes_little_with_one_star_more_or_less():
    """It does not flip between a constant and a curved surface, as a choice of one order does."""
    x, y, values = stars(30, noise=0.01, seed=3)
    whole = fit(x, y, values).surface.evaluate(x=GRID[0], y=GRID[1])
    changes = []
    for k in range(len(x)):
        rest = np.arange(len(x)) != k
        surface = fit(x[rest], y[rest], values[rest]).surface
        changes.append(np.sqrt(np.mean((surface.evaluate(x=GRID[0], y=GRID[1]) - whole) ** 2)))
    # a fair share of the error of ten coefficients from thirty stars
    assert np.max(changes) < 0.01 * np.sqrt(10 / 30)


def test_outliers_are_clipped():
    x, y, values = stars(60, outliers=8)
    found = fit(x, y, values)
    assert not found.keep[:8].any()
    assert found.surface.evaluate(x=1000.0, y=700.0) == pytest.approx(truth(1000.0, 700.0), abs=0.004)


@pytest.mark.parametrize(("n", "largest"), [(30, 3), (29, 2), (18, 2), (17, 1), (9, 1), (8, 0), (1, 0)])
def test_the_order_follows_the_number_of_stars(n, largest):
    assert fit(*stars(n), clip=50.0).order == largest


def test_one_very_bright_star_does_not_rule():
    x, y, values = stars(60, noise=0.01)
    sigma = np.full(60, 0.01)
    sigma[0], values[0] = 1e-6, 1.02 * truth(x[0], y[0])
    surface = fit(x, y, values, sigma).surface
    assert abs(surface.evaluate(x=x[0], y=y[0]) - truth(x[0], y[0])) < 0.01


def test_equal_values_are_no_division_by_zero():
    x, y, _ = stars(40)
    found = fit(x, y, np.full(40, 1.1))
    assert found.surface.evaluate(x=3.0, y=4.0) == pytest.approx(1.1)
    assert found.keep.all()


def test_a_surface_through_nodes_meets_a_polynomial_everywhere():
    nodes = truth(*surface_nodes(SHAPE, 5))
    surface = interpolate_surface(nodes, SHAPE)
    np.testing.assert_allclose(surface.evaluate(x=GRID[0], y=GRID[1]), truth(*GRID), rtol=1e-12)
