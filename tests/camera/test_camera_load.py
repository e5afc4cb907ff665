"""A camera's tables: what is read, and how each fault is told."""

import dataclasses
import math
from pathlib import Path

import pytest

from obs.camera.distortion import PolynomialDistortion
from obs.camera.load import find_camera_faults, load_camera
from obs.errors import FileFormatError
from obs.geom import Box

SETTINGS = """\
name: duo
plate_scale: 20.0
distortion:
  radial: [1.0e-6, -2.0e-12]
orientation:
  rotation: 90.0
  flip_x: true
"""
DETECTORS = """\
# two detectors
id,name,serial,type,width,height,raw_width,raw_height,pixel_size_x,pixel_size_y,reference_x,reference_y,offset_x,offset_y,yaw
0,north,A1,SCIENCE,8,6,12,7,0.01,0.01,3.5,2.5,0.0,1.5,180.0
7,south,A2,FOCUS,8,6,12,7,0.01,0.02,,,0.0,-1.5,

"""
BOXES = ("bbox", "raw_bbox", "raw_data_bbox", "raw_serial_overscan_bbox")
HEADER = ",".join(
    [
        "detector",
        "name",
        *(f"{box}_{part}" for box in BOXES for part in ("x_min", "y_min", "width", "height")),
        *("readout_corner", "flip_x", "gain", "read_noise", "saturation", "suspect"),
        *("linearity_type", "linearity_c0", "linearity_c1"),
    ]
)
AMPLIFIERS = f"""\
{HEADER}
north,left,0,0,4,6,0,0,6,7,0,0,4,6,4,0,2,6,LL,0,2.5,4.0,60000,55000,Squared,1e-7,
north,right,4,0,4,6,6,0,6,7,8,0,4,6,6,0,2,6,LR,1,2.6,4.1,60000,,None,,
# the other one
south,all,0,0,8,6,0,0,12,7,0,0,8,6,,,,,UL,,,,,,,,
"""


@pytest.fixture
def write(tmp_path):
    """Write the three files, each changed by replacing one text, and return the folder."""

    def write(old: str = "", new: str = "", file: str = "amplifiers.csv") -> Path:
        contents = {"camera.yaml": SETTINGS, "detectors.csv": DETECTORS, "amplifiers.csv": AMPLIFIERS}
        if old:
            assert contents[file].count(old) == 1
            contents[file] = contents[file].replace(old, new)
        for name, text in contents.items():
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


def test_camera_is_as_written(write):
    camera = load_camera(write())
    assert (camera.name, camera.plate_scale, camera.rotation, camera.flip_x) == ("duo", 20.0, 90.0, True)
    assert camera.distortion.coefficients == (1e-6, -2e-12)
    north, south = camera
    assert (north.id, north.serial, north.type, north.yaw, north.raw_shape) == (0, "A1", "SCIENCE", 180.0, (7, 12))
    assert (south.id, south.type, south.pixel_size_y, south.yaw) == (7, "FOCUS", 0.02, 0.0)
    assert (south.reference_x, south.reference_y) == (3.5, 2.5)  # the middle, where nothing is said
    left, right = north.amplifiers
    assert right.raw_data_bbox == Box(8, 0, 4, 6)
    assert (right.readout_corner, right.flip_x, right.flip_y) == ("LR", True, False)
    assert left.nominal.linearity_coefficients == (1e-7,)
    assert (left.nominal.linearity_type, left.nominal.suspect) == ("Squared", 55000.0)


def test_empty_cells_are_unknown(write):
    amp = load_camera(write()).detector("south").amplifiers[0]
    assert amp.raw_serial_overscan_bbox.is_empty
    nominal = dataclasses.asdict(amp.nominal)
    assert all(math.isnan(nominal[name]) for name in ("gain", "read_noise", "saturation", "suspect"))
    assert (amp.nominal.linearity_type, amp.nominal.linearity_coefficients) == ("None", ())


def test_spreadsheets_may_have_been_at_it(write):
    """A byte order mark, other line ends, and rows of nothing but commas."""
    folder = write()
    path = folder / "detectors.csv"
    text = "\ufeff" + path.read_text().replace("\n", "\r\n") + ",,,,,,,,,,,,,,\r\n"
    path.write_bytes(text.encode())
    assert len(load_camera(folder)) == 2


AMPLIFIER_FAULTS = [
    ("detector,name,", "name,", r"line 1: column 'detector' is missing"),
    ("read_noise,", "readnoise,", r"line 1: column 'readnoise' is unknown; did you mean 'read_noise'\?"),
    ("suspect,", "gain,", r"line 1: column 'gain' is there twice"),
    (
        "south,all,0,0",
        "south,all,0",
        r"line 5: 26 cells under 27 column names",
    ),
    ("LL,0,2.5", "LL,0,two", r"line 2, column 'gain': 'two' is not a number"),
    ("north,left,0,0,4", "north,left,0,0,4.5", r"line 2, column 'bbox_width': '4\.5' is not a whole number"),
    ("north,left,0,0,4", "north,left,0,0,-4", r"line 2, column 'bbox_width': -4 is negative"),
    ("north,left,0,0,4", "north,left,0,0,", r"line 2, column 'bbox_width': a value is needed"),
    (
        "north,left,0,0,4,6",
        "north,left,0,0,3,6",
        r"line 2, column 'raw_data_bbox_width': 4 differs from bbox_width 3",
    ),
    (
        "north,left,0,0,4,6",
        "north,left,0,0,4,5",
        r"line 2, column 'raw_data_bbox_height': 6 differs from bbox_height 5",
    ),
    (
        "north,right,4,0",
        "north,right,3,0",
        r"line 3, column 'bbox_\*': bbox .*x_min=3.* overlaps amplifier 'left', .*x_min=0",
    ),
    ("north,right,4,0", "north,right,5,0", r"line 3, column 'bbox_\*': bbox .* leaves the detector .*width=8"),
    ("north,right,", "north,left,", r"line 3, column 'name': name 'left' is taken by another amplifier"),
    (
        "6,0,2,6,LR",
        "11,0,2,6,LR",
        r"line 3, column 'raw_serial_overscan_bbox_\*': .* leaves the raw image of 12 x 7 pixels",
    ),
    ("LR,1", "RL,1", r"line 3, column 'readout_corner': 'RL' is none of LL, LR, UR, UL"),
    ("LR,1", "LR,left", r"line 3, column 'flip_x': 'left' is neither 0 nor 1"),
    ("south,all", "sooth,all", r"line 5, column 'detector': no detector 'sooth' .*; did you mean 'south'\?"),
    ("south,all", '"south,all', r"line 5: unexpected end of data"),
    (AMPLIFIERS.split("\n", 1)[1], "", r"there is no row under the column names"),
]


@pytest.mark.parametrize(("old", "new", "message"), AMPLIFIER_FAULTS)
def test_fault_in_amplifiers(write, old, new, message):
    with pytest.raises(FileFormatError, match=rf"amplifiers\.csv: {message}"):
        load_camera(write(old, new))


DETECTOR_FAULTS = [
    ("7,south", "0,south", r"line 4, column 'id': '0' is on line 3 already"),
    ("7,south", "00,south", r"line 4, column 'id': '0' is on line 3 already"),
    ("7,south", "7,north", r"line 4, column 'name': 'north' is on line 3 already"),
    ("7,south", "x,south", r"line 4, column 'id': 'x' is not a whole number"),
    ("FOCUS", "focus", r"line 4, column 'type': 'focus' is none of SCIENCE, FOCUS, GUIDER, WAVEFRONT"),
    ("12,7,0.01,0.02", "12,7,0.01,0", r"line 4, column 'pixel_size_y': must be positive, mm"),
    ("-1.5,", "nan,", r"line 4, column 'offset_y': 'nan' is not a finite number"),
    ("7,south", "8,east,,,8,6,12,7,1,1,,,0,0,\n7,south", r"line 4, column 'name': .*'east' has no row in amplifiers"),
    (",width", ",breadth", r"line 2: column 'breadth' is unknown"),
]


@pytest.mark.parametrize(("old", "new", "message"), DETECTOR_FAULTS)
def test_fault_in_detectors(write, old, new, message):
    with pytest.raises(FileFormatError, match=rf"detectors\.csv: {message}"):
        load_camera(write(old, new, "detectors.csv"))


CAMERA_FAULTS = [
    ("name: duo", "title: duo", r"line 1: title: this key is unknown"),
    ("name: duo\n", "", r"line 1: name: a camera needs a name"),
    ("plate_scale: 20.0", "platescale: 20.0", r"line 2: platescale: .* unknown; did you mean 'plate_scale'\?"),
    ("plate_scale: 20.0", "plate_scale: wide", r"line 2: plate_scale: 'wide' is not a number"),
    ("plate_scale: 20.0", "plate_scale: 0", r"line 2: plate_scale: 0\.0 is not positive, arcsec/mm"),
    ("plate_scale: 20.0\n", "", r"line 1: plate_scale: the key is missing"),
    ("[1.0e-6, -2.0e-12]", "[much]", r"line 4: distortion\.radial: \['much'\] is not a list of numbers"),
    ("  rotation: 90.0", "  rotate: 90.0", r"line 6: orientation\.rotate: .* unknown; did you mean 'rotation'\?"),
    ("flip_x: true", "flip_x: 2", r"line 7: orientation\.flip_x: 2 is neither true nor false"),
    (SETTINGS, "- duo\n", r"line 1: expected keys out of name, plate_scale, linearity_table, distortion, orientation"),
    ("name: duo", "name: [duo", r"line \d+: invalid YAML"),
]


@pytest.mark.parametrize(("old", "new", "message"), CAMERA_FAULTS)
def test_fault_in_settings(write, old, new, message):
    with pytest.raises(FileFormatError, match=rf"camera\.yaml: {message}"):
        load_camera(write(old, new, "camera.yaml"))


@pytest.mark.parametrize("file", ["detectors.csv", "amplifiers.csv"])
def test_missing_table_is_told(write, file):
    folder = write()
    (folder / file).unlink()
    with pytest.raises(FileFormatError, match=rf"{file}: the file is missing; a camera folder needs it"):
        load_camera(folder)


def test_missing_settings_are_told(tmp_path):
    with pytest.raises(FileFormatError, match=r"camera\.yaml: cannot read this file"):
        load_camera(tmp_path)


def test_binary_table_is_told(write):
    folder = write()
    (folder / "detectors.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(FileFormatError, match=r"detectors\.csv: cannot read this file: it is not UTF-8 text"):
        load_camera(folder)


POLYNOMIAL = "polynomial: {order: 1, unit: 0.01, x: [0, 0, 1e-0], y: [0, 1.0, 0]}"


def test_distortion_may_be_a_polynomial(write):
    folder = write("radial: [1.0e-6, -2.0e-12]", POLYNOMIAL, "camera.yaml")
    assert load_camera(folder).distortion == PolynomialDistortion(1, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), 0.01)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order: 1", "order: 1.5", r"distortion\.polynomial\.order: 1\.5 is not a positive whole number$"),
        ("order: 1", "order: 2", r"distortion\.polynomial: a polynomial of order 2 has 6 terms, x has 3$"),
        ("unit: 0.01", "unit: -1", r"distortion\.polynomial: unit must be positive, got -1\.0 mm$"),
        ("unit: 0.01", "units: 0.01", r"distortion\.polynomial\.units: this key is unknown; did you mean 'unit'\?$"),
        ("1e-0", "one", r"distortion\.polynomial\.x: \[0, 0, 'one'\] is not a list of numbers$"),
        (
            "}",
            "}\n  radial: [1.0e-6]",
            r"distortion\.polynomial: the distortion is either radial or a polynomial, here",
        ),
    ],
)
def test_fault_in_a_polynomial_is_told(write, old, new, message):
    folder = write("radial: [1.0e-6, -2.0e-12]", POLYNOMIAL.replace(old, new), "camera.yaml")
    with pytest.raises(FileFormatError, match=r"camera\.yaml: line \d+: " + message):
        load_camera(folder)


def with_table(folder, text="0,0.5,1\n0,2,4\n"):
    (folder / "linearity.csv").write_text(text)
    settings = folder / "camera.yaml"
    settings.write_text(f"{settings.read_text()}linearity_table: linearity.csv\n")
    return folder


def test_amplifiers_have_their_row_of_the_linearity_table(write):
    amp = load_camera(with_table(write("Squared,1e-7", "LookupTable,1"))).detectors[0].amplifiers[0]
    assert (amp.nominal.linearity_type, amp.nominal.linearity_row) == ("LookupTable", (0.0, 2.0, 4.0))


@pytest.mark.parametrize(
    ("row", "text", "message"),
    [
        ("2", "0,0.5,1\n0,2,4\n", r"column 'linearity_c0': 2 is not a row of the linearity table, which has 2"),
        ("", "0,0.5,1\n0,2,4\n", r"column 'linearity_c0': nan is not a row of the linearity table, which has 2"),
        ("1", "0,1\n0,x\n", r"camera\.yaml: line \d+: linearity_table: .*linearity\.csv: could not convert string 'x'"),
        ("1", None, r"camera\.yaml: line \d+: linearity_table: .*linearity\.csv: .*not found"),
    ],
)
def test_faults_of_the_linearity_table(write, row, text, message):
    folder = with_table(write("Squared,1e-7", f"LookupTable,{row}"), text or "")
    if text is None:
        (folder / "linearity.csv").unlink()
    with pytest.raises(FileFormatError, match=message):
        load_camera(folder)


def test_all_faults_are_found_also_beside_a_linearity_table(write):
    folder = with_table(write("Squared,1e-7", "LookupTable,2"))
    text = (folder / "amplifiers.csv").read_text()
    (folder / "amplifiers.csv").write_text(text.replace("LR,1,2.6", "LX,1,2.6"))
    found = [str(fault) for fault in find_camera_faults(folder)]
    assert len(found) == 2
    assert "column 'linearity_c0': 2 is not a row of the linearity table, which has 2" in found[0]
    assert "column 'readout_corner'" in found[1]
    (folder / "linearity.csv").unlink()
    assert any("linearity_table" in str(fault) for fault in find_camera_faults(folder))
