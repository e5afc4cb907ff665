"""Objects that the LSST stack attaches to its files, through the names of the stack."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from obs.compat.lsst.afw.coord import IcrsCoord
from obs.compat.lsst.afw.geom import Box2I, Extent2I, Point2D, Point2I, degrees
from obs.compat.lsst.afw.image import ExposureF, MaskedImageF, PhotoCalib
from obs.compat.lsst.afw.table import SourceCatalog
from obs.errors import FileFormatError
from obs.repo.fits_exposure import read_exposure
from obs.repo.formatters import read_dataset
from obs.repo.lsst_objects.footprints import read_footprints

sys.path.insert(0, str(Path(__file__).parents[1] / "repo"))
from lsst_archive import CD, CRPIX, CRVAL, Objects, sky_text
from lsst_files import calexp, table

from obs.image.wcs import TanSipWcs

BOX = [("bbox_min_x", "J", [10, -5]), ("bbox_min_y", "J", [0, 0]), ("bbox_max_x", "J", [59, 44])]
BOX += [("bbox_max_y", "J", [39, 39])]
#: 2013-06-17T10:00:00 TAI.
TAI = 1371463165 * 10**9


def curves(objects):
    """Attach a curve of all five classes, and return its number."""
    ends = [("throughputAtMin", "D", [0.0]), ("throughputAtMax", "D", [0.0])]
    constant = [*ends, ("throughput", "3D", [[0.0, 0.8, 0.4]]), ("wavelengths", "3D", [[5000.0, 6000.0, 7000.0]])]
    radial = [*ends, ("throughput", "4D", [[1.0, 1.0, 0.5, 0.5]]), ("wavelengths", "2D", [[5000.0, 7000.0]])]
    first = objects.put("ConstantTransmissionCurve", constant)
    second = objects.put("RadialTransmissionCurve", [*radial, ("radii", "2D", [[0.0, 100.0]])])
    text = "1 TransformPoint2ToPoint2 Begin ZoomMap\nNin = 2\nIsA Mapping\nZoom = 0.5\nEnd ZoomMap\n"
    data = np.frombuffer(text.encode(), np.uint8)
    change = objects.put("TransformPoint2ToPoint2", [("bytes", f"QB({data.size})", [data])])
    moved = objects.put("TransformedTransmissionCurve", [("nested", "J", [second]), ("transform", "J", [change])])
    same = objects.put("IdentityTransmissionCurve")
    objects.rows.append((same, 0, -1, 0, 0, "IdentityTransmissionCurve"))
    pair = objects.put("ProductTransmissionCurve", [("a", "J", [first]), ("b", "J", [moved])])
    return objects.put("ProductTransmissionCurve", [("a", "J", [pair]), ("b", "J", [same])])


@pytest.fixture
def path(tmp_path):
    """Write a patch of the stack with everything attached."""
    objects = Objects()
    fields = [objects.chebyshev(terms, (0, 0), (49, 39)) for terms in ([[0.98, 0.01]], [[0.0], [0.002]])]
    names = ["base_PsfFlux_instFlux", "base_PsfFlux_instFluxErr"]
    correction = objects.put("ApCorrMap", [("name", "64A", names), ("field", "J", fields)])
    wcs = objects.tan_wcs(TanSipWcs(CRVAL, CRPIX, CD, frame="ICRS"))
    polygon = [("vertices_x", "D", [10.0, 30.0, 30.0, 10.0]), ("vertices_y", "D", [0.0, 0.0, 20.0, 20.0])]
    valid = objects.put("Polygon", polygon)
    angles = {"boresightradec_ra": 2.6, "boresightradec_dec": 0.03, "boresightrotangle": 0.5}
    facts = [("exposureid", "K", [180666816]), ("exposuretime", "D", [30.0]), ("tai", "K", [TAI])]
    taken = objects.put("VisitInfo", [*facts, *((name, "D", [value]) for name, value in angles.items())])
    calib = objects.put("Calib", [("fluxmag0", "D", [1e12]), ("fluxmag0_err", "D", [1e9])])
    psf = objects.gaussian_psf(2.0)
    links = [("wcs", "J", [wcs, 0]), ("psf", "J", [psf, 0]), ("validPolygon", "J", [valid, 0])]
    links += [("visitInfo", "J", [taken, 0]), ("calib", "J", [calib, 0]), ("apCorrMap", "J", [correction, 0])]
    ccds = [("id", "K", [7, 8]), *BOX, ("ccd", "J", [49, 50]), ("weight", "D", [2.0, 1.0]), *links]
    visits = [("id", "K", [903334]), ("weight", "D", [3.0]), ("filter", "32A", ["HSC-I"])]
    inputs = objects.put("CoaddInputs", visits, ccds)
    cards = {"HIERARCH COADD_INPUTS_ID": inputs, "HIERARCH AP_CORR_MAP_ID": correction, "PSF_ID": psf}
    cards |= {"HIERARCH VALID_POLYGON_ID": valid, "HIERARCH TRANSMISSION_CURVE_ID": curves(objects)}
    return calexp(tmp_path / "calexp.fits", objects.part, cards=cards | {"SKYWCS_ID": objects.sky_wcs(sky_text())})


def test_what_is_attached_to_a_coadd(path):
    info = ExposureF(str(path)).getInfo()
    corrections = info.getApCorrMap()
    assert sorted(corrections) == ["base_PsfFlux_instFlux", "base_PsfFlux_instFluxErr"]
    flux = corrections["base_PsfFlux_instFlux"]
    assert flux.evaluate(Point2D(49.5, 10.0)) == pytest.approx(0.99)
    np.testing.assert_allclose(flux.evaluate(np.array([-0.5, 24.5]), np.zeros(2)), [0.97, 0.98])
    assert flux.getBBox() == Box2I(Point2I(0, 0), Extent2I(50, 40))
    assert corrections.get("slot_Other") is None
    inputs = info.getCoaddInputs()
    assert [visit.getId() for visit in inputs.visits] == [903334]
    assert inputs.visits[0].get("filter") == "HSC-I"
    first, second = inputs.ccds
    assert list(inputs.ccds["weight"]) == [2.0, 1.0]
    assert (first.get("ccd"), first.getBBox()) == (49, Box2I(Point2I(10, 0), Extent2I(50, 40)))
    assert list(first.getWcs().skyToPixel(IcrsCoord(150.0 * degrees, 2.0 * degrees))) == pytest.approx(CRPIX)
    assert first.getPsf().computeShape(Point2D(20.0, 20.0)).getIxx() == pytest.approx(4.0, rel=1e-2)
    assert first.getCalib().getFluxMag0() == (1e12, 1e9)
    assert first.getApCorrMap().keys() == corrections.keys()
    assert first.getValidPolygon().calculateArea() == 400.0
    taken = first.getVisitInfo()
    assert (taken.getExposureId(), taken.getExposureTime()) == (180666816, 30.0)
    assert taken.getDate().toString("utc").startswith("2013-06-17T09:59:")
    assert taken.getBoresightRaDec().getRa().asRadians() == pytest.approx(2.6)
    nothing = [second.getWcs(), second.getPsf(), second.getPhotoCalib(), second.getValidPolygon()]
    assert nothing == [second.getVisitInfo(), second.getTransmissionCurve(), second.getApCorrMap(), None]
    assert info.getValidPolygon().getVertices()[2] == Point2D(30.0, 20.0)
    assert info.hasCoaddInputs()
    assert info.getFilterLabel().getName() == "HSC-I"


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
def test_what_is_attached_is_written_again(path, tmp_path, ending):
    packed = tmp_path / f"packed.{ending}"
    with fits.open(path) as hdus:
        hdus.writeto(packed)
    image = ExposureF(str(packed))
    image.setPhotoCalib(PhotoCalib(3.0, 0.3))
    image.writeFits(tmp_path / "again.fits")
    packed.unlink()
    again = ExposureF(str(tmp_path / "again.fits"))
    info = again.getInfo()
    assert info.getApCorrMap()["base_PsfFlux_instFlux"].evaluate(Point2D(49.5, 10.0)) == pytest.approx(0.99)
    assert info.getCoaddInputs().ccds[0].getValidPolygon().calculateArea() == 400.0
    assert info.getTransmissionCurve().getWavelengthBounds() == (5000.0, 7000.0)
    # what the file has in the form of obs does not come from the archive
    calib = again.getPhotoCalib()
    assert (calib.getCalibrationMean(), calib.getCalibrationErr()) == pytest.approx((3.0, 0.3))
    assert list(again.getWcs().getPixelOrigin()) == pytest.approx(list(image.getWcs().getPixelOrigin()))
    index = fits.getval(tmp_path / "again.fits", "AR_HDU")
    assert fits.getval(tmp_path / "again.fits", "EXTTYPE", index - 1) == "ARCHIVE_INDEX"
    # a file that is gone, or was replaced, is said and does not hold up the rest
    image.writeFits(tmp_path / "without.fits")
    assert ExposureF(str(tmp_path / "without.fits")).getInfo().getCoaddInputs() is None


def test_transmission_by_wavelength_and_place(path):
    curve = ExposureF(str(path)).getInfo().getTransmissionCurve()
    assert curve.getWavelengthBounds() == (5000.0, 7000.0)
    assert curve.getThroughputAtBounds() == (0.0, 0.0)
    wavelengths = [4000.0, 5500.0, 6000.0, 6500.0, 8000.0]
    np.testing.assert_allclose(curve.sampleAt(Point2D(0, 0), wavelengths), [0.0, 0.4, 0.8, 0.6, 0.0])
    # the radius is half of that in pixels: at 100 pixels half way from 1 to 0.5
    np.testing.assert_allclose(curve.sampleAt(Point2D(0, 100), wavelengths[2]), 0.75 * 0.8)
    np.testing.assert_allclose(curve.sampleAt(Point2D(300, 0), wavelengths[2]), 0.5 * 0.8)


def test_nothing_attached_is_none(path):
    info = ExposureF(read_exposure(path).with_pixels(read_exposure(path).masked_image)).getInfo()
    assert info.getCoaddInputs() is not None  # it goes with the exposure
    plain = ExposureF(5, 4).getInfo()
    found = plain.getApCorrMap(), plain.getCoaddInputs(), plain.getTransmissionCurve(), plain.getValidPolygon()
    assert found == (None, None, None, None)
    assert not plain.hasApCorrMap()
    with pytest.raises(AttributeError, match="no attribute 'hasNothing'"):
        _ = plain.hasNothing


def test_a_class_that_is_not_read_is_said(tmp_path):
    objects = Objects()
    number = objects.put("OtherTransmissionCurve", [("a", "J", [1])])
    path = calexp(tmp_path / "c.fits", objects.part, cards={"HIERARCH TRANSMISSION_CURVE_ID": number, "PSF_ID": 0})
    info = ExposureF(str(path)).getInfo()
    with pytest.raises(FileFormatError, match=r"c\.fits.* class OtherTransmissionCurve, which is not read; Identity"):
        info.getTransmissionCurve()


@pytest.mark.parametrize("old", [True, False])
def test_footprints(tmp_path, old):
    objects = Objects()
    peaks = [("f_x", "E", [11.0]), ("f_y", "E", [20.0]), ("peakValue", "E", [50.0])]
    if old:
        peaks = [("x", "E", [11.0]), ("y", "E", [20.0]), ("value", "E", [50.0])]
    spans = [("y", "J", [20, 21]), ("x0", "J", [10, 11]), ("x1", "J", [12, 11])]
    first = spans if old else [("id", "J", [objects.put("SpanSet", spans)])]
    values = [("image", "4E", [[1.0, 2.0, 3.0, 4.0]]), ("mask", "4J", [[0, 0, 2, 0]])]
    heavy = objects.put("HeavyFootprintF", first, peaks, [*values, ("variance", "4E", [[9.0] * 4])])
    plain = objects.put("Footprint", first, peaks)
    columns = [("id", "K", [1, 2, 3]), ("footprint", "J", [plain, heavy, 0])]
    parts = calexp(tmp_path / "o.fits", objects.part, only_objects=True)
    with fits.open(parts) as hdus:
        source = table(columns, AFW_TYPE="SOURCE", AR_HDU=3)
        fits.HDUList([fits.PrimaryHDU(), source, *hdus[1:]]).writeto(tmp_path / "src.fits")
    sources = SourceCatalog.readFits(tmp_path / "src.fits")
    whole, child, none = (source.getFootprint() for source in sources)
    assert none is None
    assert (whole.getArea(), whole.isHeavy(), child.isHeavy()) == (4, False, True)
    assert [(span.getY(), span.getX0(), span.getX1()) for span in whole.getSpans()] == [(20, 10, 12), (21, 11, 11)]
    assert whole.getBBox() == Box2I(Point2I(10, 20), Extent2I(3, 2))
    assert list(whole.getCentroid()) == pytest.approx([11.0, 20.25])
    assert whole.contains(Point2I(11, 21))
    assert not whole.contains(Point2I(10, 21))
    peak = child.getPeaks()[0]
    assert (peak.getFx(), peak.getIy(), peak.getPeakValue()) == (11.0, 20, 50.0)
    image = MaskedImageF(4, 3)
    image.setXY0(9, 19)
    child.insert(image)
    assert image.getImage().getArray().tolist() == [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 4, 0]]
    assert image.getMask().getArray()[1, 3] == 2
    with pytest.raises(AttributeError, match="no values of pixels"):
        whole.getImageArray()
    assert sources.subset([1])[0].getFootprint().getArea() == 4
    assert [one and one.area for one in read_footprints(tmp_path / "src.fits", sources["footprint"])] == [4, 4, None]
    # rows that are written again keep theirs
    sources.subset([1, 2]).writeFits(tmp_path / "again.fits")
    (tmp_path / "src.fits").unlink()
    child, none = SourceCatalog.readFits(tmp_path / "again.fits")
    assert (child.getFootprint().getArea(), child.getFootprint().isHeavy(), none.getFootprint()) == (4, True, None)
    assert fits.getval(tmp_path / "again.fits", "AR_HDU", 1) == 3
    assert fits.getval(tmp_path / "again.fits", "EXTTYPE", 2) == "ARCHIVE_INDEX"


def test_a_psf_of_piff_is_one_line(tmp_path, caplog):
    objects = Objects()
    number = objects.put("PiffPsf", [("bytes", "3B", [[1, 2, 3]])])
    path = calexp(tmp_path / "c.fits", objects.part, cards={"PSF_ID": number})
    with caplog.at_level(logging.WARNING):
        assert ExposureF(str(path)).getPsf() is None
    assert len(caplog.records) == 1
    assert "a pickle of the package piff" in caplog.text
    assert "PiffPsf, which is not read; PsfexPsf" in caplog.text


@pytest.mark.parametrize(("physical", "band", "name"), [("HSC-I2", "i", "HSC-I2"), ("", "i", "i")])
def test_the_filter_of_files_since_2020_is_attached(tmp_path, physical, band, name):
    objects = Objects()
    texts = [("band", "8A", [band]), ("physical", "8A", [physical])]
    number = objects.put("FilterLabel", [("hasBand", "L", [True]), ("hasPhysical", "L", [bool(physical)]), *texts])
    cards = {"HIERARCH ARCHIVE_ID_FILTER": number, "FILTER_ID": number, "PSF_ID": 0, "FILTER": ""}
    path = calexp(tmp_path / "c.fits", objects.part, cards=cards)
    assert ExposureF(str(path)).getFilterLabel().getName() == name
    assert read_dataset("FitsStorage", "lsst.afw.image.ExposureF", path, "filter") == name
