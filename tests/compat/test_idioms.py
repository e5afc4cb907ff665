"""What users of the stack write around the scripts of the tutorial: statistics, boxes, keys, cutouts."""

import subprocess
import sys

import numpy as np
import pytest

import obs.compat.lsst.afw.fits as afwFits
import obs.compat.lsst.afw.geom as afwGeom
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.math as afwMath
import obs.compat.lsst.afw.table as afwTable
import obs.compat.lsst.geom as geom
from obs.compat.lsst.afw.geom import arcseconds
from obs.errors import DatasetNotFoundError
from obs.image.psf import PixelPsf
from obs.image.wcs import TanSipWcs


@pytest.fixture
def image():
    """An image of noise, whose first pixel is (100, 200), with a saturated corner and a pixel without value."""
    made = afwImage.ExposureF(60, 50)
    planes = made.getMaskedImage()
    planes.getImage().getArray()[...] = np.random.default_rng(1).normal(100.0, 2.0, (50, 60))
    planes.getImage().getArray()[:5, :5] = 60000.0
    planes.getMask().getArray()[:5, :5] |= planes.getMask().getPlaneBitMask("SAT")
    planes.getImage().getArray()[30, 30] = np.nan
    made.setXY0(geom.Point2I(100, 200))
    return made


def test_statistics_of_pixels(image):
    what = afwMath.MEANCLIP | afwMath.STDEVCLIP | afwMath.MEDIAN | afwMath.MEAN | afwMath.NPOINT | afwMath.ERRORS
    control = afwMath.StatisticsControl()
    control.setNumSigmaClip(3.0)
    control.setNumIter(2)
    found = afwMath.makeStatistics(image.getMaskedImage(), what, control)
    assert found.getValue(afwMath.MEANCLIP) == pytest.approx(100.0, abs=0.2)
    assert found.getValue(afwMath.STDEVCLIP) == pytest.approx(2.0, abs=0.1)
    assert (found.getValue(afwMath.NPOINT), found.getValue(afwMath.MEAN) > 500) == (2999, True)
    control.setAndMask(image.getMask().getPlaneBitMask(["SAT", "BAD"]))
    for more in ((image.getMaskedImage(),), (image.getImage(), image.getMask())):
        good = afwMath.makeStatistics(*more, what, control)
        mean, error = good.getResult(afwMath.MEAN)
        assert (mean, error) == pytest.approx((100.0, 2.0 / np.sqrt(2974)), abs=0.1)
        assert good.getError(afwMath.MEDIAN) == pytest.approx(error * np.sqrt(np.pi / 2))
        assert good.getError(afwMath.MEANCLIP) == pytest.approx(error, rel=0.1)
    pixels = np.array([1.0, 2.0, 3.0, 6.0])
    for what, value in {
        "MIN": 1.0, "MAX": 6.0, "SUM": 12.0, "MEDIAN": 2.5, "VARIANCE": 14 / 3, "STDEV": np.sqrt(14 / 3),
        "IQRANGE": 2.0, "MEANSQUARE": 12.5, "NPOINT": 4.0, "VARIANCECLIP": 3.5,
    }.items():  # fmt: skip
        assert afwMath.makeStatistics(pixels, getattr(afwMath, what)).getValue() == pytest.approx(value)
    assert np.isnan(afwMath.makeStatistics(pixels[:0], afwMath.MEAN).getValue())
    assert np.isnan(afwMath.makeStatistics(pixels, afwMath.MAX).getError())
    with pytest.raises(ValueError, match="name one of the statistics that makeStatistics was asked for, got 36"):
        afwMath.makeStatistics(pixels, afwMath.MEAN | afwMath.MEDIAN).getValue()
    with pytest.raises(ValueError, match="got 4"):
        afwMath.makeStatistics(pixels, afwMath.MEDIAN).getValue(afwMath.MEAN)


def test_boxes_grow_and_move():
    box = geom.Box2I()
    box.include(geom.Point2I(3, 4))
    assert box == geom.Box2I(geom.Point2I(3, 4), geom.Extent2I(1, 1))
    box.include(geom.Point2I(1, 6))
    assert (box.getMin(), box.getMax(), box.getEnd()) == (geom.Point2I(1, 4), geom.Point2I(3, 6), geom.Point2I(4, 7))
    box.include(geom.Box2I(geom.Point2I(0, 0), geom.Extent2I(2, 2)))
    assert box.getDimensions() == geom.Extent2I(4, 7)
    assert box.dilatedBy(2).erodedBy(2) == box
    assert box.shiftedBy(geom.Extent2I(1, -1)).getMin() == geom.Point2I(1, -1)


def test_cutouts_around_a_position(image):
    with pytest.raises(ValueError, match="no WCS, so that a position on the sky cannot be found"):
        image.getCutout(geom.SpherePoint(150.0, 2.0, geom.degrees), geom.Extent2I(5, 5))
    wcs = TanSipWcs((150.0, 2.0), (20.0, 30.0), np.diag([-1.0, 1.0]) * 0.2 / 3600)
    image.exposure.wcs = wcs
    center = image.getWcs().pixelToSky(geom.Point2D(130.0, 220.0))
    found = image.getCutout(geom.SpherePoint(center.getRa(), center.getDec()), geom.Extent2I(5, 7))
    assert found.getBBox() == geom.Box2I(geom.Point2I(128, 217), geom.Extent2I(5, 7))
    assert found.getImage().get(2, 3) == image.getImage().get(30, 20)
    found.getImage().getArray()[...] = 0.0
    assert image.getImage().get(30, 20) != 0.0
    edge = image.getCutout(geom.Point2I(100, 200), geom.Extent2I(5, 5))
    assert edge.getBBox() == geom.Box2I(geom.Point2I(100, 200), geom.Extent2I(3, 3))
    with pytest.raises(ValueError, match="is outside of the exposure, whose pixels are"):
        image.getCutout(geom.Point2I(0, 0), geom.Extent2I(5, 5))
    north = geom.SpherePoint(center.getRa(), center.getDec() + 1.0 * arcseconds)
    assert center.separation(north).asArcseconds() == pytest.approx(1.0)


def test_keys_children_and_columns_by_pattern():
    schema = afwTable.SourceTable.makeMinimalSchema()
    schema.addField("base_PsfFlux_instFlux", type=float, doc="flux")
    catalog = afwTable.SourceCatalog(schema)
    catalog.reserve(3)
    for number, parent in ((1, 0), (2, 1), (3, 1)):
        record = catalog.addNew()
        record.setId(number)
        record.setParent(parent)
        record.set("base_PsfFlux_instFlux", 10.0 * number)
    key = catalog.schema["base_PsfFlux_instFlux"].asKey()
    assert catalog.schema["flux.psf"].asField().getName() == "base_PsfFlux_instFlux"
    assert catalog[1].get(key) == 20.0
    np.testing.assert_array_equal(catalog[key], [10.0, 20.0, 30.0])
    assert [child.getId() for child in catalog.getChildren(1)] == [2, 3]
    assert len(catalog.getChildren(0)) == 1
    assert list(catalog.extract("base_PsfFlux*")) == ["base_PsfFlux_instFlux"]
    assert afwTable.SOURCE_IO_NO_FOOTPRINTS | afwTable.SOURCE_IO_NO_HEAVY_FOOTPRINTS == 3


def test_planes_of_masks_are_known_to_the_class(image):
    mask = image.getMask()
    mask.addMaskPlane("OURS")
    assert afwImage.Mask.getPlaneBitMask(["SAT", "BAD"]) == mask.getPlaneBitMask(["SAT", "BAD"]) == 3
    assert afwImage.MaskU.getMaskPlane("CR") == afwImage.Mask.getMaskPlaneDict()["CR"] == mask.getMaskPlane("CR")
    assert mask.getPlaneBitMask("OURS") == 1 << mask.getMaskPlaneDict()["OURS"]
    with pytest.raises(KeyError, match="no mask plane 'OURS'"):
        afwImage.Mask.getPlaneBitMask("OURS")


def test_magnitudes_of_flux_densities():
    assert afwImage.abMagFromFlux(3631.0) == 0.0
    magnitudes = afwImage.abMagFromFlux(np.array([3631e-4, -1.0, 0.0]))
    np.testing.assert_allclose(magnitudes, [10.0, np.nan, np.inf])
    assert afwImage.fluxFromABMag(10.0) == pytest.approx(3631e-4)


def test_light_of_the_psf_in_a_circle_and_as_a_kernel(image):
    y, x = np.mgrid[-20:21, -20:21]
    image.exposure.psf = PixelPsf(
        np.exp(-(x**2 + y**2) / 8.0)[None].astype(np.float32), 0, x_zero=0, x_scale=1, y_zero=0, y_scale=1
    )
    psf = image.getPsf()
    for radius in (2.0, 4.0):
        assert psf.computeApertureFlux(radius) == pytest.approx(1.0 - np.exp(-(radius**2) / 8.0), abs=2e-3)
    kernel = psf.getLocalKernel(geom.Point2D(120.0, 220.0))
    stamp = afwImage.ImageD(kernel.getDimensions())
    assert kernel.computeImage(stamp, False) == pytest.approx(stamp.getArray().sum())
    np.testing.assert_array_equal(stamp.getArray(), psf.computeKernelImage().getArray())
    assert stamp.getBBox() == psf.computeKernelImage().getBBox()
    assert kernel.computeImage(stamp) == pytest.approx(stamp.getArray().sum()) == 1.0
    with pytest.raises(ValueError, match=r"the kernel has .* pixels, the image"):
        kernel.computeImage(afwImage.ImageD(3, 3))


def test_exposures_of_planes_and_a_wcs_and_headers(image, tmp_path):
    wcs = afwImage.SkyWcs(TanSipWcs((150.0, 2.0), (120.0, 230.0), np.diag([-1.0, 1.0]) * 0.2 / 3600))
    for made in (afwImage.makeExposure(image.getMaskedImage(), wcs), afwImage.ExposureF(image.getMaskedImage(), wcs)):
        assert made.getXY0() == image.getXY0()
        assert made.getWcs().skyToPixel(afwGeom.SpherePoint(150.0, 2.0, geom.degrees)).x == pytest.approx(120.0)
    assert not afwImage.makeExposure(image.getMaskedImage()).hasWcs()
    made.writeFits(tmp_path / "made.fits")
    for read in (afwImage.readMetadata, afwFits.readMetadata):
        assert read(str(tmp_path / "made.fits")).getScalar("CRVAL1") == 150.0
    with pytest.raises(DatasetNotFoundError):
        afwImage.readMetadata(tmp_path / "absent.fits")


def test_masked_images_of_three_planes(image):
    planes = afwImage.MaskedImageF(
        image.getImage(), image.getMask(), afwImage.ImageF(np.full((50, 60), 4.0, np.float32))
    )
    assert planes.getXY0() == image.getXY0()
    assert (planes.getMask().get(2, 2), planes.getVariance().get(2, 2)) == (2, 4.0)
    planes.getMask().getArray()[...] = 0
    assert image.getMask().get(2, 2) == 0


_IMPORT_EACH = """
import importlib, pkgutil, sys
import obs.compat
for module in pkgutil.walk_packages(obs.compat.__path__, "obs.compat."):
    for name in [name for name in sys.modules if name.startswith("obs.compat.")]:
        del sys.modules[name]
    importlib.import_module(module.name)
    print(module.name)
"""


def test_each_module_may_be_the_first_that_a_script_imports():
    found = subprocess.run([sys.executable, "-c", _IMPORT_EACH], capture_output=True, text=True, check=False)
    assert found.stderr == ""
    assert {"obs.compat.lsst.afw.coord", "obs.compat.lsst.afw.geom", "obs.compat.lsst.geom"} < set(found.stdout.split())
