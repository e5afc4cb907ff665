"""Registries: reading real ones, never writing beside them, and making our own."""

import os
import shutil
import socket
import sqlite3
import sys
import tempfile

import pytest

from obs.errors import DataIdError, OutputError, RepositoryError
from obs.repo import database
from obs.repo.registry import Registry
from obs.repo.registry_reader import RegistryFile


@pytest.fixture
def own(tmp_path):
    registry = Registry(tmp_path / "registry.sqlite3", read_only=False)
    registry.create_table("raw", {"visit": "int", "filter": "text", "expTime": "double"}, ["visit"])
    registry.insert("raw", [{"visit": 2, "filter": "r", "expTime": 30.0}, {"visit": 1, "filter": "g", "expTime": 1.5}])
    return registry


@pytest.mark.parametrize("kind", [Registry, RegistryFile])
def test_a_real_registry(shared_data, kind):
    registry = kind(shared_data / "sdss_stripe82" / "registry.sqlite3")
    assert registry.columns(["raw"])["camcol"] is int
    assert registry.columns(["raw"])["filter"] is str
    where = {"run": 4192, "camcol": 4, "field": 300}
    assert registry.lookup(["rerun", "filter"], where, ["raw", "raw_skyTile"]) == [(40, name) for name in "giruz"]


@pytest.mark.parametrize("kind", [Registry, RegistryFile])
def test_names_of_tables_are_not_case_sensitive(shared_data, kind):
    registry = kind(shared_data / "sdss_stripe82" / "registry.sqlite3")
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
    assert RegistryFile(folder / "registry.sqlite3").lookup(["visit"], {}, ["raw"]) == [(1,), (2,)]
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


def test_a_table_of_visits_hides_no_frame(own):
    """Where it contradicts a frame, or neither has a value."""
    own.create_table("raw_visit", {"visit": "int", "filter": "text"}, ["visit"], numbered=False)
    own.insert("raw", [{"visit": 3, "filter": None, "expTime": 2.0}])
    own.insert("raw_visit", [{"visit": 1, "filter": "z"}, {"visit": 3, "filter": None}])
    assert own.lookup(["visit", "filter"], {}, ["raw", "raw_visit"]) == [(1, "g"), (2, "r"), (3, None)]


def test_a_file_answers_without_sqlalchemy_as_with_it(own, tmp_path):
    own.insert(
        "raw", [{"visit": 3, "filter": None, "expTime": 1e-3}, {"visit": 2**40, "filter": "Hé: 'x'", "expTime": 1.0}]
    )
    own.create_table("raw visit", {"visit": "int", "date:x": "text"}, ["visit"], numbered=False)
    own.insert("raw visit", [{"visit": 2, "date:x": "2020-01-01"}, {"visit": 3, "date:x": "b"}])
    with sqlite3.connect(tmp_path / "registry.sqlite3") as connection:
        kinds = ["INTEGER", "int", "bigint", "REAL", "double precision", "float", "NUMERIC(10,2)", "varchar(32)"]
        kinds += ["TEXT", "DATE", "timestamp", "datetime", "BOOLEAN", "BLOB", ""]
        connection.execute(f"CREATE TABLE odd ({', '.join(f'c{k} {kind}' for k, kind in enumerate(kinds))})")
        connection.execute('CREATE VIEW "seen" AS SELECT visit FROM raw')
    connection.close()
    whole, file = Registry(tmp_path / "registry.sqlite3"), RegistryFile(tmp_path / "registry.sqlite3")
    assert file.tables() == whole.tables() == ["odd", "raw", "raw visit"]
    assert file.schema_version == whole.schema_version
    for table in file.tables():
        assert file.columns([table]) == whole.columns([table])
        assert file.count(table) == whole.count(table)
    tables = ["raw", "raw visit"]
    for columns, where, between in (
        (["visit"], {}, None),
        (["filter", "visit"], {"visit": 3}, None),
        (["visit"], {"filter": None}, None),
        (["visit"], {"filter": "Hé: 'x'"}, None),
        (["visit", "date:x"], {"date:x": "b"}, None),
        (["visit"], {}, (2.5, "expTime", "visit")),
    ):
        for some in (tables[:1], tables):
            if set(columns) | set(where) <= set(file.columns(some)):
                found = file.lookup(columns, where, some, between=between)
                assert found == whole.lookup(columns, where, some, between=between)
    assert file.lookup(["date:x"], {"visit": 3}, tables) == [("b",)]
    assert file.lookup(["visit"], {"filter": None}, ["raw"]) == [(3,)]


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
    for kind in (Registry, RegistryFile):
        with pytest.raises(RepositoryError, match=r"there is no registry .*none\.sqlite3"):
            kind(tmp_path / "none.sqlite3")
        with pytest.raises(RepositoryError, match="the registry is not a regular file"):
            kind(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "r.sqlite3"
    path.write_bytes(b"SQLite format 3")

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(path), "open", refuse)  # root may read everything
    for kind in (Registry, RegistryFile):
        with pytest.raises(RepositoryError, match=r"cannot read the registry .*r\.sqlite3: Permission denied$"):
            kind(path).columns(["raw"])


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "r.sqlite3").write_text("not a database, but long enough to be looked at")
    for kind in (Registry, RegistryFile):
        with pytest.raises(RepositoryError, match=r"cannot read the registry .*r\.sqlite3: file is not a database"):
            kind(tmp_path / "r.sqlite3")


def test_a_database_that_there_is_no_driver_for():
    with pytest.raises(RepositoryError, match=r"cannot open the registry: .*; a URL is like postgresql\+psycopg://"):
        Registry("nonsense://host/name")
    with pytest.raises(RepositoryError, match="a URL is like"):
        Registry("postgresql://host:port/name")


def test_a_driver_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RepositoryError, match=r"cannot open the registry .*; install it with pip install 'obs-toolkit"):
        Registry("postgresql+psycopg://user:secret@host/name")


def test_a_server_that_accepts_and_never_answers(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/.s.PGSQL.5432")
        server.listen()
        with pytest.raises(RepositoryError, match=r"cannot read the registry postgresql.*: connection timeout expired"):
            Registry(f"postgresql+psycopg://obs@/postgres?host={folder}")
