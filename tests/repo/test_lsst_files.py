"""Files of the LSST stack: what is attached to exposures, backgrounds, defects and linearizers."""

import logging

import numpy as np
import pytest
from astropy.io import fits
from lsst_files import PIXELS, SHAPE, calexp, photo_calib_table, psf_tables, table

from obs.compat.lsst.afw.table import SourceCatalog
from obs.errors import FileFormatError
from obs.image.background import Background
from obs.repo.fits_exposure import read_exposure
from obs.repo.formatters import read_dataset

EXPOSURE = ("FitsStorage", "lsst.afw.image.ExposureF")
#: Nanojansky of magnitude 0.
ZERO = 10 ** (0.4 * 31.4)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("points", [True, False])
def test_psf_and_zero_point_of_a_calexp(tmp_path, points, compressed):
    parts = psf_tables(), photo_calib_table(0.5, 0.005)
    options = {"cards": {"HIERARCH PHOTOCALIB_ID": 7}, "points": points, "compressed": compressed}
    path = calexp(tmp_path / "calexp.fits", *parts, **options)
    exposure = read_exposure(path)
    np.testing.assert_allclose(exposure.masked_image.variance, 4.0)
    assert exposure.psf.degree == 1
    np.testing.assert_array_equal(exposure.psf.basis, PIXELS)
    stamp = exposure.psf.evaluate(x=[35.0], y=[10.0])[0]
    expected = PIXELS[0] + 0.2 * PIXELS[1] - 0.25 * PIXELS[2]
    np.testing.assert_allclose(stamp, expected / expected.sum(), atol=2e-6)
    assert exposure.photo_calib.flux_mag0 == pytest.approx(ZERO / 0.5)
    assert exposure.photo_calib.flux_mag0_err == pytest.approx(ZERO / 0.5 * 0.01)
    assert read_dataset(*EXPOSURE, path, "photoCalib") == exposure.photo_calib
    np.testing.assert_array_equal(read_dataset(*EXPOSURE, path, "psf").basis, PIXELS)


@pytest.mark.parametrize("version", [None, 0])
def test_zero_point_in_maggies(tmp_path, version):
    part = photo_calib_table(1e-12, 1e-14, version=version)
    exposure = read_exposure(
        calexp(tmp_path / "c.fits", psf_tables(), part, cards={"HIERARCH ARCHIVE_ID_PHOTOCALIB": 7})
    )
    assert exposure.photo_calib.flux_mag0 == pytest.approx(1e12)


def test_a_zero_point_that_varies_is_told(tmp_path, caplog):
    part = photo_calib_table(0.5, 0.0, constant=False)
    path = calexp(tmp_path / "c.fits", psf_tables(), part, cards={"HIERARCH PHOTOCALIB_ID": 7})
    with caplog.at_level(logging.WARNING):
        assert read_exposure(path).photo_calib.flux_mag0 == pytest.approx(ZERO / 0.5)
    assert "c.fits: its zero point varies over the image; the mean is used" in caplog.text


def test_a_psf_that_is_not_read_is_told(tmp_path, caplog):
    path = calexp(tmp_path / "c.fits", psf_tables("PiffPsf"))
    with caplog.at_level(logging.WARNING):
        assert read_exposure(path).psf is None
    line = "its PSF is of the stack's class PiffPsf, which is not read; PsfexPsf, PcaPsf, KernelPsf"
    assert line in caplog.text
    with pytest.raises(FileFormatError, match=line):
        read_dataset(*EXPOSURE, path, "psf")


def test_no_psf_of_number_0(tmp_path):
    assert read_exposure(calexp(tmp_path / "c.fits", psf_tables(), cards={"PSF_ID": 0})).psf is None


def test_a_calibration_in_a_file_of_its_own(tmp_path):
    rows, tables = photo_calib_table(2.0, 0.0, number=1)
    columns = [(name, "J", [value]) for name, value in zip(("id", "cat.archive"), rows[0][:2], strict=True)]
    columns += [("cat.persistable", "J", [0]), ("row0", "J", [0]), ("nrows", "J", [1]), ("name", "64A", ["PhotoCalib"])]
    index = table(columns, EXTTYPE="ARCHIVE_INDEX", AR_NCAT=2)
    fits.HDUList([fits.PrimaryHDU(), index, *tables]).writeto(tmp_path / "p.fits")
    read = read_dataset("FitsStorage", "lsst.afw.image.PhotoCalib", tmp_path / "p.fits")
    assert read.flux_mag0 == pytest.approx(ZERO / 2)


def background_file(path, style, level, **cards):
    header = {"HIERARCH INTERPSTYLE": style, "HIERARCH APPROXSTYLE": -1, "HIERARCH UNDERSAMPLESTYLE": 1}
    header |= {"BKGD_X0": 0, "BKGD_Y0": 0, "HIERARCH BKGD_WIDTH": 50, "HIERARCH BKGD_HEIGHT": 40}
    planes = [level.astype(np.float32), np.zeros(level.shape, np.int32), np.full(level.shape, 0.04, np.float32)]
    hdus = [fits.PrimaryHDU(planes[0]), *map(fits.ImageHDU, planes[1:])]
    for hdu in hdus:
        hdu.header.update({**header, **{f"HIERARCH {name}": value for name, value in cards.items()}})
    fits.HDUList([*hdus, *(fits.ImageHDU(hdu.data, hdu.header) for hdu in hdus)]).writeto(path)


def test_backgrounds_of_the_stack(tmp_path):
    level = 100.0 + np.arange(20.0).reshape(4, 5)
    background_file(tmp_path / "b.fits", 5, level)
    first, second = read_dataset("FitsCatalogStorage", "lsst.afw.math.BackgroundList", tmp_path / "b.fits")
    np.testing.assert_allclose(first.x, 4.5 + 10 * np.arange(5))
    np.testing.assert_allclose(first.y, 4.5 + 10 * np.arange(4))
    own = Background(level.astype(np.float32), first.error, first.x, first.y, shape=SHAPE)
    np.testing.assert_array_equal(first.image(), own.image())
    np.testing.assert_allclose(second.error, 0.2, rtol=1e-6)


def test_a_background_that_is_a_polynomial(tmp_path):
    background_file(tmp_path / "b.fits", 5, np.full((4, 5), 7.0), APPROXSTYLE=0, APPROXORDERX=2, APPROXORDERY=2)
    first = read_dataset("", "BackgroundList", tmp_path / "b.fits")[0]
    assert (first.style, first.order) == ("chebyshev", 2)
    np.testing.assert_allclose(first.image(), 7.0, rtol=1e-5)


def test_other_splines_are_told(tmp_path, caplog):
    background_file(tmp_path / "b.fits", 3, np.full((4, 5), 7.0))
    with caplog.at_level(logging.WARNING):
        read_dataset("", "BackgroundList", tmp_path / "b.fits")
    assert "splines of Akima are used" in caplog.text


def test_a_file_without_a_background(tmp_path):
    fits.PrimaryHDU(np.zeros((4, 5))).writeto(tmp_path / "b.fits")
    with pytest.raises(FileFormatError, match="no background in it: neither one of obs nor one of the LSST stack"):
        read_dataset("", "BackgroundList", tmp_path / "b.fits")


DEFECTS = ("FitsStorage", "lsst.ip.isr.Defects")


def boxes(read):
    return [tuple(int(value) for value in row) for row in zip(*(read[name] for name in read.columns), strict=True)]


def test_defects_as_fits_regions(tmp_path, caplog):
    columns = [
        ("X", "D", [11.0, 20.5, 5.0, 7.0, 1.0]),
        ("Y", "D", [21.0, 3.0, 2.5, 8.0, 1.0]),
        ("SHAPE", "16A", ["POINT", "BOX", "ROTBOX", "BOX", "CIRCLE"]),
        ("R", "2D", [[1, 1], [10, 5], [4, 3], [1, 1], [3, 0]]),
        ("ROTANG", "D", [0, 0, 90.0, 45.0, 0]),
        ("COMPONENT", "J", [0, 1, 2, 3, 4]),
    ]
    fits.HDUList([fits.PrimaryHDU(), table(columns, OBSTYPE="defects")]).writeto(tmp_path / "d.fits")
    with caplog.at_level(logging.WARNING):
        read = read_dataset(*DEFECTS, tmp_path / "d.fits")
    assert boxes(read) == [(10, 20, 1, 1), (15, 0, 10, 5), (3, 0, 3, 4)]
    assert "2 of 5 regions are not boxes along rows and columns (BOX, CIRCLE) and are not used" in caplog.text
    assert read.metadata["OBSTYPE"] == "defects"
    assert read_dataset(*DEFECTS, tmp_path / "d.fits", "md")["OBSTYPE"] == "defects"


@pytest.mark.parametrize("suffix", [".fits", ".ecsv", ".csv"])
def test_defects_as_boxes(tmp_path, suffix):
    path = tmp_path / f"d{suffix}"
    if suffix == ".fits":
        columns = [(name, "J", [value, 5]) for name, value in (("x0", 1), ("y0", 2), ("width", 3), ("height", 4))]
        fits.HDUList([fits.PrimaryHDU(), table(columns)]).writeto(path)
    else:
        head = "# %ECSV 1.0\n# ---\n# datatype:\n" + "".join(
            f"# - {{name: {name}, datatype: int64}}\n" for name in ("x0", "y0", "width", "height")
        )
        body = "x0 y0 width height\n1 2 3 4\n5 5 5 5\n"
        meta = "# meta: {OBSTYPE: defects}\n# schema: astropy-2.0\n"
        path.write_text(head + meta + body if suffix == ".ecsv" else body.replace(" ", ","))
    assert boxes(read_dataset(*DEFECTS, path)) == [(1, 2, 3, 4), (5, 5, 5, 5)]


@pytest.mark.parametrize("value", ["1:30:00", "1.5", "nan", "9999999999"])
def test_defects_that_are_not_whole_pixels(tmp_path, value):
    (tmp_path / "d.csv").write_text(f"x0,y0,width,height\n1,2,3,4\n5,{value},1,1\n")
    with pytest.raises(FileFormatError, match=r"d.csv: row 2 of the defects: y0 is .*, expected a whole number of"):
        read_dataset(*DEFECTS, tmp_path / "d.csv")


def test_a_table_of_something_else(tmp_path):
    fits.HDUList([fits.PrimaryHDU(), table([("flux", "D", [1.0])])]).writeto(tmp_path / "d.fits")
    with pytest.raises(FileFormatError, match=r"d.fits: is not a table of defects: it has flux; expected x0, y0"):
        read_dataset(*DEFECTS, tmp_path / "d.fits")


LINEARIZER = ("FitsCatalogStorage", "lsst.ip.isr.Linearizer")


def test_linearizers(tmp_path):
    columns = [("AMPLIFIER_NAME", "3A", ["A", "B"]), ("TYPE", "12A", ["Squared", "LookupTable"])]
    columns += [("COEFFS", "2D", [[1e-6, 0.0], [1.0, 3.0]])]
    lookup = table([("LOOKUP_VALUES", "4E", [[0, 0, 0, 0], [1, 2, 3, 4]])])
    fits.HDUList([fits.PrimaryHDU(), table(columns), lookup]).writeto(tmp_path / "l.fits")
    read = read_dataset(*LINEARIZER, tmp_path / "l.fits")
    assert (read["A"].type, read["A"].coefficients, read["A"].table) == ("Squared", (1e-6, 0.0), None)
    np.testing.assert_array_equal(read["B"].table, [[0, 0, 0, 0], [1, 2, 3, 4]])
    text = "amplifiers:\n  A: {linearityType: Squared, linearityCoeffs: [1.0e-6, 0.0]}\n"
    (tmp_path / "l.yaml").write_text(text)
    assert read_dataset(*LINEARIZER, tmp_path / "l.yaml") == {"A": read["A"]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.yaml", "amps: {}\n", "l.yaml: is not a linearizer: the key 'amplifiers' is missing"),
        (
            "l.yaml",
            "amplifiers: {A: {linearityType: None}}\n",
            "an amplifier has no key 'linearityCoeffs', or it is misspelled",
        ),
        ("l.yaml", "amplifiers: [\n", r"l.yaml: line \d: "),
    ],
)
def test_files_that_are_no_linearizers(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_dataset(*LINEARIZER, tmp_path / name)


METADATA = """\
!<lsst.daf.base.PropertySet>
processCcd:calibrate:
- PropertySet
- !<lsst.daf.base.PropertySet>
  zeroPoint: [Double, 27.5]
  names: [String, [a, b]]
header:
- PropertyList
- !<lsst.daf.base.PropertyList>
  - [EXPTIME, Double, 30.0, "[s] exposure time"]
  - [OBJECT, String, M31, ""]
"""


def test_metadata_of_the_stack(tmp_path):
    (tmp_path / "m.yaml").write_text(METADATA)
    assert read_dataset("YamlStorage", "lsst.daf.base.PropertySet", tmp_path / "m.yaml") == {
        "processCcd:calibrate": {"zeroPoint": 27.5, "names": ["a", "b"]},
        "header": {"EXPTIME": 30.0, "OBJECT": "M31"},
    }


def test_metadata_with_objects_of_other_classes(tmp_path):
    text = METADATA.replace("27.5", "!!python/object/apply:os.getcwd []")
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(FileFormatError, match=r"m.yaml: line 5: could not determine a constructor for the tag"):
        read_dataset("YamlStorage", "lsst.daf.base.PropertySet", tmp_path / "m.yaml")


def test_positions_and_moments_of_older_catalogs(tmp_path):
    columns = [
        ("id", "K", [101, 102], "Scalar"),
        ("coord", "2D", [[2.6, 0.03], [2.7, 0.04]], "Coord"),
        ("centroid_sdss", "2D", [[10.0, 20.0], [30.0, 40.0]], "Point"),
        ("shape_sdss", "3D", [[4.0, 5.0, 0.5], [6.0, 7.0, 0.6]], "Moments"),
        ("flux_psf", "D", [1000.0, 2000.0], "Scalar"),
        ("flux_aperture", "3D", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "Array"),
        ("flags", "2X", [[True, False], [False, True]], "Flag"),
    ]
    kinds = {f"TCCLS{number}": kind for number, (*_, kind) in enumerate(columns, start=1)}
    names = {"FLAGCOL": 7, "TFLAG1": "flags_pixel_edge", "TFLAG2": "calib_psf_used", "AFW_TYPE": "SOURCE"}
    made = table([column[:3] for column in columns], **kinds, **names)
    fits.HDUList([fits.PrimaryHDU(), made]).writeto(tmp_path / "src.fits")
    catalog = read_dataset("FitsCatalogStorage", "lsst.afw.table.SourceCatalog", tmp_path / "src.fits")
    assert catalog.columns["coord_dec"].unit == "rad"
    assert catalog["flux_aperture"].shape == (2, 3)
    first, second = SourceCatalog(catalog)
    assert first.get("coord").getRa().asRadians() == pytest.approx(2.6)
    assert list(second.getCentroid()) == [30.0, 40.0]
    assert first.get("shape.sdss").getIyy() == 5.0
    assert second.getShape().getIxy() == 0.6
    assert [source.getPsfFlux() for source in (first, second)] == [1000.0, 2000.0]
    assert first.get("base_PixelFlags_flag_edge")
    assert second.get("calib.psf.used")
    assert list(first.get("flux.aperture")) == [1.0, 2.0, 3.0]
