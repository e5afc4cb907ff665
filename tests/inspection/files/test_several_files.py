"""Several files of one camera: what they tell together, and files of two cameras."""

import pytest

from obs.errors import FileFormatError
from obs.geom import Box
from obs.inspection.inspect import inspect_files
from raw_frames import COMMON, flat_frame, write_frame

SHAPE = (60, 112)


def frame(tmp_path, name, *, level=5000, **cards):
    changed = {key.replace("_", "-") if key.startswith("DATE") else key: value for key, value in cards.items()}
    kept = [card for card in COMMON if card[0] not in changed]
    new = [(key, value) for key, value in changed.items() if value is not None]
    return write_frame(tmp_path / name, [*kept, *new], flat_frame(SHAPE, level=level, dark=[slice(96, 112)]))


def test_the_brightest_frame_shows_the_overscan(tmp_path):
    paths = [
        frame(tmp_path, "a.fits", level=0, EXPNUM=1, IMAGETYP="BIAS", EXPTIME=0.0),
        frame(tmp_path, "b.fits", EXPNUM=2, IMAGETYP="FLAT"),
        frame(tmp_path, "c.fits", level=300, EXPNUM=3),
    ]
    found = inspect_files(paths)
    ((amp,),) = [chip.facts.amplifiers for chip in found.detectors]
    assert (amp.data, amp.overscan) == (Box(0, 0, 96, 60), Box(96, 0, 16, 60))
    assert found["image_type"].value == "bias"


def test_what_the_first_file_does_not_tell_another_may(tmp_path):
    paths = [
        frame(tmp_path, "a.fits", level=0, EXPNUM=1, IMAGETYP="BIAS", EXPTIME=0.0, FILTER=None, OBJECT=""),
        frame(tmp_path, "b.fits", EXPNUM=2, RA="10:00:00", DEC="+20:00:00"),
    ]
    found = inspect_files(paths)
    assert (found["filter"].value, found["filter"].note) == ("r", "a.fits does not say it")
    assert (found["boresight_ra"].value, found["object"].value) == (150.0, "M 31")
    assert {"filter", "object", "boresight_ra", "boresight_dec"} <= found.frames.borrowed


def test_filters_of_all_files(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", EXPNUM=n, FILTER=name) for n, name in enumerate("gri", 1)]
    assert inspect_files(paths).frames.filters == ("g", "r", "i")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"INSTRUME": "newcam"},
            r"of 2 cameras: toycam \(1\.0m\): a\.fits; newcam \(1\.0m\): b\.fits; give those of one, or choose one by "
            r"--only toycam$",
        ),
        ({"TELESCOP": "2.0m"}, r"of 2 cameras: toycam \(1\.0m\): a\.fits; toycam \(2\.0m\): b\.fits"),
    ],
)
def test_files_of_two_cameras_are_told_apart_by_name(tmp_path, other, message):
    paths = [
        frame(tmp_path, "a.fits", TELESCOP="1.0m"),
        frame(tmp_path, "b.fits", **{"TELESCOP": "1.0m", **other}),
        frame(tmp_path, "c.fits", TELESCOP="1.0m", EXPNUM=18),
    ]
    with pytest.raises(FileFormatError, match=message.replace(r"a\.fits", r"a\.fits, c\.fits")):
        inspect_files(paths)


def test_few_files_of_another_camera_are_left_out(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", EXPNUM=n) for n in range(3)]
    paths.append(frame(tmp_path, "guide.fits", INSTRUME="Guider", EXPNUM=9))
    found = inspect_files(paths)
    assert len(found.files) == 3
    assert "1 of 4 files are of another camera, Guider" in found.warnings[0]


def test_one_of_several_cameras_is_chosen_by_its_name(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", INSTRUME=name, EXPNUM=n) for n, name in enumerate(["QHY600", "ASI 294"])]
    found = inspect_files(paths, only="asi")
    assert [file.path.name for file in found.files] == ["1.fits"]
    assert "QHY600, and left out: 0.fits; obs new NAME --from FILES --only QHY600 describes it" in found.warnings[0]
    with pytest.raises(FileFormatError, match=r"'canon' is not the name of one camera; the files are of 2: QHY600: 0"):
        inspect_files(paths, only="canon")


def test_files_of_an_installed_camera_are_left_to_it(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", INSTRUME="Hyper Suprime-Cam", EXPNUM=n) for n in range(3)]
    assert len(inspect_files(paths).files) == 3
    found = inspect_files([*paths, frame(tmp_path, "mine.fits", EXPNUM=9)])
    assert [file.path.name for file in found.files] == ["mine.fits"]
    assert "3 of 4 files are of another camera, Hyper Suprime-Cam, and left out" in found.warnings[0]
    assert found.warnings[0].endswith("it is installed as hsc: obs init DIR --camera hsc, then obs ingest DIR FILES")


def test_files_without_a_name_are_told_apart_by_their_cards(tmp_path):
    first = write_frame(tmp_path / "a.fits", [(f"A{n}", n) for n in range(30)], flat_frame(SHAPE))
    second = write_frame(tmp_path / "b.fits", [(f"B{n}", n) for n in range(30)], flat_frame(SHAPE))
    third = write_frame(tmp_path / "c.fits", [(f"A{n}", 0) for n in range(30)], flat_frame(SHAPE))
    with pytest.raises(FileFormatError, match=r"a camera without a name: a\.fits, c\.fits; a camera without a name: b"):
        inspect_files([first, second, third])


def test_the_version_of_a_program_is_no_camera(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", INSTRUME=None, EXPNUM=n, VERSION=f"v5_{n}") for n in (1, 2)]
    assert len(inspect_files(paths).files) == 2


def test_frames_of_one_night_without_number_or_time_are_told(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", EXPNUM=None, DATE_OBS="2024-03-01", NAME=n) for n in (1, 2)]
    found = inspect_files(paths)
    assert found["visit"].confidence == "not known"
    assert any("frames of one night cannot be distinguished" in text for text in found.warnings)
    named = [
        frame(tmp_path, f"{n}.fits", EXPNUM=None, DATE_OBS="2024-03-01", FILENAME=f"n20240301.00{n}c1.fits")
        for n in (12, 13)
    ]
    found = inspect_files(named)
    assert (found["visit"].value, found["visit"].confidence) == (12, "guess")


def test_header_listings_of_programs(tmp_path):
    text = "# HDU 0 in raw.fits:\n\nSIMPLE  =                    T\nEXPTIME =                 12.0\n"
    text += "DATASEC = '[1:96,1:60]'\n"
    path = tmp_path / "listing.hdr"
    path.write_text(text + "BIASSEC = '[97:112,1:60]'\nEND\n")
    found = inspect_files([path])
    assert found["exposure_time"].value == 12.0
    assert found.files[0].shapes == ((60, 112),)
    assert any("NAXIS1 and NAXIS2 are missing: taken as 112 x 60" in text for text in found.warnings)


def test_a_camera_at_another_telescope_is_chosen_by_that(tmp_path):
    paths = [frame(tmp_path, f"{n}.fits", TELESCOP="RC8", EXPNUM=n) for n in range(3)]
    paths.append(frame(tmp_path, "moved.fits", TELESCOP="FSQ85", EXPNUM=9))
    assert "--only FSQ85 describes it" in inspect_files(paths).warnings[0]
    assert [file.path.name for file in inspect_files(paths, only="FSQ85").files] == ["moved.fits"]


def test_letters_behind_the_number_name_the_detector(tmp_path):
    paths = [frame(tmp_path, f"n{n:04d}{chip}.fits", EXPNUM=n, TIME=n) for n in (1, 2) for chip in "ab"]
    found = inspect_files(paths)
    assert [chip.key for chip in found.detectors] == ["a", "b"]
    assert (found["detector"].source, found["detector"].confidence) == ("name of the file", "guess")


def test_extensions_named_after_chips_are_detectors_although_their_sections_touch(tmp_path):
    chips = [
        ([("EXTNAME", f"CCD{n}"), ("DETSEC", f"[{n * 112 - 111}:{n * 112},1:60]")], flat_frame(SHAPE)) for n in (1, 2)
    ]
    found = inspect_files([write_frame(tmp_path / "raw.fits", COMMON, extensions=chips)])
    assert (found.layout, [chip.key for chip in found.detectors]) == ("detectors", [1, 2])
