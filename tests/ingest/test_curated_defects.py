"""Lists of defects that people write, with dates."""

import re

import pytest
from toy_camera import write_raw

from obs.cli.main import main
from obs.errors import FileFormatError
from obs.ingest.calib_store import CalibStore
from obs.ingest.curated_defects import find_tables, ingest_defects, read_boxes
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.repo.butler import Butler

HEADER = "x_min,y_min,width,height,note\n"


@pytest.fixture
def lists(tmp_path):
    """A folder with two lists for detector ``zero`` and one for ``one``."""
    folder = tmp_path / "defects"
    for name, day, rows in (
        ("zero", "2024-01-01", "3,0,1,40,column\n"),
        ("zero", "2024-03-02", "# both columns\n3,0,2,40,\n"),
        ("one", "2024-01-01", "0,0,4,4,corner\n47,39,1,1,\n"),
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{day}.csv").write_text(HEADER + rows)
    return folder


def boxes_of(root, **data_id):
    table = Butler(root).get("defects", **data_id)
    return list(zip(*(table[name].tolist() for name in ("x0", "y0", "width", "height")), strict=True))


def test_lists_count_until_the_next_one(repository, lists, tmp_path, capsys):
    assert main(["calibs", "defects", str(repository), str(lists)]) == 0
    assert "3 files: 3 ingested, 0 skipped, 0 failed" in capsys.readouterr().out
    store = CalibStore(Butler(repository), read_only=True)
    found = [(c.data_id["ccd"], c.valid_start, c.valid_end) for c in store.find("defects")]
    assert sorted(found) == [
        (0, "2024-01-01", "2024-03-02"),
        (0, "2024-03-02", "2037-12-31"),
        (1, "2024-01-01", "2037-12-31"),
    ]
    for visit, day in ((1, "2024-02-01"), (2, "2024-03-05")):
        raw = write_raw(tmp_path / "in" / f"{visit}.fits", RUN=visit, DATE_OBS=f"{day}T01:00:00")
        assert ingest_raws(Butler(repository), [raw], IngestOptions()).ok
    assert boxes_of(repository, visit=1, ccd=0) == [(3, 0, 1, 40)]
    assert boxes_of(repository, visit=2, ccd=0) == [(3, 0, 2, 40)]


def test_a_changed_list_replaces_the_registered_one(repository, lists):
    butler = Butler(repository)
    assert ingest_defects(butler, lists).ok
    (lists / "one" / "2024-01-01.csv").write_text(HEADER + "7,7,1,1,\n")
    assert ingest_defects(butler, lists).ok
    path = CalibStore(butler, read_only=True).path("defects", {"ccd": 1, "calibDate": "2024-01-01"})
    assert path is not None
    assert len(CalibStore(butler, read_only=True).find("defects")) == 3


def test_a_dry_run_changes_nothing(repository, lists):
    assert ingest_defects(Butler(repository), lists, dry_run=True).ok
    assert CalibStore(Butler(repository), read_only=True).find("defects") == []


def test_one_wrong_list_does_not_stop_the_others(repository, lists, capsys):
    (lists / "one" / "2024-01-01.csv").write_text(HEADER + "47,39,2,1,\n")
    assert main(["calibs", "defects", str(repository), str(lists)]) == 1
    printed = capsys.readouterr()
    assert "3 files: 2 ingested, 0 skipped, 1 failed" in printed.out
    assert "line 2, column 'x_min': the box leaves detector 'one' of 48 x 40 pixels" in printed.err


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,2,0,1,\n", "column 'width': a box has at least one pixel"),
        ("1,-1,2,3,\n", "column 'y_min': the box leaves detector 'zero'"),
        ("1,39,2,3,\n", "column 'y_min': the box leaves detector 'zero'"),
        ("1.5,2,1,1,\n", "column 'x_min': '1.5' is not a whole number"),
        ("0,0,48,30,\n", "the boxes cover 75% of detector 'zero'"),
        ("1,2,3\n", "3 cells under 5 column names"),
        ("", "there is no row under the column names"),
    ],
)
def test_lists_that_cannot_be(lists, instrument, rows, message):
    (lists / "zero" / "2024-01-01.csv").write_text(HEADER + rows)
    table = find_tables(lists, instrument.load_camera())[1]
    with pytest.raises(FileFormatError, match=message):
        read_boxes(table)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zer/2024-01-01.csv", "the folder 'zer' is not a detector of toy; did you mean 'zero'"),
        ("zero/last_year.csv", "'last_year' is not a date: name the table after the first day"),
        ("zero/2024-02-30.csv", "'2024-02-30' is not a date"),
    ],
)
def test_names_that_say_nothing(lists, instrument, name, message):
    (lists / name).parent.mkdir(exist_ok=True)
    (lists / name).write_text(HEADER + "1,1,1,1,\n")
    with pytest.raises(FileFormatError, match=message):
        find_tables(lists, instrument.load_camera())


def test_a_folder_without_lists(tmp_path, instrument):
    with pytest.raises(FileFormatError, match="is not a folder: make it, with tables such as"):
        find_tables(tmp_path / "nothing", instrument.load_camera())
    with pytest.raises(FileFormatError, match="has no table of defects, such as"):
        find_tables(tmp_path, instrument.load_camera())


ECSV = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: x0, datatype: int64}
# - {name: y0, datatype: int64}
# - {name: width, datatype: int64}
# - {name: height, datatype: int64}
# meta: {OBSTYPE: defects, INSTRUME: Toy, DETECTOR: 0}
# schema: astropy-2.0
x0 y0 width height
3 0 1 40
5 6 2 2
"""


@pytest.fixture
def curated(tmp_path):
    """A table as the obs packages of the LSST stack have it."""
    path = tmp_path / "defects" / "zero" / "20240101T000000.ecsv"
    path.parent.mkdir(parents=True)
    path.write_text(ECSV)
    return path


def test_curated_defects_of_the_stack(repository, curated, tmp_path):
    assert ingest_defects(Butler(repository), curated.parents[1]).ok
    raw = write_raw(tmp_path / "in" / "1.fits", RUN=1, DATE_OBS="2024-02-01T01:00:00")
    assert ingest_raws(Butler(repository), [raw], IngestOptions()).ok
    assert boxes_of(repository, visit=1, ccd=0) == [(3, 0, 1, 40), (5, 6, 2, 2)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DETECTOR: 0", "DETECTOR: 1", "its header has DETECTOR 1, its place says 0"),
        ("OBSTYPE: defects", "OBSTYPE: bias", "its header has OBSTYPE bias, its place says defects"),
        ("5 6 2 2", "47 6 2 2", r"leaves detector 'zero' of 48 x 40 pixels"),
        ("x0 y0 width height", "x y width height", "is not a table"),
    ],
)
def test_curated_defects_that_do_not_fit_their_place(repository, curated, old, new, message):
    curated.write_text(curated.read_text().replace(old, new))
    report = ingest_defects(Butler(repository), curated.parents[1])
    assert not report.ok
    assert re.search(message, report.files[0].reason)
