"""The camera description of third-generation packages."""

import math

import pytest

from obs.camera.distortion import RadialDistortion
from obs.camera.yaml_camera import load_yaml_camera
from obs.errors import FileFormatError
from obs.geom import Box

CAMERA = """\
name: duo
plateScale: 20.0
transforms:
  nativeSys: FocalPlane
  FieldAngle: {transformType: radial, coeffs: [0.0, 1.0, 0.0, 1.0e-6]}
CCDs:
  north:
    detectorType: 0
    id: 3
    serial: S3
    physicalType: E2V
    bbox: [[0, 0], [7, 5]]
    pixelSize: [0.01, 0.02]
    transformDict: {nativeSys: Pixels, transforms: {}}
    refpos: [3.5, 2.5]
    offset: [1.5, -2.5]
    transposeDetector: false
    pitch: 0.0
    yaw: 90.0
    roll: 0.0
    amplifiers:
      right: &amp
        hdu: 2
        ixy: [1, 0]
        perAmpData: true
        readCorner: LR
        rawBBox: [[0, 0], [7, 6]]
        rawDataBBox: [[1, 0], [4, 6]]
        rawSerialPrescanBBox: [[0, 0], [1, 6]]
        rawSerialOverscanBBox: [[5, 0], [2, 6]]
        rawParallelPrescanBBox: [[0, 0], [0, 0]]
        rawParallelOverscanBBox: [[0, 0], [0, 0]]
        gain: 1.5
        readNoise: 4.0
        saturation: 60000
        flipXY: [true, false]
        linearityCoeffs: [0, 1]
        linearityType: PROPORTIONAL
      left:
        <<: *amp
        hdu: 1
        ixy: [0, 0]
        readCorner: LL
        flipXY: [false, false]
        suspect: 50000
        linearityType: Squared
        linearityCoeffs: [1.0e-7]
"""


@pytest.fixture
def load(tmp_path):
    """Load the camera, changed by replacing one text."""

    def load(old="", new=""):
        assert not old or CAMERA.count(old) == 1
        (tmp_path / "duo.yaml").write_text(CAMERA.replace(old, new) if old else CAMERA)
        return load_yaml_camera(tmp_path / "duo.yaml")

    return load


def test_camera_is_read(load):
    camera = load()
    assert (camera.name, camera.plate_scale, camera.distortion) == ("duo", 20.0, RadialDistortion((1e-6,)))
    detector = camera.detector("north")
    assert (detector.id, detector.serial, detector.type, detector.physical_type) == (3, "S3", "SCIENCE", "E2V")
    assert detector.bbox == Box(0, 0, 8, 6)  # inclusive corners
    assert (detector.pixel_size_x, detector.pixel_size_y, detector.yaw) == (0.01, 0.02, 90.0)
    assert (detector.reference_x, detector.offset_y) == (3.5, -2.5)


def test_amplifiers_are_in_the_order_of_their_hdus(load):
    left, right = load().detector("north").amplifiers
    assert (left.name, left.raw_hdu, left.bbox, left.flip_x) == ("left", 1, Box(0, 0, 4, 6), False)
    assert (right.name, right.raw_hdu, right.bbox, right.flip_x) == ("right", 2, Box(4, 0, 4, 6), True)
    assert left.raw_bbox == right.raw_bbox == Box(0, 0, 7, 6)
    assert right.raw_serial_overscan_bbox == Box(5, 0, 2, 6)
    assert right.raw_prescan_bbox == Box(0, 0, 1, 6)
    assert right.raw_parallel_overscan_bbox.is_empty
    assert (left.nominal.suspect, left.nominal.linearity_coefficients) == (50000.0, (1e-7,))
    assert (left.nominal.linearity_type, right.nominal.linearity_type) == ("Squared", "None")
    assert math.isnan(right.nominal.suspect)


def test_amplifiers_of_one_image_lie_side_by_side(load):
    left, right = load("perAmpData: true", "perAmpData: false").detector("north").amplifiers
    assert (left.raw_hdu, right.raw_hdu) == (0, 0)
    assert (left.raw_bbox, right.raw_bbox) == (Box(0, 0, 7, 6), Box(7, 0, 7, 6))
    assert right.raw_data_bbox == Box(8, 0, 4, 6)


def test_affine_transform_is_the_plate_scale(load):
    scale = math.radians(20.0 / 3600)
    affine = f"transformType: affine, linear: [{scale}, 0, 0, {scale}], translation: [0, 0]"
    assert load("transformType: radial, coeffs: [0.0, 1.0, 0.0, 1.0e-6]", affine).distortion == RadialDistortion()


def test_the_oldest_descriptions_give_numbers_of_pixels(load, tmp_path):
    boxes = """\
        hdu: 2
        ixy: [1, 0]
        perAmpData: true
        readCorner: LR
        rawBBox: [[0, 0], [7, 6]]
        rawDataBBox: [[1, 0], [4, 6]]
"""
    numbers = """\
        ixy: [1, 0]
        readCorner: LR
        dataExtent: [4, 5]
        extended: 1
        h_overscan: 2
        v_overscan: 3
        nRowPreParallelTransfer: 1
"""
    assert CAMERA.count(boxes) == CAMERA.count("        hdu: 1\n") == 1
    old = CAMERA.replace(boxes, numbers).replace("        hdu: 1\n", "").replace("[7, 5]]", "[7, 4]]")
    (tmp_path / "old.yaml").write_text(old)
    first, second = load_yaml_camera(tmp_path / "old.yaml").detector("north").amplifiers
    assert (first.name, first.raw_hdu, second.name, second.raw_hdu) == ("right", 1, "left", 2)
    assert (first.bbox, second.bbox) == (Box(4, 0, 4, 5), Box(0, 0, 4, 5))
    assert first.raw_bbox == Box(0, 0, 7, 9)
    assert first.raw_data_bbox == Box(1, 1, 4, 5)
    assert first.raw_serial_overscan_bbox == Box(5, 1, 2, 5)
    assert first.raw_parallel_overscan_bbox == Box(1, 6, 4, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: duo\n", "", r"duo\.yaml: (line 1: )?the key name is missing"),
        ("plateScale: 20.0", "plateScale: wide", r"line 2: plateScale: 'wide' is not a number$"),
        ("plateScale: 20.0", "plateScale: -1", r"plate_scale must be positive, got -1\.0 arcsec/mm$"),
        (
            "transformType: radial",
            "transformType: poly",
            r"line 5: transforms\.FieldAngle\.transformType: 'poly' is neither affine nor radial$",
        ),
        (
            "[0.0, 1.0, 0.0, 1.0e-6]",
            "[0.0, 1.0, 0.5]",
            r"line 5: transforms\.FieldAngle\.coeffs: only 0, 1 and then odd powers of the radius are read",
        ),
        (
            "transformType: radial, coeffs: [0.0, 1.0, 0.0, 1.0e-6]",
            "transformType: affine, linear: [1, 0, 0, 1]",
            r"transforms\.FieldAngle\.linear: \[1\.0, 0\.0, 0\.0, 1\.0\] is not the plate scale without rotation",
        ),
        ("    detectorType: 0\n", "", r"CCDs\.north: the key detectorType is missing"),
        ("detectorType: 0", "detectorType: 7", r"line 8: CCDs\.north\.detectorType: 7 is not from 0 to 3$"),
        ("[[0, 0], [7, 5]]", "[7, 5]", r"line 12: CCDs\.north\.bbox: \[7, 5\] is not \[\[x, y\], \[x, y\]\]$"),
        ("[[0, 0], [7, 5]]", "[[1, 0], [8, 5]]", r"CCDs\.north\.bbox: the first pixel is \[1, 0\], not \[0, 0\]$"),
        ("[[0, 0], [7, 5]]", "[[0, 0], [6, 5]]", r"detector 'north', amplifier 'right': bbox .* leaves the detector"),
        ("transposeDetector: false", "transposeDetector: true", r"transposed detectors are not read$"),
        ("offset: [1.5, -2.5]", "offset: [1.5]", r"CCDs\.north\.offset: expected 2 numbers, got 1$"),
        ("offset: [1.5, -2.5]", "offset: here", r"CCDs\.north\.offset: 'here' is not a list of numbers$"),
        ("id: 3", "id: 3.5", r"CCDs\.north\.id: 3\.5 is not a whole number$"),
        ("readCorner: LL", "readCorner: XX", r"left\.readCorner: 'XX' is none of LL, LR, UR, UL$"),
        ("[[5, 0], [2, 6]]", "[[5, 0], [-2, 6]]", r"box extent must not be negative, got width -2, height 6$"),
        ("        gain: 1.5\n", "", r"the key gain is missing"),
        ("        rawDataBBox: [[1, 0], [4, 6]]\n", "", r"the key rawDataBBox is missing"),
        ("    amplifiers:\n", "    amplifiers: {}\n    spare:\n", r"CCDs\.north\.amplifiers: there is no amplifier$"),
        ("CCDs:\n", "CCDs: none\nspare:\n", r"line 6: CCDs: expected keys and values, got 'none'$"),
    ],
)
def test_fault_is_told_with_its_place(load, old, new, message):
    with pytest.raises(FileFormatError, match=message):
        load(old, new)
