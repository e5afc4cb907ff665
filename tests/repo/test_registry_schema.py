"""The version of a registry: older ones are read and brought to the current one, newer ones are refused."""

import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from obs.errors import RepositoryError
from obs.repo.registry import Registry
from obs.repo.registry_reader import SCHEMA_VERSION


@pytest.fixture
def old(tmp_path):
    """A registry as obs 0.1.0 made it."""
    place = tmp_path / "registry.sqlite3"
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE raw (id INTEGER NOT NULL PRIMARY KEY, visit INTEGER, filter TEXT)")
        connection.execute("INSERT INTO raw (visit, filter) VALUES (7, 'r')")
    connection.close()
    return place


def read_versions(place):
    connection = sqlite3.connect(place)
    try:
        return connection.execute("SELECT version FROM obs_schema").fetchall()
    finally:
        connection.close()


def test_an_old_registry_is_read_as_it_is(old):
    before = old.read_bytes()
    registry = Registry(old)
    assert registry.schema_version is None
    assert registry.lookup(["visit", "filter"], {}, ["raw"]) == [(7, "r")]
    assert old.read_bytes() == before


def test_an_old_registry_is_migrated_when_it_is_written(old, caplog):
    with caplog.at_level(logging.WARNING):
        registry = Registry(old, read_only=False)
    assert f"the registry {old} was brought from schema 1 to {SCHEMA_VERSION}" in caplog.text
    assert registry.schema_version == SCHEMA_VERSION
    assert registry.lookup(["visit"], {}, ["raw"]) == [(7,)]
    assert registry.tables() == ["raw"]
    assert read_versions(old) == [(SCHEMA_VERSION,)]
    caplog.clear()
    Registry(old, read_only=False)
    assert caplog.text == ""


def test_a_new_registry_records_its_version_without_a_word(tmp_path, caplog):
    place = tmp_path / "registry.sqlite3"
    registry = Registry(place, read_only=False)
    assert caplog.text == ""
    assert registry.schema_version == SCHEMA_VERSION
    assert read_versions(place) == [(SCHEMA_VERSION,)]


def test_eight_at_once_migrate_once(old):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Registry(old, read_only=False).schema_version, range(8)))
    assert found == [SCHEMA_VERSION] * 8
    assert read_versions(old) == [(SCHEMA_VERSION,)]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_registry_of_a_newer_version_is_refused(old, read_only):
    Registry(old, read_only=False)
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE obs_schema SET version = ?", (SCHEMA_VERSION + 1,))
    connection.close()
    message = f"has schema {SCHEMA_VERSION + 1}, .* reads up to {SCHEMA_VERSION}; .* update obs"
    with pytest.raises(RepositoryError, match=message):
        Registry(old, read_only=read_only)
