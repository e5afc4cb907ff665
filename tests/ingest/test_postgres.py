"""The registry in a PostgreSQL database, where a server is given.

OBS_TEST_POSTGRES is the URL of a database in which a schema may be made, such as
``postgresql+psycopg://user@localhost/test``.
"""

import os
import re
import uuid

import pytest
import sqlalchemy as sa
from toy_camera import write_raw

from obs.ingest.raws import IngestOptions, ingest_raws
from obs.ingest.repository import make_repository
from obs.repo.butler import Butler

URL = os.environ.get("OBS_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(not URL, reason="no PostgreSQL server: set OBS_TEST_POSTGRES to the URL of a database")


@pytest.fixture
def schema_url():
    """The URL of a schema of its own, which goes afterwards."""
    name = f"obs_{uuid.uuid4().hex}"
    engine = sa.create_engine(URL, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    own = sa.make_url(URL).update_query_dict({"options": f"-csearch_path={name}"})
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


def test_a_database_that_is_not_there(tmp_path, instrument, obs):
    nowhere = sa.make_url(URL).set(database="nowhere_at_all", password="secret")  # noqa: S106
    status, _, err = obs("init", tmp_path / "data", "--camera", "toy", "--registry", nowhere.render_as_string(False))
    assert status == 1
    assert "cannot read the registry postgresql" in err
    assert 'database "nowhere_at_all" does not exist' in err
    assert "secret" not in err
