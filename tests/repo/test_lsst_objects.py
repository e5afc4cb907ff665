"""Objects that the LSST stack attaches: WCSs, zero points and PSFs."""

import logging

import numpy as np
import pytest
from astropy.io import fits
from lsst_archive import CD, CRPIX, CRVAL, Objects, sky_text, tan_sip
from lsst_files import SHAPE, calexp
from numpy.polynomial.chebyshev import chebval2d

from obs.errors import FileFormatError
from obs.geom import Box
from obs.image.wcs import TanSipWcs
from obs.repo.fits_calibration import read_calibration
from obs.repo.fits_exposure import read_exposure, write_exposure
from obs.repo.formatters import read_dataset
from obs.repo.wcs_refit import largest_separation

LOW, HIGH = (0, 0), (SHAPE[1] - 1, SHAPE[0] - 1)
X, Y = (part.ravel() for part in np.meshgrid(np.linspace(-0.5, 49.5, 7), np.linspace(-0.5, 39.5, 6)))
#: Zero at CRPIX of a header that only approximates the attached WCS.
APPROXIMATE = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "RADESYS": "ICRS", "CRVAL1": CRVAL[0], "CRVAL2": CRVAL[1]}
APPROXIMATE |= {"CRPIX1": CRPIX[0] + 1, "CRPIX2": CRPIX[1] + 1, "CD1_1": CD[0, 0], "CD1_2": CD[0, 1]}
APPROXIMATE |= {"CD2_1": CD[1, 0], "CD2_2": CD[1, 1]}


def positions(wcs, *, x=X, y=Y):
    return wcs.pixel_to_sky(x=x, y=y)


@pytest.mark.parametrize("system", ["ICRS", "FK5"])
def test_an_attached_wcs_counts_more_than_the_header_that_approximates_it(tmp_path, system):
    objects = Objects()
    cards = {**APPROXIMATE, "SKYWCS_ID": objects.sky_wcs(sky_text(system)), "PSF_ID": 0}
    path = calexp(tmp_path / "c.fits", objects.part, cards=cards)
    wcs = read_exposure(path).wcs
    assert wcs.frame == system
    assert largest_separation(positions(wcs), positions(tan_sip())) < 0.1
    assert largest_separation(positions(read_dataset("FitsStorage", "ExposureF", path, "wcs")), positions(wcs)) < 1e-3


def test_an_attached_wcs_counts_pixels_of_the_whole_image(tmp_path):
    objects = Objects()
    cards = {"SKYWCS_ID": objects.sky_wcs(sky_text()), "PSF_ID": 0, "LTV1": -1000, "LTV2": -2000}
    wcs = read_exposure(calexp(tmp_path / "c.fits", objects.part, cards=cards)).wcs
    assert largest_separation(positions(wcs), positions(tan_sip(), x=X + 1000, y=Y + 2000)) < 0.1


def test_a_wcs_in_a_file_of_its_own(tmp_path):
    objects = Objects()
    objects.sky_wcs(sky_text())
    path = calexp(tmp_path / "jointcal_wcs.fits", objects.part, only_objects=True)
    wcs = read_dataset("FitsStorage", "lsst.afw.geom.SkyWcs", path)
    x, y = X * 80, Y * 100
    assert largest_separation(positions(wcs, x=x, y=y), positions(tan_sip(), x=x, y=y)) < 0.1
    assert read_dataset("FitsStorage", "lsst.afw.image.ExposureI", path).wcs.crval == wcs.crval


@pytest.mark.parametrize("plain", [True, False])
def test_a_wcs_of_before_2018(tmp_path, plain):
    objects, wcs = Objects(), tan_sip()
    wcs = TanSipWcs(wcs.crval, wcs.crpix, wcs.cd, frame="FK5") if plain else wcs
    objects.tan_wcs(wcs)
    read = read_dataset("FitsStorage", "Wcs", calexp(tmp_path / "w.fits", objects.part, only_objects=True))
    assert read.frame == wcs.frame
    assert largest_separation(positions(read), positions(wcs)) < 1e-6
    np.testing.assert_allclose(read.sky_to_pixel(ra=CRVAL[0], dec=CRVAL[1]), CRPIX, atol=1e-6)


def test_a_wcs_beside_an_image_without_pixels(tmp_path):
    image = fits.ImageHDU(None)
    image.header.update({"NAXIS": 2, "NAXIS1": 0, "NAXIS2": 0, "BITPIX": 32, "EXTTYPE": "IMAGE", **APPROXIMATE})
    raw = fits.PrimaryHDU().header.tostring().encode() + image.header.tostring().encode()
    (tmp_path / "wcs.fits").write_bytes(raw)
    found = read_calibration(tmp_path / "wcs.fits")
    assert found.wcs.crval == CRVAL
    assert found.shape == (0, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Begin FrameSet\n", "an object of AST ends too early"),
        (sky_text().replace("PolyMap", "MathMap"), "a mapping of AST of the class MathMap is not read"),
        (sky_text(projection="CEA"), "a WCS of the projection CEA is not read; TAN, SIN"),
        (sky_text(system="GALACTIC"), "its SkyWcs leads to SkyFrame GALACTIC; ICRS and FK5"),
        ("nothing", "there is no object of AST"),
        ("Begin CmpMap\nBegin\n" * 300, "nested more than 200 deep"),
    ],
)
def test_a_wcs_that_is_not_read_is_said_and_the_header_counts(tmp_path, caplog, text, message):
    objects = Objects()
    cards = {**APPROXIMATE, "SKYWCS_ID": objects.sky_wcs(text), "PSF_ID": 0}
    path = calexp(tmp_path / "c.fits", objects.part, cards=cards)
    with caplog.at_level(logging.WARNING):
        assert read_exposure(path).wcs.crval == CRVAL
    assert message in caplog.text
    with pytest.raises(FileFormatError, match=message.replace("(", r"\(")):
        read_dataset("FitsStorage", "ExposureF", path, "wcs")


TERMS = np.array([[2.0, 0.05, 0.01], [-0.04, 0.02, 0.0], [0.01, 0.0, 0.0]])  # by order in y, then in x


def chebyshev(x, y):
    return chebval2d((x - 24.5) / 25.0, (y - 19.5) / 20.0, TERMS.T)


def nanojansky(path):
    calib = read_exposure(path).photo_calib
    return calib.nanojansky(np.full(X.shape, 100.0), x=X, y=Y)


def test_a_zero_point_that_varies_as_a_chebyshev_polynomial(tmp_path):
    objects = Objects()
    number = objects.photo_calib(2.01, objects.chebyshev(TERMS, LOW, HIGH))
    path = calexp(tmp_path / "c.fits", objects.part, cards={"PSF_ID": 0, "HIERARCH PHOTOCALIB_ID": number})
    np.testing.assert_allclose(nanojansky(path), 100.0 * chebyshev(X, Y), rtol=2e-6)
    part = read_exposure(path, Box(10, 5, 20, 20)).photo_calib
    np.testing.assert_allclose(part.nanojansky(1.0, x=2.0, y=3.0), chebyshev(12.0, 8.0), rtol=2e-6)
    # what is read can be written and read again
    write_exposure(read_exposure(path), tmp_path / "again.fits")
    np.testing.assert_allclose(nanojansky(tmp_path / "again.fits"), 100.0 * chebyshev(X, Y), rtol=2e-6)


def test_a_zero_point_that_varies_with_the_area_of_pixels(tmp_path):
    objects = Objects()
    wcs = objects.sky_wcs(sky_text())
    box = [
        (f"bbox_{end}_{a}", "J", [v])
        for end, place in (("min", LOW), ("max", HIGH))
        for a, v in zip("xy", place, strict=True)
    ]
    area = objects.put("PixelAreaBoundedField", [*box, ("wcs", "J", [wcs]), ("scaling", "D", [3.0e12])])
    number = objects.photo_calib(3.0, objects.product(objects.chebyshev(TERMS, LOW, HIGH), area))
    cards = {"PSF_ID": 0, "HIERARCH PHOTOCALIB_ID": number, "SKYWCS_ID": wcs}
    path = calexp(tmp_path / "c.fits", objects.part, cards=cards)
    slope = 1.0 + 2.0 * 4.0e-6 * (X + 0.5 - CRPIX[0])  # the quadratic term stretches pixels along x
    pixel = np.deg2rad(1.0) ** 2 * abs(np.linalg.det(CD)) * slope
    np.testing.assert_allclose(nanojansky(path), 100.0 * chebyshev(X, Y) * 3.0e12 * pixel, rtol=5e-6)


def test_a_zero_point_of_another_class_is_its_mean(tmp_path, caplog):
    objects = Objects()
    number = objects.photo_calib(2.0, objects.put("CoaddBoundedField", [("coaddWcs", "J", [1])]))
    path = calexp(tmp_path / "c.fits", objects.part, cards={"PSF_ID": 0, "HIERARCH PHOTOCALIB_ID": number})
    with caplog.at_level(logging.WARNING):
        assert nanojansky(path)[0] == pytest.approx(200.0)
    assert "the mean is used: it varies as the stack's class CoaddBoundedField, which is not read" in caplog.text


RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.random((2, 9, 7)) + 1.0
POLYNOMIALS = np.array([[1.0, 0.01, -0.02, 1e-4, 2e-4, 3e-4], [0.3, -0.01, 0.005, 0.0, 1e-4, -1e-4]])


def weights(x, y):
    return POLYNOMIALS @ [1.0, x, y, x * x, x * y, y * y]


@pytest.mark.parametrize("name", ["PcaPsf", "KernelPsf"])
def test_a_psf_of_images_with_polynomial_weights(tmp_path, name):
    objects = Objects()
    cards = {"PSF_ID": objects.kernel_psf(IMAGES, POLYNOMIALS, name=name), "LTV1": -3, "LTV2": -4}
    psf = read_exposure(calexp(tmp_path / "c.fits", objects.part, cards=cards)).psf
    expected = np.tensordot(weights(33.0, 16.0), IMAGES, axes=1)
    np.testing.assert_allclose(psf.evaluate(x=30.0, y=12.0)[0], expected / expected.sum(), rtol=2e-4)


def test_a_psf_with_chebyshev_weights_and_a_center_off_the_middle(tmp_path):
    objects = Objects()
    box = (("min", (0.0, 0.0)), ("max", (50.0, 40.0)))
    number = objects.kernel_psf(IMAGES, POLYNOMIALS, "Chebyshev1Function2D", box=box, center=(2, 4))
    psf = read_exposure(calexp(tmp_path / "c.fits", objects.part, cards={"PSF_ID": number})).psf
    u, v = 0.2, -0.4
    terms = [1.0, u, v, 2 * u * u - 1, u * v, 2 * v * v - 1]
    expected = np.tensordot(POLYNOMIALS @ terms, IMAGES, axes=1)
    stamp = psf.evaluate(x=30.0, y=12.0)[0]
    assert stamp.shape == (9, 9)
    np.testing.assert_allclose(stamp[:, 2:], expected / expected.sum(), rtol=2e-4)
    assert not stamp[:, :2].any()


@pytest.mark.parametrize("outer", [None, (4.0, 0.1)])
def test_gaussian_psfs(tmp_path, outer):
    objects = Objects()
    cards = {"PSF_ID": objects.gaussian_psf(2.0, outer=outer)}
    psf = read_exposure(calexp(tmp_path / "c.fits", objects.part, cards=cards)).psf
    squared = np.add.outer((np.arange(21) - 10.0) ** 2, (np.arange(21) - 10.0) ** 2)
    expected = np.exp(-squared / 8) + (0.1 * np.exp(-squared / 32) if outer else 0.0)
    np.testing.assert_allclose(psf.evaluate(x=1.0, y=2.0)[0], expected / expected.sum(), atol=1e-7)


def coadd_psf(polygons=(0, 0), scale=1.0):
    """Return objects and cards of a coadd of two exposures: one on its left half, one everywhere."""
    objects = Objects()
    wcs = objects.sky_wcs(sky_text())
    here = TanSipWcs(CRVAL, CRPIX, CD * scale, frame="ICRS")
    inputs = [objects.tan_wcs(here), objects.tan_wcs(here)]
    psfs = [objects.gaussian_psf(2.0), objects.gaussian_psf(2.0 / scale, outer=(3.0 / scale, 0.5))]
    ends = (("min_x", [0, -100]), ("min_y", [-100, -100]), ("max_x", [24, 200]), ("max_y", [200, 200]))
    columns = [("id", "K", [1, 2]), *((f"bbox_{end}", "J", values) for end, values in ends)]
    columns += [("weight", "D", [3.0, 1.0]), ("psf", "J", psfs), ("wcs", "J", inputs), ("validPolygon", "J", polygons)]
    first = [("coaddwcs", "J", [wcs]), ("cachesize", "J", [1]), ("warpingkernelname", "32A", ["lanczos3"])]
    return objects, {"PSF_ID": objects.put("CoaddPsf", first, columns), "SKYWCS_ID": wcs}


def widths(psf, *places):
    offset = np.arange(psf.stamp_shape[1]) - psf.stamp_shape[1] // 2
    return [float(np.sqrt((psf.evaluate(x=x, y=20.0)[0] * offset**2).sum())) for x in places]


def test_the_psf_of_a_coadd_is_the_mean_of_the_exposures_there(tmp_path):
    objects, cards = coadd_psf()
    exposure = read_exposure(calexp(tmp_path / "c.fits", objects.part, cards=cards))
    gaussian, double = 4.0, (4.0 * 4.0 + 0.5 * 9.0 * 9.0) / (4.0 + 0.5 * 9.0)
    left, right = widths(exposure.psf, 5.0, 45.0)
    # a polynomial of degree 3 stands for the step between both halves
    assert left == pytest.approx(np.sqrt(0.75 * gaussian + 0.25 * double), rel=0.05)
    assert right == pytest.approx(np.sqrt(double), rel=0.05)
    assert left < right


def test_exposures_of_a_coadd_count_on_their_valid_part_only(tmp_path):
    objects = Objects()
    polygon = [("vertices_x", "D", [30.0, 90.0, 90.0, 30.0]), ("vertices_y", "D", [-50.0, -50.0, 90.0, 90.0])]
    whole, cards = coadd_psf(polygons=(99, 0))
    whole.count = 98
    assert whole.put("Polygon", polygon) == 99
    del objects
    psf = read_exposure(calexp(tmp_path / "c.fits", whole.part, cards=cards)).psf
    double = (4.0 * 4.0 + 0.5 * 9.0 * 9.0) / (4.0 + 0.5 * 9.0)
    np.testing.assert_allclose(widths(psf, 5.0, 45.0), np.sqrt(double), rtol=0.01)


def test_a_part_of_a_coadd_psf_that_is_not_read_is_said(tmp_path, caplog):
    objects, cards = coadd_psf()
    objects.rows = [(*row[:5], "PiffPsf") if row[5] == "DoubleGaussianPsf" else row for row in objects.rows]
    with caplog.at_level(logging.WARNING):
        assert read_exposure(calexp(tmp_path / "c.fits", objects.part, cards=cards)).psf is None
    assert "its PSF is of the stack's class PiffPsf, which is not read; PsfexPsf, PcaPsf" in caplog.text
