import dataclasses

import numpy as np
import pytest

from obs.tasks.characterize import CharacterizeConfig, characterize
from obs.tasks.psf_over_frame import warn_of_uneven_psf
from obs.tasks.psf_stars import BrightSources
from star_field import Moffat, pixel_psf, star_field

SHAPE = (400, 420)


@pytest.fixture(scope="module")
def bright():
    """Sources of a frame in focus, of which the sizes are changed below."""
    field = star_field(60, SHAPE, fluxes=(2e4, 2e5), profile=Moffat(3.2), psf=pixel_psf(Moffat(3.2)))
    config = CharacterizeConfig(measure_psf=False, background={"bin_size": 100, "order": 2})
    found = characterize(field.exposure, config)
    peaks = np.zeros(0, np.int64)
    footprints = type("Lone", (), {"n": 0, "peaks": type("Peaks", (), {"footprint": peaks, "value": peaks})()})()
    return BrightSources(found.catalog, footprints, found.sigma, field.exposure.psf, crowded=True)


def with_sizes(bright, factor):
    catalog = bright.catalog.select(np.arange(len(bright.catalog)))
    factor = factor(catalog["base_SdssCentroid_x"] / SHAPE[1])
    for name in ("xx", "yy"):
        column = catalog.columns[f"base_SdssShape_{name}"]
        catalog.add(f"base_SdssShape_{name}", column.data * factor**2, column.unit, column.description)
    return dataclasses.replace(bright, catalog=catalog), factor


def test_a_psf_that_holds_is_not_doubted(bright):
    sources, _ = with_sizes(bright, np.ones_like)
    assert warn_of_uneven_psf(sources, np.ones(len(sources.catalog), bool), SHAPE) == []


def test_sizes_of_stars_that_change_over_the_frame_are_a_warning(bright):
    sources, _ = with_sizes(bright, lambda x: 1 + 0.25 * (x - 0.5))
    (warning,) = warn_of_uneven_psf(sources, np.ones(len(sources.catalog), bool), SHAPE)
    assert "sizes of stars, relative to it, change by 2" in warning


def test_stars_of_one_part_do_not_hide_the_other(bright):
    sources, factor = with_sizes(bright, lambda x: 1 + 0.6 * x**2)
    (warning,) = warn_of_uneven_psf(sources, factor < 1.08, SHAPE)
    assert "larger than it, and not taken for stars" in warning


def test_galaxies_among_the_stars_are_no_change_of_the_focus(bright):
    random = np.random.default_rng(4)
    sources, factor = with_sizes(bright, lambda x: np.where(random.random(len(x)) < 0.4, 1.5, 1.0))
    assert warn_of_uneven_psf(sources, factor == 1.0, SHAPE) == []
