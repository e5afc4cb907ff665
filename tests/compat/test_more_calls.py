"""Calls of scripts on images, curves, random numbers, positions, cameras and slots of catalogs."""

import numpy as np
import pytest
from hsc_repository import DATA_ID

import obs.compat.lsst.afw.cameraGeom as cameraGeom
import obs.compat.lsst.afw.geom as afwGeom
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.math as afwMath
import obs.compat.lsst.daf.persistence as dafPersist
import obs.compat.lsst.geom as geom
from obs.compat.lsst.afw.table import SourceCatalog, SourceTable
from obs.compat.lsst.pex.exceptions import NotFoundError

Y, X = np.mgrid[:40, :50]


def _star(x, y):
    return np.exp(-0.5 * ((X - x) ** 2 + (Y - y) ** 2) / 2.5**2).astype(np.float32)


@pytest.mark.parametrize(("name", "error"), [("lanczos5", 2e-3), ("bilinear", 0.03)])
def test_an_image_moves_by_parts_of_a_pixel(name, error):
    moved = afwMath.offsetImage(afwImage.ImageF(_star(25, 20)), 0.3, 1.8, name)
    assert tuple(moved.getXY0()) == (0, 2)
    np.testing.assert_allclose(moved.array, _star(25.3, 19.8), atol=error)
    planes = afwMath.offsetImage(afwImage.MaskedImageF(afwImage.ImageF(_star(25, 20))), 0.3, -0.2, name)
    np.testing.assert_array_equal(planes.image.array, moved.array)
    with pytest.raises(ValueError, match="not with 'nearest'"):
        afwMath.offsetImage(moved, 0.5, 0.5, "nearest")


def test_curves_go_through_points_and_on_beyond_them():
    x = np.arange(1.0, 6.0)
    styles = afwMath.Interpolate
    for style in range(6):
        y = x * (6 - x) if style == styles.CUBIC_SPLINE_PERIODIC else x**2
        np.testing.assert_allclose(afwMath.makeInterpolate(x, y, style).interpolate(x[1:4]), y[1:4])
    assert afwMath.makeInterpolate(x, x**2).interpolate(6.0) == pytest.approx(36.0)
    assert afwMath.makeInterpolate(x, x**2, styles.LINEAR).interpolate(6.0) == pytest.approx(34.0)
    assert afwMath.makeInterpolate(x, x**2, "CONSTANT").interpolate(2.4) == 4.0
    with pytest.raises(ValueError, match="x that increases"):
        afwMath.makeInterpolate([1.0, 1.0], [2.0, 3.0])


def test_uniform_random_numbers_are_those_of_the_twister():
    rand = afwMath.Random(seed=5489)
    rand.uniforms(9999)
    assert rand.uniform() == 4123659995 / 2**32  # the number that the C++ standard names, [rand.predef]
    image = afwImage.ImageF(60, 50)
    afwMath.randomGaussianImage(image, rand)
    assert image.array.std() == pytest.approx(1.0, abs=0.05)
    afwMath.randomUniformIntImage(image, rand, 4)
    assert set(np.unique(image.array)) == {0.0, 1.0, 2.0, 3.0}
    with pytest.raises(ImportError, match=r"numpy\.linalg\.lstsq"):
        _ = afwMath.fitSpatialFunction


def test_a_background_is_fitted_by_a_polynomial():
    image = afwImage.ImageF((3 + 0.1 * X - 0.02 * Y + 0.001 * X * Y).astype(np.float32))
    background = afwMath.makeBackground(image, afwMath.BackgroundControl(5, 5))
    fit = background.getApproximate(afwMath.ApproximateControl(afwMath.ApproximateControl.CHEBYSHEV, 2, 2, False))
    np.testing.assert_allclose(fit.getImage().array, image.array, atol=1e-4)
    assert fit.getImage(0).array.std() == 0.0
    with pytest.raises(ValueError, match="more than there are good cells"):
        background.getApproximate(afwMath.ApproximateControl(orderX=9))


def test_a_stack_of_masked_images_has_the_quartiles_of_numpy():
    random = np.random.default_rng(4)
    values = random.normal(size=(7, 12, 15)).astype(np.float32)
    values[3, 5, 6] = 400.0
    found = afwMath.statisticsStack([afwImage.ImageF(one) for one in values], afwMath.MEANCLIP)
    assert abs(found.array[5, 6]) < 3.0


def test_positions_turn_and_boxes_mirror():
    place = geom.SpherePoint(10.0, 20.0, geom.degrees)
    pole = geom.SpherePoint(0.0, 90.0, geom.degrees)
    assert tuple(place.rotated(pole, 30 * geom.degrees).getPosition()) == pytest.approx((40.0, 20.0))
    assert pole.atPole()
    assert place.isFinite()
    wcs = afwGeom.makeSkyWcs(geom.Point2D(0, 0), place, afwGeom.makeCdMatrix(1 * geom.arcseconds))
    north = wcs.pixelToSky(0, 0).offset(90 * geom.degrees, 1 * geom.arcminutes)
    assert list(wcs.getTransform().applyInverse(north)) == pytest.approx(
        [0.0, 60.0], abs=1e-5
    )  # on the plane tan(1 arcmin)
    moved = afwGeom.makeWcsPairTransform(wcs, wcs.copyAtShiftedPixelOrigin(geom.Extent2D(3, 4)))
    assert list(moved.applyForward(geom.Point2D(1, 1))) == pytest.approx([4.0, 5.0])
    linear = afwGeom.linearizeTransform(moved.then(moved), geom.Point2D(2, 2))
    np.testing.assert_allclose(linear.getMatrix(), [[1, 0, 6], [0, 1, 8], [0, 0, 1]], atol=1e-6)
    box = geom.Box2I(geom.Point2I(1, 2), geom.Point2I(5, 6))
    assert box.reflectedAboutX(3) == box
    assert box.transposed().getMin() == geom.Point2I(2, 1)
    assert box.contains(1, 2)
    assert list(box.contains(np.array([0, 5]), np.array([3, 6]))) == [False, True]
    part = geom.Box2D(geom.Point2D(1.2, 2.3), geom.Point2D(5.0, 6.0))
    assert geom.Box2I(part, geom.Box2I.SHRINK).getMin() == geom.Point2I(2, 3)
    assert geom.Box2I(part, geom.Box2I.EXPAND).getMin() == geom.Point2I(1, 2)
    assert geom.Box2D(box).contains(part)
    assert not geom.Box2D(box).overlaps(geom.Box2D())


def test_slots_of_a_catalog_have_keys():
    schema = SourceTable.makeMinimalSchema()
    for name in ("PsfFlux_instFlux", "PsfFlux_instFluxErr", "PsfFlux_flag", "SdssCentroid_x", "SdssCentroid_y"):
        schema.addField(f"base_{name}", doc="")
    catalog = SourceCatalog(schema)
    catalog.addNew().set(catalog.getPsfFluxSlot().getMeasKey(), 5.0)
    assert catalog[0].getPsfInstFlux() == catalog[0].get(catalog.table.getPsfInstFluxKey()) == 5.0
    assert catalog.getPsfFluxErrKey() == "base_PsfFlux_instFluxErr"
    assert list(catalog[0].get(catalog.getCentroidKey()))
    assert not catalog.getShapeSlot().isValid()
    with pytest.raises(AttributeError, match="getNoSuchKey"):
        catalog.getNoSuchKey()
    assert catalog.table.makeRecord().getId() == 0


def test_old_zero_points_and_filters():
    calib = afwImage.Calib()
    with pytest.raises(AttributeError, match="setFluxMag0 first"):
        calib.getMagnitude(1.0)
    calib.setFluxMag0(1e12)
    assert calib.getMagnitude(1e12) == pytest.approx(0.0)
    with pytest.raises(AttributeError, match=r"getVisitInfo\(\)\.getExposureTime"):
        calib.getExptime()
    assert 700 < afwImage.Filter("HSC-I").getFilterProperty().getLambdaEff() < 800
    with pytest.raises(NotFoundError, match="'nosuch'"):
        afwImage.Filter("nosuch").getFilterProperty()


def test_the_detector_of_a_file_is_that_of_the_repository_around_it(rerun, tmp_path, caplog):
    butler = dafPersist.Butler(str(rerun))
    read = afwImage.ExposureF(butler.get("calexp_filename", DATA_ID)[0])
    detector = read.getDetector()
    assert detector.getName() == read.exposure.detector_name
    assert detector.getType() == cameraGeom.SCIENCE
    field = detector.getTransform(cameraGeom.PIXELS, cameraGeom.FIELD_ANGLE)
    place = field.applyForward(geom.Point2D(3, 4))
    whole = butler.get("camera").getTransform(cameraGeom.FIELD_ANGLE, cameraGeom.FOCAL_PLANE).applyForward(place)
    assert list(detector.transform(whole, cameraGeom.FOCAL_PLANE, cameraGeom.PIXELS)) == pytest.approx([3.0, 4.0])
    read.writeFits(tmp_path / "alone.fits")
    alone = afwImage.ExposureF(tmp_path / "alone.fits")
    assert alone.getDetector() is None
    assert alone.getDetector() is None
    assert caplog.text.count("exposure.setDetector(butler.get('camera')[NUMBER]) sets it") == 1
