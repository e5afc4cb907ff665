"""Shapes of pairs, of galaxies and of stars under a PSF model that is wrong."""

import numpy as np
import pytest

from obs.image.catalog import Catalog
from obs.tasks.unseparated import UNSEPARATED, flag_unseparated

PSF = 2.5
STARS = 30


def shapes(along, across, *, angle=0.0, error=0.02, wrong=(0.0, 0.0, 0.0)):
    """Return stars and one source that exceeds the PSF along a line and across it, pixels squared."""
    random = np.random.default_rng(4)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    beyond = (
        along * cosine**2 + across * sine**2,
        along * sine**2 + across * cosine**2,
        (along - across) * sine * cosine,
    )
    catalog = Catalog()
    for axis, of_psf, excess, offset in zip(("xx", "yy", "xy"), (PSF, PSF, 0.0), beyond, wrong, strict=True):
        measured = of_psf + offset + random.normal(0.0, error, STARS + 1)
        measured[-1] = of_psf + offset + excess
        catalog.add(f"base_SdssShape_{axis}", measured)
        catalog.add(f"base_SdssShape_{axis}Err", np.full(STARS + 1, error))
        catalog.add(f"base_SdssShape_psf_{axis}", np.full(STARS + 1, of_psf))
    catalog.add("base_SdssShape_flag", np.zeros(STARS + 1, bool))
    catalog.add("detect_isPrimary", np.ones(STARS + 1, bool))
    return catalog


def flagged(catalog):
    flag_unseparated(catalog, np.arange(STARS + 1) < STARS)
    assert not catalog[UNSEPARATED][:STARS].any()
    return bool(catalog[UNSEPARATED][-1])


@pytest.mark.parametrize("angle", [0.0, 30.0, 45.0, 110.0])
def test_two_stars_are_drawn_out_along_one_line(angle):
    assert flagged(shapes(0.5, 0.02, angle=angle))
    assert not flagged(shapes(0.5, 0.3, angle=angle))  # a galaxy


def test_what_noise_draws_out_is_not_flagged():
    assert not flagged(shapes(0.5, 0.0, error=0.2))


def test_what_all_stars_have_is_an_error_of_the_psf_model():
    assert not flagged(shapes(0.0, 0.0, wrong=(0.4, -0.1, 0.2)))
    assert flagged(shapes(0.5, 0.0, wrong=(0.4, -0.1, 0.2)))


def test_sources_without_a_shape_or_that_were_divided_are_not_flagged():
    catalog = shapes(0.5, 0.0)
    catalog.add("base_SdssShape_flag", np.arange(STARS + 1) == STARS)
    assert not flagged(catalog)
    catalog = shapes(0.5, 0.0)
    catalog.add("detect_isPrimary", np.arange(STARS + 1) < STARS)
    assert not flagged(catalog)
