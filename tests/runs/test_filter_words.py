"""A filter by another of its names, or by its band, selects what the registry has under the name of its time."""

import pytest

from obs.errors import DataIdError, DatasetNotFoundError
from obs.ingest.raws import create_raw_tables
from obs.ingest.repository import make_repository
from obs.instrument.discovery import load_instrument
from obs.repo.butler import Butler
from obs.repo.filter_words import read_ids
from obs.repo.registry import Registry
from obs.runs.results import find_results
from obs.runs.selection import select_data_ids

SEVERAL = "filter=r is the band of several filters here, and all are selected: HSC-R2, W-S-R+; to select one: filter="


@pytest.fixture(scope="module")
def butler(tmp_path_factory):
    """An HSC repository with a frame and a catalog for each of four filters."""
    root, instrument = tmp_path_factory.mktemp("hsc"), load_instrument("hsc")
    make_repository(root, instrument)
    registry = Registry(root / "registry.sqlite3", read_only=False)
    create_raw_tables(registry, instrument.make_translator())
    names = registry.columns(["raw"])
    made = Butler(root)
    for visit, name in ((2, "W-S-R+"), (4, "HSC-R2"), (6, "HSC-G"), (8, "HSC-I")):
        day = {"field": "M31", "dateObs": "2020-01-05", "taiObs": "2020-01-05", "pointing": 1, "dataType": "OBJECT"}
        row = {**day, "visit": visit, "filter": name, "ccd": 56, "expTime": 30.0}
        registry.insert("raw", [{key: value for key, value in row.items() if key in names}])
        for kind in ("raw", "src"):
            path = root / made.mapper.path(kind, row)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return made


@pytest.mark.parametrize(
    ("word", "visits", "line"),
    [
        ("r", [4, 2], f"{SEVERAL}HSC-R2"),
        ("HSC-R", [2], "filter=HSC-R is filter=W-S-R+ here"),
        ("W-S-G+", [6], "filter=W-S-G+ is filter=HSC-G here"),
        ("g^HSC-I", [6, 8], "filter=g is filter=HSC-G here"),
        ("HSC-I", [8], ""),
        ("HSC-I2", [], "No data found for filter=HSC-I2; the raw data have filter=HSC-G^HSC-I^HSC-R2^W-S-R+"),
    ],
)
def test_frames_and_results_are_found_by_each_name_of_their_filter(butler, caplog, word, visits, line):
    words = [[f"filter={word}"]]
    assert [data_id["visit"] for data_id in select_data_ids(butler, words).data_ids] == visits
    assert caplog.messages == ([line] if line else [])
    assert {result.data_id["visit"] for result in find_results(butler, "src", words)} == set(visits)
    named = [data_id["filter"] for data_id in read_ids(butler, words, {"filter": str})]
    assert len(named) == max(len(visits), 1)


@pytest.mark.parametrize(
    ("name", "visit", "place"),
    [("g", 6, "HSC-G"), ("W-S-G+", 6, "HSC-G"), ("HSC-R", 2, "W-S-R+"), ("r", 2, "W-S-R+"), ("HSC-I", 8, "HSC-I")],
)
def test_the_butler_takes_each_name_of_a_filter(butler, name, visit, place):
    data_id = {"visit": visit, "ccd": 56, "filter": name}
    assert butler.exists("src", data_id)
    assert f"/{place}/" in butler.get_uri("src", data_id)
    assert f"/{place}/" in butler.get("src_filename", data_id)[0]
    assert butler.query_metadata("raw", ["visit", "filter"], data_id) == [(visit, place)]
    assert [reference.data_id["filter"] for reference in butler.subset("raw", data_id={"visit": visit, "filter": name})]
    assert butler.data_ref("src", {"visit": visit, "filter": name}).data_id["visit"] == visit


def test_the_butler_does_not_choose_between_filters_of_a_band(butler, tmp_path):
    assert butler.query_metadata("raw", "visit", filter="r") == [2, 4]
    with pytest.raises(DataIdError, match=r"filter=r is the band of several filters here: HSC-R2, W-S-R\+; name one"):
        butler.get("src", ccd=56, filter="r")
    assert not butler.exists("src", visit=6, ccd=56, filter="r")
    with pytest.raises(DatasetNotFoundError, match="0 matches"):
        butler.get("src", visit=6, ccd=56, filter="r")
    writer = Butler(butler.root, output=tmp_path / "out")  # what is written has the name that is given
    assert "/r/" in writer.get_uri("deepCoadd", tract=0, patch="1,1", filter="r", write=True)
    coadd = writer.path("deepCoadd", tract=0, patch="1,1", filter="r", write=True)
    coadd.parent.mkdir(parents=True)
    coadd.touch()
    assert writer.exists("deepCoadd", tract=0, patch="1,1", filter="r")
    assert writer.path("deepCoadd", tract=0, patch="1,1", filter="r") == coadd
