"""TPV cards say the same as the TAN-SIP cards that they are made from."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS

from obs.image.tangent_plane import to_plane
from obs.image.tpv import tpv_cards
from obs.image.wcs import TanSipWcs


def distorted(order, ra=150.0, dec=2.0, seed=1):
    random = np.random.default_rng(seed)
    p, q = np.indices((order + 1, order + 1))
    size = np.where((p + q >= 2) & (p + q <= order), 20.0 / 1000.0 ** (p + q), 0.0)  # 20 pixels at the corner
    a, b = size * random.uniform(-1.0, 1.0, (2, order + 1, order + 1))
    cd = np.array([[-4.6e-5, 3e-6], [2e-6, 4.7e-5]])
    return TanSipWcs((ra, dec), (1023.5, 700.25), cd, a, b)


@pytest.mark.parametrize("order", [2, 3, 5, 7])
@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (0.001, -70.0), (30.0, 89.9)])
def test_astropy_finds_the_same_positions(order, ra, dec):
    wcs = distorted(order, ra, dec)
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(0, 2047, 9), np.linspace(0, 1400, 9)))
    expected = np.stack(to_plane((ra, dec), *wcs.pixel_to_sky(x=x, y=y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = np.stack(to_plane((ra, dec), *WCS(tpv_cards(wcs)).all_pix2world(x, y, 0)))
    assert 3.6e6 * np.abs(theirs - expected).max() < 1e-5  # mas


def test_without_distortion_it_stays_tan():
    wcs = replace(distorted(2), a=None, b=None)
    assert tpv_cards(wcs)["CTYPE1"] == "RA---TAN"
    assert not any(name.startswith("PV") for name in tpv_cards(wcs))


def test_orders_that_tpv_does_not_have():
    with pytest.raises(ValueError, match="up to order 7, and the WCS is of order 8"):
        tpv_cards(distorted(8))
