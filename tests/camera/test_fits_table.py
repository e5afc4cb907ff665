"""LSST's amplifier tables."""

import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from obs.camera.amplifier import READOUT_CORNERS, Amplifier, NominalCalibration
from obs.camera.fits_table import amplifier_file_name, read_amplifiers, write_amplifiers
from obs.errors import FileFormatError
from obs.geom import Box

AMPLIFIER = Amplifier(name="a", bbox=Box(0, 0, 4, 3), raw_bbox=Box(0, 0, 6, 3), raw_data_bbox=Box(1, 0, 4, 3))

pixel, extent = st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**31 - 1)
number = st.floats(allow_infinity=False)
text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
box = st.builds(Box, pixel, pixel, extent, extent)


@st.composite
def amplifiers(draw):
    bbox, data = draw(box), draw(box)
    return Amplifier(
        name=draw(text),
        bbox=bbox,
        raw_bbox=draw(box),
        raw_data_bbox=Box(data.x_min, data.y_min, bbox.width, bbox.height),
        raw_serial_overscan_bbox=draw(box),
        raw_parallel_overscan_bbox=draw(box),
        raw_prescan_bbox=draw(box),
        readout_corner=draw(st.sampled_from(READOUT_CORNERS)),
        flip_x=draw(st.booleans()),
        flip_y=draw(st.booleans()),
        nominal=NominalCalibration(
            *(draw(number) for _ in range(4)),
            linearity_type=draw(text),
            linearity_coefficients=tuple(draw(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4))),
        ),
        raw_hdu=draw(st.integers(0, 200)),
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("amplifiers") / "n1.fits"


@given(table=st.lists(amplifiers(), min_size=1, max_size=3))
def test_what_is_written_is_read(path, table):
    write_amplifiers(table, path)
    assert repr(read_amplifiers(path)) == repr(tuple(table))  # NaN is not equal to itself, but looks the same


def test_file_is_named_after_its_detector():
    assert amplifier_file_name("CCD 1 north") == "CCD_1_north.fits"


def test_table_is_the_one_that_lsst_reads(path):
    write_amplifiers([dataclasses.replace(AMPLIFIER, flip_y=True)], path)
    with fits.open(path) as hdus:
        header, data = hdus[1].header, hdus[1].data
        assert (header["AFW_TYPE"], header["FLAGCOL"], header["TFIELDS"]) == ("AMPINFO", 1, 35)
        assert header["AFW_TABLE_VERSION"] == 3
        assert [header[f"TFLAG{i}"] for i in (1, 2, 3)] == ["hasrawinfo", "raw_flip_x", "raw_flip_y"]
        assert [header[f"TFORM{i}"] for i in (1, 2, 3, 7, 12)] == ["3X", "64A", "J", "D", "4D"]
        assert data["flags"][0].tolist() == [True, False, True]
        assert (data["raw_databbox_min_x"][0], data["raw_databbox_extent_x"][0]) == (1, 4)
        assert np.isnan(data["suspectlevel"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "amplificateur é"}, r"^'amplificateur é' does not fit into 64 ASCII characters$"),
        ({"name": "x" * 65}, r"^'x{65}' does not fit into 64 ASCII characters$"),
        (
            {"nominal": NominalCalibration(linearity_coefficients=(1.0,) * 5)},
            r"^amplifier 'a' has 5 linearity coefficients, the table takes 4$",
        ),
    ],
)
def test_what_does_not_fit_is_refused(path, change, message):
    with pytest.raises(ValueError, match=message):
        write_amplifiers([dataclasses.replace(AMPLIFIER, **change)], path)


def test_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(FileFormatError, match=r"north\.fits: there is no such amplifier table$"):
        read_amplifiers(tmp_path / "north.fits")


def test_file_that_is_none_is_told(tmp_path):
    (tmp_path / "a.fits").write_text("amplifiers")
    with pytest.raises(FileFormatError, match=r"a\.fits: cannot be read: "):
        read_amplifiers(tmp_path / "a.fits")


def test_image_is_no_table(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "a.fits")
    with pytest.raises(FileFormatError, match=r"a\.fits: is not an amplifier table: HDU 1 holds no binary table$"):
        read_amplifiers(tmp_path / "a.fits")


def rewrite(path, change):
    """Write a table of one amplifier, changed by a function of its rows."""
    write_amplifiers([AMPLIFIER], path)
    with fits.open(path, memmap=False) as hdus:
        table = change(hdus[1])
        fits.HDUList([hdus[0], table]).writeto(path, overwrite=True)


def test_table_of_endless_columns_is_refused(tmp_path):
    write_amplifiers([AMPLIFIER], tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()
    at = content.index(b"TFIELDS =")
    (tmp_path / "a.fits").write_bytes(content[:at] + b"TFIELDS =          99999999999" + content[at + 30 :])
    with pytest.raises(FileFormatError, match=r"a\.fits: is not an amplifier table: TFIELDS = 99999999999$"):
        read_amplifiers(tmp_path / "a.fits")


def test_column_that_is_missing_is_told(tmp_path):
    path = tmp_path / "a.fits"
    rewrite(path, lambda table: fits.BinTableHDU.from_columns([c for c in table.columns if c.name != "gain"]))
    with pytest.raises(FileFormatError, match=r"a\.fits: is not an amplifier table: it has no column gain$"):
        read_amplifiers(path)


def test_table_without_rows_is_told(tmp_path):
    path = tmp_path / "a.fits"
    rewrite(path, lambda table: fits.BinTableHDU(table.data[:0], table.header))
    with pytest.raises(FileFormatError, match=r"a\.fits: holds no amplifier$"):
        read_amplifiers(path)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("readoutcorner", 4, r"row 1: readoutcorner is 4, not from 0 to 3$"),
        ("bbox_extent_x", -1, r"row 1: box extent must not be negative, got width -1, height 3$"),
        ("bbox_extent_x", 5, r"row 1: bbox is 5 x 3 pixels, raw_data_bbox 4 x 3$"),
    ],
)
def test_row_that_is_wrong_is_told(tmp_path, column, value, message):
    def change(table):
        table.data[column][0] = value
        return table

    path = tmp_path / "a.fits"
    rewrite(path, change)
    with pytest.raises(FileFormatError, match=message):
        read_amplifiers(path)


def test_amplifier_without_raw_geometry_is_as_large_as_the_detector(tmp_path):
    def change(table):
        table.data["flags"][0] = [False, False, False]
        return table

    path = tmp_path / "a.fits"
    rewrite(path, change)
    (amp,) = read_amplifiers(path)
    assert amp.raw_bbox == amp.raw_data_bbox == amp.bbox
    assert amp.raw_serial_overscan_bbox.is_empty
