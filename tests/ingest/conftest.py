"""A repository of the toy camera."""

import pytest
from toy_camera import make_instrument

from obs.ingest.repository import make_repository


@pytest.fixture
def instrument(tmp_path, monkeypatch):
    """The camera, found by its name everywhere."""
    toy = make_instrument(tmp_path)
    for place in ("repo.find_instrument", "cli.init", "cli.ingest", "cli.calibs", "cli.verify"):
        monkeypatch.setattr(f"obs.{place}.load_instrument", lambda name: toy)
    return toy


@pytest.fixture
def repository(tmp_path, instrument):
    """An empty repository."""
    root = tmp_path / "data"
    make_repository(root, instrument)
    return root
