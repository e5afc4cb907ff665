"""Overscan in HDUs of its own, from the file to the exposure."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.inspect import inspect_files
from obs.inspection.overscan_hdus import join_overscan
from obs.inspection.raw_file import read_raw_file
from obs.repo.fits_raw import read_raw

NY, NX, N = 40, 60, 6


def write(path, order, *, overscan_shape=(NY, N), name=""):
    """Write a file with images (d) and overscans (o) in an order."""
    random = np.random.default_rng(3)
    cards = [("INSTRUME", "zcam"), ("EXPTIME", 30.0), ("DATE-OBS", "2026-03-01T02:00:00"), ("FILTER", "r")]
    hdus = [fits.PrimaryHDU(header=fits.Header([*cards, ("IMAGETYP", "object"), ("EXPNUM", 7)]))]
    for number, kind in enumerate(order):
        level, shape = (1500.0, (NY, NX)) if kind == "d" else (1000.0 + number, overscan_shape)
        image = fits.ImageHDU(random.normal(level, 4, shape).round().astype(np.uint16))
        image.header["EXTNAME"] = f"AMP{number}" if kind == "d" else f"{name}{number}"
        hdus.append(image)
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize(
    ("order", "partners"),
    [("dodo", {1: 2, 3: 4}), ("ddoo", {1: 3, 2: 4}), ("do", {0: 2})],
    ids=["in turn", "after", "one"],
)
def test_overscan_of_an_hdu_of_its_own_is_used(tmp_path, order, partners):
    path = write(tmp_path / "z.fits", order)
    findings = inspect_files([path])
    assert findings.warnings == () or not any("pixels" in text for text in findings.warnings)
    amplifiers = findings.detectors[0].facts.amplifiers
    assert {amp.raw_hdu: amp.overscan_hdu for amp in amplifiers} == partners
    for amp in amplifiers:
        assert (amp.data.to_section(), amp.overscan.to_section()) == ("[1:60,1:40]", "[61:66,1:40]")
        assert amp.findings["overscan"].confidence == "certain"
    raw = read_raw(path, amplifier_hdus=sorted(partners), overscan_hdus=partners, shape=(NY, NX + N))
    for hdu, image in raw.images.items():
        assert image.shape == (NY, NX + N)
        assert np.median(image[:, NX:]) == pytest.approx(1000 + partners[hdu] - 1, abs=2)


def test_overscan_below_the_rows_goes_behind_them(tmp_path):
    path = write(tmp_path / "z.fits", "do", overscan_shape=(N, NX))
    (image,) = join_overscan(read_raw_file(path)).images
    assert image.shape == image.pixels.shape == (NY + N, NX)
    assert image.cards.get("BIASSEC") == f"[1:{NX},{NY + 1}:{NY + N}]"


@pytest.mark.parametrize(
    ("order", "shape"),
    [("ddo", (NY, N)), ("do", (NY - 1, N)), ("do", (10, 10))],
    ids=["one is missing", "lower", "small"],
)
def test_other_small_images_are_left_alone(tmp_path, order, shape):
    path = write(tmp_path / "z.fits", order, overscan_shape=shape)
    assert join_overscan(read_raw_file(path)) == read_raw_file(path)
    assert any("taken for no detector and no overscan" in text for text in inspect_files([path]).warnings)


def test_a_simulated_image_has_its_overscan_already(tmp_path):
    path = tmp_path / "s.fits"
    fits.PrimaryHDU(np.zeros((NY, NX + N), np.uint16)).writeto(path)
    assert read_raw(path, overscan_hdus={0: 2}, shape=(NY, NX + N)).images[0].shape == (NY, NX + N)
