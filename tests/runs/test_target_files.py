"""Tables of positions from anywhere: a bomb, or a file that is not text, ends in one line."""

import bz2
import gzip
import re

import numpy as np
import pytest
from astropy.table import Table
from astropy.units import arcmin, arcsec, deg, hourangle, s

from obs.errors import DataIdError, FileFormatError
from obs.ingest.table_chunks import table_columns
from obs.repo.parquet_catalog import write_parquet
from obs.runs import targets
from obs.runs.targets import read_targets

TEXT = b"name,ra,dec\na,10.5,-3.25\n"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["x.csv", "x.ecsv", "x.vot", "x.txt"])
def test_compressed_texts_are_refused(tmp_path, pack, name):
    path = tmp_path / name
    path.write_bytes(pack(TEXT))
    with pytest.raises(FileFormatError, match="is compressed; unpack it first"):
        read_targets(path)


def test_a_votable_whose_data_are_elsewhere_is_refused(tmp_path):
    path = write(tmp_path / "x.vot", b"<VOTABLE><STREAM href='file:///x'/></VOTABLE>")
    with pytest.raises(FileFormatError, match="which is not followed"):
        read_targets(path)


def test_a_large_text_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_bytes(TEXT)
    assert read_targets(path)["coord_dec"].tolist() == [-3.25]
    monkeypatch.setattr(targets, "_MOST_BYTES", 10)
    with pytest.raises(FileFormatError, match=r"has \d+ bytes, of a text at most 10 are read: use FITS or Parquet"):
        read_targets(path)


def test_a_parquet_file_of_too_many_rows(tmp_path, monkeypatch):
    path = tmp_path / "x.parq"
    write_parquet(read_targets(write(tmp_path / "x.csv", TEXT)), path)
    assert len(read_targets(path)) == 1
    monkeypatch.setattr(targets, "_MOST_ROWS", 0)
    with pytest.raises(FileFormatError, match="has 1 rows, at most 0 positions"):
        read_targets(path)


def test_positions_that_are_not_on_the_sky_are_left_out(tmp_path, caplog):
    path = write(tmp_path / "x.csv", b"name,ra,dec\na,nan,2\nb,10,inf\nc,10,91\nd,370,-3.25\n")
    found = read_targets(path)
    assert (found["name"].tolist(), found["coord_ra"].tolist()) == (["d"], [10.0])
    assert "x.csv: 3 of 4 positions are left out, because they are not finite or not on the sky" in caplog.text


def test_a_coordinate_of_many_letters(tmp_path):
    path = write(tmp_path / "x.csv", b"name,ra,dec\na,10," + b"z" * 2000 + b"\nb,10,x\n")
    with pytest.raises(FileFormatError, match="column dec does not contain coordinates: a text has 2000 letters"):
        read_targets(path)


def test_coordinates_that_are_not_numbers(tmp_path):
    with pytest.raises(FileFormatError, match="coordinates are not numbers: "):
        read_targets(write(tmp_path / "x.csv", b"ra,dec\n1,2\n1,x\n"))


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "it has no columns; call"), ([f"c{n}" for n in range(3000)], "it has c0, c1, .*, c19 and 2980 more; call")],
)
def test_a_table_without_coordinates(tmp_path, names, said):
    with pytest.raises(FileFormatError, match=said):
        read_targets(write(tmp_path / "x.csv", ",".join(names).encode() + b"\n"))


@pytest.mark.parametrize(
    ("head", "row"),
    [("Star Name,RAJ2000,DEJ2000", "RR Lyr,10.5,-3.25"), ("obj,RA (J2000),Dec (J2000)", "RR Lyr,10.5,-3.25"),
     ("id,alpha,delta", "RR Lyr,10.5,-3.25"), ("Name,RA [hours],Dec [deg]", "RR Lyr,0.7,-3.25"),
     ("name,ra_(h),dec", "RR Lyr,0.7,-3.25"), ("name,ra_rad,dec_rad", "RR Lyr,0.183259571459,-0.056723200690"),
     ("name;ra;dec", "RR Lyr;10.5;-3.25"), ("name;ra;dec", "RR Lyr;10,5;-3,25"),
     ("name\tra\tdec", "RR Lyr\t10.5\t-3.25"), ("star,R.A. (deg; ICRS),ra,dec", "RR Lyr,5,10.5,-3.25")],
)  # fmt: skip
def test_names_that_columns_have(tmp_path, head, row):
    found = read_targets(
        write(tmp_path / "x.csv", f"{head}\n{row.replace('RR Lyr', 'M 3')}\n{row}\n".encode()), ["rr_lyr"]
    )
    np.testing.assert_allclose((found["coord_ra"][0], found["coord_dec"][0]), (10.5, -3.25), atol=1e-10)


def test_hours_that_a_unit_names(tmp_path):
    path = tmp_path / "x.ecsv"
    Table({"ra": [0.7] * hourangle, "dec": [-3.25] * deg}).write(path)
    assert read_targets(path)["coord_ra"][0] == pytest.approx(10.5)
    Table({"ra": [37800.0] * arcsec, "dec": [-195.0] * arcmin}).write(path, overwrite=True)
    found = read_targets(path)
    assert (found["coord_ra"][0], found["coord_dec"][0]) == pytest.approx((10.5, -3.25))
    Table({"ra": [10.5] * s, "dec": [-3.25] * deg}).write(path, overwrite=True)
    with pytest.raises(FileFormatError, match="column ra is in s, not in a unit of angles"):
        read_targets(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [("ra (B1950),dec (B1950)\n1,2\n", "call them ra and dec"),
     ("name,ra,dec\nM 3,1,2\n", "x.csv has no object 'V1'; it has M 3"),
     ("n,ra,dec\nM 3,1,2\n", "none of its columns is called name")],
)  # fmt: skip
def test_tables_without_what_is_wanted(tmp_path, text, said):
    with pytest.raises((FileFormatError, DataIdError), match=re.escape(said)):
        read_targets(write(tmp_path / "x.csv", text.encode()), ["V1"])


def test_columns_of_no_interest_may_be_of_any_kind(tmp_path):
    head = "# %ECSV 1.0\n# ---\n# datatype:\n"
    columns = [("ra", "float64"), ("dec", "float64"), ("o", "object")]
    text = head + "".join(f"# - {{name: {name}, datatype: {kind}}}\n" for name, kind in columns)
    found = read_targets(write(tmp_path / "x.ecsv", text.encode() + b"# schema: astropy-2.0\nra dec o\n10 2 {}\n"))
    assert found["coord_ra"].tolist() == [10.0]


def test_proper_motions_of_a_table(tmp_path, caplog):
    found = read_targets(
        write(tmp_path / "x.csv", b"ra,dec,pmra,pmdec,ref_epoch\n10,2,100,-50,2016.0\n11,2,,,2016.0\n")
    )
    assert found["pm_ra"][0] == 100.0
    assert np.isnan(found["pm_dec"][1])
    assert found["epoch"][0] == pytest.approx(57388.5, abs=1.0)
    assert "pm_ra" not in read_targets(write(tmp_path / "y.csv", b"ra,dec,pmra,pmdec\n10,2,100,-50\n"))
    assert "proper motions are not used, because there is no column epoch" in caplog.text


def write(path, content):
    path.write_bytes(content)
    return path


def test_a_reference_catalog_that_is_not_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"ra,d\x8bc\n1,2\n")
    with pytest.raises(FileFormatError, match="cannot be read as text: it is not in UTF-8"):
        table_columns(path)
