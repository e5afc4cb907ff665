"""The WCS against astropy, the pole, the RA wrap, and its own inverse."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.errors import FileFormatError, MeasurementError
from obs.image.wcs import TanSipWcs, fit_tan_sip, is_wcs_card

X, Y = (part.ravel() for part in np.meshgrid(np.linspace(-20, 2068, 13), np.linspace(-20, 1400, 11)))
PLACES = [(10.0, 0.5), (359.999, -1.2), (0.0001, 45.0), (123.0, 89.93), (77.0, -89.99), (200.0, 90.0)]


def make_wcs(crval=(10.0, 0.5), angle=0.3, parity=-1.0, strength=1.0):
    cosine, sine = np.cos(angle), np.sin(angle)
    cd = 1.1e-4 * np.array([[parity * cosine, -sine], [parity * sine, cosine]])
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], a[1, 1], a[0, 2], a[3, 0] = np.array([2e-6, -1e-6, 3e-7, 1e-9]) * strength
    b[2, 0], b[1, 1], b[0, 2], b[0, 3] = np.array([-5e-7, 2e-6, 1e-6, -2e-9]) * strength
    return TanSipWcs(crval, (1023.5, 680.0), cd, a, b)


def astropy_wcs(wcs):
    header = fits.Header()
    header.update(wcs.to_header())
    return WCS(header)


def separation(ra_1, dec_1, ra_2, dec_2):
    """Angle, degrees."""
    ra_1, dec_1, ra_2, dec_2 = map(np.deg2rad, (ra_1, dec_1, ra_2, dec_2))
    half = np.sin((dec_1 - dec_2) / 2) ** 2 + np.cos(dec_1) * np.cos(dec_2) * np.sin((ra_1 - ra_2) / 2) ** 2
    return np.rad2deg(2 * np.arcsin(np.sqrt(half)))


@pytest.mark.parametrize("crval", PLACES)
def test_agrees_with_astropy_both_ways(crval):
    wcs = make_wcs(crval)
    theirs = astropy_wcs(wcs)
    ra, dec = wcs.pixel_to_sky(x=X, y=Y)
    ra_0, dec_0 = theirs.all_pix2world(X, Y, 0)
    assert separation(ra, dec, ra_0, dec_0).max() < 1e-9
    x, y = wcs.sky_to_pixel(ra=ra_0, dec=dec_0)
    np.testing.assert_allclose(x, X, atol=1e-6)
    np.testing.assert_allclose(y, Y, atol=1e-6)
    x_0, y_0 = theirs.all_world2pix(ra, dec, 0, tolerance=1e-8)
    np.testing.assert_allclose(x, x_0, atol=2e-6)
    np.testing.assert_allclose(y, y_0, atol=2e-6)


def test_ra_is_from_0_to_360():
    ra, _ = make_wcs((0.0, 10.0)).pixel_to_sky(x=X, y=Y)
    assert ra.min() >= 0
    assert ra.max() < 360
    assert ra.max() - ra.min() > 300


def test_scalars_give_scalars():
    ra, dec = make_wcs().pixel_to_sky(x=1023.5, y=680)
    assert (float(ra), float(dec)) == pytest.approx((10.0, 0.5))
    assert np.shape(make_wcs().sky_to_pixel(ra=10.0, dec=0.5)[0]) == ()


def test_far_half_of_the_sky_is_nan():
    x, y = make_wcs().sky_to_pixel(ra=[10.0, 190.0, 10.0], dec=[0.5, -0.5, -89.9])
    assert np.isfinite(x).tolist() == [True, False, False]
    assert np.isfinite(y).tolist() == [True, False, False]


def test_pixel_scale():
    assert make_wcs().pixel_scale == pytest.approx(1.1e-4 * 3600)


def test_shifted():
    wcs = make_wcs()
    for one, other in zip(
        wcs.pixel_to_sky(x=100.0, y=200.0), wcs.shifted(x=30, y=50).pixel_to_sky(x=70.0, y=150.0), strict=True
    ):
        assert one == pytest.approx(other, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    angle=st.floats(-np.pi, np.pi),
    parity=st.sampled_from([-1.0, 1.0]),
    strength=st.floats(-3, 3),
)
def test_round_trips(ra, dec, angle, parity, strength):
    wcs = make_wcs((ra, dec), angle, parity, strength)
    x, y = wcs.sky_to_pixel(**dict(zip(("ra", "dec"), wcs.pixel_to_sky(x=X, y=Y), strict=True)))
    np.testing.assert_allclose(x, X, atol=1e-6)
    np.testing.assert_allclose(y, Y, atol=1e-6)
    again = TanSipWcs.from_header(wcs.to_header())
    np.testing.assert_array_equal(again.pixel_to_sky(x=X, y=Y), wcs.pixel_to_sky(x=X, y=Y))


@pytest.mark.parametrize("crval", PLACES)
@pytest.mark.parametrize("order", [1, 3, 4])
def test_fit_recovers_the_wcs(crval, order):
    truth = make_wcs(crval, strength=0.0 if order == 1 else 1.0)
    ra, dec = truth.pixel_to_sky(x=X, y=Y)
    wcs = fit_tan_sip(x=X, y=Y, ra=ra, dec=dec, order=order, crpix=(1000.0, 700.0))
    x, y = wcs.sky_to_pixel(ra=ra, dec=dec)
    # A polynomial about another tangent point is not exactly a polynomial: a tenth of a milliarcsecond is left.
    np.testing.assert_allclose(x, X, atol=3e-4)
    np.testing.assert_allclose(y, Y, atol=3e-4)
    assert (wcs.a is None) == (order == 1)
    assert separation(*wcs.crval, *truth.pixel_to_sky(x=1000.0, y=700.0)) < 1e-8


def test_fitted_inverse_serves_programs_that_do_not_iterate():
    ra, dec = make_wcs().pixel_to_sky(x=X, y=Y)
    wcs = fit_tan_sip(x=X, y=Y, ra=ra, dec=dec, order=3, crpix=(1023.5, 680.0))
    focal = astropy_wcs(wcs).wcs_world2pix(np.c_[ra, dec], 0) - wcs.crpix
    x, y = (focal[:, i] + np.polynomial.polynomial.polyval2d(*focal.T, t) for i, t in ((0, wcs.ap), (1, wcs.bp)))
    np.testing.assert_allclose(x + wcs.crpix[0], X, atol=1e-3)
    np.testing.assert_allclose(y + wcs.crpix[1], Y, atol=1e-3)


def test_weight_zero_takes_a_star_out():
    ra, dec = make_wcs().pixel_to_sky(x=X, y=Y)
    weights = np.ones_like(X)
    weights[5] = 0
    spoilt = dec.copy()
    spoilt[5] += 0.01
    wcs = fit_tan_sip(x=X, y=Y, ra=ra, dec=spoilt, order=3, crpix=(1023.5, 680.0), weights=weights)
    np.testing.assert_allclose(wcs.pixel_to_sky(x=X, y=Y)[1], dec, atol=1e-9)


def test_fit_needs_stars():
    with pytest.raises(MeasurementError, match="order 3 needs 10 stars, got 4"):
        fit_tan_sip(x=[0, 1, 0, 1], y=[0, 0, 1, 1], ra=[0, 1, 0, 1], dec=[0, 0, 1, 1], order=3, crpix=(0, 0))


def test_fit_needs_stars_that_are_spread():
    x = np.arange(20.0)
    with pytest.raises(MeasurementError, match="20 stars do not fix a WCS of order 2: they lie on a curve"):
        fit_tan_sip(x=x, y=x, ra=x / 1e4, dec=x / 1e4, order=2, crpix=(0, 0))


def test_fit_needs_one_side_of_the_sky():
    x = np.arange(4.0)
    with pytest.raises(MeasurementError, match="more than 90 degrees apart"):
        fit_tan_sip(x=x, y=x**2, ra=[0, 0, 0, 180], dec=[0, 1, 2, 0], order=1, crpix=(0, 0))


def test_fit_order_is_limited():
    with pytest.raises(ValueError, match="order is from 1 to 9, got 12"):
        fit_tan_sip(x=[0], y=[0], ra=[0], dec=[0], order=12, crpix=(0, 0))


BASE = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 210.0, "CRVAL2": 54.0, "CRPIX1": 512.5, "CRPIX2": 300.0}
CD = {"CD1_1": -1e-4, "CD1_2": 2e-5, "CD2_1": 2e-5, "CD2_2": 1e-4}
HEADERS = {
    "cd": BASE | CD,
    "cd with zeros left out": BASE | {"CD1_2": 1e-4, "CD2_1": 1.1e-4},
    "pc and cdelt": BASE | {"CDELT1": -1e-4, "CDELT2": 1e-4, "PC1_1": 0.9, "PC1_2": 0.2, "PC2_1": -0.3, "PC2_2": 1.0},
    "cdelt alone": BASE | {"CDELT1": -1e-4, "CDELT2": 1e-4},
    "crota": BASE | {"CDELT1": -1e-4, "CDELT2": 2e-4, "CROTA2": 33.0},
    "lonpole": BASE | CD | {"LONPOLE": 120.0},
    "pole": BASE | CD | {"CRVAL2": 90.0},
    "axes swapped": BASE | CD | {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 54.0, "CRVAL2": 210.0},
    "old frame": BASE | CD | {"RADECSYS": "FK5", "EPOCH": 2000.0},
    "sip": BASE
    | CD
    | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-6}
    | {"B_ORDER": 3, "B_1_2": 1e-9},
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_reads_headers_as_astropy_does(name):
    header = fits.Header(HEADERS[name].items())
    ra, dec = TanSipWcs.from_header(header).pixel_to_sky(x=X, y=Y)
    theirs = WCS(header).all_pix2world(X, Y, 0)
    ra_0, dec_0 = theirs[::-1] if name == "axes swapped" else theirs
    assert separation(ra, dec, ra_0, dec_0).max() < 1e-9


def test_frame():
    assert TanSipWcs.from_header(BASE | CD).frame == "ICRS"
    assert TanSipWcs.from_header(BASE | CD | {"EQUINOX": "2000.0"}).frame == "FK5"
    assert TanSipWcs.from_header(HEADERS["old frame"]).to_header()["EQUINOX"] == 2000.0


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CTYPE1": "GLON-TAN"}, r"CTYPE1 = 'GLON-TAN', CTYPE2 = 'DEC--TAN': only RA---TAN"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV"}, r"CTYPE1 = 'RA---TPV'"),
        ({"CRVAL1": "somewhere"}, r"WCS card CRVAL1 = 'somewhere' is no number"),
        ({"PV2_3": 1.0}, r"PV cards: polynomial distortion is only read in its SIP form"),
        ({"EQUINOX": 1950.0}, r"RADESYS = 'FK4', EQUINOX = 1950.0: only ICRS and FK5 of equinox 2000"),
        ({"CD1_1": 0.0, "CD1_2": 0.0}, r"WCS cards: cd is an invertible 2 x 2 matrix"),
        ({"A_ORDER": 2}, r"WCS cards: a and b come together"),
    ],
)
def test_refuses_what_it_cannot_read(cards, message):
    with pytest.raises(FileFormatError, match=message):
        TanSipWcs.from_header(BASE | CD | cards)


def test_missing_cards_are_named():
    with pytest.raises(FileFormatError, match="CTYPE1 = '', CTYPE2 = ''"):
        TanSipWcs.from_header({})
    with pytest.raises(FileFormatError, match="WCS card CDELT1 is missing"):
        TanSipWcs.from_header(BASE)


def test_wcs_cards_are_known():
    assert all(map(is_wcs_card, {**make_wcs().to_header(), **HEADERS["pc and cdelt"]}))
    assert not any(map(is_wcs_card, ["EXPTIME", "A", "CDS", "CRATE1", "EQUIP"]))


@pytest.mark.parametrize(("axis", "size"), [(0, 2048), (1, 1361)])
def test_mirrored_pixels_see_the_same_sky(axis, size):
    """Distortion and its inverse are mirrored with the pixels."""
    rng = np.random.default_rng(3)
    order = np.add.outer(np.arange(4), np.arange(4))
    a, b = np.where((order >= 2) & (order <= 3), rng.normal(0, 2.0, (2, 4, 4)) / 1000.0**order, 0.0)
    wcs = TanSipWcs((150.0, 2.0), (900.0, 700.0), np.array([[1.1e-4, 2e-6], [1e-6, 1.0e-4]]), a, b)
    x, y = rng.uniform(0, 2048, 50), rng.uniform(0, 1361, 50)
    mirrored = wcs.mirrored(axis=axis, size=size)
    place = {"x": size - 1 - x, "y": y} if axis == 0 else {"x": x, "y": size - 1 - y}
    np.testing.assert_allclose(mirrored.pixel_to_sky(**place), wcs.pixel_to_sky(x=x, y=y), atol=1e-11)
    back = mirrored.sky_to_pixel(**dict(zip(("ra", "dec"), wcs.pixel_to_sky(x=x, y=y), strict=True)))
    np.testing.assert_allclose(back, (place["x"], place["y"]), atol=1e-5)
