"""The repository that the stack's scripts read."""

import pytest
from hsc_repository import make

from obs.compat.lsst.afw.display import ds9


@pytest.fixture(autouse=True)
def no_ds9(monkeypatch):
    """No DS9 is there, even if one runs on this machine."""
    state = ds9._State()
    state.reason = "no DS9 runs here"
    monkeypatch.setattr(ds9, "_STATE", state)
    monkeypatch.setattr(ds9, "_said", set())
    return state


@pytest.fixture(scope="session")
def rerun(tmp_path_factory):
    """Folder of the results of one detector of HSC."""
    return make(tmp_path_factory.mktemp("lsst"))
