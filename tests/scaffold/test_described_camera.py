"""Mosaics described in answers: the tables, and simulated frames that come out as they went in."""

import csv

import pytest
from made_package import imported

from obs.checks.package import check_package
from obs.cli.main import main
from obs.errors import ConfigError
from obs.ingest.translation import read_frames
from obs.scaffold.answer_checks import read_grid
from obs.scaffold.answers import Answers
from obs.scaffold.described_camera import amplifier_rows, detector_rows
from obs.simulator.config import SimulateConfig
from obs.simulator.exposure import simulate_exposure
from obs.simulator.files import RawFrame, write_raw
from obs.testing.simulated_frame import frame_faults
from obs.testing.simulated_header import first_filter, plan_shot

SMALL = {"width": "256", "height": "200", "overscan": "16"}


def answers(**more):
    return Answers(camera="toy", **(SMALL | more)).as_context()


def boxes(row):
    """Return the four numbers of each box of a row of amplifiers.csv."""
    names = ("bbox", "raw", "data", "overscan", "parallel", "prescan")
    return {name: tuple(row[3 + 4 * n : 7 + 4 * n]) for n, name in enumerate(names)}


@pytest.mark.parametrize(
    ("text", "grid"), [("1", (1, 1)), ("4", (1, 4)), ("2 x 4", (2, 4)), ("2x4", (2, 4)), (" 2  X 4 ", (2, 4))]
)
def test_a_grid_is_rows_times_columns(text, grid):
    assert read_grid(text) == grid


@pytest.mark.parametrize("text", ["", "x", "2 x", "two", "2 x 2 x 2", "-1", "²", "1.5"])
def test_other_text_is_not_a_grid(text):
    with pytest.raises(ValueError, match="is not rows x columns"):
        read_grid(text)


def test_detectors_stand_around_the_middle_with_their_gaps():
    rows = detector_rows(answers(detectors="2 x 3", gap_x="44", gap_y="100", pixel_size="0.01"))
    assert [row[:2] for row in rows] == [[n, f"ccd{n}"] for n in range(6)]
    assert [row[9] for row in rows[:3]] == ["-3", "0", "3"]
    assert (rows[0][10], rows[3][10]) == ("-1.5", "1.5")


@pytest.mark.parametrize(
    ("corner", "data", "overscan", "parallel", "prescan"),
    [
        ("LL", (4, 0), (260, 0), (4, 200), (0, 0)),
        ("LR", (16, 0), (0, 0), (16, 200), (272, 0)),
        ("UL", (4, 3), (260, 3), (4, 0), (0, 3)),
        ("UR", (16, 3), (0, 3), (16, 0), (272, 3)),
    ],
)
def test_a_file_with_pixels_as_on_the_detector_has_the_overscan_where_the_readout_ends(
    corner, data, overscan, parallel, prescan
):
    (row,) = amplifier_rows(answers(readout=corner, prescan="4", overscan_rows="3"))
    found = boxes(row)
    assert (found["bbox"], found["raw"]) == ((0, 0, 256, 200), (0, 0, 276, 203))
    assert [found[name][:2] for name in ("data", "overscan", "parallel", "prescan")] == [
        data,
        overscan,
        parallel,
        prescan,
    ]
    assert row[27:30] == [corner, 0, 0]


def test_a_file_with_pixels_as_read_is_flipped():
    rows = amplifier_rows(answers(amplifiers="2 x 2", readout="LL LR UL UR", pixel_order="readout"))
    assert [row[27:30] for row in rows] == [["LL", 0, 0], ["LR", 1, 0], ["UL", 0, 1], ["UR", 1, 1]]
    assert [boxes(row)["raw"][:2] for row in rows] == [(0, 0), (272, 0), (0, 200), (272, 200)]
    assert [boxes(row)["overscan"][0] for row in rows] == [256, 528, 256, 528]


@pytest.mark.parametrize(("holds", "numbers"), [("detector", [1, 2, 1, 2]), ("exposure", [1, 2, 3, 4])])
def test_extensions_are_counted_in_the_file(holds, numbers):
    rows = amplifier_rows(answers(detectors="2", amplifiers="2", amplifier_images="own", file_holds=holds))
    assert [row[2] for row in rows] == numbers
    assert {boxes(row)["raw"][:2] for row in rows} == {(0, 0)}


LAYOUTS = {
    "four corners in one image": {"amplifiers": "2 x 2", "readout": "LL LR UL UR", "overscan_rows": "5"},
    "four corners as read": {"amplifiers": "2 x 2", "readout": "LL LR UL UR", "pixel_order": "readout", "prescan": "4"},
    "an extension for each amplifier": {"amplifiers": "1 x 2", "readout": "LL LR", "amplifier_images": "own"},
    "all from the right": {"amplifiers": "1 x 2", "readout": "LR"},
    "no overscan": {"overscan": "0"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_described_camera_is_simulated_and_comes_out_as_it_went_in(layout, tmp_path):
    words = [word for name, text in (SMALL | LAYOUTS[layout]).items() for word in (f"--{name.replace('_', '-')}", text)]
    known = ["--gain", "1.5", "--read-noise", "5", "--saturation", "60000"]
    assert main(["new", "toycam", "--no-input", "--output", str(tmp_path), *words, *known]) == 0
    package = tmp_path / "obs_toycam"
    assert check_package(str(package)) == []
    with imported(package) as instrument:
        frames = tmp_path / "frames"
        frames.mkdir()
        assert list(frame_faults(instrument, frames)) == []


@pytest.mark.parametrize("images", ["shared", "own"])
def test_one_file_for_a_mosaic(images, tmp_path):
    words = ["--detectors", "2 x 2", "--amplifiers", "1 x 2", "--amplifier-images", images, "--file-holds", "exposure"]
    words += ["--width", "32", "--height", "32", "--overscan", "8"]
    assert main(["new", "toycam", "--no-input", "--output", str(tmp_path), *words]) == 0
    package = tmp_path / "obs_toycam"
    assert "obs simulate toycam --output raw --multi-extension --type bias" in (package / "README.md").read_text()
    with (package / "obs_toycam" / "camera" / "detectors.csv").open() as file:
        assert len(list(csv.reader(line for line in file if not line.startswith("#")))) == 1 + 4
    with imported(package) as instrument:
        shot = plan_shot("bias", first_filter(instrument), visit=3, seed=1)
        frames = [
            RawFrame(made.images, made.header, detector)
            for detector in instrument.load_camera()
            for made in [simulate_exposure(instrument, shot, detector, SimulateConfig(), seed=1)]
        ]
        write_raw(tmp_path / "raw.fits", frames, multi_extension=True)
        found = list(read_frames(tmp_path / "raw.fits", instrument.make_translator()))
    per_detector = 2 if images == "own" else 1
    assert [(frame.row["ccd"], frame.hdu) for frame in found] == [(n, 1 + per_detector * n) for n in range(4)]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"detectors": "2 x 0"}, "detectors = '2 x 0' is not an integer from 1 to 8192, nor rows x columns"),
        ({"amplifiers": "2000"}, "amplifiers = '2000' is not an integer from 1 to 1024"),
        ({"readout": "LL TOP"}, "readout: 'TOP' is not a corner; corners are LL, LR, UR, UL"),
        ({"readout": "LL LR"}, "readout has 2 corners and a detector 1 amplifiers"),
        ({"file_holds": "detectors"}, "file_holds = 'detectors' is neither detector nor exposure; did you mean"),
        ({"gap_x": "wide"}, "gap_x = 'wide' is not a number of pixels"),
        ({"gap_y": "-5"}, "gap_y = '-5' is below 0, so that detectors would lie on one another: give the pixels"),
        ({"prescan": "-1"}, "prescan = '-1' is not an integer from 0 to 100000"),
    ],
)
def test_descriptions_that_cannot_be_are_refused(more, message):
    with pytest.raises(ConfigError, match=message):
        Answers(camera="toy", **more)
