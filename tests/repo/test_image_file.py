"""Image files as observatories and programs write them: which HDU is what, and what was said about it."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, InverseVariance, StdDevUncertainty, VarianceUncertainty

from obs.errors import FileFormatError
from obs.repo.hdu_roles import HduChoice
from obs.repo.image_file import read_image_file

SHAPE = (6, 8)
IMAGE = np.arange(48, dtype=np.float32).reshape(SHAPE)
VARIANCE = (IMAGE + 4) / 2
BAD = np.zeros(SHAPE, np.uint8)
BAD[2, 3] = 1
WCS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 5.0, "CRVAL2": 6.0, "CDELT1": -1e-4, "CDELT2": 1e-4}


@pytest.fixture
def write(tmp_path):
    """Write HDUs given as (name, pixels[, cards[, version]]); the first is the primary one unless it has a name."""

    def write(*parts, compressed=False):
        hdus = []
        for name, pixels, *rest in parts:
            header = fits.Header(dict(rest[0]) if rest else {})
            version = rest[1] if len(rest) > 1 else None
            if not hdus and name is None:
                hdus.append(fits.PrimaryHDU(pixels, header))
                continue
            if not hdus:
                hdus.append(fits.PrimaryHDU())
            kind = fits.CompImageHDU if compressed and pixels.dtype.kind in "iu" else fits.ImageHDU
            hdus.append(kind(pixels, header, name=name))
            hdus[-1].ver = version or 1
        path = tmp_path / "x.fits"
        fits.HDUList(hdus).writeto(path)
        return path

    return write


def planes(file, plane="BAD"):
    return file.exposure.masked_image.mask.any(plane)


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("VAR", VARIANCE),
        ("VARIANCE", VARIANCE),
        ("ERR", np.sqrt(VARIANCE)),
        ("UNCERT", np.sqrt(VARIANCE)),
        ("SIGMA", np.sqrt(VARIANCE)),
        ("rms", np.sqrt(VARIANCE)),
        ("IVAR", 1 / VARIANCE),
    ],
)
def test_uncertainties_become_the_variance(write, name, pixels):
    file = read_image_file(write((None, None), ("SCI", IMAGE, WCS), (name, pixels)))
    np.testing.assert_allclose(file.exposure.masked_image.variance, VARIANCE, rtol=1e-6)
    np.testing.assert_array_equal(file.exposure.masked_image.image, IMAGE)
    assert any(line.startswith(f"uncertainty HDU 2 '{name.upper()}' (") for line in file.read)
    assert file.warnings == []


@pytest.mark.parametrize(
    ("kind", "pixels", "word"),
    [
        (StdDevUncertainty, np.sqrt(VARIANCE), "standard deviation"),
        (VarianceUncertainty, VARIANCE, "variance"),
        (InverseVariance, 1 / VARIANCE, "inverse variance"),
    ],
)
def test_ccddata(tmp_path, kind, pixels, word):
    data = CCDData(IMAGE, unit=u.adu, mask=BAD.astype(bool), uncertainty=kind(pixels), meta=fits.Header(WCS))
    data.write(tmp_path / "ccd.fits")
    file = read_image_file(tmp_path / "ccd.fits")
    np.testing.assert_allclose(file.exposure.masked_image.variance, VARIANCE, rtol=1e-6)
    np.testing.assert_array_equal(planes(file), BAD == 1)
    assert file.read == [
        "image HDU 0, 8 x 6 pixels",
        "mask HDU 1 'MASK' (not 0 = bad, 2.1 % BAD)",
        f"uncertainty HDU 2 'UNCERT' ({word})",
        "WCS TAN, ICRS",
        "unit adu",
    ]


def test_pixels_without_uncertainty_are_bad(write):
    sigma = np.sqrt(VARIANCE)
    sigma[0, :3] = 0, np.nan, -1
    file = read_image_file(write(("SCI", IMAGE), ("ERR", sigma)))
    assert planes(file).sum() == planes(file)[0, :3].sum() == 3
    assert (file.exposure.masked_image.variance > 0).all()
    assert "uncertainty HDU 2 'ERR' (standard deviation), 6.2 % without" in file.read


def test_an_uncertainty_of_zeros_is_not_used(write):
    file = read_image_file(write(("SCI", IMAGE), ("ERR", np.zeros(SHAPE, np.float32))))
    assert np.isnan(file.exposure.masked_image.variance).all()
    assert file.warnings == ["uncertainty HDU 2 'ERR' (standard deviation) is nowhere above 0: it is not used"]


def test_a_weight_is_relative(write):
    weight = np.ones(SHAPE, np.float32)
    weight[1] = 0
    file = read_image_file(write(("SCI", IMAGE), ("WHT", weight)))
    np.testing.assert_array_equal(file.weight, weight)
    np.testing.assert_array_equal(planes(file), weight == 0)
    assert "uncertainty HDU 2 'WHT' (relative weight), 17 % without" in file.read


@pytest.mark.parametrize(
    ("cards", "bits", "expected"),
    [
        ({}, [0, 1, 2, 64], {"BAD": [1, 2, 64]}),
        ({"TELESCOP": "JWST"}, [0, 1, 2, 4, 512], {"BAD": [1, 512], "SAT": [2]}),
        ({"TELESCOP": "HST"}, [0, 4, 64, 256, 8192], {"BAD": [4], "SAT": [256], "CR": [8192]}),
        ({"TELESCOP": "HST", "DETECTOR": "IR"}, [0, 8192, 512, 32], {"SUSPECT": [512], "BAD": [32]}),
        ({"TELESCOP": "Gemini-North"}, [0, 2, 4, 8, 16], {"SUSPECT": [2], "SAT": [4], "CR": [8], "NO_DATA": [16]}),
        ({"ORIGIN": "LCO/OCIW"}, [0, 1, 2, 8], {"BAD": [1], "SAT": [2], "CR": [8]}),
    ],
)
def test_bits_of_telescopes(write, cards, bits, expected):
    dq = np.zeros(SHAPE, np.uint16)
    dq.flat[: len(bits)] = bits
    file = read_image_file(write(("SCI", IMAGE, cards), ("DQ", dq)))
    for plane in ("BAD", "SAT", "CR", "SUSPECT", "NO_DATA"):
        np.testing.assert_array_equal(planes(file, plane), np.isin(dq, expected.get(plane, [])), err_msg=plane)


@pytest.mark.parametrize(
    "cards",
    [
        {"HIERARCH MP_DETECTED": 0, "MP_SAT": 1, "MP_CR": 2, "MP_INTRP": 3},
        {
            "MSKN0000": "DETECTED",
            "MSKM0000": 1,
            "MSKN0001": "SATURATED",
            "MSKM0001": 2,
            "MSKN0002": "COSMIC_RAY",
            "MSKM0002": 4,
        },
    ],
)
def test_planes_that_the_mask_names(write, cards):
    bits = np.zeros(SHAPE, np.int32)
    bits.flat[:4] = 1, 2, 4, 8
    file = read_image_file(write(("SCI", IMAGE), ("MASK", bits, cards)))
    for plane, expected in (("SAT", [1]), ("CR", [2]), ("BAD", [])):
        np.testing.assert_array_equal(np.flatnonzero(planes(file, plane)), expected)


def test_bits_that_the_user_names(write):
    dq = np.zeros(SHAPE, np.int32)
    dq.flat[:3] = 1, 2, 4
    file = read_image_file(write(("SCI", IMAGE), ("DQ", dq)), bad_bits=5)
    np.testing.assert_array_equal(np.flatnonzero(planes(file)), [0, 2])


def test_a_bit_that_most_pixels_have_is_not_bad(write):
    dq = np.full(SHAPE, 16, np.int32)
    dq[0, 0] = 17
    file = read_image_file(write(("SCI", IMAGE), ("DQ", dq)))
    assert planes(file).sum() == 1
    assert file.warnings == [
        "bits 16 of the mask are set in most pixels and are not taken as BAD; name the bits of bad pixels with "
        "-c bad_bits=NUMBER"
    ]


@pytest.mark.parametrize("name", ["MASK", "GPM"])
def test_masks_of_good_pixels(write, name):
    file = read_image_file(write(("SCI", IMAGE), (name, 1 - BAD)))
    np.testing.assert_array_equal(planes(file), BAD == 1)
    assert len(file.warnings) == (name == "MASK")
    assert all("97.9 % of the mask is 1: it is taken as a mask of good pixels" in line for line in file.warnings)


def test_eso_says_it_in_its_own_cards(write):
    eso = {"HDUCLASS": "ESO"}
    path = write(
        ("CHIP1.INT1", IMAGE, eso | {"HDUCLAS2": "DATA"}),
        ("CHIP1.E", 1 / VARIANCE, eso | {"HDUCLAS2": "ERROR", "HDUCLAS3": "INVMSE"}),
        ("CHIP1.Q", BAD.astype(np.int32), eso | {"HDUCLAS2": "QUALITY", "HDUCLAS3": "FLAG32BIT"}),
    )
    file = read_image_file(path)
    np.testing.assert_allclose(file.exposure.masked_image.variance, VARIANCE, rtol=1e-6)
    np.testing.assert_array_equal(planes(file), BAD == 1)


def test_of_two_chips_each_gets_its_own_planes(write):
    parts = []
    for version in (1, 2):
        parts += [("SCI", IMAGE + version, {}, version), ("ERR", IMAGE * 0 + version, {}, version)]
        parts += [("DQ", BAD * (version == 2), {}, version)]
    path = write(*parts)
    first, second = read_image_file(path), read_image_file(path, HduChoice(image="SCI,2"))
    for version, file in ((1, first), (2, second)):
        assert file.exposure.masked_image.image[0, 0] == version
        assert np.unique(file.exposure.masked_image.variance) == version**2
        assert planes(file).any() == (version == 2)
    assert "other images, not read: HDU 4 'SCI,2' (choose with -c hdu=NUMBER)" in first.read
    assert read_image_file(path, HduChoice(image=4)).exposure.masked_image.image[0, 0] == 2


def test_numbers_in_names_pair_planes(write):
    path = write(("SCI1", IMAGE), ("SCI2", IMAGE + 1), ("ERR1", IMAGE * 0 + 1), ("ERR2", IMAGE * 0 + 2))
    file = read_image_file(path, HduChoice(image="sci2"))
    assert np.unique(file.exposure.masked_image.variance) == 4


@pytest.mark.parametrize("joint", [".", "_", ":"])
def test_chips_by_name(write, joint):
    parts = []
    for number, chip in enumerate(("3-4.E", "3-4.F")):
        parts += [(f"{chip}{joint}SCI", IMAGE + number), (f"{chip}{joint}RMS", IMAGE * 0 + number + 1)]
        parts += [(f"{chip}{joint}FLG", (BAD * number).astype(np.int32))]
    path = write(*parts)
    first, second = read_image_file(path), read_image_file(path, HduChoice(image=f"3-4.F{joint}SCI"))
    assert np.unique(first.exposure.masked_image.variance) == 1
    assert np.unique(second.exposure.masked_image.variance) == 4
    assert planes(second).any()
    assert not planes(first).any()


def test_the_variance_of_something_else_is_not_used(write):
    file = read_image_file(write(("SCI", IMAGE), ("SKY_VAR", VARIANCE), ("OBJ_MASK", BAD + 1), ("GOOD_MASK", 1 - BAD)))
    assert np.isnan(file.exposure.masked_image.variance).all()
    np.testing.assert_array_equal(planes(file), BAD == 1)


def test_what_is_not_used_is_named(write):
    path = write(("SCI", IMAGE), ("AREA", IMAGE), ("VAR_POISSON", IMAGE), ("BKG", IMAGE), ("PSF", IMAGE[:5, :5]))
    file = read_image_file(path)
    assert np.isnan(file.exposure.masked_image.variance).all()
    assert file.read[-2] == "not used: HDU 2 'AREA', 3 'VAR_POISSON', 4 'BKG', 5 'PSF'"
    table = fits.BinTableHDU.from_columns([fits.Column("x", "D", array=[1.0])], name="CAT")
    with fits.open(path, "append") as hdus:
        hdus.extend([table, fits.ImageHDU(IMAGE[0], name="SPECTRUM")])
    assert read_image_file(path).read[-2].endswith("'PSF', 6 'CAT' (table), 7 'SPECTRUM'")


def test_planes_of_another_shape_are_not_used(write):
    file = read_image_file(write(("SCI", IMAGE), ("ERR", IMAGE[:3]), ("DQ", BAD[:, :4])))
    assert file.warnings == [
        "HDU 2 'ERR' (standard deviation) is not used: its shape (3, 8) is not the shape (6, 8) of the image",
        "HDU 3 'DQ' (mask) is not used: its shape (6, 4) is not the shape (6, 8) of the image",
    ]


def test_the_user_names_planes(write):
    path = write(("SCI", IMAGE), ("ODD", BAD), ("QUEER", np.sqrt(VARIANCE)), ("DQ", BAD * 0 + 1))
    file = read_image_file(path, HduChoice(mask="odd", uncertainty=3))
    np.testing.assert_array_equal(planes(file), BAD == 1)
    np.testing.assert_allclose(file.exposure.masked_image.variance, VARIANCE, rtol=1e-6)
    assert not planes(read_image_file(path, HduChoice(mask="none"))).any()


def test_a_thumbnail_is_not_the_image(write):
    assert read_image_file(write((None, IMAGE[:2, :2]), ("", IMAGE))).exposure.shape == SHAPE


@pytest.mark.parametrize(
    ("name", "cards", "role"),
    [("DQ", {}, "mask"), ("S29", {"PRODTYPE": "dqmask"}, "mask"), ("S29", {"PRODTYPE": "wtmap"}, "relative weight")],
)
def test_planes_without_their_image_are_refused(write, name, cards, role):
    path = write((None, None, cards), (name, BAD))
    with pytest.raises(FileFormatError, match=rf"HDU 1 '{name}' is something else \({role}\); give the file with"):
        read_image_file(path)
    assert read_image_file(path, HduChoice(image=1)).exposure.shape == SHAPE


def test_colors_in_pixels_are_planes(write):
    colors = np.arange(20 * 17 * 3, dtype=np.float32).reshape(20, 17, 3)
    image = read_image_file(write((None, colors)), HduChoice(plane=2)).exposure.masked_image.image
    np.testing.assert_array_equal(image, colors[:, :, 2])


def test_degenerate_axes_and_cubes(write):
    path = write((None, IMAGE[None, None], WCS | {"CTYPE3": "FREQ", "CTYPE4": "STOKES"}))
    file = read_image_file(path)
    np.testing.assert_array_equal(file.exposure.masked_image.image, IMAGE)
    assert file.exposure.wcs.crval == (5.0, 6.0)


def test_a_plane_of_a_cube(write):
    path = write((None, np.stack([IMAGE, IMAGE + 100, IMAGE + 200])))
    with pytest.raises(FileFormatError, match="HDU 0 is a cube of 3 planes; choose one with -c plane=NUMBER"):
        read_image_file(path)
    assert read_image_file(path, HduChoice(plane=1)).exposure.masked_image.image[0, 0] == 100
    with pytest.raises(FileFormatError, match="plane=3: HDU 0 has 3 planes, numbered from 0"):
        read_image_file(path, HduChoice(plane=3))


@pytest.mark.parametrize("compressed", [True, False])
def test_integers_with_blank_and_scale(write, compressed):
    pixels = IMAGE.astype(np.int16)
    pixels[1, 1] = -999
    file = read_image_file(write(("SCI", pixels, {"BLANK": -999}), ("DQ", BAD), compressed=compressed))
    assert np.isnan(file.exposure.masked_image.image[1, 1])
    assert np.isnan(file.exposure.masked_image.image).sum() == 1


def test_scaled_and_unsigned_integers(write):
    file = read_image_file(write((None, (IMAGE + 40000).astype(np.uint16))))
    np.testing.assert_array_equal(file.exposure.masked_image.image, IMAGE + 40000)


def test_padding_of_sextractor_is_no_data(write):
    pixels = IMAGE.copy()
    pixels[0] = 1e30
    assert np.isnan(read_image_file(write((None, pixels))).exposure.masked_image.image[0]).all()


def test_a_wcs_in_the_extension_and_the_pointing_in_the_primary(write):
    pointing = {"CRVAL1": 99.0, "CD1_1": 1.0, "CTYPE1": "RA---TAN", "EQUINOX": 2000.0, "EXPTIME": 30.0}
    file = read_image_file(write((None, None, pointing), ("SCI", IMAGE, WCS)))
    assert file.exposure.wcs.crval == (5.0, 6.0)  # the equinox is that of the pointing
    assert file.exposure.wcs.frame == "ICRS"
    assert file.exposure.visit_info.exposure_time == 30.0


def test_a_wcs_that_tan_sip_does_not_follow_is_refused(write):
    radial = {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 1.0, "PV1_3": 0.02, "PV2_1": 1.0, "PV2_3": 0.02}
    cards = WCS | radial | {"CRPIX1": 4.0, "CRPIX2": 3.0}
    path = write((None, IMAGE, cards))
    file = read_image_file(path, wcs_tolerance=1e-3)
    assert file.exposure.wcs is None
    assert "cannot be written as TAN-SIP within 1 mas" in file.warnings[0]
    accepted = float(file.warnings[0].rpartition("=")[2])
    assert read_image_file(path, wcs_tolerance=accepted).exposure.wcs is not None


def test_a_wcs_that_cannot_be_read_is_said(write):
    file = read_image_file(write((None, IMAGE, WCS | {"CTYPE1": "RA---TAB", "CTYPE2": "DEC--TAB"})))
    assert file.exposure.wcs is None
    assert file.warnings == [
        "the WCS of the header is not used: WCS (RA---TAB DEC--TAB): coordinates in a lookup table (-TAB) are not "
        "supported"
    ]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (HduChoice(image=9), "hdu=9: the file has 3 HDUs, numbered from 0"),
        (HduChoice(image="XYZ"), "hdu=XYZ: no such HDU; the file has 0, 1 'SCI', 2 'ERR'"),
        (HduChoice(image=0), "HDU 0 is not a two-dimensional image"),
        (HduChoice(mask=2), r"mask HDU 2 'ERR' has shape \(3, 3\), image HDU 1 'SCI' has shape \(6, 8\)"),
    ],
)
def test_wrong_choices(write, choice, message):
    path = write(("SCI", IMAGE), ("ERR", IMAGE[:3, :3]))
    with pytest.raises(FileFormatError, match=message):
        read_image_file(path, choice)


def test_asinh_scaling_is_undone(write):
    light = np.linspace(-60.0, 5e4, IMAGE.size).reshape(SHAPE)
    stored = np.float32(2.5 * np.log10(np.e) * np.arcsinh((light - 12.0) / (2 * 55.0)))
    cards = WCS | {"BSOFTEN": 55.0, "BOFFSET": 12.0, "HIERARCH FPA.FILTER": "r.00000"}
    file = read_image_file(write((None, None), ("SCI", stored, cards)))
    np.testing.assert_allclose(file.exposure.masked_image.image, light, rtol=1e-5, atol=1e-2)
    assert "asinh scaling undone (BSOFTEN 55, BOFFSET 12)" in file.read
    assert "BSOFTEN" not in file.exposure.metadata
    assert file.exposure.physical_filter == "r"


def test_a_photographic_plate_is_not_linear(write):
    plate = {"PLTRAH": 14, "PLTRAM": 0, "PLTRAS": 0.0, "PLTDECSN": "+", "PLTDECD": 54, "PLTDECM": 0, "PLTDECS": 0.0}
    plate |= {"PLTSCALE": 67.2, "XPIXELSZ": 15.0, "YPIXELSZ": 15.0, "PPO3": 177500.0, "PPO6": 177500.0}
    plate |= {"CNPIX1": 11000, "CNPIX2": 11500, "AMDX1": 67.2, "AMDY1": 67.2}
    file = read_image_file(write(("SCI", IMAGE, plate)))
    assert [line.partition(":")[0] for line in file.warnings] == ["a scan of a photographic plate"]


def test_an_uncertainty_whose_name_begins_as_that_of_the_image(write):
    names = [(f"CAMERA.CCD 1.1 {word}", pixels) for word, pixels in (("cal", IMAGE), ("uncert", np.sqrt(VARIANCE)))]
    file = read_image_file(write(*names))
    np.testing.assert_allclose(file.exposure.masked_image.variance, VARIANCE, rtol=1e-6)


@pytest.mark.parametrize(
    ("cards", "name"), [({"FILTER1": "F606W", "FILTER2": "CLEAR2L"}, "F606W"), ({"FILTNAM": "R"}, "R")]
)
def test_filters_of_wheels(write, cards, name):
    assert read_image_file(write(("SCI", IMAGE, cards))).exposure.physical_filter == name
