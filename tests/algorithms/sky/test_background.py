import numpy as np
import pytest

from obs.algorithms.sky.background import fit_background

SHAPE = (300, 500)


def noisy(level, seed=0, sigma=5.0):
    return (level + np.random.default_rng(seed).normal(0, sigma, SHAPE)).astype(np.float32)


def plane(shape=SHAPE):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (200 + 0.05 * x - 0.03 * y).astype(np.float32)


def test_cells_divide_the_image_evenly():
    fit = fit_background(np.zeros(SHAPE, np.float32), None, bin_size=128)
    assert fit.level.shape == (3, 4)
    np.testing.assert_allclose(fit.y, [49.5, 149.5, 249.5])
    np.testing.assert_allclose(fit.x, [62, 187, 312, 437])


def test_levels_are_within_their_errors():
    pulls = []
    for seed in range(20):
        fit = fit_background(noisy(100.0, seed), None, bin_size=50)
        pulls.append((fit.level - 100.0) / fit.error)
    pulls = np.concatenate(pulls).ravel()
    assert pulls.mean() == pytest.approx(0.0, abs=4 / np.sqrt(len(pulls)))
    # errors follow from the clipped spread, 1.3 per cent below the full one
    assert pulls.std() == pytest.approx(1.01, abs=0.015 + 4 / np.sqrt(2 * len(pulls)))


@pytest.mark.parametrize("style", ["chebyshev", "akima"])
def test_a_sloping_sky_comes_back(style):
    fit = fit_background(noisy(plane()), None, bin_size=50, style=style, order=2)
    margin = 25 if style == "akima" else 0  # splines end level at the outermost centers
    inner = np.s_[margin : SHAPE[0] - margin, margin : SHAPE[1] - margin]
    assert np.abs(fit.image() - plane())[inner].max() < 6 * 5 / 50


def test_sources_are_left_out_by_mask_and_by_clipping():
    image, bad = noisy(100.0), np.zeros(SHAPE, bool)
    image[40:80, 40:80] += 5000
    bad[40:80, 40:80] = True
    image[100:110, 200:210] += 3000  # no one masked these
    fit = fit_background(image, bad, bin_size=100)
    # two per cent of the pixels of the second cell are sources: the clipped mean is off by little
    np.testing.assert_allclose(fit.level, 100.0, atol=4 * 5 / 80)


def test_cells_with_few_good_pixels_are_not_known():
    image, bad = noisy(100.0), np.zeros(SHAPE, bool)
    bad[:100, :100] = True
    bad[10:20, 10:20] = False
    fit = fit_background(image, bad, bin_size=100)
    assert np.argwhere(np.isnan(fit.level)).tolist() == [[0, 0]]
    assert np.isfinite(fit.image()).all()
    kept = fit_background(image, bad, bin_size=100, minimum_fraction=0.01)
    assert np.isfinite(kept.level).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_do_not_count(value):
    image = noisy(100.0)
    image[::7, ::5] = value
    np.testing.assert_allclose(fit_background(image, None, bin_size=100).level, 100.0, atol=4 * 5 / 90)


def test_nothing_is_known_where_all_is_bad():
    fit = fit_background(noisy(100.0), np.ones(SHAPE, bool), bin_size=64)
    assert np.isnan(fit.level).all()
    assert np.isnan(fit.image()).all()
    assert np.isnan(fit_background(np.full(SHAPE, np.nan, np.float32), None, bin_size=64).level).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (20, 20)])
@pytest.mark.parametrize("style", ["chebyshev", "akima", "constant"])
def test_images_smaller_than_a_cell_have_a_background(shape, style):
    fit = fit_background(np.full(shape, 7.0, np.float32), None, bin_size=16, style=style, order=6)
    np.testing.assert_allclose(fit.image(), 7.0, rtol=1e-5)
    assert fit.image().shape == shape


def test_counts_coarser_than_their_noise_have_their_mean():
    image = np.random.default_rng(2).poisson(0.2, SHAPE).astype(np.float32)
    fit = fit_background(image, None, bin_size=100)
    np.testing.assert_allclose(fit.level, 0.2, atol=0.05)
    assert (fit.error > 0).all()


def test_the_image_is_not_changed():
    image, bad = noisy(100.0), np.zeros(SHAPE, bool)
    bad[:50] = True
    before = image.copy()
    fit_background(image, bad, bin_size=64)
    np.testing.assert_array_equal(image, before)
