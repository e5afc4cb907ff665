import numpy as np
import pytest
from numpy.polynomial import chebyshev

from obs.image.background import Background, total_background

SHAPE = (120, 200)


def mesh(shape, n):
    edges = np.arange(n + 1) * shape // n
    return 0.5 * (edges[:-1] + edges[1:] - 1)


def background(function, style, *, order=0, shape=SHAPE, cells=(6, 10), error=1.0):
    x, y = mesh(shape[1], cells[1]), mesh(shape[0], cells[0])
    level = function(*np.meshgrid(x, y)).astype(np.float32)
    return Background(level, np.full(level.shape, error, np.float32), x, y, shape=shape, style=style, order=order)


def pixels(shape=SHAPE):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return x, y


def cubic(x, y):
    u, v = 2 * x / (SHAPE[1] - 1) - 1, 2 * y / (SHAPE[0] - 1) - 1
    return chebyshev.chebval2d(u, v, [[500, 20, -5, 3], [-30, 8, 2, 0], [4, -6, 0, 0], [2, 0, 0, 0]])


def test_chebyshev_gives_back_a_polynomial_of_its_order():
    found = background(cubic, "chebyshev", order=3).image()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, cubic(*pixels()), atol=2e-3)


def test_chebyshev_weighs_cells_by_their_errors():
    damaged = background(cubic, "chebyshev", order=3)
    damaged.level[2, 3] += 1000
    damaged.error[2, 3] = 1e5
    np.testing.assert_allclose(damaged.image(), cubic(*pixels()), atol=5e-3)
    damaged.error[2, 3] = 1.0
    assert np.abs(damaged.image() - cubic(*pixels())).max() > 100


def test_chebyshev_without_errors_weighs_all_alike():
    unknown = background(cubic, "chebyshev", order=3, error=np.nan)
    np.testing.assert_allclose(unknown.image(), cubic(*pixels()), atol=2e-3)


def test_chebyshev_lowers_its_order_where_cells_are_few():
    sparse = background(lambda x, y: 100 + 0.1 * x, "chebyshev", order=5)
    sparse.level[:, 3:] = np.nan  # 18 cells are left, order 5 has 21 terms
    known = sparse.image()[:, :60]
    np.testing.assert_allclose(known, np.broadcast_to(100 + 0.1 * np.arange(60), known.shape), atol=0.01)


def test_akima_passes_through_every_level():
    # 11 and 5 cells of odd size have their centers on pixels
    found = background(lambda x, y: np.sin(x / 20) + np.cos(y / 15), "akima", shape=(105, 187), cells=(5, 11))
    image = found.image()
    assert image.dtype == np.float32
    np.testing.assert_allclose(image[np.ix_(found.y.astype(int), found.x.astype(int))], found.level, atol=1e-5)


def test_akima_is_level_beyond_the_outermost_points():
    image = background(lambda x, y: 10 + x + y, "akima", shape=(105, 187), cells=(5, 11)).image()
    np.testing.assert_allclose(image[:, :8], np.broadcast_to(image[:, 8:9], (105, 8)), rtol=1e-6)
    np.testing.assert_allclose(image[-10:], np.broadcast_to(image[-11], (10, 187)), rtol=1e-6)


def test_akima_bridges_cells_that_are_not_known():
    found = background(lambda x, y: 10 + 0.2 * x - 0.1 * y, "akima")
    truth = found.image()
    found.level[2, 4] = np.nan
    found.level[4] = np.nan
    np.testing.assert_allclose(found.image(), truth, atol=0.02)


@pytest.mark.parametrize("cells", [(1, 8), (8, 1), (2, 2), (2, 8)])
def test_akima_of_few_rows_or_columns_is_a_line(cells):
    found = background(lambda x, y: 10 + 0.2 * x - 0.1 * y, "akima", cells=cells)
    image = found.image()
    assert image.shape == SHAPE
    middle = 10 + 0.2 * (SHAPE[1] - 1) / 2 - 0.1 * (SHAPE[0] - 1) / 2
    assert image.mean() == pytest.approx(middle, abs=0.05)


@pytest.mark.parametrize("style", ["chebyshev", "akima", "constant"])
def test_three_cells_are_only_a_mean(style):
    found = background(lambda x, y: x + 0 * y, style, order=3)
    found.level[...] = np.nan
    found.level[0, :3] = 1.0, 2.0, 6.0
    np.testing.assert_allclose(found.image(), 3.0)


@pytest.mark.parametrize("style", ["chebyshev", "akima", "constant"])
def test_no_cell_is_no_background(style):
    found = background(lambda x, y: np.nan * x, style)
    assert np.isnan(found.image()).all()
    assert found.image().shape == SHAPE


@pytest.mark.parametrize("style", ["chebyshev", "akima", "constant"])
@pytest.mark.parametrize("cells", [(1, 1), (1, 5), (6, 10)])
def test_backgrounds_add_up(style, cells):
    parts = [background(lambda x, y, k=k: k + 0 * x, style, cells=cells) for k in (1.0, 20.0, 300.0)]
    np.testing.assert_allclose(total_background(parts), 321.0, rtol=1e-5)


def test_no_background_to_add_up_is_an_error():
    with pytest.raises(ValueError, match="no background to add up"):
        total_background([])


def test_shapes_that_disagree_are_named():
    level = np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match=r"levels \(3, 4\), errors \(3, 4\) and mesh \(4, 3\) differ in shape"):
        Background(level, level, np.arange(3.0), np.arange(4.0), shape=SHAPE)
