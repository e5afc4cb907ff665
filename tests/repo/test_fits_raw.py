"""Raw frames are read as they are, wherever their pixels lie in the file."""

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import FileFormatError
from obs.repo.fits_raw import read_raw

PIXELS = np.arange(600, dtype=np.uint16).reshape(20, 30) + 40000


def primary(pixels=None):
    return fits.PrimaryHDU(pixels, fits.Header({"RUN": 3}))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_whole_numbers_stay_whole(tmp_path, ending):
    primary(PIXELS).writeto(tmp_path / f"r.fits{ending}")
    raw = read_raw(tmp_path / f"r.fits{ending}")
    assert raw.images[0].dtype == np.uint16
    np.testing.assert_array_equal(raw.images[0], PIXELS)
    assert raw.metadata["RUN"] == 3


def test_compressed(tmp_path):
    compressed = fits.CompImageHDU(PIXELS, fits.Header({"DETECTOR": 5}))
    fits.HDUList([primary(), compressed]).writeto(tmp_path / "r.fits.fz")
    raw = read_raw(tmp_path / "r.fits.fz")
    np.testing.assert_array_equal(raw.images[0], PIXELS)
    assert (raw.metadata["RUN"], raw.metadata["DETECTOR"]) == (3, 5)


def test_extensions(tmp_path):
    images = [fits.ImageHDU(PIXELS + i, fits.Header({"DETECTOR": i})) for i in range(3)]
    fits.HDUList([primary(), *images]).writeto(tmp_path / "m.fits")
    assert read_raw(tmp_path / "m.fits").metadata["DETECTOR"] == 0
    assert read_raw(tmp_path / "m.fits", hdu=2).metadata["DETECTOR"] == 1
    raw = read_raw(tmp_path / "m.fits", amplifier_hdus=[1, 3])
    assert {number: image[0, 0] for number, image in raw.images.items()} == {1: 40000, 3: 40002}
    assert "DETECTOR" not in raw.metadata
    with pytest.raises(FileFormatError, match=r"m\.fits: has 4 HDUs, no number 7$"):
        read_raw(tmp_path / "m.fits", hdu=7)
    with pytest.raises(FileFormatError, match=r"m\.fits: HDU 0 is not a two-dimensional image"):
        read_raw(tmp_path / "m.fits", hdu=0)


def test_files_of_one_amplifier_each_are_not_put_together(tmp_path):
    fits.PrimaryHDU(PIXELS).writeto(tmp_path / "c.fits")
    message = r"c\.fits: has 1 HDUs, no number 1: .*files of one amplifier each are not put together, so write them as"
    with pytest.raises(FileFormatError, match=message):
        read_raw(tmp_path / "c.fits", amplifier_hdus=[1, 2])


def test_no_image(tmp_path):
    primary().writeto(tmp_path / "n.fits")
    with pytest.raises(FileFormatError, match=r"n\.fits: no two-dimensional image in it"):
        read_raw(tmp_path / "n.fits")
