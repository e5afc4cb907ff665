"""Exposure files, read back by us and opened by others."""

import gzip
import logging
import math

import galsim
import galsim.des
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, VarianceUncertainty
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.errors import DatasetNotFoundError, FileFormatError, OutputError
from obs.geom import Box
from obs.image.exposure import Exposure
from obs.image.mask import Mask
from obs.image.masked_image import MaskedImage
from obs.image.photo_calib import PhotoCalib
from obs.image.psf import PixelPsf
from obs.image.visit_info import VisitInfo
from obs.image.wcs import TanSipWcs
from obs.repo.exposure_parts import read_psf
from obs.repo.fits_exposure import read_exposure, read_image, write_exposure, write_image
from obs.repo.fits_exposure_header import header_box, header_wcs, read_exposure_header
from obs.repo.fits_psf import write_psf

SHAPE = (60, 90)


def make_wcs():
    a = np.zeros((3, 3))
    a[2, 0], a[0, 2] = 1e-5, -2e-5
    return TanSipWcs((359.99, -1.0), (44.5, 30.0), np.array([[-1e-4, 2e-6], [1e-6, 1.1e-4]]), a, a.T.copy())


def make_psf(sampling=1.0, size=31):
    """An elliptic Gaussian whose size changes over the image."""
    y, x = (np.mgrid[:size, :size] - size // 2) * sampling
    stamps = [np.exp(-(x**2 + 1.2 * y**2) / (2 * sigma**2)) for sigma in (2.0, 2.2, 2.1)]
    stamps = [stamp / stamp.sum() for stamp in stamps]
    basis = np.array([stamps[0], stamps[1] - stamps[0], stamps[2] - stamps[0]], np.float32)
    return PixelPsf(
        basis, 1, x_zero=44.0, x_scale=45.0, y_zero=30.0, y_scale=31.0, sampling=sampling, fwhm=4.7, chi2=1.1, n_star=50
    )


def make_exposure():
    rng = np.random.default_rng(1)
    image, variance = rng.normal(10, 3, SHAPE).astype(np.float32), rng.random(SHAPE, np.float32)
    image[3, 4] = np.nan
    mask = Mask.zeros(SHAPE)
    mask.set(image > 15, "SAT", "DETECTED_NEGATIVE")
    mask.set(image > 12, "DETECTED")
    return Exposure(
        MaskedImage(image, mask, variance),
        wcs=make_wcs(),
        psf=make_psf(),
        photo_calib=PhotoCalib(1.5e10, 2e7, system="Vega"),
        visit_info=VisitInfo(exposure_id=4192, exposure_time=53.9, date_avg="2004-09-16T04:43:34", longitude=-105.82),
        detector_name="r4",
        physical_filter="r",
        metadata={
            "MAGZERO": 25.44,
            "MAGZERO_RMS": 0.014,
            "MAGZERO_NOBJ": 73,
            "COLORTERM1": 0.0,
            "COLORTERM2": math.nan,
            "COLORTERM3": 0.0,
            "BGMEAN": 145.25,
            "AFLAG": True,
            "CALIB_ID": "filter=r calibDate=2004-09-16 ccd=4" * 4,
        },
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "calexp.fits"
    write_exposure(make_exposure(), path)
    return path


def assert_same_facts(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert type(value) is type(other[name]), name
        if isinstance(value, float):  # a card holds 20 letters, 3 fewer than the longest float
            assert value == pytest.approx(other[name], rel=1e-12, nan_ok=True), name
        else:
            assert value == other[name]


def test_comes_back_as_it_was(path):
    exposure, again = make_exposure(), read_exposure(path)
    np.testing.assert_array_equal(again.masked_image.image, exposure.masked_image.image)
    np.testing.assert_array_equal(again.masked_image.variance, exposure.masked_image.variance)
    np.testing.assert_array_equal(again.masked_image.mask.array, exposure.masked_image.mask.array)
    assert again.masked_image.mask.planes == exposure.masked_image.mask.planes
    assert again.wcs.to_header() == exposure.wcs.to_header()
    assert again.photo_calib == exposure.photo_calib
    assert str(again.visit_info) == str(exposure.visit_info)
    assert (again.detector_name, again.physical_filter) == ("r4", "r")
    assert_same_facts(again.metadata, exposure.metadata)
    for name in ("degree", "x_zero", "x_scale", "y_zero", "y_scale", "sampling", "stamp_shape", "fwhm", "chi2"):
        assert getattr(again.psf, name) == getattr(exposure.psf, name)
    np.testing.assert_array_equal(again.psf.basis, exposure.psf.basis)
    assert again.masked_image.image.dtype.isnative
    again.masked_image.image[0, 0] = 1.0


def test_written_twice_is_the_same_file(path, tmp_path):
    write_exposure(read_exposure(path), tmp_path / "again.fits")
    assert (tmp_path / "again.fits").read_bytes() == path.read_bytes()


def test_the_bare_minimum_comes_back(tmp_path):
    write_exposure(Exposure(MaskedImage(np.ones((3, 2), np.float32))), tmp_path / "x.fits")
    again = read_exposure(tmp_path / "x.fits")
    assert (again.wcs, again.psf, again.photo_calib, again.visit_info) == (None, None, None, None)
    assert again.metadata == {}
    assert np.isnan(again.masked_image.variance).all()


def test_writing_leaves_the_exposure_alone(tmp_path):
    exposure = make_exposure()
    exposure.masked_image.image.flags.writeable = False
    write_exposure(exposure.cutout(Box(1, 2, 30, 20)), tmp_path / "x.fits")
    np.testing.assert_array_equal(exposure.masked_image.image, make_exposure().masked_image.image)


TEXT = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=150).map(str.rstrip)
VALUES = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_infinity=False, width=32), TEXT)
NAMES = st.from_regex(r"Q[A-Z_]{3,14}X", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(metadata=st.dictionaries(NAMES, VALUES, max_size=6))
def test_metadata_round_trips(tmp_path_factory, metadata):
    path = tmp_path_factory.mktemp("metadata") / "x.fits"
    write_exposure(Exposure(MaskedImage(np.ones((2, 2), np.float32)), metadata=metadata), path)
    assert_same_facts(read_exposure(path).metadata, metadata)


def test_odd_metadata_is_written_as_text(tmp_path):
    metadata = {
        "ANGSTROM": "5 \u00c5\nnext",
        "LIST": [1, 2],
        "NOTHING": None,
        "ENDLESS": math.inf,
        "COUNT": np.int64(3),
    }
    write_exposure(Exposure(MaskedImage(np.ones((2, 2), np.float32)), metadata=metadata), tmp_path / "x.fits")
    again = read_exposure(tmp_path / "x.fits").metadata
    assert (again["ANGSTROM"], again["LIST"], again["COUNT"]) == ("5 \\xc5 next", "[1, 2]", 3)
    assert math.isnan(again["NOTHING"])
    assert math.isnan(again["ENDLESS"])


# -- what others see ----------------------------------------------------------------------------------------------


def test_astropy_fits_sees_the_planes(path):
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "IMAGE", "MASK", "VARIANCE", "BADPIX", "PSF_DATA"]
        assert [hdu.data.dtype for hdu in hdus[1:4]] == [">f4", ">i4", ">f4"]
        assert hdus[0].data is None
        assert hdus["MASK"].header["MP_SAT"] == 1
        assert hdus["MASK"].header["MP_DETECTED_NEGATIVE"] == 6
        for header in (hdus[0].header, hdus["IMAGE"].header):
            assert header["FLUXMAG0"] == 1.5e10
            assert (header["MAGZERO"], header["MAGZERO_RMS"], header["MAGZERO_NOBJ"]) == (25.44, 0.014, 73)
            assert header["COLORTERM2"] is None
            assert (header["FILTER"], header["DETNAME"], header["EXPTIME"]) == ("r", "r4", 53.9)
        hdus.verify("exception")


@pytest.mark.filterwarnings("ignore:The WCS transformation has more axes", "ignore:'datfix' made")  # in HDU 0
def test_astropy_wcs_reads_every_header(path):
    x, y = np.array([0.0, 50.0, 89.0]), np.array([0.0, 20.0, 59.0])
    expected = make_wcs().pixel_to_sky(x=x, y=y)
    with fits.open(path) as hdus:
        for hdu in hdus[:4]:
            ra, dec = WCS(hdu.header).all_pix2world(x, y, 0)
            np.testing.assert_allclose(ra, expected[0], atol=1e-9)
            np.testing.assert_allclose(dec, expected[1], atol=1e-9)


def test_ccddata_reads_it(path):
    exposure = make_exposure()
    ccd = CCDData.read(path, hdu=1)
    assert str(ccd.unit) == "adu"
    np.testing.assert_array_equal(ccd.data, exposure.masked_image.image)
    np.testing.assert_array_equal(ccd.mask, exposure.masked_image.mask.array != 0)
    assert ccd.wcs is not None
    ccd = CCDData.read(path, hdu="IMAGE", hdu_mask="BADPIX", hdu_uncertainty="VARIANCE")
    np.testing.assert_array_equal(ccd.mask, exposure.masked_image.mask.unusable())
    assert 0 < ccd.mask.sum() < (exposure.masked_image.mask.array != 0).sum()
    assert isinstance(ccd.uncertainty, VarianceUncertainty)
    np.testing.assert_array_equal(ccd.uncertainty.array, exposure.masked_image.variance)
    np.testing.assert_array_equal(CCDData.read(path).data, exposure.masked_image.image)


@pytest.mark.parametrize("place", [(44.0, 30.0), (0.0, 0.0), (80.0, 55.0)])
def test_galsim_draws_the_same_psf(path, place):
    psf = make_psf()
    with fits.open(path) as hdus:
        theirs = galsim.des.DES_PSFEx(hdus["PSF_DATA"])
        for dx, dy in ((0.0, 0.0), (0.3, -0.4)):
            x, y = place[0] + dx, place[1] + dy
            drawn = theirs.getPSF(galsim.PositionD(x + 1, y + 1)).drawImage(
                nx=31, ny=31, scale=1.0, method="no_pixel", offset=(dx, dy)
            )
            # Between the samples GalSim interpolates with Lanczos 3, which is up to 0.6 % low at the peak of a PSF as
            # narrow as the narrowest here; we with weights that are right to 0.01 %.
            tolerance = 0.007 if dx else 1e-5
            np.testing.assert_allclose(psf.render(x=x, y=y)[0], drawn.array, atol=tolerance * drawn.array.max())


def test_galsim_draws_the_same_oversampled_psf(tmp_path):
    psf = make_psf(sampling=0.5, size=61)
    write_psf(psf, tmp_path / "frame.psf")
    theirs = galsim.des.DES_PSFEx(str(tmp_path / "frame.psf"))
    assert theirs.getSampleScale() == 0.5
    drawn = theirs.getPSF(galsim.PositionD(21, 11)).drawImage(nx=31, ny=31, scale=1.0, method="no_pixel")
    np.testing.assert_allclose(psf.evaluate(x=20, y=10)[0], drawn.array, atol=3e-4 * drawn.array.max())
    again = read_psf(tmp_path / "frame.psf")
    np.testing.assert_array_equal(again.evaluate(x=20, y=10), psf.evaluate(x=20, y=10))


# -- parts --------------------------------------------------------------------------------------------------------


def test_cutout_belongs_to_its_own_pixels(path):
    box = Box(20, 10, 30, 25)
    part, whole = read_exposure(path, box), make_exposure()
    np.testing.assert_array_equal(part.masked_image.image, whole.masked_image.image[box.slices])
    np.testing.assert_array_equal(part.masked_image.mask.array, whole.masked_image.mask.array[box.slices])
    np.testing.assert_allclose(part.wcs.pixel_to_sky(x=3, y=4), whole.wcs.pixel_to_sky(x=23, y=14), rtol=0, atol=1e-12)
    np.testing.assert_allclose(part.psf.evaluate(x=3, y=4), whole.psf.evaluate(x=23, y=14), atol=1e-7)
    assert part.psf.fwhm == whole.psf.fwhm


def test_cutout_beyond_the_image(path):
    with pytest.raises(FileFormatError, match=r"calexp.fits: Box\(.*\) leaves the image of 90 x 60 pixels"):
        read_exposure(path, Box(80, 10, 30, 25))


def test_header_alone(path):
    header = read_exposure_header(path)
    assert header["BGMEAN"] == 145.25
    assert header_box(header) == Box(0, 0, 90, 60)
    assert header_wcs(header).to_header() == make_wcs().to_header()


def test_header_does_not_need_the_pixels(path, monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("the pixels were read")

    monkeypatch.setattr(fits.ImageHDU, "data", property(forbidden))
    assert read_exposure_header(path)["FILTER"] == "r"


# -- files of others ----------------------------------------------------------------------------------------------


def write_lsst_style(path, *, named=True, compressed=False):
    """A calexp as LSST writes it: planes on bits of their own, archive HDUs that we cannot read."""
    rng = np.random.default_rng(2)
    image, variance = rng.normal(0, 1, SHAPE).astype(np.float32), np.full(SHAPE, 4, np.float32)
    bits = np.zeros(SHAPE, np.int32)
    bits[5, 6] = 1 << 13
    primary = fits.PrimaryHDU()
    primary.header["FLUXMAG0"], primary.header["EXPTIME"], primary.header["AR_HDU"] = 2e9, 30.0, 5
    primary.header["HIERARCH BORE-AIRMASS"], primary.header["SKYLEVEL"] = 1.25, 12.5
    hdus = [primary]
    for name, data in (("IMAGE", image), ("MASK", bits), ("VARIANCE", variance)):
        header = fits.Header(make_wcs().to_header().items())
        header["EXTTYPE"] = name
        if name == "MASK":
            header["MP_BAD"], header["HIERARCH MP_BRIGHT_OBJECT"] = 0, 13
        if compressed:
            hdu = fits.CompImageHDU(data, header, compression_type="GZIP_2", quantize_level=0.0)
        else:
            hdu = fits.ImageHDU(data, header)
        if named:
            hdu.name = name
        hdus.append(hdu)
    archive = fits.BinTableHDU(np.zeros(3, [("id", "i4")]), name="ARCHIVE_INDEX")
    fits.HDUList([*hdus, archive]).writeto(path)
    return image


@pytest.mark.parametrize(("named", "compressed"), [(True, False), (False, False), (True, True)])
def test_reads_lsst_files(tmp_path, named, compressed):
    image = write_lsst_style(tmp_path / "calexp.fits", named=named, compressed=compressed)
    exposure = read_exposure(tmp_path / "calexp.fits")
    np.testing.assert_array_equal(exposure.masked_image.image, image)
    mask = exposure.masked_image.mask
    assert mask.planes == {"BAD": 0, "BRIGHT_OBJECT": 13}
    assert np.argwhere(mask.any("BRIGHT_OBJECT")).tolist() == [[5, 6]]
    assert exposure.photo_calib.flux_mag0 == 2e9
    assert (exposure.visit_info.exposure_time, exposure.visit_info.airmass) == (30.0, 1.25)
    assert exposure.metadata == {"SKYLEVEL": 12.5}
    assert exposure.wcs.to_header() == make_wcs().to_header()
    part = read_exposure(tmp_path / "calexp.fits", Box(3, 4, 5, 6))
    np.testing.assert_array_equal(part.masked_image.image, image[4:10, 3:8])


def test_reads_a_plain_image(tmp_path):
    header = fits.Header([("EXPTIME", "53.907456"), ("OBJECT", "sky"), ("FLUXMAG0", -9999.0)])
    data = np.arange(60000, 60012, dtype=np.uint16).reshape(3, 4)
    fits.PrimaryHDU(data, header).writeto(tmp_path / "raw.fits")
    exposure = read_exposure(tmp_path / "raw.fits")
    np.testing.assert_array_equal(exposure.masked_image.image, data.astype(np.float32))
    assert not exposure.masked_image.mask.array.any()
    assert exposure.visit_info.exposure_time == 53.907456
    assert exposure.metadata == {"EXPTIME": "53.907456", "OBJECT": "sky", "FLUXMAG0": -9999.0}
    assert exposure.photo_calib is None
    image = read_image(tmp_path / "raw.fits", Box(1, 1, 2, 2))
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image, data[1:, 1:3])


def test_reads_one_of_several_images(tmp_path):
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(np.full((2, 2), i, np.int16)) for i in (1, 2, 3))]
    fits.HDUList(hdus).writeto(tmp_path / "raw.fits")
    assert read_exposure(tmp_path / "raw.fits", hdu=2).masked_image.image[0, 0] == 2
    with pytest.raises(FileFormatError, match=r"raw.fits: has 4 HDUs, no number 7"):
        read_exposure(tmp_path / "raw.fits", hdu=7)
    with pytest.raises(FileFormatError, match=r"raw.fits: HDU 0 is not a two-dimensional image"):
        read_exposure(tmp_path / "raw.fits", hdu=0)


def test_a_wcs_that_cannot_be_read_is_told(tmp_path, caplog):
    header = fits.Header([("CTYPE1", "RA---TPV"), ("CTYPE2", "DEC--TPV")])
    fits.PrimaryHDU(np.zeros((2, 2)), header).writeto(tmp_path / "not_pointed.fits")
    header["CRPIX1"] = 1.0
    fits.PrimaryHDU(np.zeros((2, 2)), header).writeto(tmp_path / "x.fits")
    with caplog.at_level(logging.WARNING):
        assert read_exposure(tmp_path / "not_pointed.fits").wcs is None
        assert not caplog.text  # a program names the projection before it knows where the frame is
        assert read_exposure(tmp_path / "x.fits").wcs is None
    assert "x.fits: its WCS is not used: WCS (RA---TPV DEC--TPV): card CRVAL1 is missing" in caplog.text


def test_gzip(tmp_path):
    write_exposure(make_exposure(), tmp_path / "calexp.fits.gz")
    assert gzip.decompress((tmp_path / "calexp.fits.gz").read_bytes()).startswith(b"SIMPLE")
    again = read_exposure(tmp_path / "calexp.fits.gz")
    np.testing.assert_array_equal(again.masked_image.image, make_exposure().masked_image.image)


def test_bare_image_round_trips(tmp_path):
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    write_image(array, tmp_path / "x.fits", {"OBSTYPE": "bias", "NAXIS": 7})
    np.testing.assert_array_equal(read_image(tmp_path / "x.fits"), array)
    assert read_exposure(tmp_path / "x.fits").metadata == {"OBSTYPE": "bias"}


# -- wrong input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("read", [read_exposure, read_exposure_header])
def test_truncated(path, fraction, read):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * fraction) // 2880 * 2880 + 100])
    with pytest.raises(
        FileFormatError, match=r"calexp.fits: (cannot be read as FITS|HDU \d: the file was truncated): \S"
    ):
        read(path)


def test_truncated_gzip(tmp_path):
    path = tmp_path / "calexp.fits.gz"
    write_exposure(make_exposure(), path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(FileFormatError, match=r"calexp.fits.gz: cannot be read as FITS: \S"):
        read_exposure(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8bno gzip", b"SIMPLE  =                    T"])
def test_not_fits(tmp_path, content):
    (tmp_path / "x.fits").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"x.fits: (cannot be read as FITS|is not a FITS file): \S"):
        read_exposure(tmp_path / "x.fits")


def test_no_such_file(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.fits does not exist"):
        read_exposure(tmp_path / "nowhere.fits")


def test_a_folder(tmp_path):
    with pytest.raises(FileFormatError, match="cannot be read as FITS: Is a directory"):
        read_exposure(tmp_path)


def test_no_image(tmp_path):
    write_psf(make_psf(), tmp_path / "frame.psf")
    with pytest.raises(FileFormatError, match=r"frame.psf: no two-dimensional image in it"):
        read_exposure(tmp_path / "frame.psf")


@pytest.mark.parametrize("interpolation", ["star", "lanczos"])
def test_a_psf_keeps_the_weights_that_move_it(tmp_path, interpolation):
    psf = make_psf()
    psf.interpolation = interpolation
    write_psf(psf, tmp_path / "frame.psf")
    assert read_psf(tmp_path / "frame.psf").interpolation == interpolation


def test_no_psf(tmp_path):
    write_image(np.zeros((2, 2)), tmp_path / "x.fits")
    with pytest.raises(FileFormatError, match=r"x.fits: no PSF in it: neither a table PSF_DATA nor"):
        read_psf(tmp_path / "x.fits")


def test_psf_that_varies_with_something_else(path):
    with fits.open(path, mode="update") as hdus:
        hdus["PSF_DATA"].header["POLNAME2"] = "MAG_AUTO"
    with pytest.raises(FileFormatError, match=r"calexp.fits: the PSF varies with X_IMAGE, MAG_AUTO"):
        read_psf(path)


def test_psf_with_a_card_missing(path):
    with fits.open(path, mode="update") as hdus:
        del hdus["PSF_DATA"].header["PSF_SAMP"]
    with pytest.raises(FileFormatError, match=r"calexp.fits: PSF table without PSF_SAMP"):
        read_psf(path)


def test_a_psf_without_a_format(tmp_path):
    exposure = make_exposure()
    exposure.psf = object()
    with pytest.raises(OutputError, match=r"cannot write .*x.fits: no file format for a PSF of type object"):
        write_exposure(exposure, tmp_path / "x.fits")
