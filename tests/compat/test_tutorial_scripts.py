"""What the scripts of the HSC tutorial call: each test is one of them, written anew, and compares with the truth."""

import logging
import math
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import FK5, SkyCoord
from hsc_repository import FLUX, MOMENTS, SCALE, SHAPE, ZERO_POINT, X, Y

import obs.compat.lsst.afw.cameraGeom as camGeom
import obs.compat.lsst.afw.display as afwDisplay
import obs.compat.lsst.afw.display.ds9 as ds9
import obs.compat.lsst.afw.display.utils as displayUtils
import obs.compat.lsst.afw.geom as afwGeom
import obs.compat.lsst.afw.geom.ellipses as geomEllip
import obs.compat.lsst.afw.image as afwImage
import obs.compat.lsst.afw.table as afwTable
import obs.compat.lsst.daf.persistence as dafPersist
import obs.compat.lsst.meas.mosaic as measMosaic
from obs.coadds.sky_maps import save_sky_map
from obs.compat.lsst.afw.coord import IcrsCoord
from obs.display.ds9.viewer import Ds9
from obs.repo.butler import Butler
from obs.skymap.types import make_sky_map

DATA_ID = {"visit": 1234, "ccd": 56}


@pytest.fixture
def butler(rerun):
    return dafPersist.Butler(str(rerun))


@pytest.fixture
def sources(butler):
    return butler.get("src", DATA_ID)


def test_ccdplot_and_background(butler):
    pixels = butler.get("calexp", DATA_ID).getMaskedImage().getImage().getArray()
    sky = butler.get("calexpBackground", DATA_ID).getImage().getArray()
    assert pixels.shape == sky.shape == SHAPE
    assert sky.mean() == pytest.approx(250.0, rel=1e-4)


def test_print_coord(sources):
    source = afwTable.SourceCatalog(afwTable.SourceTable.make(afwTable.SourceTable.makeMinimalSchema())).addNew()
    source.setRa(150.0 * afwGeom.degrees)
    source.setDec(2.0 * afwGeom.degrees)
    icrs, expected = source.get("coord"), SkyCoord(150.0, 2.0, unit="deg", frame="fk5")
    galactic, fk5, ecliptic = icrs.toGalactic(), icrs.toFk5(), icrs.toEcliptic()
    assert fk5.getRa().asDegrees() == pytest.approx(150.0, abs=1e-5)
    assert fk5.getDec().asDegrees() == pytest.approx(2.0, abs=1e-5)
    assert galactic.getL().asDegrees() == pytest.approx(expected.galactic.l.deg, abs=1e-4)
    assert galactic.getB().asDegrees() == pytest.approx(expected.galactic.b.deg, abs=1e-4)
    assert ecliptic.getLambda().asDegrees() == pytest.approx(expected.barycentricmeanecliptic.lon.deg, abs=1e-4)
    assert ecliptic.getBeta().asDegrees() == pytest.approx(expected.barycentricmeanecliptic.lat.deg, abs=1e-4)
    moved = expected.transform_to(FK5(equinox="J1975"))
    assert icrs.toFk5(1975.0).getRa().asDegrees() == pytest.approx(moved.ra.deg, abs=1e-4)  # other precession
    ra = icrs.getLongitude()
    assert ra.asDegrees() * 60 == pytest.approx(ra.asArcminutes())
    assert ra.asDegrees() * 3600 == pytest.approx(ra.asArcseconds())
    assert ra.asRadians() == pytest.approx(math.radians(150.0))
    assert str(icrs.getLatitude()) == "0.0349065850399 rad"
    assert [record.getId() for record in sources[0:2]] == [101, 102]


def test_coordinates_come_back(sources):
    for source in sources:
        icrs = source.get("coord")
        for there in (icrs.toGalactic(), icrs.toFk5(1975.0), icrs.toEcliptic(1990.0)):
            assert there.toIcrs().angularSeparation(icrs).asArcseconds() < 1e-6


def test_print_moment(sources):
    moments = sources[1].get("shape.sdss")
    assert (moments.getIxx(), moments.getIyy(), moments.getIxy()) == tuple(MOMENTS[1])
    axes = geomEllip.Axes(moments)
    values, vectors = np.linalg.eigh([[9.0, 1.0], [1.0, 4.0]])
    assert axes.getA() == pytest.approx(math.sqrt(values[1]))
    assert axes.getB() == pytest.approx(math.sqrt(values[0]))
    assert math.tan(axes.getTheta()) == pytest.approx(vectors[1, 1] / vectors[0, 1])
    back = geomEllip.Quadrupole(axes)
    assert (back.getIxx(), back.getIyy(), back.getIxy()) == pytest.approx(tuple(MOMENTS[1]))


def test_rotate_moment_to_wcs(butler):
    exposure = butler.get("calexp", DATA_ID, immediate=True)
    source = butler.get("src", DATA_ID, immediate=True)[1]
    linear = exposure.getWcs().linearizePixelToSky(source.getCentroid(), afwGeom.arcseconds).getLinear()
    before, after = geomEllip.Axes(source.getShape()), geomEllip.Axes(source.getShape().transform(linear))
    assert after.getA() == pytest.approx(before.getA() * SCALE * 3600, rel=1e-5)
    # east is to the left in this image, so the angle from x becomes that from west
    assert math.cos(after.getTheta()) == pytest.approx(math.cos(before.getTheta()), abs=1e-4)
    assert math.sin(after.getTheta()) == pytest.approx(-math.sin(before.getTheta()), abs=1e-4)


def test_toy_shear(sources):
    source = sources[1]
    angle = math.atan2(source.getY(), source.getX()) * afwGeom.radians
    rotated = source.getShape().transform(afwGeom.LinearTransform.makeRotation(-1.0 * angle))
    shear = afwGeom.ellipses.SeparableDistortionDeterminantRadius(rotated).getEllipticity()
    straight = afwGeom.ellipses.SeparableDistortionDeterminantRadius(source.getShape()).getEllipticity()
    turned = complex(straight.getE1(), straight.getE2()) * complex(math.cos(2 * angle), -math.sin(2 * angle))
    assert (shear.getE1(), shear.getE2()) == pytest.approx((turned.real, turned.imag))
    assert (straight.getE1(), straight.getE2()) == pytest.approx((5 / 13, 2 / 13))


@pytest.mark.parametrize("name", ["Distortion", "ReducedShear", "ConformalShear"])
@pytest.mark.parametrize("radius", ["DeterminantRadius", "TraceRadius"])
def test_measures_of_ellipticity_come_back(name, radius):
    kind = getattr(geomEllip, f"Separable{name}{radius}")
    moments = geomEllip.Quadrupole(9.0, 4.0, 1.0)
    back = geomEllip.Quadrupole(kind(moments))
    assert back._moments() == pytest.approx(moments._moments())
    ratio = getattr(geomEllip, name)(kind(moments).getEllipticity()).getAxisRatio()
    axes = geomEllip.Axes(moments)
    assert ratio == pytest.approx(axes.getB() / axes.getA())


def test_print_magnitudes(butler, sources):
    data_id = {**DATA_ID, "tract": 0}
    assert not butler.datasetExists("fcr_md", data_id)
    zero_point = 2.5 * np.log10(butler.get("calexp_md", data_id).get("FLUXMAG0"))
    magnitudes = zero_point - 2.5 * np.log10(sources.getPsfFlux())
    errors = 2.5 / np.log(10) * sources.getPsfFluxErr() / sources.getPsfFlux()
    assert magnitudes == pytest.approx(ZERO_POINT - 2.5 * np.log10(FLUX))
    assert errors[0] == pytest.approx(50.0 / 1e5 * 1.0857, rel=1e-3)
    assert sources.getApFlux()[0] == pytest.approx((1 - 0.3 / 12) * FLUX[0])
    assert list(sources.getX()) == list(X)
    assert list(sources.getY()) == list(Y)
    assert sources[2].getRa().asDegrees() == pytest.approx(
        150.0 - (X[2] - 70) * SCALE / math.cos(math.radians(2)), abs=1e-7
    )


def test_flux_fit_of_mosaic(tmp_path):
    cards = {"ORDER": 2, "ABSOLUTE": True, "CHEBYSHEV": True, "NCOEFF": 6, "U_MAX": 1000.0, "V_MAX": 2000.0}
    cards |= {
        "X0": 100.0,
        "Y0": -200.0,
        "C_0_0": 0.1,
        "C_1_0": 0.2,
        "C_0_1": 0.3,
        "C_2_0": 0.4,
        "C_1_1": 0.5,
        "C_0_2": 0.6,
    }
    x, y = 0.5, 0.25
    expected = 0.1 + 0.2 * x + 0.3 * y + 0.4 * (2 * x * x - 1) + 0.5 * x * y + 0.6 * (2 * y * y - 1)
    assert measMosaic.FluxFitParams(cards).eval(400.0, 700.0) == pytest.approx(expected)
    plain = measMosaic.FluxFitParams({**cards, "CHEBYSHEV": False}).eval(np.array([400.0]), np.array([700.0]))
    assert plain == pytest.approx([0.1 + 0.2 * x + 0.3 * y + 0.4 * x * x + 0.5 * x * y + 0.6 * y * y])


def test_match_ra_dec():
    schema = afwTable.SourceTable.makeMinimalSchema()
    catalogs = []
    for offset in (0.0, 0.4):
        catalog = afwTable.SourceCatalog(afwTable.SourceTable.make(schema))
        for number in range(100):
            source = catalog.addNew()
            source.setId(number)
            source.setRa((10.0 * number + offset) * afwGeom.arcseconds + 3.0 * afwGeom.radians)
            source.setDec(0.0 * afwGeom.degrees)
        catalogs.append(catalog)
    matches = afwTable.matchRaDec(*catalogs, 1.0 * afwGeom.arcseconds)
    assert len(matches) == 100
    for first, second, distance in matches:
        assert first.getId() == second.getId()
        assert math.degrees(distance) * 3600 == pytest.approx(0.4, rel=1e-6)
    assert not afwTable.matchRaDec(*catalogs, 0.3 * afwGeom.arcseconds)


def test_psf_mosaic(butler, sources):
    image = butler.get("calexp", DATA_ID).getMaskedImage().getImage()
    stamps = []
    for source in sources:
        if source.get("calib.psf.used"):
            corner = afwGeom.Point2I(int(source.getX()) - 10, int(source.getY()) - 10)
            stamps.append(afwImage.ImageF(image, afwGeom.Box2I(corner, afwGeom.Extent2I(21, 21))))
    assert len(stamps) == 2
    stamps[0].getArray()[0, 0] = 12345.0
    assert image.getArray()[20, 10] == 12345.0  # a view
    mosaic = displayUtils.Mosaic()
    mosaic.setGutter(2)
    mosaic.setBackground(-1)
    mosaic.setMode("x")
    whole = mosaic.makeMosaic(stamps)
    ds9.mtv(whole)
    mosaic.drawLabels(["first", "second"])
    with pytest.raises(ValueError, match="a mosaic of 2 images needs as many labels, got 1"):
        mosaic.drawLabels(["first"])
    assert whole.getArray().shape == (21, 44)
    assert (whole.getArray()[:, 21:23] == -1).all()
    assert (whole.getArray()[:, 23:] == stamps[1].getArray()).all()


def test_show_in_ds9_runs_to_its_end(butler, sources, caplog):
    settings = {"scale": "zscale", "zoom": "to fit", "mask": "transparency 60"}
    with caplog.at_level(logging.WARNING):
        ds9.mtv(butler.get("calexp", DATA_ID), frame=1, title="My Data", settings=settings)
        with ds9.Buffering():
            for source in sources:
                symbol = f"@:{source.getIxx()},{source.getIxy()},{source.getIyy()}"
                ds9.dot(symbol, source.getX(), source.getY(), ctype=ds9.RED, size=5, frame=1, silent=True)
    assert caplog.messages == ["ds9.mtv shows nothing: no DS9 runs here", "ds9.dot shows nothing: no DS9 runs here"]


class Listener:
    """Writes down what is sent to DS9."""

    def __init__(self):
        self.commands = []

    def send(self, command):
        word = command.partition("{")[2].rstrip("}")
        self.commands.append(Path(word).read_text() if word.endswith(".reg") else command)

    def ask(self, command):
        return ""


def test_show_in_ds9_sends_image_masks_and_symbols(butler, sources, no_ds9):
    listener = Listener()
    no_ds9.viewer = Ds9(listener)
    settings = {"scale": "zscale", "zoom": "to fit", "mask": "transparency 60"}
    ds9.mtv(butler.get("calexp", DATA_ID), frame=3, title="My Data", settings=settings)
    assert listener.commands[:3] == ["frame 3", "mask clear", "regions delete all"]
    assert {"mask transparency 60", "scale zscale", "zoom to fit"} <= set(listener.commands)
    listener.commands.clear()
    with ds9.Buffering():
        for source in sources:
            symbol = f"@:{source.getIxx()},{source.getIxy()},{source.getIyy()}"
            ds9.dot(symbol, source.getX(), source.getY(), ctype=ds9.RED, size=5, frame=3, silent=True)
        assert listener.commands == []
    assert listener.commands[0] == "frame 3"
    assert listener.commands[1].count("ellipse(") == len(sources)
    assert "ellipse(21.000,31.000,2.000,2.000,0.00) # color=red" in listener.commands[1]


def test_a_display_is_a_frame(butler, no_ds9):
    listener = Listener()
    no_ds9.viewer = Ds9(listener)
    with afwDisplay.getDisplay(frame=4, backend="ds9") as display:
        display.setMaskTransparency(40)
        display.scale("asinh", "zscale")
        display.mtv(butler.get("calexp", DATA_ID), title="My Data")
        assert listener.commands[-2:] == ["scale asinh", "scale mode zscale"]
        assert {"frame 4", "mask transparency 40"} <= set(listener.commands)
        listener.commands.clear()
        with display.Buffering():
            display.dot("o", 1, 2, size=3, ctype=afwDisplay.RED)
            display.line([(0, 0), (4, 3)])
        display.zoom(2, 10, 20)
        display.erase()
    assert "circle(2.000,3.000,3) # color=red" in listener.commands[1]
    assert listener.commands[0] == listener.commands[2] == "frame 4"
    assert listener.commands[3:] == [
        "zoom to 2", "frame 4", "pan to 11 21 physical", "frame 4", "regions delete all"
    ]  # fmt: skip
    with pytest.raises(
        ValueError, match="images are shown with ds9 or matplotlib here, not with 'firefly'; for pictures"
    ):
        afwDisplay.setDefaultBackend("firefly")


def test_other_calls_of_the_display(no_ds9):
    listener = Listener()
    no_ds9.viewer = Ds9(listener)
    ds9.dot("hello", 1, 2)
    assert "text(2.000,3.000) # color=green text={hello}" in listener.commands[1]
    ds9.line([(0, 0), (4, 3)], ctype=ds9.CYAN)
    assert "line(1.000,1.000,5.000,4.000) # line=0 0 color=cyan" in listener.commands[3]
    listener.commands.clear()
    ds9.zoom(2, 10, 20, frame=5)
    ds9.erase(frame=5)
    ds9.ds9Cmd("cmap bb")
    expected = ["frame 5", "zoom to 2", "frame 5", "pan to 11 21 physical", "frame 5", "regions delete all", "cmap bb"]
    assert listener.commands == expected
    ds9.setMaskPlaneColor({"CR": "red", "BAD": "ignore"})
    assert (ds9.getMaskPlaneColor("CR"), ds9.getMaskPlaneColor("BAD"), ds9.getMaskPlaneColor("SAT")) == (
        "red",
        None,
        "green",
    )
    with pytest.raises(ValueError, match="the transparency of masks is 0 to 100 percent, got 101"):
        ds9.setMaskTransparency(101)
    with pytest.raises(ValueError, match=r"expected an ellipse such as '@:4.0,0.5,3.0' \(Ixx,Ixy,Iyy\), got '@:1,2'"):
        ds9.dot("@:1,2", 1, 2)
    ds9.setDefaultFrame(None)
    listener.commands.clear()
    ds9.dot("o", 1, 2)
    assert listener.commands == []


def test_show_visit_sky_map(butler):
    corners = {}
    for ccd in camGeom.cast_Raft(butler.get("camera")[0]):
        ccd = camGeom.cast_Ccd(ccd)
        box = ccd.getAllPixels(True)
        number = ccd.getId().getSerial()
        if butler.datasetExists("calexp", visit=1234, ccd=number):
            wcs = afwImage.makeWcs(butler.get("calexp_md", visit=1234, ccd=number))
            corners[number] = [wcs.pixelToSky(corner.getX(), corner.getY()) for corner in box.getCorners()]
    assert list(corners) == [56]
    first, second, *_ = corners[56]
    assert first.getDec().asDegrees() == pytest.approx(2.0 - 60 * SCALE, abs=1e-7)
    assert first.angularSeparation(second).asArcseconds() == pytest.approx(2047 * SCALE * 3600, rel=1e-4)


def test_amplifiers_of_a_detector(butler):
    ccd = butler.get("camera")[50]
    assert [amp.getName() for amp in ccd] == [amp.getName() for amp in ccd.getAmplifiers()] == ["0", "1", "2", "3"]
    amp = ccd["1"]
    assert (len(ccd), amp.getName(), ccd[1].getBBox()) == (4, "1", amp.getBBox())
    assert (amp.getBBox().getMinX(), amp.getBBox().getWidth(), amp.getBBox().getHeight()) == (512, 512, 4176)
    # both halves of the raw image begin with their prescan, and the overscans of neighbors touch
    assert (amp.getRawDataBBox().getMinX(), amp.getRawHorizontalOverscanBBox().getMinX()) == (552, 536)
    assert amp.getRawBBox().contains(amp.getRawDataBBox())
    assert 3.0 < amp.getGain() < 4.5
    with pytest.raises(KeyError, match="has no amplifier 'A'"):
        ccd["A"]


def test_tracts_and_patches_of_a_sky_map(rerun):
    own = make_sky_map("discrete", {"raList": [150.0], "decList": [2.0], "radiusList": [0.3]})
    save_sky_map(Butler(outputs=str(rerun)), own)
    sky_map = dafPersist.Butler(str(rerun)).get("deepCoadd_skyMap", {"tract": 0})
    boxes = {}
    for tract in sky_map:
        wcs = tract.getWcs()
        for patch in tract:
            corners = patch.getInnerBBox().getCorners()
            places = [wcs.pixelToSky(corner.getX(), corner.getY()) for corner in corners]
            boxes[tract.getId(), patch.getIndex()] = places
    assert {number for number, _ in boxes} == {0}
    assert len(boxes) == len(sky_map[0]) == sky_map[0].getNumPatches().getX() * sky_map[0].getNumPatches().getY()
    middle = sky_map[0].getCtrCoord()
    assert middle.getRa().asDegrees() == pytest.approx(150.0)
    assert sky_map.findTract(middle).getId() == 0
    around = boxes[0, sky_map[0].findPatch(middle).getIndex()]
    # two by two patches: the middle of the tract is a corner of each
    assert min(corner.angularSeparation(middle).asArcseconds() for corner in around) < 0.5
    with pytest.raises(LookupError, match=r"tract 0 does not hold ra=10\.0"):
        sky_map[0].findPatch(IcrsCoord(10.0 * afwGeom.degrees, 2.0 * afwGeom.degrees))
    with pytest.raises(IndexError, match="this sky map has the tracts 0 to 0"):
        sky_map[1]


def test_parts_of_the_repository(butler):
    assert butler.get("psf", DATA_ID).computeShape().getIyy() == pytest.approx(4.0, rel=1e-3)
    with pytest.raises(dafPersist.NoResults, match="has no table 'fringe'; tables: bias"):
        butler.get("fringe", DATA_ID)
    names = dafPersist.RepositoryArgs(root=str(butler.root), mode="r"), dafPersist.DataId(DATA_ID, ccd=56)
    assert dafPersist.Butler(inputs=names[0]).get("src_len", names[1]) == 4
    assert butler.get("calexp_psf", DATA_ID).getAveragePosition() == afwGeom.Point2D(1023.5, 2087.5)
    assert butler.get("wcs", {**DATA_ID, "tract": 0}).getPixelOrigin() == afwGeom.Point2D(70.0, 60.0)
    assert butler.get("calexp_filter", DATA_ID).getName() == "HSC-I"
    assert butler.get("calexp_detector", DATA_ID).getId().getSerial() == 56
    assert butler.get("calexp_bbox", DATA_ID).getDimensions() == afwGeom.Extent2I(SHAPE[1], SHAPE[0])
    assert butler.get("src_len", DATA_ID) == 4
    assert butler.get("src_schema").schema.find("flux.psf").key == "base_PsfFlux_instFlux"
    assert butler.get("ccdExposureId_bits") == 32
    assert butler.get("bias_md", DATA_ID).exists("NAXIS1")
    part = butler.get("calexp_sub", DATA_ID, bbox=afwGeom.Box2I(afwGeom.Point2I(3, 4), afwGeom.Extent2I(20, 10)))
    assert part.getDimensions() == afwGeom.Extent2I(20, 10)
    assert part.getXY0() == afwGeom.Point2I(3, 4)
    assert part.getWcs().getPixelOrigin() == afwGeom.Point2D(70.0, 60.0)  # of the parent's pixels
    assert dafPersist.Butler.getMapperClass(butler.root).name == "hsc"


def test_what_was_read_can_be_written(butler, sources, tmp_path):
    writer = dafPersist.Butler(butler.root, output=tmp_path / "again")
    exposure = butler.get("calexp", DATA_ID)
    planes = exposure.getMaskedImage()
    planes *= 2.0
    sources[0].set("flux.psf", 7.0)
    for value, name in (
        (exposure, "calexp"),
        (sources, "src"),
        (butler.get("calexpBackground", DATA_ID), "calexpBackground"),
    ):
        writer.put(value, name, DATA_ID)
    again = writer.get("calexp", DATA_ID)
    np.testing.assert_array_equal(again.getImage().getArray(), exposure.getImage().getArray())
    np.testing.assert_array_equal(again.getVariance().getArray(), 100.0)
    assert writer.get("src", DATA_ID)[0].getPsfFlux() == 7.0
    assert writer.get("calexpBackground", DATA_ID).getImage().getArray().mean() == pytest.approx(250.0, rel=1e-4)


def test_every_getter_of_an_exposure(butler, tmp_path):
    exposure = butler.get("calexp", DATA_ID)
    assert exposure.getWidth() == exposure.getBBox().getWidth() == SHAPE[1]
    assert exposure.getMetadata().get("FLUXMAG0") == pytest.approx(10 ** (0.4 * ZERO_POINT))
    assert list(exposure.getWcs().skyToPixel(exposure.getWcs().pixelToSky(11.0, 12.0))) == pytest.approx([11.0, 12.0])
    assert exposure.getPsf().computeKernelImage(afwGeom.Point2D(5, 5)).getArray().sum() == pytest.approx(1.0)
    assert exposure.getPsf().computeShape().getIxx() == pytest.approx(4.0, rel=1e-3)
    assert exposure.getPhotoCalib().instFluxToMagnitude(100.0) == pytest.approx(ZERO_POINT - 5.0)
    assert exposure.getCalib().getFluxMag0()[0] == pytest.approx(10 ** (0.4 * ZERO_POINT))
    assert exposure.getFilter().getName() == "HSC-I"
    assert exposure.getInfo().getVisitInfo().getExposureTime() == 30.0
    assert exposure.getDetector().getId().getSerial() == 56
    part = exposure.Factory(exposure, afwGeom.Box2I(afwGeom.Point2I(10, 20), afwGeom.Extent2I(30, 40)))
    assert part.getXY0() == afwGeom.Point2I(10, 20)
    assert part.getMaskedImage().getImage().getXY0() == part.getXY0()
    assert list(part.getWcs().getPixelOrigin()) == pytest.approx([70.0, 60.0])
    assert part.getPsf().getAveragePosition() == afwGeom.Point2D(24.5, 39.5)
    assert part.getPsf().computeImage(afwGeom.Point2D(30, 40)).getBBox().contains(afwGeom.Point2I(30, 40))
    exposure.writeFits(tmp_path / "x.fits")
    assert afwImage.ExposureF(str(tmp_path / "x.fits")).getWidth() == SHAPE[1]


@pytest.mark.parametrize("number", [2.0, np.float64(2.0), np.float32(2.0), np.int64(2)])
def test_numbers_of_numpy_times_units_and_angles_are_angles(number):
    angle = number * afwGeom.degrees
    assert angle.asDegrees() == pytest.approx(2.0)
    assert (number * angle).asDegrees() == pytest.approx(4.0)
    assert np.cos(angle) == pytest.approx(math.cos(math.radians(2.0)))
    assert angle / angle == 1.0
    assert (angle - angle / 2).asArcminutes() == pytest.approx(60.0)
