"""What all tests share."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

from obs.cli.main import main
from obs.threads import use_one_thread

# As every command does, before anything loads numpy: small products take 50 times as long on two threads that share
# their cores with another worker of pytest.
use_one_thread()
# the same examples on every machine, however loaded it is
settings.register_profile("obs", deadline=None, derandomize=True)
settings.load_profile("obs")


def pytest_collection_finish(session):
    """Tests edit a module twice within a second, which the time in a compiled file does not show."""
    sys.dont_write_bytecode = True


SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data, which lies beside the checkout and is not part of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real data are not here: no folder shared/data beside the checkout")
    return SHARED_DATA


@pytest.fixture
def obs(capsys):
    """Run the command and return exit status, stdout and stderr."""

    def run(*words):
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
