"""Coordinates of the camera, WCS from parts, moments, logs, and names that have nothing behind them."""

import importlib
import logging
import math

import numpy as np
import pytest
from hsc_repository import DATA_ID

import obs.compat.lsst.afw.geom as afwGeom
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.math as afwMath
import obs.compat.lsst.afw.table as afwTable
import obs.compat.lsst.daf.persistence as dafPersist
import obs.compat.lsst.geom as geom
from obs.compat.lsst.afw.cameraGeom import FIELD_ANGLE, FOCAL_PLANE, PIXELS, PUPIL
from obs.compat.lsst.daf.base import DateTime, PropertyList, PropertySet
from obs.compat.lsst.log import Log
from obs.compat.lsst.pex.exceptions import NotFoundError
from obs.compat.lsst.utils import getPackageDir


def test_a_wcs_is_made_of_its_parts():
    cd = afwGeom.makeCdMatrix(0.2 * geom.arcseconds)
    np.testing.assert_allclose(cd * 3600, [[-0.2, 0.0], [0.0, 0.2]], atol=1e-15)
    np.testing.assert_allclose(afwGeom.makeCdMatrix(0.2 * geom.arcseconds, flipX=True)[0, 0] * 3600, 0.2)
    place = geom.SpherePoint(150.0, 2.0, geom.degrees)
    turned = afwGeom.makeSkyWcs(
        crpix=geom.Point2D(20.0, 30.0),
        crval=place,
        cdMatrix=afwGeom.makeCdMatrix(0.2 * geom.arcseconds, 90 * geom.degrees),
    )
    up = turned.pixelToSky(geom.Point2D(20.0, 130.0))
    assert place.bearingTo(up).asDegrees() == pytest.approx(0.0, abs=1e-6) or place.bearingTo(
        up
    ).asDegrees() == pytest.approx(360.0, abs=1e-6)  # +y to the east
    assert place.separation(up).asArcseconds() == pytest.approx(20.0)
    again = afwGeom.makeSkyWcs(turned.getFitsMetadata())
    assert list(again.skyToPixel(place)) == pytest.approx([20.0, 30.0])
    with pytest.raises(ValueError, match="needs crpix, crval and cdMatrix of the projection TAN"):
        afwGeom.makeSkyWcs(geom.Point2D(0, 0), place)


def test_positions_go_around_the_sphere():
    first = geom.SpherePoint(359.9, 60.0, geom.degrees)
    for bearing in (0.0, 50.0, 90.0, 200.0):
        second = first.offset(bearing * geom.degrees, 30 * geom.arcminutes)
        assert first.separation(second).asArcminutes() == pytest.approx(30.0)
        assert first.bearingTo(second).separation(bearing * geom.degrees).asDegrees() == pytest.approx(0.0, abs=1e-9)
    east, north = first.getTangentPlaneOffset(first.offset(90 * geom.degrees, 1 * geom.arcseconds))
    assert (east.asArcseconds(), north.asArcseconds()) == pytest.approx((0.0, 1.0), abs=1e-9)
    middle = geom.averageSpherePoint([geom.SpherePoint(ra, 0.0, geom.degrees) for ra in (359.0, 3.0)])
    assert middle.getRa().asDegrees() == pytest.approx(1.0)
    assert (-1 * geom.degrees).wrapNear(360 * geom.degrees).asDegrees() == pytest.approx(359.0)
    assert (1000 * geom.milliarcseconds).asArcseconds() == pytest.approx(1.0)
    assert geom.Box2I.makeCenteredBox(geom.Point2D(3, 4), geom.Extent2I(5, 3)).getMin() == geom.Point2I(1, 3)


def test_systems_of_the_camera(rerun):
    camera = dafPersist.Butler(str(rerun)).get("camera")
    detector = camera[56]
    place = detector.transform(geom.Point2D(100.0, 200.0), PIXELS, FOCAL_PLANE)
    assert list(detector.transform(place, FOCAL_PLANE, PIXELS)) == pytest.approx([100.0, 200.0])
    assert [found.getName() for found in camera.findDetectors(place)] == [detector.getName()]
    angle = camera.transform(place, FOCAL_PLANE, FIELD_ANGLE)
    # 11.2 arcsec a mm, but for the distortion
    scale = math.hypot(*angle) / math.hypot(*place) * 180 * 3600 / math.pi
    assert scale == pytest.approx(11.2, rel=0.02)
    assert list(camera.transform(angle, PUPIL, PIXELS, detector)) == pytest.approx([100.0, 200.0], abs=1e-3)
    assert len(detector.getCorners(FOCAL_PLANE)) == 4
    assert list(detector.getPixelSize()) == pytest.approx([0.015, 0.015])
    assert list(detector.getCenter(PIXELS)) == [1023.5, 2087.5]
    assert list(detector.transform(place, FOCAL_PLANE, FIELD_ANGLE)) == pytest.approx(list(angle))


def test_moments_in_three_time_scales():
    moment = DateTime("2020-01-01T00:00:00", DateTime.UTC)
    assert moment.get(DateTime.MJD, DateTime.UTC) == 58849.0
    assert moment.toString(DateTime.UTC) == "2020-01-01T00:00:00.000000000Z"
    assert moment.nsecs() - moment.nsecs(DateTime.UTC) == 37 * 10**9
    assert DateTime(moment.nsecs()) == DateTime("2020-01-01T00:00:37", DateTime.TAI) == moment
    assert DateTime(58849.0, DateTime.MJD, DateTime.UTC).toPython().isoformat() == "2020-01-01T00:00:00"
    assert DateTime.now().isValid()
    assert not DateTime().isValid()
    assert DateTime() == DateTime() != moment
    with pytest.raises(RuntimeError, match="this DateTime is not valid"):
        DateTime().get()


def test_values_of_metadata():
    values = PropertySet({"one": 1})
    values.add("many", 1)
    values.add("many", 2)
    assert (values.getArray("many"), values.getArray("one"), values.getScalar("many")) == ([1, 2], [1], 2)
    assert (values.valueCount("many"), values.isArray("one"), values.setdefault("two", 5)) == (2, False, 5)
    assert (values.pop("two"), values.exists("two")) == (5, False)
    cards = PropertyList()
    cards.set("A", 1, "a comment")
    assert cards.toList() == [("A", 1, "")]


def test_magnitudes_pixels_and_planes_of_the_class():
    assert afwImage.abMagErrFromFluxErr(1.0, 100.0) == pytest.approx(0.01086, abs=1e-5)
    assert afwImage.fluxErrFromABMagErr(afwImage.abMagErrFromFluxErr(1e-6, 1e-4), 18.9) == pytest.approx(1e-6, rel=1e-3)
    assert (afwImage.positionToIndex(1.5), afwImage.positionToIndex(1.6, True)[0]) == (2, 2)
    bit = afwImage.Mask.addMaskPlane("OF_A_SCRIPT")
    assert afwImage.Mask(3, 4).getMaskPlane("OF_A_SCRIPT") == bit == afwImage.Mask.getMaskPlane("OF_A_SCRIPT")
    assert afwImage.ExposureF(3, 4).getMask().getPlaneBitMask("OF_A_SCRIPT") == 1 << bit


def test_logs_go_to_pythons_own(caplog):
    log = Log.getLogger("a.script").getChild("part")
    log.setLevel(Log.DEBUG)
    with caplog.at_level(logging.DEBUG, "a.script.part"):
        log.info("%d images", 3)
        log.warnf("{} of {}", 1, 2)
    assert [(one.name, one.getMessage()) for one in caplog.records] == [
        ("a.script.part", "3 images"),
        ("a.script.part", "1 of 2"),
    ]
    assert log.getLevel() == Log.DEBUG


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [
        ("meas.algorithms.detection", "", "obs process does all steps"),
        ("pex.config", "", "settings are those of obs process"),
        ("ip.isr", "", "obs.tasks.isr removes the signature"),
        ("pipe.tasks.coaddBase", "", "obs coadd"),
        ("obs.subaru", "", "cameras are packages of obs"),
        ("daf.butler", "", "import lsst.daf.butler of the package lsst-daf-butler"),
        ("pipe.base", "CmdLineTask", "-c characterize.target=package.module:function"),
        ("obs.subaru", "Registry", "cameras are packages of obs"),
        ("afw.table", "ExposureCatalog", "getCoaddInputs"),
        ("afw.detection", "setMaskFromFootprintList", "FootprintSet.setMask"),
    ],
)
def test_what_is_not_here_says_what_to_use_instead(module, name, instead):
    with pytest.raises(ImportError, match=rf"^lsst\.{module[:7]}.* has no counterpart here; instead: .*{instead}"):
        getattr(importlib.import_module(f"obs.compat.lsst.{module}"), name)
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'obs\.compat\.lsst\.nothing'"):
        importlib.import_module("obs.compat.lsst.nothing")


def test_files_are_read_in_parts(tmp_path):
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    exposure = afwImage.ExposureF(4, 3)
    exposure.getImage().array = pixels
    exposure.getMask().array[1, 2] = 1
    exposure.setWcs(
        afwGeom.makeSkyWcs(geom.Point2D(0, 0), geom.SpherePoint(1.0, 0.0), afwGeom.makeCdMatrix(1 * geom.arcseconds))
    )
    exposure.writeFits(tmp_path / "e.fits")
    box = geom.Box2I(geom.Point2I(1, 1), geom.Extent2I(2, 2))
    reader = afwImage.ExposureFitsReader(tmp_path / "e.fits")
    assert (reader.readMask(box).get(1, 0), reader.readImage().get(3, 2), reader.readBBox().getWidth()) == (1, 11.0, 4)
    assert reader.readWcs().getPixelScale().asArcseconds() == pytest.approx(1.0)
    assert (reader.readPsf(), reader.read(box).getXY0()) == (None, geom.Point2I(1, 1))
    planes = afwImage.MaskedImageFitsReader(tmp_path / "e.fits").read(box)
    np.testing.assert_array_equal(planes.getImage().array, pixels[1:, 1:3])
    image = afwImage.ImageF(pixels, place=geom.Point2I(10, 20))
    image.writeFits(tmp_path / "i.fits")
    part = afwImage.ImageFitsReader(tmp_path / "i.fits").read(geom.Box2I(geom.Point2I(11, 21), geom.Extent2I(2, 1)))
    assert (part.array.tolist(), part.getXY0()) == ([[5.0, 6.0]], geom.Point2I(11, 21))
    decorated = afwImage.DecoratedImageF(tmp_path / "i.fits")
    assert (decorated.getWidth(), decorated.image.get(1, 0)) == (4, 1.0)
    assert afwImage.bboxFromMetadata(decorated.getMetadata()) == image.getBBox()
    with pytest.raises(KeyError, match="NAXIS1 and NAXIS2"):
        afwImage.bboxFromMetadata(PropertySet({}))


def test_keys_of_several_columns():
    schema = afwTable.SourceTable.makeMinimalSchema()
    place = afwTable.Point2DKey.addFields(schema, "my_Centroid", "where", "pixel")
    afwTable.QuadrupoleKey.addFields(schema, "my_Shape", "moments")
    catalog = afwTable.SourceCatalog(schema)
    record = catalog.addNew()
    place.set(record, geom.Point2D(3.0, 4.0))
    assert list(record.get(afwTable.Point2DKey(schema["my_Centroid"]))) == [3.0, 4.0]
    assert schema["my_Centroid"]["x"].asKey() == "my_Centroid_x"
    sky = afwTable.CoordKey(schema["coord"])
    sky.set(record, geom.SpherePoint(10.0, 20.0, geom.degrees))
    assert sky.get(record).getDec().asDegrees() == pytest.approx(20.0)
    assert record.getRa().asDegrees() == pytest.approx(10.0)
    with pytest.raises(KeyError, match="no column 'my_Shape_x'"):
        afwTable.Point2DKey(schema["my_Shape"])
    polygon = afwGeom.Polygon(geom.Box2D(geom.Point2D(0, 0), geom.Extent2D(4, 2)))
    assert (polygon.calculateArea(), polygon.contains(geom.Point2D(1, 1)), polygon.contains((5, 1))) == (8, True, False)


def test_packages_and_exceptions(rerun):
    assert getPackageDir("obs_hsc").endswith("obs_hsc")
    with pytest.raises(LookupError, match="the package obs_nowhere is not installed"):
        getPackageDir("obs_nowhere")
    with pytest.raises(NotFoundError):
        dafPersist.Butler(str(rerun)).get("icSrc", DATA_ID)


def test_images_binned_mirrored_and_turned():
    image = afwImage.ImageF(np.arange(15, dtype=np.float32).reshape(3, 5))
    np.testing.assert_array_equal(afwMath.binImage(image, 2).getArray(), [[3.0, 5.0]])
    np.testing.assert_array_equal(afwMath.binImage(image, 5, 1).getArray().ravel(), [2.0, 7.0, 12.0])
    np.testing.assert_array_equal(afwMath.flipImage(image, True, False).getArray()[0], [4, 3, 2, 1, 0])
    np.testing.assert_array_equal(afwMath.flipImage(image, False, True).getArray()[:, 0], [10, 5, 0])
    turned = afwMath.rotateImageBy90(image, 1)
    # what was to the right is above, the row of the highest number
    assert (turned.getDimensions(), turned.get(2, 4)) == (geom.Extent2I(3, 5), 4.0)
    np.testing.assert_array_equal(afwMath.rotateImageBy90(turned, 3).getArray(), image.getArray())
    assert afwMath.stringToStatisticsProperty("MEANCLIP") == afwMath.MEANCLIP
    with pytest.raises(ValueError, match="no statistic is called 'NOTHING'; there are ERRORS"):
        afwMath.stringToStatisticsProperty("NOTHING")
