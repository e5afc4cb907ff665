"""Background files."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from obs.errors import FileFormatError
from obs.image.background import Background, total_background
from obs.repo.fits_background import read_background, write_background


def make_background(style="akima", seed=1):
    rng = np.random.default_rng(seed)
    level = rng.normal(100, 3, (4, 5)).astype(np.float32)
    level[1, 2] = np.nan
    error = np.full((4, 5), 0.1, np.float32)
    return Background(
        level, error, np.linspace(16, 144.5, 5), np.linspace(12.25, 100, 4), shape=(128, 160), style=style, order=2
    )


@pytest.mark.parametrize("style", ["akima", "chebyshev", "constant"])
def test_one_comes_back(tmp_path, style):
    background = make_background(style)
    write_background(background, tmp_path / "bkgd.fits")
    (again,) = read_background(tmp_path / "bkgd.fits")
    np.testing.assert_array_equal(again.level, background.level)
    assert again.shape == background.shape
    assert (again.style, again.order) == (style, 2)
    np.testing.assert_array_equal(again.image(), background.image())


def test_several_add_up(tmp_path):
    several = [make_background(seed=1), make_background("chebyshev", seed=2), make_background("constant", seed=3)]
    write_background(several, tmp_path / "bkgd.fits")
    np.testing.assert_array_equal(total_background(read_background(tmp_path / "bkgd.fits")), total_background(several))


def test_others_open_it(tmp_path):
    write_background(make_background(), tmp_path / "bkgd.fits")
    with fits.open(tmp_path / "bkgd.fits") as hdus:
        hdus.verify("exception")
        np.testing.assert_array_equal(hdus["BACKGROUND"].data, make_background().level)
        assert hdus["BACKGROUND"].header["XCEN1"] == 16
    assert str(CCDData.read(tmp_path / "bkgd.fits", hdu=1).unit) == "adu"


def test_another_file(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "x.fits")
    with pytest.raises(FileFormatError, match=r"x.fits: no background in it: neither one of obs nor"):
        read_background(tmp_path / "x.fits")


@pytest.mark.parametrize(
    ("card", "message"), [("XCEN3", "BACKGROUND image without card XCEN3"), (None, "read as FITS")]
)
def test_a_part_missing(tmp_path, card, message):
    path = tmp_path / "bkgd.fits"
    write_background(make_background(), path)
    with fits.open(path, mode="update") as hdus:
        if card:
            del hdus["BACKGROUND"].header[card]
        else:
            del hdus["ERROR"]
    with pytest.raises(FileFormatError, match=f"bkgd.fits: .*{message}"):
        read_background(path)
