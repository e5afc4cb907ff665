import numpy as np
import pytest

from obs.algorithms.photometry.zero_point_trends import Trends, fit_color_slope, measure_trends

SHAPE = (1000, 2000)
NONE = Trends(0.0, 0.0)


def stars(n, *, seed=0, scatter=0.02):
    """Zero points of stars, their errors, places and fluxes."""
    random = np.random.default_rng(seed)
    x, y, flux = random.uniform(0, SHAPE[1], n), random.uniform(0, SHAPE[0], n), 10 ** random.uniform(3, 5.5, n)
    error = np.hypot(scatter, 30.0 / flux)
    return {"zero_point": 28.0 + random.normal(0.0, error), "error": error, "x": x, "y": y, "flux": flux}


def trends(lists):
    return measure_trends(**lists, shape=SHAPE)


@pytest.mark.parametrize("n", [12, 40, 300])
def test_stars_that_agree_show_no_trend(n):
    assert [trends(stars(n, seed=seed)) for seed in range(30)] == [NONE] * 30


def test_outliers_are_no_trend():
    for seed in range(10):
        lists = stars(100, seed=seed)
        lists["zero_point"][:20] += np.random.default_rng(seed).exponential(0.5, 20)
        assert trends(lists) == NONE


@pytest.mark.parametrize("n", [30, 300])
def test_a_cloud_over_one_side_is_a_trend(n):
    lists = stars(n)
    lists["zero_point"] -= 0.2 * lists["x"] / SHAPE[1]
    assert trends(lists).over_frame == pytest.approx(0.2, abs=0.05)
    assert trends(lists).bright == 0.0


def test_the_error_of_a_trend_is_that_of_its_scatter():
    def measure(seed):
        lists = stars(60, seed=seed, scatter=0.03)
        lists["zero_point"] -= 0.25 * lists["x"] / SHAPE[1]
        return trends(lists), 0.25 * np.ptp(lists["x"]) / SHAPE[1]

    found = [measure(seed) for seed in range(40)]
    pull = [(one.over_frame - truth) / one.over_frame_error for one, truth in found]
    assert np.std(pull) == pytest.approx(1.0, abs=0.35)
    assert abs(np.mean(pull)) < 0.5


def test_a_psf_model_that_does_not_follow_is_not_a_trend_of_the_light():
    lists = stars(300)
    change = 0.2 * lists["x"] / SHAPE[1]
    found = trends(lists | {"zero_point": lists["zero_point"] - change, "psf_minus_aperture": change})
    assert found.over_frame == pytest.approx(0.0, abs=0.02)
    assert found.of_psf == pytest.approx(0.2, abs=0.02)
    # apertures have more noise than a surface of their own would show
    noisy = 0.3 * change + np.random.default_rng(5).normal(0.0, 0.05, 300)
    found = trends(lists | {"zero_point": lists["zero_point"] - 0.3 * change, "psf_minus_aperture": noisy})
    assert found.over_frame < 0.03 < found.of_psf
    found = trends(lists | {"zero_point": lists["zero_point"] - change, "psf_minus_aperture": 0.1 + 0.0 * change})
    assert found.over_frame == pytest.approx(0.2, abs=0.05)
    assert found.of_psf == 0.0


def test_a_flat_that_is_bright_in_the_middle_is_a_trend():
    lists = stars(200)
    lists["zero_point"] += 0.1 * ((lists["x"] / SHAPE[1] - 0.5) ** 2 + (lists["y"] / SHAPE[0] - 0.5) ** 2) / 0.5
    assert trends(lists).over_frame == pytest.approx(0.1, abs=0.03)


def test_saturated_stars_are_too_faint():
    lists = stars(100)
    lists["zero_point"][lists["flux"] > np.percentile(lists["flux"], 90)] -= 0.15
    found = trends(lists)
    assert found.bright == pytest.approx(-0.15, abs=0.03)
    assert found.over_frame == 0.0


def test_values_that_are_not_known_do_not_count():
    lists = stars(40)
    lists["zero_point"][::2], lists["x"][:30:2] = np.nan, np.nan
    assert trends(lists) == NONE


def test_few_stars_show_nothing():
    assert np.isnan(trends(stars(5))[:3]).all()


def test_a_slope_with_color_has_its_error():
    pulls = []
    for seed in range(60):
        lists, random = stars(80, seed=seed), np.random.default_rng(seed)
        color = random.normal(0.8, 0.4, 80)
        value = lists["zero_point"] + 0.05 * color
        value[:4] += 0.5  # variable stars
        slope, error = fit_color_slope(value, lists["error"], color)
        pulls.append((slope - 0.05) / error)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.35)
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.5)
    assert np.isnan(fit_color_slope(value[:8], lists["error"][:8], color[:8])).all()
