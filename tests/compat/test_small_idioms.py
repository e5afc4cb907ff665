"""Small calls of scripts of the stack: images, positions, catalogs and detectors."""

import astropy.units as u
import numpy as np
import pytest
from hsc_repository import DATA_ID, ZERO_POINT

import obs.compat.lsst.afw.coord as afwCoord
import obs.compat.lsst.afw.detection as afwDet
import obs.compat.lsst.afw.geom as afwGeom
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.table as afwTable
import obs.compat.lsst.daf.persistence as dafPersist
import obs.compat.lsst.geom as geom


@pytest.fixture
def butler(rerun):
    return dafPersist.Butler(str(rerun))


def test_images_are_copied_converted_and_set():
    image = afwImage.makeImageFromArray(np.arange(12, dtype=np.uint16).reshape(3, 4))
    assert isinstance(image, afwImage.ImageU)
    assert isinstance(image.convertF(), afwImage.ImageF)
    assert image.convertD().get(3, 2) == 11.0
    with pytest.raises(TypeError, match="there is no image of int8; there are float32"):
        afwImage.makeImageFromArray(np.zeros((2, 2), np.int8))
    image.assign(afwImage.ImageU(2, 2), geom.Box2I(geom.Point2I(1, 1), geom.Extent2I(2, 2)))
    assert image.array.tolist() == [[0, 1, 2, 3], [4, 0, 0, 7], [8, 0, 0, 11]]
    assert image[1:3, 0:2, afwImage.LOCAL].array.shape == (2, 2)
    planes, other = afwImage.MaskedImageF(4, 3), afwImage.MaskedImageF(2, 1)
    planes.set(5.0, 2, 4.0)
    planes.assign(other, geom.Box2I(geom.Point2I(0, 0), geom.Extent2I(2, 1)))
    assert [float(plane.sum()) for plane in planes.getArrays()] == [50.0, 20.0, 40.0]


def test_masks_say_what_a_value_means(capsys):
    assert afwImage.Mask(2, 2).interpret(3) == "BAD,SAT"
    afwImage.Mask.printMaskPlanes()
    assert capsys.readouterr().out.startswith("Plane 0 -> BAD\nPlane 1 -> SAT\n")


def test_an_exposure_knows_its_sky_and_metadata(butler):
    exposure = butler.get("calexp", DATA_ID)
    wcs = exposure.getWcs()
    ra, dec = wcs.pixelToSkyArray([10.0, 20.0], [30.0, 40.0], degrees=True)
    points = [geom.Point2D(10, 30), geom.Point2D(20, 40)]
    assert [sky.getRa().asDegrees() for sky in wcs.pixelToSky(points)] == pytest.approx(ra.tolist())
    np.testing.assert_allclose(wcs.skyToPixelArray(np.deg2rad(ra), np.deg2rad(dec)), [[10, 20], [30, 40]], atol=1e-6)
    assert list(wcs.skyToPixel(wcs.pixelToSky(points))[1]) == pytest.approx([20.0, 40.0])
    inside = exposure.containsSkyCoords([*ra, ra[0] + 1] * u.deg, [*dec, dec[0]] * u.deg)
    assert inside.tolist() == [True, True, False]
    exposure.setMetadata({"A": 1})
    assert exposure.getMetadata().toDict()["A"] == 1
    assert exposure.filter.physicalLabel == exposure.getFilter().getName()
    at = afwImage.makeWcs(wcs.getSkyOrigin(), geom.Point2D(3, 4), -1e-4, 0, 0, 1e-4)
    assert at.getPixelScale().asArcseconds() == pytest.approx(0.36)
    assert list(at.getPixelOrigin()) == [3.0, 4.0]
    assert isinstance(afwGeom.makeSkyWcs(wcs.getFitsMetadata(True)), afwImage.TanWcs)
    psf = exposure.getPsf()
    assert psf.computeBBox().getDimensions() == psf.computeKernelImage().getDimensions()
    assert psf.computePeak() == psf.computeKernelImage().array.max()


def test_fluxes_of_a_catalog_are_calibrated(butler):
    sources = butler.get("src", DATA_ID)
    made = butler.get("calexp", DATA_ID).getPhotoCalib().calibrateCatalog(sources, ["base_PsfFlux"])
    expected = ZERO_POINT - 2.5 * np.log10(sources["base_PsfFlux_instFlux"])
    np.testing.assert_allclose(made["base_PsfFlux_mag"], expected, atol=1e-5)
    assert {"base_PsfFlux_flux", "base_PsfFlux_fluxErr", "base_PsfFlux_magErr"} <= set(made.getSchema().getNames())


def test_columns_and_matches(butler):
    schema = afwTable.Schema()
    assert schema.addField(afwTable.Field["F"]("flux", "a flux", "count")) == "flux"
    assert str(schema.find("flux").field) == 'Field[F](name="flux", doc="a flux", units="count")'
    sources = butler.get("src", DATA_ID)
    control = afwTable.MatchControl()
    control.findOnlyClosest = False
    count = len(afwTable.matchRaDec(sources, sources, 1.0 * geom.arcseconds, control))
    assert count >= len(afwTable.matchRaDec(sources, sources, 1.0 * geom.arcseconds, afwTable.MatchControl())) > 0


def test_runs_of_pixels():
    circle = afwGeom.SpanSet.fromShape(2)
    assert (circle.getArea(), afwGeom.SpanSet.fromShape(2, afwGeom.Stencil.BOX).getArea()) == (13, 25)
    assert list(circle.shiftedBy(10, 20).computeCentroid()) == [10.0, 20.0]
    footprint = afwDet.Footprint(afwGeom.SpanSet(geom.Box2I(geom.Point2I(1, 2), geom.Extent2I(3, 4))))
    assert (footprint.getArea(), footprint.getPeaks(), list(footprint.getCentroid())) == (12, [], [2.0, 3.5])
    with pytest.raises(ValueError, match="circles and squares are here"):
        afwGeom.SpanSet.fromShape(2, afwGeom.Stencil.MANHATTAN)


def test_transforms_positions_and_the_place_of_a_detector(butler):
    moved = afwGeom.AffineTransform.makeTranslation(geom.Extent2D(1, 2))
    turned = afwGeom.AffineTransform.makeRotation(90 * geom.degrees)
    assert list(moved(geom.Point2D(0, 0))) == [1.0, 2.0]
    assert list(turned(geom.Point2D(1, 0))) == pytest.approx([0.0, 1.0])
    assert list(afwGeom.AffineTransform.makeScaling(2)(geom.Point2D(1, 3))) == [2.0, 6.0]
    galactic = afwCoord.makeCoord(afwCoord.GALACTIC, 10 * geom.degrees, 20 * geom.degrees)
    assert galactic.getL().asDegrees() == pytest.approx(10.0)
    place = butler.get("camera")[DATA_ID["ccd"]].getOrientation()
    assert abs(place.getYaw().asDegrees()) < 0.01  # one of those that are not turned
    assert (place.getPitch(), place.getRoll()) == (0.0, 0.0)
    assert max(map(abs, place.getFpPosition())) > 1.0
    assert list(place.getReferencePoint()) == pytest.approx([1023.5, 2087.5], abs=1.0)


def test_boxes_hold_and_cut_others():
    box = geom.Box2I(minimum=geom.Point2I(1, 2), maximum=geom.Point2I(5, 6))
    other = geom.Box2I(geom.Point2I(4, 0), geom.Extent2I(10, 4))
    assert (geom.Point2I(3, 4) in box, other in box, box.overlaps(other)) == (True, False, True)
    assert box.clippedTo(other) == geom.Box2I(geom.Point2I(4, 2), geom.Extent2I(2, 2))
    assert box.expandedTo(other).getArea() == 13 * 7
    assert (tuple(box.getCenter()), box.width, box.minX, box.endY) == ((3.0, 4.0), 5, 1, 7)
    assert box == geom.Box2I(geom.Point2I(1, 2), geom.Extent2I(5, 5))
    around = geom.Box2D.makeCenteredBox(geom.Point2D(3, 3), geom.Extent2D(2, 2))
    assert (geom.Point2D(2.5, 3.9) in around, tuple(around.getMin())) == (True, (2.0, 2.0))
    with pytest.raises(TypeError, match="a box has no sizes: give minimum"):
        geom.Box2I(geom.Point2I(1, 2), sizes=3)


def test_rows_and_columns_are_chosen_by_patterns(butler):
    catalog = butler.get("src", DATA_ID)
    both = catalog.extract("base_PsfFlux_*", "*KronFlux_flag")
    assert set(both) == {f"base_PsfFlux_{part}" for part in ("instFlux", "instFluxErr", "flag")} | {
        "ext_photometryKron_KronFlux_flag"
    }
    assert set(catalog[0].extract(regex="base_PsfFlux_instFlux$")) == {"base_PsfFlux_instFlux"}
    assert catalog.schema.join("base", "PsfFlux") == "base_PsfFlux"
    assert (catalog.isSorted(), catalog.isSorted("base_PsfFlux_instFlux")) == (True, False)
    del catalog[1]
    assert catalog["id"].tolist() == [101, 103, 104]


def test_what_an_exposure_knows_by_attributes(butler):
    exposure = butler.get("calexp", DATA_ID)
    info, wcs, psf = exposure.getInfo().getVisitInfo(), exposure.getWcs(), exposure.getPsf()
    assert (info.exposureTime, info.id, info.boresightRaDec) == (30.0, 0, info.getBoresightRaDec())
    assert wcs.isFits
    moved = wcs.copyAtShiftedPixelOrigin(geom.Extent2D(3, 4))
    assert list(moved.getPixelOrigin() - wcs.getPixelOrigin()) == [3.0, 4.0]
    assert moved.pixelToSky(13, 24).separation(wcs.pixelToSky(10, 20)).asArcseconds() == pytest.approx(0, abs=1e-6)
    assert psf.clone().getKernel().getDimensions() == psf.computeKernelImage().getDimensions()
    calib = exposure.getCalib()
    calib.setThrowOnNegativeFlux(False)
    assert np.isnan(calib.getMagnitude(-1.0))
    with pytest.raises(ValueError, match="magnitudes of negative fluxes are NaN here"):
        calib.setThrowOnNegativeFlux(True)
    with pytest.raises(ImportError, match=r"lsst\.afw\.display\.rgb has no counterpart here; instead: astropy"):
        import obs.compat.lsst.afw.display.rgb  # noqa: F401, PLC0415
