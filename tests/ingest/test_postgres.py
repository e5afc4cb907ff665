"""The registry in a PostgreSQL database: of a server started here, or of one that OBS_TEST_POSTGRES is the URL of."""

import os
import re
import threading
import time
import uuid

import pytest
import sqlalchemy as sa
from postgres_server import find_binaries, serve
from toy_camera import write_raw

from obs.errors import OutputError, RepositoryError
from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.repository import make_repository
from obs.repo import database
from obs.repo.butler import Butler
from obs.repo.registry import Registry
from obs.repo.transaction import Transaction

URL = os.environ.get("OBS_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(
    not URL and find_binaries() is None,
    reason="no PostgreSQL: install Debian's package postgresql, or set OBS_TEST_POSTGRES to the URL of a database",
)


@pytest.fixture(scope="module")
def server_url():
    if URL:
        yield URL
        return
    with serve() as server:
        yield server.url


@pytest.fixture
def schema_url(server_url):
    """The URL of a schema of its own, which goes afterwards."""
    name = f"obs_{uuid.uuid4().hex}"
    engine = sa.create_engine(server_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    own = sa.make_url(server_url).update_query_dict({"options": f"-csearch_path={name}"})
    yield own.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(name, cascade=True))


@pytest.fixture
def frames(tmp_path):
    places = [(visit, ccd) for visit in (1, 2) for ccd in (0, 1)]
    return [
        write_raw(tmp_path / "in" / f"f{visit}{ccd}.fits", RUN=visit, DETECTOR=ccd, EXPTIME=2.5)
        for visit, ccd in places
    ]


def test_ingest_and_look_up(tmp_path, instrument, schema_url, frames):
    root = tmp_path / "data"
    assert make_repository(root, instrument, registry=schema_url)
    assert not make_repository(root, instrument)
    report = ingest_raws(Butler(root), frames, IngestOptions())
    assert [file.status for file in report.files] == ["ingested"] * 4
    assert not (root / "registry.sqlite3").exists()
    butler = Butler(root)
    found = butler.query_metadata("raw", ("visit", "ccd", "filter", "expTime"), {"visit": 2})
    assert found == [(2, 0, "r", 2.5), (2, 1, "r", 2.5)]
    assert butler.path("raw", {"visit": 1, "ccd": 1}).is_file()
    assert [file.status for file in ingest_raws(Butler(root), frames, IngestOptions()).files] == ["skipped"] * 4
    other = write_raw(tmp_path / "in" / "other.fits", RUN=2, DETECTOR=1)
    report = ingest_raws(Butler(root), [other], IngestOptions())
    assert "visit=2 ccd=1 is ingested already" in report.files[0].reason
    again = ingest_raws(Butler(root), frames[:1], IngestOptions(create=True, clobber=True))
    assert again.ok
    assert Butler(root).query_metadata("raw", ("visit", "ccd"), {}) == [(1, 0)]


def test_the_commands(tmp_path, instrument, schema_url, frames, obs):
    root = tmp_path / "data"
    assert obs("init", root, "--camera", "toy", "--registry", schema_url)[0] == 0
    assert obs("ingest", root, *frames, "-j", 1)[0] == 0
    status, out, _ = obs("ls", root, "raw")
    assert status == 0
    assert len(re.findall(r"visit=\d filter=r ccd=\d", out)) == 4


def test_a_database_that_is_not_there(tmp_path, instrument, obs, server_url):
    nowhere = sa.make_url(server_url).set(database="nowhere_at_all", password="secret")  # noqa: S106
    status, _, err = obs("init", tmp_path / "data", "--camera", "toy", "--registry", nowhere.render_as_string(False))
    assert status == 1
    assert "cannot read the registry postgresql" in err
    assert 'database "nowhere_at_all" does not exist' in err
    assert "secret" not in err
    assert not (tmp_path / "data").exists()


def test_numbers_of_64_bits(tmp_path, instrument, schema_url):
    make_repository(tmp_path / "data", instrument, registry=schema_url)
    large = write_raw(tmp_path / "large.fits", RUN=2**40)
    assert ingest_raws(Butler(tmp_path / "data"), [large], IngestOptions()).ok
    assert Butler(tmp_path / "data").query_metadata("raw", ("visit",), {"ccd": 0}) == [(2**40,)]


def test_a_row_that_the_database_refuses_stops_no_other(tmp_path, instrument, schema_url, frames):
    make_repository(tmp_path / "data", instrument, registry=schema_url)
    bad = write_raw(tmp_path / "bad.fits", RUN=7, IMGTYPE="a\0b")
    report = ingest_raws(Butler(tmp_path / "data"), [*frames, bad], IngestOptions(mode="copy"))
    assert [file.status for file in report.files] == ["ingested"] * 4 + ["failed"]
    assert re.search("cannot write the registry .*NUL", report.files[-1].reason)
    assert len(list((tmp_path / "data/raw").rglob("*.fits"))) == 4


def test_a_server_that_goes_away(tmp_path, instrument, frames, monkeypatch):
    """What was not registered is taken back, and the same command goes on when the server is there again."""
    if find_binaries() is None:
        pytest.skip("needs a server that may be stopped: install Debian's package postgresql")
    root = tmp_path / "data"
    with serve() as server:
        make_repository(root, instrument, registry=server.url)
        ingest_raws(Butler(root), frames[:1], IngestOptions(mode="move"))
        butler = Butler(root)
        server.stop()
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
        with pytest.raises(OSError, match="the registry postgresql"):
            ingest_raws(butler, frames[1:], IngestOptions(mode="move"))
        assert all(path.exists() for path in frames[1:])
        server.start()
        assert ingest_raws(Butler(root), frames[1:], IngestOptions(mode="move")).count("ingested") == 3
        assert len(Registry(server.url).lookup(["visit", "ccd"], {}, ["raw"])) == 4


def test_an_older_registry_gets_wide_integers_and_a_version(schema_url, caplog):
    engine = sa.create_engine(schema_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE raw (id SERIAL PRIMARY KEY, visit INTEGER, "filter" TEXT)')
        connection.exec_driver_sql("INSERT INTO raw (visit, \"filter\") VALUES (7, 'r')")
    assert Registry(schema_url).schema_version is None
    registry = Registry(schema_url, read_only=False)
    assert "was brought from schema 1 to 2" in caplog.text
    registry.insert("raw", [{"visit": 2**40, "filter": "r"}])
    assert Registry(schema_url).lookup(["visit"], {}, ["raw"]) == [(7,), (2**40,)]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE obs_schema SET version = 3")
    with pytest.raises(RepositoryError, match=r"has schema 3, .* reads up to 2"):
        Registry(schema_url)


def test_a_server_that_is_restarted_while_writers_wait_for_their_turn(tmp_path, instrument, frames, restarted):
    server, restart = restarted
    root = tmp_path / "data"
    make_repository(root, instrument, registry=server.url)
    done = []
    writers = [
        threading.Thread(target=lambda frame=frame: done.append(ingest_raws(Butler(root), [frame], IngestOptions()).ok))
        for frame in frames[:2]
    ]

    def hold_and_restart():
        with Registry(server.url, read_only=False).transaction() as changes:
            for writer in writers:
                writer.start()
            time.sleep(0.5)
            assert done == []
            restart()
            changes.lookup(["visit"], {}, ["raw"])

    with pytest.raises(OutputError):
        hold_and_restart()
    for writer in writers:
        writer.join(60)
    assert done == [True, True]
    assert len(Registry(server.url).lookup(["visit", "ccd"], {}, ["raw"])) == 2


@pytest.fixture
def restarted():
    """A server that restarts when the function that it returns is called, and answers again a moment later."""
    if find_binaries() is None:
        pytest.skip("needs a server that may be restarted: install Debian's package postgresql")
    with serve() as server:

        def restart():
            server.stop()
            thread = threading.Timer(1.0, server.start)
            thread.start()
            threads.append(thread)

        threads = []
        yield server, restart
        for thread in threads:
            thread.join()


def test_a_server_that_is_restarted_in_the_middle(tmp_path, instrument, frames, restarted, monkeypatch, caplog):
    """Neither a reader nor a writer notices, but for the time."""
    server, restart = restarted
    root = tmp_path / "data"
    make_repository(root, instrument, registry=server.url)
    insert = Transaction.insert
    calls = []

    def insert_and_restart(self, table, rows):
        insert(self, table, rows)
        calls.append(table)
        if len(calls) == 1:
            restart()

    monkeypatch.setattr(Transaction, "insert", insert_and_restart)
    report = ingest_raws(Butler(root), frames, IngestOptions(mode="move"))
    assert [file.status for file in report.files] == ["ingested"] * 4
    assert len(calls) > 2
    butler = Butler(root)
    assert len(butler.query_metadata("raw", ("visit", "ccd"), {})) == 4
    assert all(butler.exists("raw", {"visit": visit, "ccd": ccd}) for visit in (1, 2) for ccd in (0, 1))
    assert not any(path.exists() for path in frames)
    restart()
    # as a process that begins now, which has not seen the server before, and is told of the wait
    monkeypatch.setattr(database, "_ANSWERED", set())
    monkeypatch.setattr(database, "_SILENT", 0.0)
    assert len(Butler(root).query_metadata("raw", ("visit", "ccd"), {})) == 4
    assert "does not answer; waiting for it for up to 60 s" in caplog.text
