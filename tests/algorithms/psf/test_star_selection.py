import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.algorithms.psf.star_selection import reserve, select_stars


def field(n_star, n_galaxy, *, size=1.3, seed=0, tilt=0.0):
    """Return a sample with photon noise on the sizes, and which sources are stars."""
    rng = np.random.default_rng(seed)
    star = np.arange(n_star + n_galaxy) < n_star
    flux = 10 ** rng.uniform(2.5, 5.5, len(star))
    flux_err = np.sqrt(flux + 900.0)
    x, y = rng.uniform(0, 2048, len(star)), rng.uniform(0, 4096, len(star))
    own = np.where(star, 1.0, np.sqrt(1.0 + rng.lognormal(0.0, 0.7, len(star)) ** 2))
    sizes = size * own * (1 + tilt * (x / 2048 - 0.5)) * (1 + rng.normal(0, 1, len(star)) * (flux_err / flux + 0.005))
    sample = {"flux": flux, "flux_err": flux_err, "size": sizes, "bad": np.zeros(len(star), bool)}
    return sample, star, x, y


@pytest.mark.parametrize(("n_star", "n_galaxy"), [(30, 10), (30, 60), (100, 300), (3000, 500), (2000, 4000)])
@pytest.mark.parametrize("seed", range(4))
def test_stars_are_found_among_galaxies(n_star, n_galaxy, seed):
    sample, star, _, _ = field(n_star, n_galaxy, seed=seed)
    chosen = select_stars(**sample)
    bright = sample["flux"] / sample["flux_err"] > 50
    assert chosen[bright & star].mean() > 0.9
    assert star[chosen].mean() > 0.85


def test_a_few_sharp_defects_are_not_taken_for_the_locus():
    sample, star, _, _ = field(80, 100)
    defect = np.zeros(len(star), bool)
    defect[-12:] = True
    sample["size"][defect] = 0.5
    chosen = select_stars(**sample)
    assert not chosen[defect].any()
    assert chosen[star & (sample["flux"] / sample["flux_err"] > 50)].mean() > 0.9


def test_the_locus_may_tilt_over_the_detector():
    sample, star, x, y = field(300, 100, tilt=0.25)
    bright = sample["flux"] / sample["flux_err"] > 50
    tilted = select_stars(**sample, x=x, y=y)
    assert tilted[bright & star].mean() > 0.9
    assert star[tilted].mean() > 0.9


def test_bad_faint_and_too_bright_sources_are_left_out():
    sample, _, _, _ = field(100, 0)
    sample["bad"][:20] = True
    sample["size"][20:25] = np.nan
    chosen = select_stars(**sample, min_signal_to_noise=100, max_flux=1e5)
    assert not chosen[:25].any()
    assert (sample["flux"][chosen] / sample["flux_err"][chosen]).min() >= 100
    assert sample["flux"][chosen].max() <= 1e5


def test_the_brightest_are_kept_when_their_number_is_limited():
    sample, _, _, _ = field(200, 0)
    chosen, limited = select_stars(**sample), select_stars(**sample, max_stars=30)
    assert limited.sum() == 30
    assert sample["flux"][limited].min() > np.sort(sample["flux"][chosen])[-31]


def test_without_sources_there_are_no_stars():
    assert select_stars(flux=[], flux_err=[], size=[], bad=[]).shape == (0,)
    assert not select_stars(flux=[10.0], flux_err=[9.0], size=[1.0], bad=[False]).any()


def test_a_single_source_is_its_own_locus():
    assert select_stars(flux=[1e4], flux_err=[10.0], size=[1.0], bad=[False]).tolist() == [True]


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0), st.integers(-5, 5))
def test_reserved_stars_do_not_depend_on_the_order(seed, fraction, other_seed):
    rng = np.random.default_rng(seed)
    ids = rng.choice(10**9, 60, replace=False) - 10**8
    stars = rng.uniform(size=60) < 0.5
    order = rng.permutation(60)
    reserved = reserve(stars, fraction=fraction, ids=ids, seed=other_seed)
    assert np.array_equal(reserved[order], reserve(stars[order], fraction=fraction, ids=ids[order], seed=other_seed))
    assert reserved.sum() == round(fraction * stars.sum())
    assert not (reserved & ~stars).any()


def test_reserved_stars_are_spread_over_the_ids_and_change_with_the_seed():
    stars, ids = np.ones(2000, bool), np.arange(2000)
    first = reserve(stars, fraction=0.2, ids=ids)
    assert np.ptp(first.reshape(10, 200).sum(axis=1)) < 35
    assert (first & reserve(stars, fraction=0.2, ids=ids, seed=1)).sum() < 140


def test_a_fraction_above_one_is_refused():
    with pytest.raises(ValueError, match=r"fraction of reserved stars is from 0 to 1, got 1.5"):
        reserve([True], fraction=1.5, ids=[1])
