"""Registries: reading real ones, never writing beside them, and making our own."""

import os
import shutil
import sqlite3
import sys

import pytest

from obs.errors import DataIdError, OutputError, RepositoryError
from obs.repo.registry import Registry


@pytest.fixture
def own(tmp_path):
    registry = Registry(tmp_path / "registry.sqlite3", read_only=False)
    registry.create_table("raw", {"visit": "int", "filter": "text", "expTime": "double"}, ["visit"])
    registry.insert("raw", [{"visit": 2, "filter": "r", "expTime": 30.0}, {"visit": 1, "filter": "g", "expTime": 1.5}])
    return registry


def test_a_real_registry(shared_data):
    registry = Registry(shared_data / "sdss_stripe82" / "registry.sqlite3")
    assert registry.columns(["raw"])["camcol"] is int
    assert registry.columns(["raw"])["filter"] is str
    where = {"run": 4192, "camcol": 4, "field": 300}
    assert registry.lookup(["rerun", "filter"], where, ["raw", "raw_skyTile"]) == [(40, name) for name in "giruz"]


def test_names_of_tables_are_not_case_sensitive(shared_data):
    registry = Registry(shared_data / "sdss_stripe82" / "registry.sqlite3")
    assert registry.lookup(["skyTile"], {"run": 4192}, ["raw", "raw_skytile"]) == [(96556,), (97276,)]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_reading_leaves_the_folder_as_it_is(own, tmp_path, mode):
    source = tmp_path / "registry.sqlite3"
    with sqlite3.connect(source) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
    connection.close()
    folder = tmp_path / "input"
    folder.mkdir()
    shutil.copy(source, folder)
    folder.chmod(0o555)
    before = {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)}
    registry = Registry(folder / "registry.sqlite3")
    assert registry.lookup(["visit"], {}, ["raw"]) == [(1,), (2,)]
    assert {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)} == before
    with pytest.raises(OutputError, match=r"cannot write the registry .*readonly database"):
        registry.insert("raw", [{"visit": 9}])
    folder.chmod(0o755)


def test_lookup(own):
    assert own.lookup(["visit", "expTime"], {"filter": "r"}, ["raw"]) == [(2, 30.0)]
    assert own.lookup(["filter"], {}, ["raw"]) == [("g",), ("r",)]
    assert own.has_table("raw")
    assert own.tables() == ["raw"]


def test_values_are_never_read_as_sql(own):
    assert own.lookup(["visit"], {"filter": "r' OR '1'='1"}, ["raw"]) == []


def test_names_are_checked_before_use(own):
    with pytest.raises(RepositoryError, match=r"has no table 'raw; DROP TABLE raw'.*; tables: raw"):
        own.lookup(["visit"], {}, ["raw; DROP TABLE raw"])
    with pytest.raises(
        DataIdError, match=r"no column 'vist' in raw; did you mean 'visit'\?; columns: visit, filter, expTime"
    ):
        own.lookup(["vist"], {}, ["raw"])
    with pytest.raises(DataIdError, match="no column '1=1 --' in raw"):
        own.lookup(["visit"], {"1=1 --": 1}, ["raw"])
    with pytest.raises(DataIdError, match="no registry table to look a key up in"):
        own.lookup(["visit"], {}, [])


def test_between(own):
    own.create_table(
        "bias", dict.fromkeys(["calibDate", "validStart", "validEnd"], "text"), ["calibDate"], numbered=False
    )
    own.insert("bias", [{"calibDate": "b", "validStart": "2020-01-01", "validEnd": "2020-01-31"}])
    for day, rows in (("2020-01-01", 1), ("2020-01-31", 1), ("2020-02-01", 0), ("2019-12-31", 0)):
        assert len(own.lookup(["calibDate"], {}, ["bias"], between=(day, "validStart", "validEnd"))) == rows


def test_rows_are_added_all_or_none(own):
    with pytest.raises(OutputError, match=r"cannot write the registry .*UNIQUE constraint failed"):
        own.insert("raw", [{"visit": 3, "filter": "i", "expTime": 1.0}, {"visit": 1, "filter": "i", "expTime": 1.0}])
    assert own.lookup(["visit"], {"filter": "i"}, ["raw"]) == []
    with pytest.raises(DataIdError, match="no column 'filt' in raw"):
        own.insert("raw", [{"filt": 1}])


def test_no_file(tmp_path):
    with pytest.raises(RepositoryError, match=r"there is no registry .*none\.sqlite3"):
        Registry(tmp_path / "none.sqlite3")


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "r.sqlite3").write_text("not a database, but long enough to be looked at")
    with pytest.raises(RepositoryError, match=r"cannot read the registry .*r\.sqlite3: file is not a database"):
        Registry(tmp_path / "r.sqlite3")


def test_a_database_that_there_is_no_driver_for():
    with pytest.raises(RepositoryError, match=r"cannot open the registry: .*; a URL is like postgresql\+psycopg://"):
        Registry("nonsense://host/name")


def test_a_driver_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RepositoryError, match=r"cannot open the registry .*; install it with pip install 'obs-toolkit"):
        Registry("postgresql+psycopg://user:secret@host/name")
