"""Footprints of thresholds, backgrounds, stacks of images and columns of two catalogs, as scripts make them."""

import numpy as np
import pytest
from hsc_repository import DATA_ID

import obs.compat.lsst.afw.detection as afwDet
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.math as afwMath
import obs.compat.lsst.afw.table as afwTable
import obs.compat.lsst.daf.persistence as dafPersist
import obs.compat.lsst.geom as geom


@pytest.fixture
def butler(rerun):
    return dafPersist.Butler(str(rerun))


def test_footprints_above_a_threshold():
    image = afwImage.ImageF(8, 6)
    image.setXY0(geom.Point2I(100, 200))
    image.array[1, 1:4] = [5, 9, 5]
    image.array[2, 4] = 7  # touches the first at a corner, and is a peak of its own
    image.array[4, 6] = 4
    found = afwDet.FootprintSet(image, afwDet.Threshold(3.0)).getFootprints()
    assert [one.getArea() for one in found] == [4, 1]
    assert found[0].getBBox() == geom.Box2I(geom.Point2I(101, 201), geom.Extent2I(4, 2))
    peaks = [(peak.getIx(), peak.getIy(), peak.getPeakValue()) for peak in found[0].getPeaks()]
    assert peaks == [(102, 201, 9.0), (104, 202, 7.0)]
    assert len(afwDet.FootprintSet(image, afwDet.Threshold(3.0), 2).getFootprints()) == 1  # of two pixels at least
    image.array[:] *= -1
    assert len(afwDet.FootprintSet(image, afwDet.Threshold(3.0, afwDet.Threshold.VALUE, False)).getFootprints()) == 2
    planes = afwImage.MaskedImageF(image)
    planes.getVariance().array[:] = 4.0
    deep = afwDet.FootprintSet(planes, afwDet.createThreshold(3.0, "pixel_stdev", False), "DETECTED")
    assert [one.getArea() for one in deep.getFootprints()] == [1, 1]  # not what is 2 or 2.5 sigma
    assert (planes.getMask().array > 0).sum() == 2
    deep.makeHeavy(planes)
    assert [one.getImageArray().tolist() for one in deep.getFootprints()] == [[-9.0], [-7.0]]
    np.testing.assert_array_equal(deep.insertIntoImage().array > 0, planes.getMask().array > 0)
    assert afwDet.FootprintSet(image.getBBox()).getFootprints() == []
    with pytest.raises(ValueError, match="PIXEL_STDEV needs a masked image"):
        afwDet.FootprintSet(image, afwDet.createThreshold(3.0, "pixel_stdev"))


def test_footprints_of_a_mask_are_grown():
    mask = afwImage.Mask(9, 9)
    bad, cr = mask.getPlaneBitMask("BAD"), mask.getPlaneBitMask("CR")
    mask.array[4, 4], mask.array[0, 0] = bad | cr, cr
    found = afwDet.FootprintSet(mask, afwDet.Threshold(bad, afwDet.Threshold.BITMASK))
    assert [one.getPeaks() for one in found.getFootprints()] == [[]]
    for is_round, area in ((True, 13), (False, 25)):
        grown = afwDet.FootprintSet(found, 2, is_round)
        assert [one.getArea() for one in grown.getFootprints()] == [area]
    grown.setMask(mask, "OF_A_SCRIPT")
    assert (mask.array & mask.getPlaneBitMask("OF_A_SCRIPT") != 0).sum() == 25
    mask.removeAndClearMaskPlane("OF_A_SCRIPT", True)
    assert "OF_A_SCRIPT" not in mask.getMaskPlaneDict()
    assert (mask.array[4, 4], (mask.array != 0).sum()) == (bad | cr, 2)


def test_a_background_in_cells():
    _y, x = np.mgrid[:60, :80].astype(np.float32)
    image = afwImage.MaskedImageF(afwImage.ImageF(100 + x + np.random.default_rng(1).normal(0, 1, x.shape)))
    image.getImage().array[20:24, 30:34] = 1e5
    image.getMask().array[20:24, 30:34] = image.getMask().getPlaneBitMask("DETECTED")
    control = afwMath.StatisticsControl(3.0, 3, image.getMask().getPlaneBitMask("DETECTED"))
    for given in ((4, 3, control, afwMath.MEANCLIP), ("AKIMA_SPLINE", 4, 3, "REDUCE", control, afwMath.MEANCLIP)):
        found = afwMath.makeBackground(image, afwMath.BackgroundControl(*given))
        levels = found.getStatsImage()
        np.testing.assert_allclose(levels.getImage().array, np.tile([109.5, 129.5, 149.5, 169.5], (3, 1)), atol=1.0)
        assert (levels.getVariance().array < 0.2).all()
        np.testing.assert_allclose(found.getImageF().array[:, 10:70], (100 + x)[:, 10:70], atol=1.0)
    image -= found.getImageF(afwMath.Interpolate.AKIMA_SPLINE)
    assert abs(float(np.median(image.getImage().array))) < 0.3
    backgrounds = afwMath.BackgroundList()
    backgrounds.append((found, "words", "of", "the", "stack"))
    np.testing.assert_array_equal(backgrounds.getImage().array, found.getImageF().array)
    assert backgrounds[0][0].getStatsImage().getDimensions() == geom.Extent2I(4, 3)
    with pytest.raises(ValueError, match="needs the number of its columns and rows of cells"):
        afwMath.BackgroundControl(4)


def test_backgrounds_of_a_repository_go_both_ways(rerun, tmp_path):
    butler = dafPersist.Butler(inputs=str(rerun), outputs=str(tmp_path / "out"))
    found = butler.get("calexpBackground", DATA_ID)
    level = found[0][0].getStatsImage().getImage().array
    butler.put(found, "calexpBackground", DATA_ID)
    np.testing.assert_array_equal(butler.get("calexpBackground", DATA_ID)[0].getStatsImage().getImage().array, level)


def test_images_are_combined_pixel_by_pixel():
    values = np.random.default_rng(2).normal(10.0, 1.0, (9, 5, 6)).astype(np.float32)
    values[3, 2, 2] = 1e4
    planes = []
    for one in values:
        made = afwImage.MaskedImageF(afwImage.ImageF(one.copy()))
        made.getVariance().array[:] = 1.0
        planes.append(made)
    bad = planes[0].getMask().getPlaneBitMask("BAD")
    planes[0].getMask().array[0, 0] = bad
    for made in planes:
        made.getMask().array[1, 1] = bad  # good in none
    control = afwMath.StatisticsControl(3.0, 3, bad)
    for flag, expected in ((afwMath.MEAN, np.mean), (afwMath.MEDIAN, np.median), (afwMath.MAX, np.max)):
        result = afwMath.statisticsStack([made.getImage() for made in planes], flag)
        np.testing.assert_allclose(result.array, expected(values, axis=0), rtol=1e-5)
    mean = afwMath.statisticsStack(planes, afwMath.MEAN, control, [1.0] * 8 + [3.0])
    share = np.array([1.0] * 8 + [3.0])
    assert mean.getImage().array[4, 4] == pytest.approx(np.average(values[:, 4, 4], weights=share), rel=1e-6)
    assert mean.getVariance().array[4, 4] == pytest.approx((share**2).sum() / share.sum() ** 2)
    assert mean.getImage().array[0, 0] == pytest.approx(np.average(values[1:, 0, 0], weights=share[1:]), rel=1e-6)
    assert np.isnan(mean.getImage().array[1, 1])
    assert mean.getMask().array[1, 1] == mean.getMask().getPlaneBitMask("NO_DATA")
    clipped = afwMath.statisticsStack(planes, afwMath.MEANCLIP, control)
    assert clipped.getImage().array[2, 2] == pytest.approx(10.0, abs=1.5)
    with pytest.raises(ValueError, match="expected some, all of one size"):
        afwMath.statisticsStack([], afwMath.MEAN)
    with pytest.raises(ValueError, match="ask for one statistic"):
        afwMath.statisticsStack(planes, afwMath.MEAN | afwMath.MEDIAN)


def test_columns_of_one_catalog_become_those_of_another():
    schema = afwTable.SourceTable.makeMinimalSchema()
    flux = schema.addField("flux", type="D", doc="a flux", units="count")
    schema.addField("left", type="L")
    catalog = afwTable.SourceCatalog(schema)
    for number in (1, 2):
        record = catalog.addNew()
        record.setId(number)
        record.setRa(number * geom.degrees)
        record.set(flux, 10.0 * number)
    mapper = afwTable.SchemaMapper(catalog.getSchema(), True)
    mapper.addMinimalSchema(afwTable.SourceTable.makeMinimalSchema())
    assert mapper.addMapping(schema.find("flux").key, "old_flux") == "old_flux"
    new = mapper.addOutputField(afwTable.Field("new", np.dtype(float), "new"))
    assert (mapper.isMapped("left"), mapper.getMapping("flux")) == (False, "old_flux")
    made = afwTable.SourceCatalog(mapper.getOutputSchema())
    made.extend(catalog, mapper=mapper)
    made.addNew().assign(catalog[0], mapper)
    assert made["old_flux"].tolist() == [10.0, 20.0, 10.0]
    assert made["id"].tolist() == [1, 2, 1]
    assert made[1].getRa().asDegrees() == pytest.approx(2.0)
    made[new][:] = 3.0
    assert set(made.getSchema().getNames()) == {"id", "coord_ra", "coord_dec", "parent", "old_flux", "new"}
    with pytest.raises(ValueError, match="the output has a column 'old_flux' already"):
        mapper.addMapping("left", "old_flux")


def test_gaussian_psfs():
    psf = afwDet.GaussianPsf(21, 21, 2.0)
    assert psf.computeShape().getDeterminantRadius() == pytest.approx(2.0, rel=1e-3)
    assert psf.computeKernelImage().array.sum() == pytest.approx(1.0)
    exposure = afwImage.ExposureF(40, 40)
    exposure.setPsf(psf)
    assert exposure.getPsf().computeShape(geom.Point2D(20, 20)).getDeterminantRadius() == pytest.approx(2.0, rel=1e-3)
    wide = afwDet.DoubleGaussianPsf(31, 31, 2.0, 4.0, 0.1)
    assert 2.0 < wide.computeShape().getDeterminantRadius() < 4.0


def test_parts_are_counted_in_the_parent_image(butler):
    exposure = butler.get("calexp", DATA_ID)
    exposure.setXY0(geom.Point2I(100, 200))
    wanted = geom.Box2I(geom.Point2I(110, 220), geom.Extent2I(30, 40))
    parts = [
        exposure[wanted],
        exposure[110:140, 220:260],
        exposure[10:40, 20:60, afwImage.LOCAL],
        exposure.subset(wanted),
    ]
    assert [part.getBBox() for part in parts] == 4 * [wanted]
    for whole in (exposure.image, exposure.mask, exposure.maskedImage):
        assert whole[110:140, 220:260].getBBox() == wanted
        assert whole[110, 220] == whole[geom.Point2I(10, 20), afwImage.LOCAL]
    image = exposure.image
    image[geom.Point2I(100, 200)] = 5.0
    image[-1, -1, afwImage.LOCAL] = 6.0
    image[101:103, 200:201] = 7.0
    assert image.array[0, :4].tolist()[:3] == [5.0, 7.0, 7.0]
    assert image.array[-1, -1] == 6.0
    assert image[90:103, 200:201].getBBox() == geom.Box2I(geom.Point2I(100, 200), geom.Extent2I(3, 1))
    exposure.mask[100, 200] = 2
    exposure.mask[101:103, 200:201] = 4
    assert exposure.mask.array[0, :3].tolist() == [2, 4, 4]
    with pytest.raises(IndexError, match="pixel 3, 4 is outside of the image"):
        image[3, 4]
    with pytest.raises(TypeError, match="its array takes all others"):
        image[::2, ::2]
    with pytest.raises(TypeError, match="ask its image, mask or variance"):
        exposure[110, 220]


def test_planes_of_boxes_and_files(butler, tmp_path):
    box = geom.Box2I(corner=geom.Point2I(3, 4), dimensions=geom.Extent2I(5, 6))
    made = [afwImage.ExposureF(box), afwImage.MaskedImageF(box), afwImage.Mask(box), afwImage.ImageF(box)]
    assert [one.getBBox() for one in made] == 4 * [box]
    exposure = butler.get("calexp", DATA_ID)
    path = butler.get("calexp_filename", DATA_ID)[0]
    np.testing.assert_array_equal(afwImage.Mask(path, 2).array, exposure.mask.array)
    np.testing.assert_array_equal(afwImage.ImageF(path, 3).array, exposure.variance.array)
    exposure.setFilter(afwImage.Filter("HSC-G"))
    exposure.setDetector(butler.get("camera")[56])
    exposure.writeFits(tmp_path / "a.fits")
    assert afwImage.ExposureF(tmp_path / "a.fits").getFilter().getName() == "HSC-G"


def test_planes_are_multiplied_and_divided_with_their_variances():
    first, second = (afwImage.makeMaskedImage(afwImage.ImageF(3, 2, 0)) for _ in range(2))
    first.set(6.0, 1, 4.0)
    second.set(2.0, 2, 1.0)
    product = first.clone()
    product *= second
    assert [plane[0, 0] for plane in product.getArrays()] == [12.0, 3, 4 * 4 + 1 * 36]
    first /= second
    assert [plane[0, 0] for plane in first.getArrays()] == [3.0, 3, (4 + 9) / 4]
    with pytest.raises(TypeError):
        first.image.array += first
    binned = afwMath.binImage(product, 3, 2)
    assert [plane.tolist() for plane in binned.getArrays()] == [[[12.0]], [[3]], [[pytest.approx(52 / 6)]]]
    image = afwImage.ImageF(3, 2)
    image.scaledPlus(0.5, second.image)
    image.scaledMinus(2.0, second.image)
    assert image.array[1, 2] == -3.0


def test_statistics_of_exposures_and_of_values_that_are_no_numbers(butler):
    exposure, control = butler.get("calexp", DATA_ID), afwMath.StatisticsControl()
    whole = afwMath.makeStatistics(exposure, afwMath.MEDIAN).getValue()
    assert whole == afwMath.makeStatistics(exposure.image, afwMath.MEDIAN).getValue()
    control.setNanSafe(False)
    control.setWeighted(False)
    values = np.array([1.0, np.nan])
    assert np.isnan(afwMath.makeStatistics(values, afwMath.MEAN, control).getValue())
    assert afwMath.makeStatistics(values, afwMath.MEAN).getValue() == 1.0
    assert afwMath.makeStatistics(exposure.image.convertD(), afwMath.MEDIAN).getValue() == whole
    with pytest.raises(ValueError, match="give weights to statisticsStack"):
        control.setWeighted(True)
    with pytest.raises(ValueError, match="from the scatter of the values"):
        control.setCalcErrorFromInputVariance(True)
