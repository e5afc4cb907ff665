import numpy as np
import pytest

from obs.algorithms.photometry.aperture_correction import Step, fit_aperture_correction
from obs.algorithms.photometry.surface import interpolate_surface, surface_nodes

SHAPE = (1361, 2048)


def slope(x, y):
    return 1.05 + 0.03 * (x / SHAPE[1] - 0.5) - 0.02 * (y / SHAPE[0] - 0.5)


GROWTH = interpolate_surface(slope(*surface_nodes(SHAPE, 3)), SHAPE)


def stars(n, *, noise=0.005, seed=1):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, SHAPE[1], n), rng.uniform(0, SHAPE[0], n)
    return x, y, rng.normal(1.0, noise, n), np.full(n, noise)


def fit(x, y, steps, **settings):
    return fit_aperture_correction(
        x=x, y=y, steps=steps, growth=GROWTH, use=settings.pop("use", np.ones(len(x), bool)), **settings
    )


def test_stars_scale_what_the_psf_predicts():
    x, y, ratio, error = stars(50)
    correction = fit(x, y, (Step(1.01 * ratio, error),), order=0)
    np.testing.assert_allclose(correction.evaluate(x=x, y=y), 1.01 * slope(x, y), atol=4 * 0.005 / np.sqrt(50))
    assert correction.evaluate_error(x=5.0, y=5.0) == pytest.approx(0.005 / np.sqrt(50), rel=0.3)
    assert correction.freedom == pytest.approx(0.0, abs=1e-6)
    assert correction.scatter == pytest.approx(0.005, rel=0.3)
    assert correction.n_star <= correction.n_considered == 50


def test_a_departure_from_the_prediction_is_found():
    x, y, ratio, error = stars(80)
    correction = fit(x, y, (Step(ratio * slope(x, y), error),))
    np.testing.assert_allclose(correction.evaluate(x=x, y=y), slope(x, y) ** 2, atol=0.008)
    assert correction.freedom > 1.5


def test_steps_are_multiplied_and_their_errors_add_up():
    x, y, ratio, error = stars(60)
    noisy = stars(60, noise=0.02, seed=2)[2]
    first, second = Step(ratio * slope(x, y), error), Step(1.02 * noisy, np.full(60, 0.02))
    both = fit(x, y, (first, second))
    alone = fit(x, y, (first,))
    change = both.evaluate(x=x, y=y) / alone.evaluate(x=x, y=y)
    np.testing.assert_allclose(change, 1.02, atol=0.015)
    assert (both.evaluate_error(x=x, y=y) > alone.evaluate_error(x=x, y=y)).all()
    assert both.scatter == pytest.approx(np.hypot(0.005, 0.02), rel=0.3)


def test_few_noisy_stars_do_not_outvote_the_model_in_the_wide_aperture():
    for n, noise, wanted, tolerance in ((12, 0.1, 1.0, 0.03), (400, 0.005, 1.06, 0.002)):
        x, y, ratio, error = stars(n)
        wide = Step(1.06 * stars(n, noise=noise, seed=3)[2], np.full(n, noise))
        first = Step(ratio, error)
        scale = fit(x, y, (first, wide)).evaluate(x=x, y=y) / fit(x, y, (first,)).evaluate(x=x, y=y)
        np.testing.assert_allclose(scale, wanted, atol=tolerance)


def test_stars_without_a_ratio_are_left_out():
    x, y, ratio, error = stars(30)
    ratio[:3], ratio[3:6], error[6:9] = np.nan, -1.0, np.inf
    use = np.arange(30) >= 12
    use[:9] = True
    correction = fit(x, y, (Step(ratio, error),), use=use)
    assert not correction.used[:12].any()
    assert correction.n_considered == 18
    assert correction.n_star == correction.used.sum() <= 18


@pytest.mark.parametrize("n", [0, 1])
def test_without_stars_the_prediction_stands_with_unknown_error(n):
    x, y, ratio, error = stars(5)
    correction = fit(x, y, (Step(ratio, error),), use=np.arange(5) < n)
    np.testing.assert_allclose(correction.evaluate(x=x, y=y), slope(x, y))
    assert np.isnan(correction.evaluate_error(x=x, y=y)).all()
    assert np.isnan(correction.scatter)
    assert correction.n_star == 0
    assert correction.n_considered == n
