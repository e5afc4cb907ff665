"""Sizes that headers promise are bounded before anything is allocated or unpacked."""

import gzip
import resource

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import ConfigError, FileFormatError
from obs.ingest.headers import read_headers
from obs.repo.fits_exposure import read_image
from obs.repo.fits_layout import data_size, pixel_limit, unpack
from obs.repo.fits_raw import read_raw

IMAGE = {"BITPIX": 16, "NAXIS": 2, "NAXIS1": 20, "NAXIS2": 10}


def header(first="SIMPLE  =                    T", **cards):
    lines = [first, *(f"{name:8}= {value:>20}" for name, value in cards.items()), "END"]
    text = "".join(line.ljust(80) for line in lines)
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"NAXIS": "1E400"}, "NAXIS = inf is not an integer"),
        ({"NAXIS": 30_000_000}, "NAXIS = 30000000 is not between 0 and 999"),
        ({"NAXIS": -1}, "NAXIS = -1 is not between 0 and 999"),
        ({"NAXIS": 3}, "NAXIS3 is missing"),
        ({"NAXIS1": "1E400"}, "NAXIS1 = inf is not an integer"),
        ({"NAXIS1": 2.5}, "NAXIS1 = 2.5 is not an integer"),
        ({"NAXIS1": -5}, "NAXIS1 = -5 is not between 0"),
        ({"NAXIS1": "T"}, "NAXIS1 = True is not an integer"),
        ({"NAXIS1": 2**63}, "NAXIS1 = 9223372036854775808 is not an integer"),
        ({"NAXIS1": 10**6, "NAXIS2": 10**6}, "promises an image of 1000000000000 pixels, and the limit is 250000000"),
        ({"TFIELDS": 99_999_999_999}, "TFIELDS = 99999999999 is not between 0 and 36000"),
        ({"BITPIX": 7}, "BITPIX = 7"),
        ({"PCOUNT": -1}, "PCOUNT = -1 is not between"),
        ({"GCOUNT": "1E30"}, "GCOUNT = 1e.30 is not an integer"),
        ({"ZIMAGE": "T", "ZNAXIS": 30_000_000}, "ZNAXIS = 30000000 is not between"),
        ({"ZIMAGE": "T", "ZNAXIS": "1E400"}, "ZNAXIS = inf is not an integer"),
        ({"ZIMAGE": "T", "ZNAXIS": 2, "ZNAXIS1": 60000, "ZNAXIS2": 60000}, "promises an image of 3600000000 pixels"),
        (
            {"ZIMAGE": "T", "ZNAXIS": 2, "ZNAXIS1": 5, "ZNAXIS2": 5, "ZTILE1": 10**6, "ZTILE2": 10**6},
            "promises an image of 1000000000000 pixels",
        ),
    ],
)
def test_impossible_sizes(tmp_path, change, message):
    """By every reader, plain and gzipped, in one line that names the file and the card."""
    content = header(**(IMAGE | change)) + bytes(2880)
    for name, text in (("x.fits", content), ("x.fits.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(text)
        for read in (lambda path: list(read_headers(path)), read_raw, read_image):
            with pytest.raises(FileFormatError, match=f"{name}: .*{message}"):
                read(tmp_path / name)


def test_the_limit_is_a_setting(tmp_path, monkeypatch):
    fits.PrimaryHDU(np.zeros((100, 100), np.int16)).writeto(tmp_path / "x.fits")
    monkeypatch.setenv("OBS_MAX_PIXELS", "9999")
    with pytest.raises(FileFormatError, match="image of 10000 pixels, and the limit is 9999 pixels; OBS_MAX_PIXELS="):
        read_raw(tmp_path / "x.fits")
    monkeypatch.setenv("OBS_MAX_PIXELS", "10000")
    read_raw(tmp_path / "x.fits")
    for text in ("-1", "many", "0", "1e9"):
        monkeypatch.setenv("OBS_MAX_PIXELS", text)
        with pytest.raises(ConfigError, match="must be a number of pixels"):
            pixel_limit()


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    """Two gigabytes in two megabytes."""
    bomb = tmp_path / "bomb.fits.gz"
    with gzip.open(bomb, "wb", 1) as file:
        file.write(header(**(IMAGE | {"NAXIS1": 32768, "NAXIS2": 32768})))
        file.write(bytes(1 << 24))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileFormatError, match="promises an image of 1073741824 pixels"):
        read_raw(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB, or B on macOS


def test_what_follows_the_last_hdu_is_not_unpacked(tmp_path):
    path = tmp_path / "x.fits.gz"
    fits.PrimaryHDU(np.ones((10, 20), np.int16)).writeto(tmp_path / "x.fits")
    whole = (tmp_path / "x.fits").read_bytes()
    path.write_bytes(gzip.compress(whole + bytes(1 << 24)))
    with path.open("rb") as file, unpack(file) as unpacked:
        assert unpacked.read() == whole
    assert read_raw(path).images[0].sum() == 200


def test_a_large_file_is_unpacked_to_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("obs.repo.fits_layout._IN_MEMORY", 1000)
    path = tmp_path / "x.fits.gz"
    fits.PrimaryHDU(np.ones((100, 200), np.int16)).writeto(path)
    assert read_raw(path).images[0].sum() == 20_000


def test_sizes_of_ordinary_headers():
    assert data_size({"BITPIX": 8, "NAXIS": 0}) == 0
    assert data_size(IMAGE) == 400
    assert data_size({"BITPIX": 8, "NAXIS": 2, "NAXIS1": 10, "NAXIS2": 3, "PCOUNT": 7, "GCOUNT": 1}) == 37
    assert data_size({"BITPIX": 16, "NAXIS": 2.0, "NAXIS1": 20.0, "NAXIS2": 10}) == 400
