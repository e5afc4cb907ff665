import numpy as np
import pytest

from obs.algorithms.detector.overscan import fit_overscan
from obs.errors import MeasurementError

ROWS = np.arange(600)
AT = np.arange(20, 580)


def pixels(level, *, noise=3.0, columns=16, seed=1, whole=False):
    values = np.broadcast_to(np.asarray(level, float), (len(ROWS),))[:, None] + np.zeros(columns)
    values = values + np.random.default_rng(seed).normal(0, noise, values.shape)
    return np.rint(values).astype(np.uint16) if whole else values.astype(np.float32)


@pytest.mark.parametrize("fit_type", ["MEAN", "MEANCLIP", "MEDIAN"])
def test_one_level_and_the_read_noise(fit_type):
    fit = fit_overscan(pixels(1000.25), lines=ROWS, at=AT, fit_type=fit_type)
    assert fit.level.shape == AT.shape
    assert fit.level.dtype == np.float32
    assert np.ptp(fit.level) == 0
    assert fit.level[0] == pytest.approx(1000.25, abs=0.12)
    assert fit.sigma == pytest.approx(3.0, rel=0.03)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.4])
@pytest.mark.parametrize("fit_type", ["MEANCLIP", "MEDIAN", "POLY", "AKIMA_SPLINE"])
def test_whole_numbers_with_less_noise_than_their_step_give_the_level_between_them(fit_type, fraction):
    values = pixels(1000 + fraction, noise=0.45, whole=True)
    fit = fit_overscan(values, lines=ROWS, at=AT, fit_type=fit_type, order=2)
    assert np.mean(fit.level) == pytest.approx(1000 + fraction, abs=0.03)
    assert fit.sigma == pytest.approx(np.hypot(0.45, 12**-0.5), rel=0.05)


@pytest.mark.parametrize("fit_type", ["MEDIAN", "MEDIAN_PER_ROW", "AKIMA_SPLINE"])
def test_whole_numbers_in_steps_of_sixteen(fit_type):
    """Cameras of 12 bits that write 16."""
    values = 16 * pixels(100.4, noise=0.45, whole=True)
    fit = fit_overscan(values, lines=ROWS, at=AT, fit_type=fit_type, order=4)
    assert np.mean(fit.level) == pytest.approx(16 * 100.4, abs=16 * 0.03)
    assert fit.sigma == pytest.approx(16 * np.hypot(0.45, 12**-0.5), rel=0.1)


def test_plain_median_of_whole_numbers_stays_one_if_asked_for():
    values = pixels(1000.4, noise=0.45, whole=True)
    assert fit_overscan(values, lines=ROWS, at=AT, is_integer=False).level[0] == 1000.0


@pytest.mark.parametrize(
    ("fit_type", "order"),
    [("POLY", 2), ("CHEB", 2), ("LEG", 2), ("AKIMA_SPLINE", 30), ("CUBIC_SPLINE", 30), ("NATURAL_SPLINE", 30)],
)
def test_smooth_change_along_the_rows(fit_type, order):
    truth = 1000 + 40 * ((ROWS - 300) / 300) ** 2
    fit = fit_overscan(pixels(truth, noise=1.0), lines=ROWS, at=AT, fit_type=fit_type, order=order)
    assert fit.level == pytest.approx(truth[AT], abs=0.4)
    assert np.mean(fit.level - truth[AT]) == pytest.approx(0.0, abs=0.03)
    assert fit.sigma == pytest.approx(1.0, rel=0.04)


@pytest.mark.parametrize("fit_type", ["AKIMA_SPLINE", "CUBIC_SPLINE", "POLY"])
def test_level_is_continued_beyond_the_overscan_lines(fit_type):
    truth = 1000 + 0.05 * ROWS
    inner = slice(50, 550)
    fit = fit_overscan(
        pixels(truth, noise=0.5)[inner],
        lines=ROWS[inner],
        at=ROWS,
        fit_type=fit_type,
        order=10 if "SPLINE" in fit_type else 1,
    )
    assert fit.level == pytest.approx(truth, abs=1.5)


def test_median_of_each_row_follows_noise_of_rows():
    truth = 1000 + np.random.default_rng(2).normal(0, 20, len(ROWS))
    fit = fit_overscan(pixels(truth), lines=ROWS, at=AT, fit_type="MEDIAN_PER_ROW")
    assert np.std(fit.level - truth[AT]) == pytest.approx(np.sqrt(fit.variance), rel=0.15)
    assert fit.sigma == pytest.approx(3.0, rel=0.04)


@pytest.mark.parametrize("fit_type", ["MEAN", "MEANCLIP", "MEDIAN", "POLY", "AKIMA_SPLINE"])
def test_stated_variance_is_that_of_the_level(fit_type):
    fits = [
        fit_overscan(pixels(500.0, seed=seed)[:100], lines=ROWS[:100], at=ROWS[:100], fit_type=fit_type, order=4)
        for seed in range(60)
    ]
    scatter = np.mean([np.mean((fit.level - 500.0) ** 2) for fit in fits])
    assert scatter == pytest.approx(np.mean([fit.variance for fit in fits]), rel=0.45)


def test_charge_that_spills_into_the_overscan_does_not_count():
    values = pixels(1000.0)
    values[100:110, :4] += 30000
    values[200:260, 0] += 60
    for fit_type in ("MEANCLIP", "MEDIAN", "MEDIAN_PER_ROW", "POLY", "AKIMA_SPLINE"):
        fit = fit_overscan(values, lines=ROWS, at=AT, fit_type=fit_type, order=3)
        assert np.abs(fit.level - 1000.0).max() < (4.0 if fit_type == "MEDIAN_PER_ROW" else 1.0)


def test_rows_without_a_good_pixel_are_bridged():
    values = pixels(1000 + 0.1 * ROWS, noise=0.1)
    values[300:310] = np.nan
    for fit_type in ("MEDIAN_PER_ROW", "POLY", "AKIMA_SPLINE"):
        fit = fit_overscan(values, lines=ROWS, at=AT, fit_type=fit_type, order=1 if fit_type == "POLY" else 20)
        assert fit.level[285] == pytest.approx(1000 + 0.1 * 305, abs=0.4)


def test_a_jump_is_fitted_from_both_sides():
    truth = np.where(ROWS < 250, 1000.0, 1012.0)
    fit = fit_overscan(pixels(truth), lines=ROWS, at=AT, fit_type="MEANCLIP", split=250)
    assert fit.level == pytest.approx(truth[AT], abs=0.3)
    assert fit.sigma == pytest.approx(3.0, rel=0.05)


def test_an_overscan_of_one_line_is_enough():
    for fit_type in ("POLY", "AKIMA_SPLINE", "CUBIC_SPLINE", "MEDIAN_PER_ROW"):
        fit = fit_overscan(np.full((1, 4), 7.0), lines=ROWS[:1], at=AT, fit_type=fit_type)
        assert fit.level == pytest.approx(7.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_finite_pixel_is_told(value):
    with pytest.raises(MeasurementError, match="no overscan pixel has a finite value"):
        fit_overscan(np.full((5, 5), value), lines=ROWS[:5], at=ROWS[:5])
