"""SDSS files: made ones for every test, real ones where they are at hand."""

import gzip

import numpy as np
import pytest
from sdss_files import WRITERS, Frame


@pytest.fixture(scope="session")
def frame():
    return Frame()


@pytest.fixture(scope="session")
def files(tmp_path_factory, frame):
    """Path of each kind of file of one made frame."""
    root = tmp_path_factory.mktemp("sdss")
    return {kind: write(frame.path(root, kind), frame) for kind, write in WRITERS.items()}


@pytest.fixture(scope="session")
def stripe82(shared_data):
    """Folder of the real files of run 4192, rerun 40."""
    return shared_data / "sdss_stripe82/4192/40"


@pytest.fixture(scope="session")
def stack_catalog(shared_data):
    """Columns that the LSST stack measured on a band of the real frame, as float arrays; ids as int64."""

    def number(text):
        return float({"True": 1, "False": 0}.get(text, text))

    with gzip.open(shared_data / "sdss_stripe82/expected/lsst-stack-4192-gr.txt.gz", "rt") as lines:
        names = next(lines)[1:].split()
        rows = [line.split() for line in lines]
    ids = np.array([int(row[0]) for row in rows])

    def read(band, *columns):
        chosen = np.flatnonzero((ids >> 26) // 100_000 % 10 == "ugriz".index(band))
        values = {name: np.array([number(rows[i][names.index(name)]) for i in chosen]) for name in columns}
        return {"id": ids[chosen]} | values

    return read
