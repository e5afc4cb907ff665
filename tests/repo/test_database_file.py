"""The database that a repository names."""

import pytest

from obs.errors import RepositoryError
from obs.repo.database_file import database_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("url: 'postgresql+psycopg://host/name'\n", "postgresql+psycopg://host/name"),
        (
            "host: db.example.org\nport: 5433\nuser: me\npassword: p@ss/word\ndatabase: lsst\n",
            "postgresql+psycopg://me:p%40ss%2Fword@db.example.org:5433/lsst",
        ),
        ("{host: db, database: lsst}", "postgresql+psycopg://db/lsst"),
        (
            "import lsst.daf.butlerUtils\nroot.host='db'\nroot.db='hsc'\nroot.user=\"me\"\n",
            "postgresql+psycopg://me@db/hsc",
        ),
    ],
)
def test_ways_to_name_it(tmp_path, text, url):
    (tmp_path / "registry.pgsql").write_text(text)
    assert database_url(tmp_path / "registry.pgsql") == url


@pytest.mark.parametrize("text", ["", "host: db\n", "[1, 2", "nonsense"])
def test_a_file_that_names_none(tmp_path, text):
    (tmp_path / "registry.pgsql").write_text(text)
    with pytest.raises(RepositoryError, match=r"registry.pgsql names no database: expected a URL such as"):
        database_url(tmp_path / "registry.pgsql")
