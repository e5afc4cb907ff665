"""Corrected frames."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from sdss_files import image_of, write_fpc

from obs.errors import FileFormatError
from obs_sdss.fpc import FIELD_SHAPE, FRAME_SHAPE, read_fpc


def test_soft_bias_is_subtracted_and_the_result_may_be_negative(files, frame):
    got = read_fpc(files["fpC"], frame.data_id)
    assert got.image.dtype == np.float32
    np.testing.assert_array_equal(got.image, image_of(frame).astype(float) - 1000)
    assert got.image[0, 0] == -20


def test_soft_bias_is_the_headers_own(tmp_path, frame):
    path = write_fpc(tmp_path / "fpC.fit.gz", frame, SOFTBIAS=900)
    assert read_fpc(path, frame.data_id).image[0, 0] == 80


def test_soft_bias_is_1000_where_the_header_is_silent(tmp_path, frame):
    path = tmp_path / "fpC.fit"
    fits.PrimaryHDU(image_of(frame)).writeto(path)
    assert read_fpc(path, frame.data_id).image[0, 0] == -20


def test_bright_pixels_keep_all_16_bits(tmp_path, frame):
    image = image_of(frame)
    image[7, 8] = 65535
    assert read_fpc(write_fpc(tmp_path / "fpC.fit", frame, image), {}).image[7, 8] == 64535


def test_header_comes_as_plain_values(files, frame):
    header = read_fpc(files["fpC"], frame.data_id).header
    assert header["EXPTIME"] == "53.907456"
    assert header["CAMCOL"] == frame.camcol
    assert "COMMENT" not in header


def test_truncated_gzip_names_the_file(files, tmp_path):
    path = tmp_path / "fpC-short.fit.gz"
    path.write_bytes(files["fpC"].read_bytes()[:-2000])
    with pytest.raises(FileFormatError, match=r"fpC-short\.fit\.gz: cannot be read as fpC file .*; get it again"):
        read_fpc(path, {})


def test_truncated_plain_file_names_the_file(files, tmp_path):
    path = tmp_path / "fpC-short.fit"
    path.write_bytes(gzip.decompress(files["fpC"].read_bytes())[:1_000_000])
    with pytest.raises(FileFormatError, match=r"fpC-short\.fit: fpC file is (cut short; get it again|damaged: .*)"):
        read_fpc(path, {})


def test_damaged_gzip_names_the_file(files, tmp_path):
    content = bytearray(files["fpC"].read_bytes())
    content[5000:5100] = bytes(100)
    path = tmp_path / "fpC-bad.fit.gz"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"fpC-bad\.fit\.gz: cannot be read as fpC file"):
        read_fpc(path, {})


def test_other_shape_is_refused(tmp_path, frame):
    path = write_fpc(tmp_path / "fpC.fit", frame, np.zeros((100, 2048), np.uint16))
    with pytest.raises(
        FileFormatError, match=r"fpC\.fit: .* image of shape \(100, 2048\), expected shape \(1489, 2048\)"
    ):
        read_fpc(path, {})


def test_file_without_image_is_refused(tmp_path):
    path = tmp_path / "fpC.fit"
    fits.PrimaryHDU().writeto(path)
    with pytest.raises(FileFormatError, match="holds no image"):
        read_fpc(path, {})


@pytest.mark.parametrize("content", [b"", b"no FITS at all\n" * 300])
def test_what_is_no_fits_is_refused(tmp_path, content):
    path = tmp_path / "fpC.fit"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"fpC\.fit: cannot be read as fpC file"):
        read_fpc(path, {})


def test_missing_file_is_told(tmp_path):
    with pytest.raises(FileFormatError, match="No such file"):
        read_fpc(tmp_path / "fpC.fit", {})


def test_shapes_differ_by_the_overlap():
    assert FRAME_SHAPE[0] - FIELD_SHAPE[0] == 128


def test_real_frame(stripe82):
    image = read_fpc(stripe82 / "corr/4/fpC-004192-r4-0300.fit.gz", {}).image
    assert (np.median(image), image.min()) == (145, 119)
