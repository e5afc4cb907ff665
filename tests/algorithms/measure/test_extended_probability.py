import numpy as np
import pytest

from obs.algorithms.measure.extended_probability import extended_probability


def sources(n=3000, share=0.4, seed=1):
    """Stars and galaxies of ever smaller errors, galaxies of spreads about 0.02."""
    rng = np.random.default_rng(seed)
    galaxy = rng.random(n) > share
    flux = 10 ** rng.uniform(0, 2, n)
    error = 0.03 / flux**0.7
    spread = np.where(galaxy, 0.02 * 10 ** rng.normal(0, 0.2, n), 0.0) + rng.normal(0, error)
    return spread, error, flux, galaxy


def test_probabilities_are_frequencies():
    spread, error, flux, galaxy = sources()
    probability = extended_probability(spread, error, flux)
    for low, high in ((0.0, 0.1), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.9, 1.001)):
        here = (probability >= low) & (probability < high)
        assert np.mean(galaxy[here]) == pytest.approx(np.mean(probability[here]), abs=0.05 + 1.5 / np.sqrt(here.sum()))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_the_spread_does_not_say_is_the_share_of_galaxies(share):
    spread, error, flux, galaxy = sources(share=share)
    spread, error = spread + 0.0, np.full(len(spread), 0.2)
    spread += np.random.default_rng(3).normal(0, 0.2, len(spread))
    bright = flux > 30
    known_spread, known_error, *_ = sources(share=share)
    both = extended_probability(np.where(bright, known_spread, spread), np.where(bright, known_error, error), flux)
    faint = ~bright
    # nothing is known, so nothing may be claimed: most lie between the classes
    assert np.mean((both[faint] > 0.02) & (both[faint] < 0.98)) > 0.9
    assert np.mean((both[bright] > 0.5) == galaxy[bright]) > 0.97


def test_a_source_narrower_than_the_psf_is_no_galaxy():
    with np.errstate(over="raise"):
        probability = extended_probability(np.array([-3.0, 0.001, 0.05]), np.full(3, 0.001), np.ones(3))
    assert probability[0] < 0.01 < 0.9 < probability[2]


def test_unknown_sources_stay_unknown():
    spread, error, flux, _ = sources(200)
    spread[0], error[1], flux[2], flux[3] = np.nan, 0.0, -1.0, np.nan
    probability = extended_probability(spread, error, flux)
    assert np.isnan(probability[:4]).all()
    assert np.isfinite(probability[4:]).all()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_sources_are_judged_by_themselves(n):
    probability = extended_probability(np.full(n, 0.05), np.full(n, 0.002), np.full(n, 10.0))
    assert (probability > 0.9).all()
    probability = extended_probability(np.zeros(n), np.full(n, 0.001), np.full(n, 10.0))
    assert (probability < 0.5).all()
