"""Pipes and devices among the files of a night are named and never waited for."""

import os
import re

import pytest

from obs.errors import ObsError
from obs.ingest.headers import read_headers
from obs.ingest.table_chunks import table_columns
from obs.ingest.text_headers import read_content
from obs.metrics.own_verdicts import read_verdicts
from obs.regular_file import open_regular
from obs.repo.fits_catalog import read_catalog
from obs.repo.fits_file import open_fits
from obs.repo.sky_map_file import read_sky_map
from obs.runs.targets import read_targets

READERS = {
    "headers": (".fits", lambda path: list(read_headers(path))),
    "content": (".hdr", read_content),
    "images": (".fits", lambda path: open_fits(path).__enter__()),
    "catalogs": (".fits", read_catalog),
    "parquet": (".parq", read_catalog),
    "tables": (".parquet", table_columns),
    "texts": (".csv", table_columns),
    "sky maps": (".pickle", read_sky_map),
    "verdicts": (".json", read_verdicts),
    "targets": (".csv", read_targets),
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_named_at_once(tmp_path, name):
    ending, read = READERS[name]
    path = tmp_path / f"night{ending}"
    os.mkfifo(path)
    with pytest.raises(ObsError, match=rf"{re.escape(str(path))}.*it is a pipe or a device instead of a file"):
        read(path)


def test_a_device_that_never_ends(tmp_path):
    link = tmp_path / "x.fits"
    link.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="it is a pipe or a device"):
        open_regular(link)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_an_ingest_names_a_pipe_and_takes_the_rest(tmp_path, obs):
    os.mkfifo(tmp_path / "a.fits")
    status, out, err = obs("translate", "necam", tmp_path / "a.fits")
    assert status == 1
    assert "a.fits: cannot be read: it is a pipe or a device instead of a file" in out + err
