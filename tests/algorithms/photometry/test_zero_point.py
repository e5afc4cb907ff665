import numpy as np
import pytest

from obs.algorithms.photometry.zero_point import fit_zero_point

TRUTH = 27.35


def stars(n, *, seed=3, relative_error=0.01, intrinsic=0.0, outliers=0.0):
    """Return fluxes, their errors and reference magnitudes of stars, some of them wrong by about a magnitude."""
    rng = np.random.default_rng(seed)
    magnitude = rng.uniform(16, 20, n)
    flux = 10 ** (-0.4 * (magnitude - TRUTH))
    error = relative_error * flux
    observed = flux * 10 ** (-0.4 * rng.normal(0, intrinsic, n)) + rng.normal(0, 1, n) * error
    wrong = rng.uniform(size=n) < outliers
    return observed * np.where(wrong, rng.uniform(1.3, 4.0, n), 1.0), error, magnitude, wrong


def test_the_truth_is_found_within_the_stated_error():
    pull = []
    for seed in range(60):
        flux, error, magnitude, _ = stars(80, seed=seed, intrinsic=0.02)
        fit = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=magnitude)
        pull.append((fit.zero_point - TRUTH) / fit.error)
    assert abs(np.mean(pull)) < 3 / np.sqrt(60)
    assert 0.75 < np.std(pull) < 1.25


def test_a_third_of_outliers_is_dropped():
    flux, error, magnitude, wrong = stars(150, outliers=0.3)
    fit = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=magnitude)
    assert fit.zero_point == pytest.approx(TRUTH, abs=0.005)
    assert not (fit.used & wrong).any()
    assert (fit.used & ~wrong).sum() > 0.95 * (~wrong).sum()
    assert fit.n_star == fit.used.sum()


def test_the_intrinsic_scatter_is_told_from_the_errors():
    flux, error, magnitude, _ = stars(2000, relative_error=0.02, intrinsic=0.03)
    fit = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=magnitude, clip=5.0)
    assert fit.intrinsic_scatter == pytest.approx(0.03, abs=0.003)
    assert fit.rms == pytest.approx(np.hypot(0.03, 0.0217), rel=0.05)


def test_errors_that_explain_the_scatter_leave_none():
    flux, error, magnitude, _ = stars(500, relative_error=0.02)
    fit = fit_zero_point(flux=flux, flux_err=2 * error, ref_magnitude=magnitude)
    assert fit.intrinsic_scatter == 0.0


def test_precise_stars_weigh_more():
    flux, error, magnitude, _ = stars(40, relative_error=0.002)
    faint_flux, faint_error, faint_magnitude, _ = stars(40, seed=9, relative_error=0.15)
    fit = fit_zero_point(
        flux=np.r_[flux, faint_flux],
        flux_err=np.r_[error, faint_error],
        ref_magnitude=np.r_[magnitude, faint_magnitude],
    )
    assert fit.zero_point == pytest.approx(TRUTH, abs=0.0015)


def test_a_color_term_is_added_to_the_reference():
    flux, error, magnitude, _ = stars(60)
    color = np.linspace(-0.5, 2.0, 60)
    fit = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=magnitude - 0.1 * color, color=color, color_term=0.1)
    assert fit.zero_point == pytest.approx(TRUTH, abs=0.005)
    assert fit.rms < 0.015


def test_reference_errors_count():
    flux, error, magnitude, _ = stars(30)
    magnitude[:10] += 0.1
    doubtful = np.where(np.arange(30) < 10, 0.5, np.nan)
    fit = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=magnitude, ref_magnitude_err=doubtful)
    assert fit.zero_point == pytest.approx(TRUTH, abs=0.01)


def test_no_star_gives_nan_and_not_a_number():
    fit = fit_zero_point(flux=[-1.0, np.nan], flux_err=[1.0, 1.0], ref_magnitude=[18.0, 18.0])
    assert np.isnan([fit.zero_point, fit.error, fit.rms]).all()
    assert fit.n_star == 0


def test_no_match_at_all_gives_nan():
    fit = fit_zero_point(flux=[], flux_err=[], ref_magnitude=[])
    assert (np.isnan(fit.zero_point), fit.n_star) == (True, 0)


def test_one_star_gives_a_zero_point_without_an_error():
    fit = fit_zero_point(flux=[100.0], flux_err=[1.0], ref_magnitude=[20.0])
    assert (fit.zero_point, fit.n_star) == (25.0, 1)
    assert np.isnan([fit.error, fit.rms]).all()


def test_stars_without_any_known_error_weigh_the_same():
    fit = fit_zero_point(flux=[100.0, 100.0], flux_err=[0.0, 0.0], ref_magnitude=[20.0, 20.02])
    assert fit.zero_point == pytest.approx(25.01)


def test_stars_that_are_not_to_be_used_are_left_out():
    fit = fit_zero_point(
        flux=[100.0, 100.0], flux_err=[1.0, 1.0], ref_magnitude=[20.0, 20.1], use=np.array([True, False])
    )
    assert fit.used.tolist() == [True, False]


def test_a_color_term_without_colors_is_refused():
    with pytest.raises(ValueError, match=r"color term of 0.1 needs the colors"):
        fit_zero_point(flux=[1.0], flux_err=[1.0], ref_magnitude=[20.0], color_term=0.1)


def test_the_overall_scatter_counts_the_stars_that_were_dropped():
    flux, error, magnitude, _ = stars(60)
    clean = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=magnitude)
    assert clean.n_considered == 60
    assert clean.overall_scatter < 0.03
    wrong = magnitude + np.where(np.arange(60) < 40, np.random.default_rng(1).normal(0.0, 1.5, 60), 0.0)
    fit = fit_zero_point(flux=flux, flux_err=error, ref_magnitude=wrong)
    # a third of the stars still agree with one another
    assert fit.rms < 0.1
    assert fit.n_star < 50
    assert fit.overall_scatter > 0.4
