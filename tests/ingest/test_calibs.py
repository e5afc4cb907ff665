"""Calibration frames in a repository: their validity, and what is said when none is found."""

import re
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from toy_camera import write_raw

from obs.errors import DataIdError, DatasetNotFoundError
from obs.ingest.calib_store import CalibStore, format_calib_id, validity_ranges
from obs.ingest.calibs import ingest_calibs
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.policy.valid_calibrations import find_valid_rows
from obs.repo.butler import Butler
from obs.repo.registry import Registry

DAYS = st.integers(0, 400).map(lambda n: date(2024, 1, 1) + timedelta(days=n))


def write_calib(path, day="2024-03-01", ccd=0, name="bias", filter_name="NONE", value=0, **changes):
    header = {"OBSTYPE": name, "CALIB_ID": f"filter={filter_name} calibDate={day} ccd={ccd}", **changes}
    header = {keyword: value for keyword, value in header.items() if value is not None}
    fits.PrimaryHDU(np.full((40, 48), value, np.float32), fits.Header(header)).writeto(path)
    return path


def ingest(root, *files, validity=10, **options):
    return ingest_calibs(Butler(root), files, validity=validity, **options)


def valid(root, name="bias"):
    return [
        (c.data_id["calibDate"], c.data_id["ccd"], c.valid_start, c.valid_end)
        for c in CalibStore(Butler(root), read_only=True).find(name)
    ]


def observe(root, tmp_path, visit, moment, **changes):
    """Ingest a frame taken at a moment, and return its data ID."""
    path = write_raw(tmp_path / "raw_in" / f"{visit}.fits", RUN=visit, DATE_OBS=moment, **changes)
    assert ingest_raws(Butler(root), [path], IngestOptions()).ok
    return {"visit": visit, "ccd": changes.get("DETECTOR", 0)}


def test_validity_is_so_many_days_before_and_after(repository, tmp_path):
    path = write_calib(tmp_path / "b.fits")
    report = ingest(repository, path)
    assert report.ok
    assert report.files[0].data_ids == ({"type": "bias", "filter": "NONE", "calibDate": "2024-03-01", "ccd": 0},)
    assert valid(repository) == [("2024-03-01", 0, "2024-02-20", "2024-03-11")]
    assert not path.exists()
    assert (repository / "CALIB/bias/2024-03-01/bias-2024-03-01-0.fits").is_file()


def test_neighbors_share_the_days_between_them(repository, tmp_path):
    days = ["2024-03-01", "2024-03-06", "2024-05-01"]
    ingest(repository, *(write_calib(tmp_path / f"{day}.fits", day) for day in days[::-1]))
    ingest(repository, write_calib(tmp_path / "other.fits", days[0], ccd=1))
    assert valid(repository) == [
        ("2024-03-01", 0, "2024-02-20", "2024-03-04"),
        ("2024-03-06", 0, "2024-03-04", "2024-03-16"),
        ("2024-05-01", 0, "2024-04-21", "2024-05-11"),
        ("2024-03-01", 1, "2024-02-20", "2024-03-11"),
    ]


def test_defects_are_valid_until_the_next_ones(repository, tmp_path):
    days = ["2024-03-01", "2024-06-01"]
    ingest(repository, *(write_calib(tmp_path / f"{day}.fits", day, name="defects") for day in days))
    assert valid(repository, "defects") == [
        ("2024-03-01", 0, "2024-03-01", "2024-06-01"),
        ("2024-06-01", 0, "2024-06-01", "2037-12-31"),
    ]


@pytest.mark.parametrize(
    ("moment", "chosen"),
    [
        ("2024-02-20T00:00:00", 1),
        ("2024-03-03T23:59:59.9", 1),
        ("2024-03-04", 2),
        ("2024-03-04T00:00:01", 2),
        ("2024-03-16T22:00:00", 2),
        ("2024-03-16", 2),
    ],
)
def test_a_frame_of_any_valid_day_finds_its_calibration(repository, tmp_path, moment, chosen):
    for value, day in ((1, "2024-03-01"), (2, "2024-03-06")):
        ingest(repository, write_calib(tmp_path / f"{day}.fits", day, value=value))
    data_id = observe(repository, tmp_path, 7, moment)
    assert Butler(repository).get("bias", data_id).masked_image.image[0, 0] == chosen


@given(st.lists(DAYS, min_size=1, max_size=8, unique=True), st.integers(0, 60), st.booleans())
def test_validities_meet_and_hold_their_own_day(days, length, until_superseded):
    days = sorted(days)
    ranges = validity_ranges(days, length, until_superseded=until_superseded)
    for day, (start, end) in zip(days, ranges, strict=True):
        assert start <= day <= end
        if not until_superseded:
            assert (day - start).days <= length
            assert (end - day).days <= length
    for (_, end), (start, _) in pairwise(ranges):
        assert end <= start
        assert until_superseded or end == start or (start - end).days >= 1


@given(
    st.lists(DAYS, min_size=1, max_size=6, unique=True),
    st.integers(0, 40),
    st.datetimes(datetime(2023, 12, 1), datetime(2025, 4, 1)),
    st.booleans(),
)
def test_exactly_one_is_found_where_one_is_valid(tmp_path_factory, days, length, moment, with_time):
    """The nearest of those whose days reach the frame's day, whether or not it comes with a time."""
    registry = Registry(tmp_path_factory.mktemp("v") / "c.sqlite3", read_only=False)
    registry.create_table("bias", dict.fromkeys(["calibDate", "s", "e"], "text"), ["calibDate"])
    days = sorted(days)
    registry.insert(
        "bias",
        [
            {"calibDate": str(day), "s": str(start), "e": str(end)}
            for day, (start, end) in zip(days, validity_ranges(days, length), strict=True)
        ],
    )
    text = moment.isoformat() if with_time else str(moment.date())
    rows = find_valid_rows(registry, ["calibDate"], {}, ["bias"], (text, "s", "e"))
    distances = [abs((day - moment.date()).days) for day in days]
    if min(distances) > length:
        assert rows == []
    else:
        assert len(rows) == 1
        found = date.fromisoformat(rows[0][0])
        assert abs((found - moment.date()).days) <= min(distances) + 1


def test_flats_are_chosen_by_filter(repository, tmp_path):
    for value, name in ((1, "g"), (2, "r")):
        ingest(repository, write_calib(tmp_path / f"{name}.fits", name="flat", filter_name=name, value=value))
    data_id = observe(repository, tmp_path, 7, "2024-03-02T01:02:03", FILTER="r")
    assert Butler(repository).get("flat", data_id).masked_image.image[0, 0] == 2


def test_when_none_matches_each_candidate_is_told(repository, tmp_path):
    ingest(repository, write_calib(tmp_path / "a.fits", name="flat", filter_name="g"))
    ingest(repository, write_calib(tmp_path / "b.fits", name="flat", filter_name="r", ccd=1))
    ingest(repository, write_calib(tmp_path / "c.fits", day="2020-01-01", name="flat", filter_name="r"))
    data_id = observe(repository, tmp_path, 7, "2024-03-02T01:02:03", FILTER="r")
    with pytest.raises(DatasetNotFoundError, match="no flat for") as caught:
        Butler(repository).get("flat", data_id)
    assert str(caught.value) == (
        "no flat for ccd=0 filter=r taiObs=2024-03-02T01:02:03 among 3 in the registry of calibrations; refused: "
        "filter=g ccd=0 calibDate=2024-03-01: its filter is g; "
        "filter=r ccd=0 calibDate=2020-01-01: it is valid from 2019-12-22 to 2020-01-11; "
        "filter=r ccd=1 calibDate=2024-03-01: its ccd is 1"
    )


def test_none_at_all(repository, tmp_path):
    CalibStore(Butler(repository))
    data_id = observe(repository, tmp_path, 7, "2024-03-02T01:02:03")
    with pytest.raises(DatasetNotFoundError, match=r"no bias for .* among 0 .*; the table bias is empty"):
        Butler(repository).get("bias", data_id)


def test_the_same_again(repository, tmp_path):
    path = write_calib(tmp_path / "b.fits")
    ingest(repository, path, mode="copy")
    assert ingest(repository, path).files[0].status == "skipped"
    other = write_calib(tmp_path / "c.fits", value=3)
    report = ingest(repository, other)
    assert report.files[0].status == "failed"
    assert re.search(r"there is a bias with .*ccd=0.* already; --clobber replaces it", report.files[0].reason)
    assert ingest(repository, other, ignore_ingested=True).files[0].status == "skipped"
    assert ingest(repository, other, clobber=True).ok
    assert fits.getdata(repository / "CALIB/bias/2024-03-01/bias-2024-03-01-0.fits")[0, 0] == 3
    assert len(valid(repository)) == 1


def test_a_file_of_another_repository_is_not_moved_out_of_it(repository, tmp_path):
    (other := tmp_path / "other/CALIB/bias").mkdir(parents=True)
    (tmp_path / "other/CALIB/calibRegistry.sqlite3").touch()
    path = write_calib(other / "b.fits")
    (refused,) = ingest(repository, path).files
    assert refused.status == "failed"
    assert refused.reason.startswith(f"it belongs to the repository {tmp_path / 'other/CALIB'}, and is not moved out")
    assert path.is_file()
    assert ingest(repository, path, mode="copy").ok
    assert ingest(repository, path, ignore_ingested=True).files[0].status == "failed"
    assert path.is_file()


def test_masters_of_other_programs_are_taken_by_their_image_type(repository, tmp_path):
    cards = {"OBSTYPE": None, "CALIB_ID": None, "DETECTOR": 1, "FILTER": "r", "DATE-OBS": "2024-03-01T20:00:00"}
    files = [
        write_calib(tmp_path / "1.fits", **cards, IMAGETYP="Master Bias"),
        write_calib(tmp_path / "2.fits", **cards, IMAGETYP="Flat Frame"),
    ]
    report = ingest(repository, *files)
    assert [file.reason for file in report.files] == ["", ""]
    assert [file.data_ids[0]["type"] for file in report.files] == ["bias", "flat"]
    assert valid(repository)[0][:2] == ("2024-03-01", 1)
    raw = write_raw(tmp_path / "raw.fits", IMGTYPE="Master Bias", IMAGETYP="Master Bias")
    (left_out,) = ingest_raws(Butler(repository), [raw], IngestOptions()).files
    assert left_out.status == "skipped"
    assert "a bias made of several frames (IMAGETYP = 'Master Bias'), no raw frame; obs calibs" in left_out.reason


def test_files_that_do_not_say_what_they_are(repository, tmp_path):
    files = [
        write_calib(tmp_path / "1.fits", OBSTYPE=None),
        write_calib(tmp_path / "2.fits", name="arc"),
        write_calib(tmp_path / "light.fits", OBSTYPE=None, IMAGETYP="Light Frame"),
        write_calib(tmp_path / "3.fits", CALIB_ID="ccd=1"),
        write_calib(tmp_path / "4.fits", day="01.03.2024"),
        write_calib(tmp_path / "5.fits", ccd="one"),
        tmp_path / "none.fits",
        write_calib(tmp_path / "6.fits", name="ZERO"),
    ]
    report = ingest(repository, *files)
    types = "the types are bias, dark, flat, fringe, sky, defects"
    assert [file.reason for file in report.files] == [
        f"OBSTYPE is missing; {types}",
        f"OBSTYPE 'arc' is not a calibration of this camera; {types}",
        f"the image type 'science' is not a calibration of this camera; {types}",
        "the bias does not say calibDate (given: ccd=1)",
        "calibDate '01.03.2024' is not a date like 2020-09-04",
        "ccd=one: ccd must be an integer",
        "does not exist",
        "",
    ]
    assert report.files[-1].status == "ingested"


def test_frames_of_another_camera_or_detector_are_named(repository, tmp_path):
    observe(repository, tmp_path, 7, "2024-03-02T01:02:03", INSTRUME="ToyCam")
    given = [
        {"INSTRUME": "hsc"},
        {"DETNAME": "one"},
        {"ccd": 9},
        {"INSTRUME": "OtherCam"},
        {"INSTRUME": "toycam", "ccd": 1},
    ]
    report = ingest(repository, *(write_calib(tmp_path / f"{n}.fits", **cards) for n, cards in enumerate(given)))
    assert [file.reason.split(": ", 2)[:2] for file in report.files] == [
        ["of another camera", "INSTRUME = hsc, which is installed as hsc"],
        ["of another detector", "DETNAME = one, and ccd=0 is 'zero'; correct CALIB_ID or DETNAME"],
        ["camera 'toy' has no detector 9; it has 2 detectors, ids 0 to 1"],
        [""],
        [""],
    ]
    assert [len(file.warnings) for file in report.files] == [0, 0, 0, 1, 0]
    assert report.files[3].warnings[0].startswith("INSTRUME is OtherCam, ToyCam in the raw frames")


def test_frames_of_others_are_read_as_raw_frames_are(repository, tmp_path):
    path = write_calib(tmp_path / "b.fits", CALIB_ID=None, RUN=1, DETECTOR=1, **{"DATE-OBS": "2024-03-01T05:00:00"})
    assert ingest(repository, path).ok
    assert valid(repository) == [("2024-03-01", 1, "2024-02-20", "2024-03-11")]


def test_a_dry_run_and_a_new_start(repository, tmp_path):
    path = write_calib(tmp_path / "b.fits")
    report = ingest(repository, path, dry_run=True)
    assert report.ok
    assert path.exists()
    assert not (repository / "CALIB").exists()
    ingest(repository, path)
    ingest(repository, write_calib(tmp_path / "c.fits", ccd=1), create=True)
    assert [row[1] for row in valid(repository)] == [1]


@given(st.dictionaries(st.sampled_from(["filter", "calibDate", "ccd"]), st.from_regex(r"\w{1,5}", fullmatch=True)))
def test_calib_id_reads_back(data_id):
    assert dict(re.findall(r"(\w+)=(\S+)", format_calib_id(data_id))) == data_id


def test_a_key_that_is_missing(repository):
    with pytest.raises(DataIdError, match=r"the flat does not say filter \(given: calibDate=2024-03-01 ccd=0\)"):
        CalibStore(Butler(repository)).complete("flat", {"calibDate": "2024-03-01", "ccd": "0"})


def test_the_commands(repository, obs, tmp_path):
    write_calib(tmp_path / "b0.fits")
    write_calib(tmp_path / "b1.fits", ccd=1)
    status, out, _ = obs("calibs", "ingest", repository, tmp_path / "b*.fits", "--validity", 5)
    assert (status, out) == (0, "2 files: 2 ingested, 0 skipped, 0 failed\n")
    status, out, _ = obs("calibs", "list", repository)
    assert status == 0
    assert re.search(r"type +calibDate +filter +ccd +valid from +valid to +file", out)
    assert re.search(r"bias +2024-03-01 +NONE +1 +2024-02-25 +2024-03-06 +/.*/CALIB/bias/.*-1.fits", out)
    (repository / "CALIB/bias/2024-03-01/bias-2024-03-01-1.fits").unlink()
    assert "MISSING" in obs("calibs", "list", repository, "bias")[1]
    status, out, err = obs("calibs", "list", repository, "flat")
    assert (status, out) == (0, "")
    assert "no flat in" in err
    status, _, err = obs("calibs", "list", repository, "flt")
    assert status == 1
    assert "there is no type of calibration 'flt'; did you mean 'flat'?" in err
    status, _, err = obs("calibs", "ingest", repository, tmp_path / "b*.fits")
    assert status == 2
    assert "Missing option '--validity'" in err
