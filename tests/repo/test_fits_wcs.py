"""Every projection, distortion and frame that astropy reads, refitted to TAN-SIP."""

import warnings

import numpy as np
import pytest
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from obs.errors import FileFormatError
from obs.repo.fits_wcs import read_header_wcs

SHAPE = (2000, 2048)
X, Y = (part.ravel() for part in np.meshgrid(np.linspace(0, 2047, 9), np.linspace(0, 1999, 7)))
BASE = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 210.0, "CRVAL2": 54.0, "CRPIX1": 1024.5, "CRPIX2": 300.0}
BASE |= {"CD1_1": -1e-4, "CD1_2": 2e-5, "CD2_1": 2e-5, "CD2_2": 1e-4}
PV = {
    "PV1_0": 1e-4,
    "PV1_1": 1.01,
    "PV1_2": 1e-3,
    "PV1_4": 0.02,
    "PV1_7": 0.3,
    "PV2_1": 1.0,
    "PV2_6": 0.02,
    "PV2_7": 0.2,
}
SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-6, "B_1_1": -1e-6}
SURFACE = "3. 4. 4. 2. -0.11 0.11 -0.08 0.17 -0.1 0.2 0.3 -0.4 0.05 1.5 -0.7 -0.006 0.33 0.03 "


def projection(code):
    return BASE | {"CTYPE1": f"RA---{code}", "CTYPE2": f"DEC--{code}"}


def wat(text_1, text_2):
    """Cards of 68 characters, as IRAF writes them."""
    return {
        f"WAT{axis}_{i // 68 + 1:03d}": text[i : i + 68]
        for axis, text in ((1, text_1), (2, text_2))
        for i in range(0, len(text), 68)
    }


def surfaces(kind, more=""):
    texts = [
        f'wtype={kind} axtype={axis}{more} {name}cor = "{SURFACE}"' for axis, name in (("ra", "lng"), ("dec", "lat"))
    ]
    return wat(*texts)


POWERS = " projp0=0. projp1=1. projp2=0. projp3=337.74 projp4=0. projp5=632052."
PLATE = {"PLTRAH": 14, "PLTRAM": 0, "PLTRAS": 0.0, "PLTDECSN": "+", "PLTDECD": 54, "PLTDECM": 0, "PLTDECS": 0.0}
PLATE |= {"PLTSCALE": 67.2, "XPIXELSZ": 15.0, "YPIXELSZ": 15.0, "PPO3": 177500.0, "PPO6": 177500.0}
PLATE |= {"CNPIX1": 11000, "CNPIX2": 11500, "AMDX1": 67.2, "AMDX2": 0.05, "AMDX3": -10.0, "AMDX4": 1e-5, "AMDX11": 1e-6}
PLATE |= {"AMDY1": 67.2, "AMDY2": -0.05, "AMDY3": 20.0, "EQUINOX": 2000.0}
HEADERS = {
    **{code: projection(code) for code in ("SIN", "ARC", "STG", "ZEA", "CAR", "MER", "AIT", "SFL", "NCP", "GLS")},
    "ZPN": projection("ZPN") | {"PV2_1": 1.0, "PV2_3": 42.0},
    "plate of the Digitized Sky Survey": PLATE,
    "plate beside TAN": BASE | PLATE,
    "slant orthographic": projection("SIN") | {"PV2_1": 0.1, "PV2_2": -0.1},
    "conic": projection("COP") | {"PV2_1": 45.0},
    "TPV": projection("TPV") | PV,
    "TAN with PV": BASE | PV,
    "TPV with SIP left over": projection("TPV") | PV | SIP,
    "TAN with a native pole": BASE | {"PV1_1": 0.0, "PV1_2": 90.0, "PV1_3": 120.0},
    "TNX": projection("TNX") | surfaces("tnx"),
    "ZPX": projection("ZPX") | surfaces("zpx", POWERS),
    "galactic": BASE | {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"},
    "galactic SIP": BASE | SIP | {"CTYPE1": "GLON-TAN-SIP", "CTYPE2": "GLAT-TAN-SIP"},
    "latitude first": BASE | {"CTYPE1": "GLAT-CAR", "CTYPE2": "GLON-CAR", "CRVAL1": 54.0, "CRVAL2": 210.0},
    "FK4": BASE | {"RADESYS": "FK4", "EQUINOX": 1950.0},
    "FK4 by its equinox": BASE | {"EPOCH": 1950.0},
    "FK5 of 1975": BASE | {"RADESYS": "FK5", "EQUINOX": 1975.0},
    "FK5": projection("SIN") | {"EQUINOX": 2000.0},
    "third axis": projection("SIN") | {"WCSAXES": 3, "CTYPE3": "FREQ", "CRVAL3": 1e9, "CD3_3": 1e6, "CRPIX3": 1.0},
    "seconds of arc": projection("SIN")
    | {"CUNIT1": "arcsec", "CUNIT2": "arcsec", "CRVAL1": 756000.0, "CRVAL2": 194400.0}
    | {"CD1_1": -0.36, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.36},
    "pole": projection("ARC") | {"CRVAL2": 90.0, "CRVAL1": 0.0},
    "0 h": projection("ARC") | {"CRVAL1": 0.0, "CRVAL2": -30.0},
    "7 degrees": projection("ARC") | {"CD1_1": -3.4e-3, "CD2_2": 3.4e-3},
}


@pytest.mark.parametrize("name", HEADERS)
def test_follows_astropy_within_a_milliarcsecond(name):
    header = fits.Header(HEADERS[name].items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = WCS(header).celestial.pixel_to_world(X, Y).icrs
    found = read_header_wcs(dict(header), SHAPE)
    ra, dec = found.wcs.pixel_to_sky(x=X, y=Y)
    ours = SkyCoord(ra, dec, unit="deg", frame=found.wcs.frame.lower())
    assert theirs.separation(ours.icrs).mas.max() < 1.0
    assert found.error < 1.0
    assert "refitted to TAN-SIP of order" in found.kind
    assert found.warning == ""
    back = found.wcs.sky_to_pixel(ra=ra, dec=dec)
    np.testing.assert_allclose(back, [X, Y], atol=1e-6)


def test_ecliptic_coordinates():
    found = read_header_wcs(BASE | {"CTYPE1": "ELON-TAN", "CTYPE2": "ELAT-TAN"}, SHAPE)
    center = SkyCoord(210.0, 54.0, unit="deg", frame=BarycentricMeanEcliptic()).icrs
    np.testing.assert_allclose(
        found.wcs.pixel_to_sky(x=1023.5, y=299.0), (center.ra.deg, center.dec.deg), rtol=0, atol=1e-9
    )


def test_irafs_projections_without_surfaces():
    powers = projection("ZPX") | wat("wtype=zpx axtype=ra", "wtype=zpx axtype=dec projp1=1.0 projp3=42.0")
    assert_same(powers, HEADERS["ZPN"])
    assert_same(projection("TNX") | wat("wtype=tnx axtype=ra", "wtype=tnx axtype=dec"), BASE)


def assert_same(first, second):
    places = [read_header_wcs(cards, SHAPE).wcs.pixel_to_sky(x=X, y=Y) for cards in (first, second)]
    np.testing.assert_allclose(*places, rtol=0, atol=1e-7)


def test_lookup_tables_are_applied(tmp_path):
    header = fits.Header((BASE | {"CPDIS1": "LOOKUP", "CPDIS2": "LOOKUP"}).items())
    for axis in (1, 2):
        for field, value in (("EXTVER", axis), ("NAXES", 2), ("AXIS.1", 1), ("AXIS.2", 2)):
            header.append(fits.Card(f"DP{axis}", f"{field}: {float(value)}"))
    tables = [
        fits.ImageHDU(
            (shift * np.random.default_rng(version).uniform(size=(3, 4))).astype(np.float32),
            fits.Header(
                {"CRPIX1": 1.0, "CRPIX2": 1.0, "CRVAL1": 1.0, "CRVAL2": 1.0, "CDELT1": 700.0, "CDELT2": 1000.0}
            ),
            name="WCSDVARR",
            ver=version,
        )
        for version, shift in ((1, 0.5), (2, -0.3))
    ]
    hdus = fits.HDUList([fits.PrimaryHDU(header=header), *tables])
    found = read_header_wcs({card.keyword: card.value for card in header.cards}, SHAPE, hdus)
    theirs = WCS(header, hdus).all_pix2world(X, Y, 0)
    plain = read_header_wcs(BASE, SHAPE)
    difference = np.hypot(*(np.subtract(found.wcs.pixel_to_sky(x=X, y=Y), theirs)))
    assert difference.max() < 0.2 * np.hypot(*np.subtract(plain.wcs.pixel_to_sky(x=X, y=Y), theirs)).max()
    assert found.error > 1.0
    assert "cannot be written as TAN-SIP within 1 mas: positions are off by up to" in found.warning


def test_a_distortion_without_tables_needs_no_file():
    cards = BASE | {"CQDIS1": "TPD", "CQDIS2": "TPD"}
    for axis in (1, 2):
        cards |= {f"DQ{axis}.NAXES": 2, f"DQ{axis}.AXIS.1": axis, f"DQ{axis}.AXIS.2": 3 - axis}
        cards[f"DQ{axis}.TPD.FWD.1"] = 0.01
    stretched = BASE | {name: 1.01 * BASE[name] for name in BASE if name.startswith("CD")}
    np.testing.assert_allclose(
        *(read_header_wcs(each, SHAPE).wcs.pixel_scale for each in (cards, stretched)), rtol=1e-5
    )


def test_of_two_matrices_the_one_of_wcslib_counts():
    scale = {"CDELT1": -2e-4, "CDELT2": 2e-4}
    turned = {"PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8}
    alone = {name: value for name, value in BASE.items() if not name.startswith("CD")} | scale | turned
    assert_same(BASE | scale | turned, alone)
    assert read_header_wcs(BASE | scale | turned, SHAPE).kind == "TAN, ICRS, CD matrix not used"
    assert_same(BASE | turned, BASE)  # degrees for each pixel cannot be meant
    assert read_header_wcs(BASE | turned, SHAPE).kind == "TAN, ICRS, PC matrix not used"


@pytest.mark.parametrize("kinds", [("ra---tan", "dec--tan"), ("RA--TAN", "DEC-TAN"), (" RA---TAN ", "DEC--TAN ")])
def test_axes_that_are_named_loosely(kinds):
    assert_same(BASE | dict(zip(("CTYPE1", "CTYPE2"), kinds, strict=True)), BASE)


def test_a_declination_beyond_the_pole_is_a_warning():
    warning = read_header_wcs(BASE | {"CRVAL1": 54.0, "CRVAL2": 210.0}, SHAPE).warning
    assert warning.startswith("the declination of the WCS is 210 degrees")


def test_tan_is_read_as_it_is():
    found = read_header_wcs(BASE, SHAPE)
    assert (found.kind, found.error, found.warning) == ("TAN, ICRS", 0.0, "")
    assert read_header_wcs(BASE | SIP, SHAPE).kind == "TAN-SIP of order 2, ICRS"


@pytest.mark.parametrize("dec", [54.0, -89.999, 90.0])
def test_fk5_is_turned_to_icrs(dec):
    header = BASE | SIP | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRVAL2": dec, "EQUINOX": 2000.0}
    theirs = WCS(fits.Header(header.items())).pixel_to_world(X, Y).icrs
    found = read_header_wcs(header, SHAPE)
    ours = SkyCoord(*found.wcs.pixel_to_sky(x=X, y=Y), unit="deg")
    assert theirs.separation(ours).mas.max() < 1e-3
    assert found.kind == "TAN-SIP of order 2, FK5 turned to ICRS"


def test_sip_of_order_one_is_left_out_as_by_astropy():
    cards = BASE | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 1, "B_ORDER": 1, "AP_ORDER": 1}
    assert read_header_wcs(cards, SHAPE).warning == ""
    found = read_header_wcs(cards | {"A_0_1": 2e-3, "B_1_0": 0.01}, SHAPE)
    np.testing.assert_allclose(
        found.wcs.pixel_to_sky(x=X, y=Y), WCS(fits.Header(cards)).all_pix2world(X, Y, 0), rtol=1e-9
    )
    assert found.warning.startswith("a SIP polynomial of order 1 is left out, as astropy does")
    with pytest.raises(FileFormatError, match="A_ORDER"):
        read_header_wcs(cards | {"A_ORDER": "x"}, SHAPE)


@pytest.mark.parametrize("frame", [{}, {"RADESYS": "FK5", "EQUINOX": 1975.0}])
def test_sip_with_y_of_order_one_is_left_out_as_by_astropy(frame):
    cards = BASE | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 3, "B_ORDER": 1, "A_1_2": 1e-9}
    found, plain = (read_header_wcs(header | frame, SHAPE) for header in (cards, BASE))
    np.testing.assert_allclose(found.wcs.pixel_to_sky(x=X, y=Y), plain.wcs.pixel_to_sky(x=X, y=Y), rtol=1e-12)
    assert WCS(fits.Header(cards)).sip is None
    assert found.warning.startswith("a SIP polynomial of order 3 in x and 1 in y is left out, as astropy does")
    assert read_header_wcs(cards | {"A_1_2": 0.0, "A_2_2": 1e-9}, SHAPE).warning == ""


def test_orders_of_sip_that_differ_are_named():
    cards = BASE | {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 1, "B_ORDER": 2, "B_2_0": 1e-6}
    assert read_header_wcs(cards, SHAPE).kind == "TAN-SIP of order 1 in x and 2 in y, ICRS"


@pytest.mark.parametrize("cards", [{}, {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, {"CTYPE1": "", "CTYPE2": ""}])
def test_a_header_without_a_celestial_wcs(cards):
    assert read_header_wcs(cards, SHAPE) is None


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        (projection("TAB"), r"^WCS \(RA---TAB DEC--TAB\): coordinates in a lookup table \(-TAB\) are not supported"),
        (projection("XYZ"), r"^WCS \(RA---XYZ DEC--XYZ\) cannot be read"),
        (BASE | {"CTYPE1": "FREQ", "CTYPE2": "RA---TAN"}, r"^WCS \(FREQ RA---TAN\)"),
        (
            BASE | {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"},
            r"HPLT-TAN\): coordinates of this frame cannot be",
        ),
        (projection("AIT") | {"CD1_1": -0.2, "CD2_2": 0.2}, r"AIT\): a part of the image is not on the sky"),
        (projection("CAR") | {"CD1_1": -0.1, "CRVAL2": 0.0}, "cannot be refitted to TAN-SIP: .*more than 90 degrees"),
        ({"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "CRVAL1": 1.0, "CRVAL2": 2.0}, r"SIN\): card CD1_1 is missing"),
        (BASE | {"CD1_1": 0.0, "CD1_2": 0.0}, "cd is an invertible 2 x 2 matrix"),
    ],
)
def test_what_cannot_be_read_says_why(cards, message):
    with pytest.raises(FileFormatError, match=message):
        read_header_wcs(cards, SHAPE)
