import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from obs.simulator.saturation import bleed


def test_charge_flows_both_ways_along_the_column():
    charge = np.zeros((41, 5), np.float32)
    charge[20, 2] = 1100.0
    bleed(charge, 100.0)
    assert charge.sum() == pytest.approx(1100.0)
    np.testing.assert_array_equal(np.flatnonzero(charge[:, 2]), np.arange(15, 26))
    np.testing.assert_allclose(charge[15:26, 2], 100.0)
    assert not np.delete(charge, 2, axis=1).any()


def test_charge_that_reaches_the_border_is_lost():
    charge = np.zeros((6, 1), np.float32)
    charge[1, 0] = 1000.0
    bleed(charge, 100.0)
    np.testing.assert_allclose(charge[:, 0], 100.0)


@given(arrays(np.float32, (20, 4), elements=st.floats(0, 500, width=32)))
def test_no_pixel_holds_more_than_it_can_and_no_charge_appears(charge):
    before = charge.astype(np.float64)
    bleed(charge, 300.0)
    assert charge.max() <= 300.0 + 1e-3
    assert (charge >= np.minimum(before, 300.0) - 1e-3).all()
    assert (charge.sum(axis=0, dtype=np.float64) <= before.sum(axis=0) + 1e-2).all()
    calm = (before <= 300.0).all(axis=0)
    np.testing.assert_array_equal(charge[:, calm], before[:, calm])
