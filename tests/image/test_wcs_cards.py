"""Headers of every form against astropy, and those that are refused."""

import pytest
from astropy.io import fits
from astropy.wcs import WCS
from wcs_cases import X, Y, make_wcs, separation

from obs.errors import FileFormatError
from obs.image.wcs import TanSipWcs
from obs.image.wcs_cards import is_wcs_card

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
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV"}, r"^CTYPE1 = 'RA---TPV'"),
        ({"CRVAL1": "somewhere"}, r"^WCS card CRVAL1 = 'somewhere' is no number"),
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
