"""What all tests share."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real data, which lies beside the checkout and is not part of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real data are not here: no folder shared/data beside the checkout")
    return SHARED_DATA
