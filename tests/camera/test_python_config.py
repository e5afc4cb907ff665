"""The camera.py of second-generation packages, read without being run."""

import numpy as np
import pytest

from obs.camera.amplifier import Amplifier
from obs.camera.distortion import PolynomialDistortion, RadialDistortion
from obs.camera.fits_table import write_amplifiers
from obs.camera.python_config import load_python_camera, read_assignments
from obs.errors import FileFormatError
from obs.geom import Box

CAMERA = """\
import lsst.afw.cameraGeom.cameraConfig
assert type(config)==lsst.afw.cameraGeom.cameraConfig.CameraConfig, 'config is of another type'
config.plateScale=20.0
config.name='duo'
config.transformDict.nativeSys='FocalPlane'
config.transformDict.transforms={}
config.transformDict.transforms['FieldAngle']=lsst.afw.geom.transformConfig.TransformConfig()
config.transformDict.transforms['FieldAngle'].transform['inverted'].transform.retarget(target=lsst.x)
config.transformDict.transforms['FieldAngle'].transform['radial'].coeffs=[0.0, 9.7e-05, 0.0, 9.7e-11]
config.transformDict.transforms['FieldAngle'].transform['hsc'].ccdToSkyOrder=1
config.transformDict.transforms['FieldAngle'].transform['hsc'].xCcdToSky=[0.0, 0.0, 1.0]
config.transformDict.transforms['FieldAngle'].transform['hsc'].yCcdToSky=[0.0, 1.0, 0.0]
config.transformDict.transforms['FieldAngle'].transform['hsc'].plateScale=20.0
config.transformDict.transforms['FieldAngle'].transform.name='radial'
config.detectorList={}
config.detectorList[0]=lsst.afw.cameraGeom.cameraConfig.DetectorConfig()
config.detectorList[0].bbox_x0=0
config.detectorList[0].bbox_y0=0
config.detectorList[0].bbox_x1=7
config.detectorList[0].bbox_y1=5
config.detectorList[0].name='CCD north'
config.detectorList[0].serial='S3'
config.detectorList[0].id=3
config.detectorList[0].detectorType=1
config.detectorList[0].pixelSize_x=0.01
config.detectorList[0].pixelSize_y=0.02
config.detectorList[0].refpos_x=3.5
config.detectorList[0].refpos_y=2.5
config.detectorList[0].offset_x=-1.5
config.detectorList[0].offset_y=float('2.5')
config.detectorList[0].transformDict.transforms=None
config.detectorList[0].transposeDetector=None
config.detectorList[0].yawDeg=180.0
config.detectorList[0].pitchDeg=0.0
config.detectorList[0].rollDeg=0.0
"""
AMPLIFIER = Amplifier(name="all", bbox=Box(0, 0, 8, 6), raw_bbox=Box(0, 0, 10, 6), raw_data_bbox=Box(2, 0, 8, 6))


@pytest.fixture
def load(tmp_path):
    """Load the camera, changed by replacing one text."""

    def load(old="", new=""):
        assert not old or CAMERA.count(old) == 1
        (tmp_path / "camera.py").write_text(CAMERA.replace(old, new) if old else CAMERA)
        write_amplifiers([AMPLIFIER], tmp_path / "CCD_north.fits")
        return load_python_camera(tmp_path)

    return load


def test_camera_is_read(load):
    camera = load()
    assert (camera.name, camera.plate_scale) == ("duo", 20.0)
    assert isinstance(camera.distortion, RadialDistortion)
    assert camera.distortion.coefficients == pytest.approx((1e-6,))
    detector = camera.detector(3)
    assert (detector.name, detector.serial, detector.type, detector.yaw) == ("CCD north", "S3", "FOCUS", 180.0)
    assert (detector.bbox, detector.raw_shape) == (Box(0, 0, 8, 6), (6, 10))
    assert (detector.offset_x, detector.offset_y, detector.pixel_size_y) == (-1.5, 2.5, 0.02)
    assert repr(detector.amplifiers) == repr((AMPLIFIER,))


@pytest.mark.parametrize("kind", ["identity", "affine"])
def test_transform_without_distortion(load, kind):
    assert load("transform.name='radial'", f"transform.name='{kind}'").distortion == RadialDistortion()


def test_inverted_transform_of_older_files(load):
    inner = "transform['inverted'].transform['radial'].coeffs=[0.0, 10313.2, 0.0]"
    new = f"transform.name='inverted'\nconfig.transformDict.transforms['FieldAngle'].{inner}"
    assert load("transform.name='radial'", new).distortion == RadialDistortion()


def test_polynomial_transform(load):
    distortion = load("transform.name='radial'", "transform.name='hsc'").distortion
    assert isinstance(distortion, PolynomialDistortion)
    np.testing.assert_allclose(distortion.apply(x=np.array([3.0]), y=np.array([4.0])), [[3.0], [4.0]])


def test_older_files_say_root(tmp_path):
    (tmp_path / "a.py").write_text("'''a camera'''\nroot.a['b'].c=-1\nroot.a['b'].d=[1, 'x', None]\n")
    assert read_assignments(tmp_path / "a.py") == {"a": {"b": {"c": -1, "d": [1, "x", None]}}}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("config.plateScale=20.0", "config.plateScale=", r"camera\.py: line 3: is not Python: invalid syntax"),
        (
            "config.plateScale=20.0",
            "for i in range(3):\n    config.x[i]=1",
            r"line 3: 'for i in range\(3\):' is not an assignment; only plain assignments are read, since no code",
        ),
        (
            "config.plateScale=20.0",
            "config.plateScale=os.system('true')",
            r"""line 3: 'os.system\('true'\)' is not a plain value; only plain assignments are read""",
        ),
        ("config.plateScale=20.0", "scale=20.0", r"line 3: 'scale' is not part of config;"),
        ("config.plateScale=20.0", "camera.plateScale=20.0", r"line 3: 'camera\.plateScale' is not part of config;"),
        ("config.plateScale=20.0", "config.x[i]=20.0", r"line 3: 'config\.x\[i\]' is not part of config;"),
        ("config.plateScale=20.0", "config.x[1.5]=20.0", r"line 3: 'config\.x\[1\.5\]' is not part of config;"),
        ("config.plateScale=20.0", "config.load('x.py')", r"line 3: 'config\.load\('x\.py'\)' is not an assignment;"),
        ("config.plateScale=20.0\n", "", r"camera\.py: duo: plateScale is missing$"),
        ("config.plateScale=20.0", "config.plateScale='wide'", r"duo: plateScale is 'wide', no number$"),
        ("config.plateScale=20.0", "config.plateScale=-1.0", r"plate_scale must be positive, got -1\.0 arcsec/mm$"),
        ("transform.name='radial'", "transform.name='multi'", r"is of kind 'multi', and not one that is read"),
        ("[0.0, 9.7e-05, 0.0, 9.7e-11]", "[0.0, 9.7e-05, 1e-9]", r"is of kind 'radial', and not one that is read"),
        ("bbox_x0=0", "bbox_x0=1", r"detector 'CCD north': its first pixel is \[1, 0\], not \[0, 0\]$"),
        ("bbox_x1=7", "bbox_x1=6", r"detector 'CCD north', amplifier 'all': bbox .* leaves the detector"),
        ("detectorType=1", "detectorType=9", r"detector 'CCD north': detectorType is 9, not 0 to 3$"),
        ("transposeDetector=None", "transposeDetector=True", r"'CCD north': transposed detectors are not read$"),
        ("name='CCD north'", "name='south'", r"south\.fits: there is no such amplifier table$"),
        ("config.detectorList[0].id=3\n", "", r"CCD north: id is missing$"),
    ],
)
def test_fault_is_told(load, old, new, message):
    with pytest.raises(FileFormatError, match=message):
        load(old, new)


def test_incomplete_polynomials_are_told(load, monkeypatch):
    monkeypatch.setitem(globals(), "CAMERA", CAMERA.replace("transform.name='radial'", "transform.name='hsc'"))
    message = r"kind 'hsc' are incomplete: a polynomial of order 1 has 3 terms, x has 2$"
    with pytest.raises(FileFormatError, match=message):
        load("[0.0, 0.0, 1.0]", "[0.0, 0.0]")


def test_folder_without_camera_is_told(tmp_path):
    with pytest.raises(FileFormatError, match=r"camera\.py: there is no such file$"):
        load_python_camera(tmp_path)


def test_camera_without_detectors_is_told(tmp_path):
    (tmp_path / "camera.py").write_text("config.plateScale=20.0\n")
    with pytest.raises(FileFormatError, match=r"camera\.py: it lists no detector: config\.detectorList is empty$"):
        load_python_camera(tmp_path)
