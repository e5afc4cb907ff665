"""Headers of every form against astropy, and those that are refused."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from wcs_cases import X, Y, make_wcs, separation

from obs.errors import FileFormatError
from obs.image.wcs import TanSipWcs
from obs.image.wcs_cards import is_wcs_card, normalize_wcs_cards

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
    "seconds of arc": BASE
    | {"CUNIT1": "arcsec", "CUNIT2": "arcsec", "CRVAL1": 756000.0, "CRVAL2": 194400.0, "CD1_1": -0.36, "CD2_2": 0.36},
    "radian": BASE | {"CUNIT1": "rad", "CUNIT2": "rad", "CRVAL1": 3.6, "CRVAL2": 0.9, "CD1_1": -2e-6, "CD2_2": 2e-6},
    "minutes of arc and degrees": BASE | CD | {"CUNIT1": "arcmin", "CRVAL1": 12600.0, "CD1_1": -6e-3, "CD1_2": 0.0},
    "pc of 1988": BASE
    | {"CDELT1": -1e-4, "CDELT2": 1e-4, "PC001001": 0.9, "PC001002": 0.2, "PC002001": -0.3, "PC002002": 1.0},
    "pc alone": BASE | {"PC1_1": -1e-4, "PC2_2": 1e-4},
    "third axis": BASE | CD | {"WCSAXES": 3, "CTYPE3": "FREQ", "CRVAL3": 1e9, "CD3_3": 1e6, "CRPIX3": 1.0},
    "pv left over beside sip": BASE
    | CD
    | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-6}
    | {"PV1_1": 1.0, "PV1_5": 0.1, "PV2_1": 1.0, "PV2_7": 0.2},
    "sip": BASE
    | CD
    | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-6}
    | {"B_ORDER": 3, "B_1_2": 1e-9},
    "sip of unequal orders with terms left over": BASE
    | CD
    | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-6, "A_3_0": 1e-9}
    | {"B_ORDER": 3, "B_1_1": 1e-6, "B_1_2": 1e-9, "B_2_2": 1e-12},
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_reads_headers_as_astropy_does(name):
    header = fits.Header(HEADERS[name].items())
    ra, dec = TanSipWcs.from_header(header).pixel_to_sky(x=X, y=Y)
    theirs = WCS(header).celestial.all_pix2world(X, Y, 0)
    ra_0, dec_0 = theirs[::-1] if name == "axes swapped" else theirs
    assert separation(ra, dec, ra_0, dec_0).max() < 1e-9


def test_frame():
    assert TanSipWcs.from_header(BASE | CD).frame == "ICRS"
    assert TanSipWcs.from_header(BASE | CD | {"EQUINOX": "2000.0"}).frame == "FK5"
    assert TanSipWcs.from_header(HEADERS["old frame"]).to_header()["EQUINOX"] == 2000.0


@pytest.mark.parametrize(
    ("cards", "frame"),
    [
        ({"EQUINOX": "J2000"}, "FK5"),
        ({"EQUINOX": " j2000.0 "}, "FK5"),
        ({"RADESYS": "J2000"}, "FK5"),
        ({"RADECSYS": "ICRS", "EQUINOX": 2000.0}, "ICRS"),
        ({"EQUINOX": 0.0}, "ICRS"),
        ({"EQUINOX": float("nan"), "RADESYS": float("nan")}, "ICRS"),
    ],
)
def test_the_frame_as_programs_write_it(cards, frame):
    assert TanSipWcs.from_header(BASE | CD | cards).frame == frame


def test_one_polynomial_of_sip_leaves_the_other_at_zero():
    half = TanSipWcs.from_header(BASE | CD | {"A_ORDER": 2, "A_2_0": 1e-6, "AP_ORDER": 2, "AP_2_0": -1e-6})
    both = TanSipWcs.from_header(BASE | CD | {"A_ORDER": 2, "A_2_0": 1e-6, "B_ORDER": 2})
    np.testing.assert_array_equal(half.pixel_to_sky(x=X, y=Y), both.pixel_to_sky(x=X, y=Y))
    assert half.ap is None


def test_an_alternate_wcs_is_taken_where_the_primary_is_not_celestial():
    alternate = {f"{name}A": value for name, value in (BASE | CD | {"RADESYS": "FK5"}).items()}
    pixels = {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR", "CRVAL1": 0.0, "CRVAL2": 0.0, "CD1_1": 1.0, "A_ORDER": 2}
    for cards in (alternate, pixels | alternate):
        wcs = TanSipWcs.from_header(cards)
        assert (wcs.crval, wcs.frame, wcs.a) == ((210.0, 54.0), "FK5", None)
    assert TanSipWcs.from_header(BASE | CD | alternate).frame == "ICRS"


def test_of_two_distortions_the_one_that_ctype_names_is_kept():
    both = BASE | CD | {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-6, "PV1_5": 0.1, "PV2_5": 0.1}
    assert not [name for name in normalize_wcs_cards(both) if name.startswith(("A_", "B_"))]
    sip = both | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
    assert not [name for name in normalize_wcs_cards(sip) if name.startswith("PV")]


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CTYPE1": "GLON-TAN"}, r"CTYPE1 = 'GLON-TAN', CTYPE2 = 'DEC--TAN': only TAN and TAN-SIP in ICRS"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV"}, r"^CTYPE1 = 'RA---TPV'"),
        ({"CRVAL1": "somewhere"}, r"^WCS card CRVAL1 = 'somewhere' is not a number"),
        ({"CRVAL2": float("nan")}, r"^WCS card CRVAL2 is not finite"),
        ({"CUNIT1": "pixel"}, r"^WCS card CUNIT1 = 'pixel' is not a unit of angle"),
        ({"PV1_3": 100.0}, r"^TAN with PV cards: only TAN and TAN-SIP"),
        ({"PV2_3": 1.0}, r"^CTYPE1 = 'RA---TPV'"),
        ({"CPDIS1": "LOOKUP"}, r"^a distortion in lookup tables: only"),
        ({"EQUINOX": 1950.0}, r"RADESYS = 'FK4', EQUINOX = 1950.0: only TAN and TAN-SIP in ICRS or FK5"),
        ({"CD1_1": 0.0, "CD1_2": 0.0}, r"WCS cards: cd is an invertible 2 x 2 matrix"),
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
