"""Cubes of several planes, taken apart."""

import numpy as np
import pytest
from astropy.io import fits

from obs.inspection.whole_files import find_planes
from obs.repo.cube_planes import is_cube, write_planes

SHAPE = (3, 6, 8)


def write(path, *, extension=False, **cards):
    data = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE) + 40000
    header = fits.Header([("EXPTIME", 30.0), ("GAIN", 1.5), ("RDNOISE", 4.0), ("OBJECT", "M 3")])
    header.update({key.replace("_", "-"): value for key, value in cards.items()})
    if extension:
        fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(data)]).writeto(path)
    else:
        fits.PrimaryHDU(data, header).writeto(path)
    return path


@pytest.mark.parametrize("extension", [False, True])
@pytest.mark.parametrize(
    ("cards", "begins"),
    [
        (
            {"DATE_OBS": "2026-03-01T23:59:45.5"},
            ["2026-03-01T23:59:45.500", "2026-03-02T00:00:15.500", "2026-03-02T00:00:45.500"],
        ),
        ({"DATE_OBS": "2026-03-01", "UT": "23:59:45.5"}, ["2026-03-01", "2026-03-02", "2026-03-02"]),
    ],
)
def test_each_plane_is_an_exposure_that_begins_later(tmp_path, cards, begins, extension):
    path = write(tmp_path / "c.fits.gz", extension=extension, DATE_END="2026-03-02T00:01:15", **cards)
    assert is_cube(path)
    files = write_planes(path, tmp_path / "out", "each")
    assert [file.name for file in files] == [f"c-plane{n:04d}.fits" for n in range(3)]
    headers = [fits.getheader(file) for file in files]
    assert [header["DATE-OBS"] for header in headers] == begins
    assert [header["OBJECT"] for header in headers] == ["M 3"] * 3
    assert "DATE-END" not in headers[0]
    assert [int(fits.getdata(file)[0, 0]) for file in files] == [40000, 40048, 40096]
    assert fits.getdata(files[0]).dtype == np.uint16
    if "UT" in cards:
        assert [header["UT"] for header in headers] == ["23:59:45.500", "00:00:15.500", "00:00:45.500"]


def test_a_series_says_its_cycle_time_and_its_number(tmp_path):
    path = write(tmp_path / "c.fits", DATE_OBS="2026-03-01T20:00:00", KCT=31.5, NUMKIN=3)
    assert find_planes([path])[0] == "each"
    files = write_planes(path, tmp_path / "out", "each")
    assert [fits.getheader(file)["DATE-OBS"][-9:] for file in files] == ["00:00.000", "00:31.500", "01:03.000"]
    assert find_planes([path, write(tmp_path / "d.fits", NUMKIN=4)]) == (None, "")


def test_planes_of_no_time_are_told_apart(tmp_path):
    path = write(tmp_path / "bias.fits", EXPTIME=0.0, DATE_OBS="2026-03-01T20:00:00")
    dates = [fits.getheader(file)["DATE-OBS"] for file in write_planes(path, tmp_path, "each", most=2)]
    assert dates == ["2026-03-01T20:00:00.000", "2026-03-01T20:00:00.001"]


def test_the_mean_is_of_the_middle_and_has_the_noise_of_a_mean(tmp_path):
    path = write(tmp_path / "c.fits", DATE_OBS="2026-03-01T20:00:00", MJD_OBS=61100.5)
    (file,) = write_planes(path, tmp_path / "out", "mean")
    header = fits.getheader(file)
    assert (header["DATE-OBS"], header["EXPTIME"]) == ("2026-03-01T20:00:30.000", 30.0)
    assert header["MJD-OBS"] == pytest.approx(61100.5 + 30 / 86400, abs=1e-9)
    assert (header["GAIN"], header["RDNOISE"]) == (4.5, pytest.approx(4 * 3**0.5))
    np.testing.assert_array_equal(fits.getdata(file), fits.getdata(path).mean(axis=0, dtype=np.float64))


def test_what_is_no_cube(tmp_path):
    fits.PrimaryHDU(np.zeros((1, 4, 5), np.int16)).writeto(tmp_path / "plane.fits")
    fits.PrimaryHDU(np.zeros((4, 5), np.int16)).writeto(tmp_path / "image.fits")
    assert not is_cube(tmp_path / "plane.fits")
    assert not is_cube(tmp_path / "image.fits")
