"""Many data IDs at once: which files are there, and what the registry knows of them."""

import pytest

from obs.coadds.frames import find_failed
from obs.ingest.raws import create_raw_tables
from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.frame_types import OtherFrames, leave_out_other_frames
from obs.repo.registry import Registry
from obs.runs.selection import select_data_ids, with_known_keys


@pytest.fixture
def butler(tmp_path):
    """A necam repository with 40 registered frames; those of odd visits have files, one of them compressed."""
    instrument = load_instrument("necam")
    make_repository(tmp_path, instrument)
    made = Butler(tmp_path)
    registry = Registry(tmp_path / "registry.sqlite3", read_only=False)
    create_raw_tables(registry, instrument.make_translator())
    day = {"filter": "Clear", "dataType": "science", "dateObs": "2020-01-02", "taiObs": "2020-01-02"}
    rows = [{**day, "visit": visit, "ccd": 1, "expTime": float(visit)} for visit in range(1, 41)]
    for row in rows[34:38:2]:
        row["dataType"] = "FLAT"
    rows[38]["dataType"] = "bias"
    registry.insert("raw", rows)
    names = instrument.make_translator().visit
    registry.insert("raw_visit", [{name: row[name] for name in names} for row in rows])
    for row in rows[::2]:
        path = tmp_path / made.mapper.path("raw", row)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(path.name + ".gz" if row["visit"] == 5 else path.name).touch()
    return made


def test_files_are_found_as_one_by_one(butler):
    data_ids = [{"visit": visit, "ccd": 1, "filter": "Clear"} for visit in range(1, 45)]
    there = butler.exist_each("raw", data_ids)
    assert there == [butler.exists("raw", data_id) for data_id in data_ids]
    assert [data_id["visit"] for data_id, found in zip(data_ids, there, strict=True) if found] == list(range(1, 41, 2))


@pytest.mark.parametrize("words", [["visit=1..3"], []])
def test_keys_of_few_and_of_many_data_ids(butler, words):
    chosen = select_data_ids(butler, [words])
    known = list(with_known_keys(butler, chosen.data_ids))
    assert [row["expTime"] for row in known] == [float(row["visit"]) for row in chosen.data_ids]
    assert [row["visit"] for row in chosen.missing] == ([2] if words else list(range(2, 41, 2)))


def test_values_that_a_key_has_are_named_where_none_is_as_wanted(butler, caplog):
    assert list(select_data_ids(butler, [["dataType=dark"]]).data_ids) == []
    assert "No data found for dataType=dark; the raw data have dataType=FLAT^bias^science" in caplog.text


def test_data_ids_of_several_words_and_in_any_order_keep_what_is_known_of_them(butler):
    chosen = select_data_ids(butler, [["visit=31..40"], ["visit=1..35"]]).data_ids
    assert [row["visit"] for row in chosen] == [31, 33, 35, 37, 39, *range(1, 31, 2)]
    assert len(chosen[:2]) == 2
    known = list(with_known_keys(butler, [*chosen, *select_data_ids(butler, [["visit=40..41"]]).missing][::-1]))
    assert [row["expTime"] for row in known] == [float(row["visit"]) for row in known]
    chosen[0]["visit"] = 0
    assert chosen[0]["visit"] == 31


@pytest.mark.parametrize(
    ("words", "told"),
    [("", True), ("visit=31..40", True), ("visit=35", False), ("dataType=FLAT", False), ("visit=1;visit=35", False)],
)
def test_frames_that_are_not_of_the_sky_are_left_out_unless_they_are_named(butler, caplog, words, told):
    ids = [part.split() for part in words.split(";")]
    chosen = select_data_ids(butler, ids)
    left = leave_out_other_frames(butler, chosen.asked)
    said = "3 frames that are not of the sky (1 bias, 2 flat) are left out of the run; to process them: --id dataType="
    assert (f"{said}FLAT^bias" in caplog.text) == told
    assert len(chosen.data_ids) - len(left) == 3 * told
    others = OtherFrames(butler)
    assert [others.kind({"visit": visit}) for visit in (35, 39, 1)] == ["flat", "bias", None]


def test_exposures_that_failed_are_found_by_keys_of_the_registry(butler):
    for visit in (1, 3, 35):  # the last is a flat
        data_id = {"visit": visit, "ccd": 1, "filter": "Clear", "dateObs": "2020-01-02", "dataType": "science"}
        path = butler.root / butler.mapper.path("processCcd_metadata", data_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    names = [find_failed(butler, wanted) for wanted in ([], [{"expTime": 3.0}], [{"expTime": 2.5}])]
    assert [["visit=1" in " ".join(found), "visit=3" in " ".join(found)] for found in names] == [
        [True, True],
        [False, True],
        [False, False],
    ]
    assert [len(found) for found in names] == [2, 1, 0]
