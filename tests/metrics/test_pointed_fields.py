"""Pointings that show one field."""

import pytest

from obs.metrics.fields import number_fields


@pytest.mark.parametrize(("ra", "dec", "east"), [(150.0, 2.0, 1.0), (0.0, -60.0, 2.0), (33.0, 89.99, 30.0)])
def test_a_dither_is_one_field_anywhere_on_the_sky(ra, dec, east):
    size, step = 0.1, 0.02
    row = {"ra": ra, "dec": dec, "field_size": size}
    dithered = row | {"ra": (ra - step * east) % 360.0}
    other = row | {"dec": dec - 2 * size}
    assert number_fields([row, other, dithered, {"ra": None, "dec": None}, row]).tolist() == [0, 1, 0, -1, 0]


def test_no_pointing_at_all():
    assert number_fields([{}, {}]).tolist() == [-1, -1]
    assert number_fields([]).tolist() == []
