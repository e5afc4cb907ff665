"""Later idioms of scripts: figures, kernels, warps, mappers, filters, ellipses and packed matches."""

import importlib

import numpy as np
import pytest
from hsc_repository import DATA_ID
from matplotlib.figure import Figure

import obs.compat.lsst.afw.display as afwDisplay
import obs.compat.lsst.afw.geom as afwGeom
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.math as afwMath
import obs.compat.lsst.afw.table as afwTable
import obs.compat.lsst.daf.persistence as dafPersist
import obs.compat.lsst.geom as geom
from obs.compat.lsst.afw.geom import ellipses


@pytest.fixture(scope="module")
def butler(rerun):
    return dafPersist.Butler(str(rerun))


@pytest.fixture
def exposure(butler):
    return butler.get("calexp", DATA_ID)


def test_images_are_shown_in_figures(butler, exposure, caplog):
    display = afwDisplay.Display(frame=Figure(), backend="matplotlib")
    display.scale("asinh", "zscale")
    display.setMaskPlaneColor({"CR": "ignore", "SAT": "red"})
    display.setMaskTransparency(40)
    display.mtv(exposure, title="M31")
    assert "the mask plane SAT keeps its color" in caplog.text
    figure = display._figure.figure
    axes = figure.gca()
    assert axes.get_title() == "M31"
    assert [text.get_text().split()[0] for text in figure.legends[0].get_texts()] == ["INTRP", "SAT"]
    n_artist = len(axes.get_children())
    source = butler.get("src", DATA_ID)[1]
    with display.Buffering():
        display.dot("o", 20, 30, size=5, ctype=afwDisplay.RED)
        display.dot(source.getShape(), source.getX(), source.getY())
        display.dot("@:4,0,9", 1, 2)
        display.dot("+", 1, 2)
        display.dot("star $1", 1, 2)
    display.line([(10, 10), (50, 60)])
    assert [(patch.width, patch.height) for patch in axes.patches[-3:]] == [
        (10, 10), pytest.approx((6.064, 3.903), abs=0.001), (6, 4)
    ]  # fmt: skip
    display.zoom(2, 60, 50)
    assert axes.get_xlim() == (22.5, 97.5)
    display.pan(40, 50)
    assert axes.get_xlim() == (2.5, 77.5)
    display.erase()
    assert len(axes.get_children()) == n_artist
    display.scale("linear", -10, 20)
    display.image = exposure.getImage()
    assert figure.gca().images[0].norm.vmin == -10


def test_colors_and_transparency_of_masks_are_set_for_displays_that_come(exposure):
    try:
        afwDisplay.setDefaultMaskTransparency(30)
        afwDisplay.setDefaultMaskPlaneColor("CR", "ignore")
        display = afwDisplay.Display(frame=Figure(), backend="matplotlib")
        display.setMaskTransparency(100, "INTRP")
        display.mtv(exposure)
        assert [text.get_text().split()[0] for text in display._figure.figure.legends[0].get_texts()] == ["SAT"]
        display.setMaskPlaneColor("CR", "red")
        display.setMaskTransparency(0, "SAT")
        display.mtv(exposure)
        opacities = set(np.unique(display._figure.figure.gca().images[1].get_array()[..., 3]).round(2))
        assert {np.float32(0.7), np.float32(1.0)} <= {*opacities}
    finally:
        afwDisplay.setDefaultMaskPlaneColor()
        afwDisplay.setDefaultMaskTransparency(None)


def test_the_backend_is_set_for_all_displays():
    try:
        afwDisplay.setDefaultBackend("lsst.display.matplotlib")
        assert afwDisplay.getDefaultBackend() == "matplotlib"
        assert afwDisplay.getDisplay(frame=Figure())._figure is not None
    finally:
        afwDisplay.setDefaultBackend("ds9")
    with pytest.raises(ValueError, match="images are shown with ds9 or matplotlib here, not with 'firefly'"):
        afwDisplay.Display(backend="firefly")


def test_images_are_convolved_as_in_the_stack():
    planes, made = afwImage.MaskedImageF(40, 30), afwImage.MaskedImageF(40, 30)
    planes.getImage().array[15, 20], planes.getMask().array[15, 20] = 1.0, 1
    planes.getVariance().array[...] = 2.0
    kernel = afwMath.AnalyticKernel(7, 5, afwMath.GaussianFunction2D(1.5, 1.0))
    afwMath.convolve(made, planes, kernel)
    image, mask, variance = made.getArrays()
    stamp = afwImage.ImageD(7, 5)
    assert kernel.computeImage(stamp, doNormalize=True) == 1.0
    np.testing.assert_allclose(image[13:18, 17:24], stamp.array, rtol=1e-6)
    assert variance[10, 10] == pytest.approx(2.0 * np.square(stamp.array).sum())
    assert ((mask & 1).sum(), np.isnan(image).sum()) == (35, 40 * 30 - 34 * 26)
    assert (mask[0, 0], variance[0, 0]) == (made.getMask().getPlaneBitMask("NO_DATA"), np.inf)
    both = afwMath.SeparableKernel(7, 5, afwMath.GaussianFunction1D(1.5), afwMath.GaussianFunction1D(1.0))
    np.testing.assert_allclose(both._stamp.array, kernel._stamp.array)
    control = afwMath.ConvolutionControl(doNormalize=False, doCopyEdge=True)
    afwMath.convolve(made, planes, afwMath.DeltaFunctionKernel(3, 3, geom.Point2I(2, 1)), control)
    assert np.argwhere(made.getImage().array == 1).tolist() == [[15, 19]]  # the kernel is not mirrored
    with pytest.raises(ValueError, match=r"the kernel has .* pixels, more than the image"):
        afwMath.convolve(afwImage.ImageF(4, 4), afwImage.ImageF(4, 4), kernel)
    double = afwMath.AnalyticKernel(61, 61, afwMath.DoubleGaussianFunction2D(2.0, 4.0, 0.1))
    assert double._stamp.array.sum() == pytest.approx(1.0, abs=1e-6)


def test_exposures_are_warped(exposure):
    image = exposure.getImage().array
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    image[...] = 1e4 * np.exp(-((x - 60.3) ** 2 + (y - 70.6) ** 2) / 8) / (8 * np.pi)
    image[3, 3] = np.nan
    wcs = exposure.getWcs()
    turned = afwGeom.makeCdMatrix(0.2 * geom.arcseconds, 10 * geom.degrees)
    to = afwGeom.makeSkyWcs(geom.Point2D(200, 300), wcs.getSkyOrigin(), turned)
    made = afwMath.Warper("lanczos4").warpExposure(to, exposure)
    found = np.nan_to_num(made.getImage().array)
    assert found.sum() == pytest.approx(1e4, rel=1e-3)
    place = to.skyToPixel(wcs.pixelToSky(60.3, 70.6))
    y, x = np.indices(found.shape)
    center = [(axis * found).sum() / found.sum() + low for axis, low in ((x, made.getX0()), (y, made.getY0()))]
    assert center == pytest.approx(list(place), abs=0.01)
    lost = made.getMask().array & made.getMask().getPlaneBitMask("NO_DATA") != 0
    assert np.array_equal(lost, np.isnan(made.getImage().array))
    assert np.isinf(made.getVariance().array[lost]).all()
    ratio = (
        made.getPsf().computeShape().getDeterminantRadius() / exposure.getPsf().computeShape().getDeterminantRadius()
    )
    assert ratio == pytest.approx(0.168 / 0.2, abs=0.01)
    part = afwMath.Warper().warpImage(
        to, exposure.getImage(), wcs, destBBox=geom.Box2I(made.getXY0(), geom.Extent2I(9, 5))
    )
    assert (type(part), part.getDimensions()) == (afwImage.ImageF, geom.Extent2I(9, 5))
    with pytest.raises(ValueError, match="images are warped with lanczos2 to lanczos9 here, not with 'bilinear'"):
        afwMath.Warper("bilinear").warpExposure(to, exposure)
    with pytest.raises(ValueError, match="both exposures need a WCS"):
        afwMath.warpExposure(afwImage.ExposureF(3, 3), exposure)


def test_local_tangent_plane_and_corners_of_an_exposure(exposure):
    wcs = exposure.getWcs()
    local = wcs.getTanWcs(geom.Point2D(10, 20))
    assert list(local.getPixelOrigin()) == [10.0, 20.0]
    for one, other in zip(local.pixelToSky(12, 23), wcs.pixelToSky(12, 23), strict=True):
        assert one.asArcseconds() == pytest.approx(other.asArcseconds(), abs=1e-6)
    sphgeom = pytest.importorskip("lsst.sphgeom")
    sky = [wcs.pixelToSky(*pixel) for pixel in ((-5, -5), (-15, -15))]
    points = [sphgeom.UnitVector3d(sphgeom.LonLat.fromRadians(*map(float, one))) for one in sky]
    assert [exposure.getConvexPolygon().contains(point) for point in points] == [True, False]
    assert exposure.convex_polygon is not None


def test_mappers_of_scripts_and_factories(rerun):
    mapper = importlib.import_module("obs.compat.lsst.obs.hsc.hscMapper").HscMapper(root=str(rerun))
    made = dafPersist.ButlerFactory(mapper=mapper).create()
    assert len(made.get("src", DATA_ID)) == 4
    assert made.mapper.camera[DATA_ID["ccd"]].getId() == DATA_ID["ccd"]
    assert dafPersist.Butler(mapper=mapper).datasetExists("calexp", DATA_ID)


def test_filters_that_scripts_define():
    try:
        afwImage.utils.defineFilter("HSC-R", lambdaEff=623, alias=["W-S-R+", "r"])
        afwImage.utils.defineFilter(name="HSC-I", lambdaEff=775, alias="i")
        assert afwImage.Filter.getNames() == ["HSC-I", "HSC-R"]
        assert afwImage.Filter("r") == afwImage.Filter("W-S-R+") != afwImage.Filter("i")
        assert (afwImage.Filter("r").getName(), afwImage.Filter("r").getCanonicalName()) == ("r", "HSC-R")
        assert afwImage.Filter("r").getAliases() == ["W-S-R+", "r"]
    finally:
        afwImage.utils.resetFilters()
    assert afwImage.Filter.getNames() == []


def test_ellipses_with_a_center():
    ellipse = ellipses.Ellipse(ellipses.Quadrupole(9.0, 4.0, 0.0), geom.Point2D(10, 20))
    assert list(ellipse.computeBBox().getMin()) == [7.0, 18.0]
    ellipse.scale(2.0)
    ellipse.grow(1.0)
    axes = ellipses.Axes(ellipse.getCore())
    assert (axes.getA(), axes.getB()) == pytest.approx((7.0, 5.0))
    ellipse.shift(geom.Extent2D(1, 2))
    turned = ellipse.transform(afwGeom.AffineTransform.makeRotation(90 * geom.degrees))
    assert list(turned.getCenter()) == pytest.approx([-22.0, 11.0])
    assert turned.getCore().getIyy() == pytest.approx(49.0)
    assert isinstance(ellipses.Ellipse(ellipse).core, ellipses.Quadrupole)


def test_matches_are_packed_as_numbers(butler):
    sources = butler.get("src", DATA_ID)
    matches = afwTable.matchRaDec(sources, sources, 1.0 * geom.arcseconds)
    packed = afwTable.packMatches(matches)
    assert packed["first"].tolist() == [101, 102, 103, 104]
    again = afwTable.unpackMatches(packed, sources, sources[1:])
    assert [(one.first.getId(), one.second.getId()) for one in again] == [(101 + i,) * 2 for i in (1, 2, 3)]
