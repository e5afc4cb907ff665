"""How many stars were taken for cosmic rays."""

import math

import numpy as np
import pytest

from obs.image.catalog import Catalog
from obs.metrics.sources import percent_hit


def sources(n_hit, n_saturated, n=60):
    """Return bright sources, the first of which are hit, and as many of these saturated."""
    catalog = Catalog()
    catalog.add("base_PsfFlux_instFlux", np.full(n, 1000.0))
    catalog.add("base_PsfFlux_instFluxErr", np.full(n, 10.0))
    catalog.add("base_PixelFlags_flag_crCenter", np.arange(n) < n_hit)
    catalog.add("base_PixelFlags_flag_saturatedCenter", np.arange(n) < n_saturated)
    return catalog


@pytest.mark.parametrize(("n_hit", "n_saturated", "percent"), [(15, 0, 25.0), (15, 15, 0.0), (15, 10, 10.0)])
def test_saturated_stars_do_not_count(n_hit, n_saturated, percent):
    assert percent_hit(sources(n_hit, n_saturated)) == pytest.approx(percent)


def test_few_stars_say_nothing():
    assert math.isnan(percent_hit(sources(5, 25)))
