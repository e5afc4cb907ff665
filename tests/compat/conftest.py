"""The repository that the stack's scripts read."""

import pytest
from hsc_repository import make


@pytest.fixture(scope="session")
def rerun(tmp_path_factory):
    """Folder of the results of one detector of HSC."""
    return make(tmp_path_factory.mktemp("lsst"))
