import numpy as np
import pytest

from obs.algorithms.photometry.aperture_correction import fit_aperture_correction
from obs.errors import MeasurementError

SHAPE = (1361, 2048)


def truth(x, y):
    u, v = x / SHAPE[1] - 0.5, y / SHAPE[0] - 0.5
    return 1.04 + 0.02 * u - 0.01 * v + 0.03 * u * v - 0.02 * u**2


def stars(n, *, noise=0.005, seed=1, outliers=0):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, SHAPE[1], n), rng.uniform(0, SHAPE[0], n)
    flux = 10 ** rng.uniform(3, 5, n)
    reference = flux * truth(x, y) * (1 + rng.normal(0, noise, n))
    reference[:outliers] *= 1.3
    return {"x": x, "y": y, "flux": flux, "reference_flux": reference, "use": np.ones(n, bool), "shape": SHAPE}


def test_a_second_order_surface_is_recovered_within_its_error():
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(50, 2000, 7), np.linspace(50, 1300, 7)))
    pulls = []
    for seed in range(40):
        fit = fit_aperture_correction(**stars(80, seed=seed))
        pulls.append((fit.evaluate(x=x, y=y) - truth(x, y)) / fit.evaluate_error(x=x, y=y))
    assert fit.order == 2
    assert abs(np.mean(pulls)) < 0.3
    assert 0.8 < np.std(pulls) < 1.25
    assert fit.scatter == pytest.approx(0.005 * 1.04, rel=0.3)


def test_outliers_are_clipped():
    fit = fit_aperture_correction(**stars(60, outliers=8))
    assert not fit.used[:8].any()
    assert fit.evaluate(x=1000.0, y=700.0) == pytest.approx(truth(1000.0, 700.0), abs=0.004)


@pytest.mark.parametrize(("n", "largest"), [(7, 2), (6, 1), (4, 1), (3, 0), (2, 0)])
def test_the_order_follows_the_number_of_stars(n, largest):
    """A degree of freedom must be left, whatever predicts best."""
    orders = [fit_aperture_correction(**stars(n, seed=seed), clip=50.0).order for seed in range(30)]
    assert max(orders) == largest


def test_few_noisy_stars_get_a_low_order():
    """The order that predicts best has smaller errors than the largest that the stars could pay for."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(50, 2000, 7), np.linspace(50, 1300, 7)))
    chosen, errors = [], []
    for seed in range(40):
        fit = fit_aperture_correction(**stars(12, noise=0.03, seed=seed))
        chosen.append(fit.order)
        errors.append(fit.evaluate(x=x, y=y) - truth(x, y))
    assert np.mean(chosen) < 1.0
    # 0.03 / sqrt(12) is what a constant would have from noise alone; the neglected slope may add as much again
    assert np.sqrt(np.mean(np.square(errors))) < 3 * 0.03 / np.sqrt(12)


def test_the_order_is_the_total_order():
    fit = fit_aperture_correction(**stars(50))
    assert fit.coefficients[2, 1] == fit.coefficients[1, 2] == fit.coefficients[2, 2] == 0.0


def test_one_very_bright_star_does_not_rule():
    sample = stars(60, noise=0.01)
    error = 0.01 * sample["flux"]
    error[0], sample["reference_flux"][0] = 1e-6 * sample["flux"][0], sample["reference_flux"][0] * 1.02
    fit = fit_aperture_correction(**sample, flux_err=error)
    x, y = sample["x"][0], sample["y"][0]
    assert abs(fit.evaluate(x=x, y=y) - truth(x, y)) < 0.01


def test_sources_without_a_flux_are_left_out():
    sample = stars(30)
    sample["flux"][:3], sample["reference_flux"][3:6], sample["use"][6:9] = np.nan, -1.0, False
    fit = fit_aperture_correction(**sample)
    assert not fit.used[:9].any()
    assert fit.n_star == fit.used.sum() <= 21


def test_without_stars_the_correction_is_nan():
    fit = fit_aperture_correction(**(stars(5) | {"use": np.zeros(5, bool)}))
    assert np.isnan(fit.evaluate(x=[1.0, 2.0], y=[1.0, 2.0])).all()
    assert np.isnan(fit.evaluate_error(x=1.0, y=2.0))
    assert fit.n_star == 0


def test_without_stars_it_fails_if_asked_to():
    with pytest.raises(MeasurementError, match="no aperture correction of PsfFlux: 0 usable stars, 2 are needed"):
        fit_aperture_correction(**(stars(5) | {"use": np.zeros(5, bool)}), name="PsfFlux", require=True)


def test_equal_ratios_are_no_division_by_zero():
    sample = stars(20)
    fit = fit_aperture_correction(**(sample | {"reference_flux": 1.1 * sample["flux"]}))
    assert fit.evaluate(x=3.0, y=4.0) == pytest.approx(1.1)
