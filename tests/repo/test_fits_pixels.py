"""Images written in pieces are those that astropy writes, to the byte, and the array is only read."""

import io

import numpy as np
import pytest
from astropy.io import fits

from obs.repo import fits_pixels
from obs.repo.fits_checksum import CHECKSUM_CARDS, seal
from obs.repo.fits_file import write_hdus
from obs.repo.fits_pixels import has_plain_pixels

TYPES = ["u1", "i2", "i4", "i8", "f4", "f8"]


def as_astropy_writes(hdus):
    file = io.BytesIO()
    for hdu in hdus:
        hdu.header.update(CHECKSUM_CARDS)
    fits.HDUList(hdus).writeto(file, output_verify="ignore")
    seal(file)
    return file.getvalue()


def planes(kind):
    random = np.random.default_rng(7)
    image = (100 * random.random((67, 41))).astype(kind)
    header = fits.Header([("BUNIT", "adu", "unit"), ("HIERARCH a long name", 1.5)])
    cube = (100 * random.random((3, 11, 5))).astype(kind)
    arrays = [image.T, image[3:9, ::2], cube, image[0], image.astype(image.dtype.newbyteorder(">")), image[:0]]
    return [fits.PrimaryHDU(image, header), *(fits.ImageHDU(array, header, name="X") for array in arrays)]


@pytest.mark.parametrize("kind", [*TYPES, "u2", "u4", "i1"])
def test_files_are_those_of_astropy(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(fits_pixels, "_PIECE", 500)  # several pieces, of which the last is shorter
    write_hdus(tmp_path / "x.fits", planes(kind))
    assert (tmp_path / "x.fits").read_bytes() == as_astropy_writes(planes(kind))
    assert all(map(has_plain_pixels, planes(kind))) == (kind in TYPES)


def test_files_without_pixels_and_with_compressed_ones_are_those_of_astropy(tmp_path):
    for hdus in ([fits.PrimaryHDU()], [fits.PrimaryHDU(), fits.ImageHDU()], [fits.PrimaryHDU(np.ones((2, 3), "f4"))]):
        write_hdus(tmp_path / "x.fits", hdus)
        assert (tmp_path / "x.fits").read_bytes() == as_astropy_writes(hdus)
    packed = fits.CompImageHDU(np.ones((30, 20), np.uint8), compression_type="RICE_1")
    assert not has_plain_pixels(packed)
    assert not has_plain_pixels(fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]))
    write_hdus(tmp_path / "y.fits", [fits.PrimaryHDU(), packed])
    with fits.open(tmp_path / "y.fits", checksum=True) as found:
        assert (found[1].data == 1).all()


def test_an_array_is_only_read(tmp_path):
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    pixels.flags.writeable = False
    write_hdus(tmp_path / "x.fits", [fits.PrimaryHDU(pixels)])
    assert (fits.getdata(tmp_path / "x.fits") == pixels).all()
