"""Calibration of a field."""

import pytest
from astropy.io import fits
from sdss_files import BANDS, Frame, real_id, write_tsfield

from obs.errors import FileFormatError
from obs_sdss.tsfield import read_tsfield


@pytest.mark.parametrize("band", BANDS)
def test_numbers_are_those_of_the_filter(files, frame, band):
    got = read_tsfield(files["tsField"], frame.data_id | {"filter": band})
    index = BANDS.index(band)
    assert got.gain == pytest.approx(frame.gain[index])
    assert got.dark_variance == pytest.approx(frame.dark_variance[index])
    assert got.zero_point == pytest.approx(frame.aa[index])
    assert got.photo_calib.flux_mag0 == pytest.approx(10 ** (-0.4 * frame.aa[index]) * 53.907456, rel=1e-5)


def test_order_of_the_filters_is_the_files_own(files, frame, tmp_path):
    path = tmp_path / "tsField.fit"
    path.write_bytes(files["tsField"].read_bytes())
    fits.setval(path, "FILTERS", value="r i u z g")
    assert read_tsfield(path, frame.data_id | {"filter": "r"}).gain == pytest.approx(frame.gain[0])


def test_other_field_is_told(files, frame):
    with pytest.raises(FileFormatError, match=r"tsField.*\.fit: holds no field 12"):
        read_tsfield(files["tsField"], frame.data_id | {"field": 12})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gain": (1.0, 0.0, 1.0, 1.0, 1.0)}, r"gain of filter 'g' is 0\.0"),
        ({"aa": (-24.0, -9999.0, -24.0, -24.0, -24.0)}, r"aa of filter 'g' is -9999\.0"),
    ],
)
def test_calibration_that_is_none_is_told(tmp_path, change, message):
    frame = Frame(**change)
    path = write_tsfield(tmp_path / "tsField.fit", frame)
    with pytest.raises(FileFormatError, match=rf"tsField\.fit: {message}"):
        read_tsfield(path, frame.data_id)


def test_real_calibration(stripe82):
    got = read_tsfield(stripe82 / "calibChunks/4/tsField-004192-4-40-0300.fit", real_id("r"))
    assert got.gain == pytest.approx(4.76)
    assert got.zero_point == pytest.approx(-24.0029, abs=1e-4)
    assert got.saturation == 43653
    assert got.extinction == pytest.approx(0.0734639)
    assert got.airmass == pytest.approx(1.18723, abs=1e-5)
    assert got.mjd == pytest.approx(52931.1969292)
    assert got.photo_calib.zero_point == pytest.approx(24.0029 + 2.5 * 1.731649, abs=1e-3)
