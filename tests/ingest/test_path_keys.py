"""Keys that only the path of a raw file gives."""

from pathlib import Path

import pytest

from obs.ingest.path_keys import keys_of_path

TEMPLATE = "%(run)d/%(rerun)d/corr/%(camcol)d/fpC-%(run)06d-%(filter)s%(camcol)d-%(field)04d.fit.gz"
HEADER = {"run": 4192, "camcol": 4, "filter": "r", "rerun": None, "field": None}


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/data/4192/40/corr/4/fpC-004192-r4-0300.fit.gz", {"rerun": 40, "field": 300}),
        ("/data/4192/40/corr/4/fpC-004192-r4-0300.fits", {"rerun": 40, "field": 300}),
        ("/home/me/fpC-004192-r4-0300.fits.fz", {"field": 300}),
        ("/data/4193/40/corr/4/fpC-004192-r4-0300.fit.gz", {"field": 300}),
        ("/data/fpC-004192-g4-0300.fit", {}),
        ("/data/other.fit", {}),
    ],
)
def test_what_the_path_gives(path, keys):
    assert keys_of_path(TEMPLATE, Path(path), HEADER) == keys


def test_the_header_comes_first():
    path = Path("/data/4192/40/corr/4/fpC-004192-r4-0300.fit.gz")
    assert keys_of_path(TEMPLATE, path, HEADER | {"field": 300}) == {"rerun": 40}
    assert keys_of_path(TEMPLATE, path, HEADER | {"field": 301}) == {}
