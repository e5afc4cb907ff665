import numpy as np
import pytest

from obs.image.catalog import Catalog
from obs.tasks.star_galaxy import UNKNOWN_SCATTER, classify_by_spread

SHAPE = (1000, 1000)


def catalog(n=600, *, seed=1, tilt=0.004, error=0.001):
    """Half stars, half galaxies, of a PSF model whose error changes over the image."""
    rng = np.random.default_rng(seed)
    galaxy = np.arange(n) % 2 == 1
    x, y = rng.uniform(0, SHAPE[1], n), rng.uniform(0, SHAPE[0], n)
    spread = np.where(galaxy, 0.015, 0.0) + tilt * (x / SHAPE[1] - 0.2) + rng.normal(0, error, n)
    result = Catalog()
    result.add("base_SdssCentroid_x", x, "pix", "")
    result.add("base_SdssCentroid_y", y, "pix", "")
    result.add("base_PsfFlux_instFlux", 10 ** rng.uniform(3, 5, n), "ct", "")
    result.add("base_ClassificationSpread_value", spread, "", "spread")
    result.add("base_ClassificationSpread_valueErr", np.full(n, error), "", "error")
    result.add("detect_isPrimary", np.arange(n) != 7, "", "")
    return result, galaxy


def test_what_the_psf_model_gets_wrong_is_taken_out():
    sources, galaxy = catalog()
    stars = ~galaxy & (np.arange(len(galaxy)) < 200)
    classify_by_spread(sources, stars, SHAPE)
    spread, error = sources["base_ClassificationSpread_value"], sources["base_ClassificationSpread_valueErr"]
    assert abs(np.median(spread[~galaxy])) < 3e-4
    assert np.std(spread[~galaxy] / error[~galaxy]) == pytest.approx(1.0, abs=0.15)
    probability = sources["base_ClassificationSpread_probability"]
    assert np.isnan(probability[7])
    known = np.isfinite(probability)
    assert np.mean((probability[known] > 0.5) == galaxy[known]) > 0.99


def test_without_stars_bright_sources_are_not_taken_at_their_word():
    sources, galaxy = catalog(tilt=0.0)
    before = sources["base_ClassificationSpread_value"].copy()
    classify_by_spread(sources, np.zeros(len(galaxy), bool), SHAPE)
    np.testing.assert_array_equal(sources["base_ClassificationSpread_value"], before)
    assert sources["base_ClassificationSpread_valueErr"][0] == pytest.approx(np.hypot(0.001, UNKNOWN_SCATTER))
