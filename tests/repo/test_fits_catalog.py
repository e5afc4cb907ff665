"""Catalog files, read back by us and opened by others."""

import json
import math

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from obs.errors import DatasetNotFoundError, FileFormatError, OutputError
from obs.image.catalog import Catalog
from obs.repo.fits_catalog import catalog_length, catalog_schema, read_catalog, write_catalog

NAMES = ["src.fits", "src.fits.gz", "src.parq"]


def make_catalog():
    catalog = Catalog(metadata={"FILTER": "r", "MAGZERO": 25.5, "NSTAR": 7, "A_LONG_KEYWORD": "x" * 90, "GOOD": True})
    catalog.add("id", np.array([(41924 << 26) | n for n in (1, 2, 3)]), "", "unique id")
    catalog.add("coord_ra", [10.0, np.nan, 12.0], "deg", "right ascension")
    catalog.add("base_PsfFlux_instFlux", np.array([1.5, 2.5, -3], np.float32), "adu", "flux " * 30)
    catalog.add("base_SdssShape_xx", [1.0, 2.0, 3.0], "pix2", "second moment")
    catalog.add("base_PixelFlags_flag_edge", [True, False, True], "", "near the edge")
    catalog.add("band", ["g", "ri", ""], "", "filter")
    catalog.add("cov", np.arange(6.0).reshape(3, 2), "pix", "vector")
    catalog.add("tensor", np.arange(18, dtype=np.int16).reshape(3, 3, 2), "", "matrix")
    return catalog


def assert_same(one, other):
    assert one.schema.names == other.schema.names
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column.data, other[name], err_msg=name)
        assert column.data.dtype.kind == other[name].dtype.kind
        assert other[name].dtype.isnative
        assert (column.unit, column.description) == (other.columns[name].unit, other.columns[name].description.rstrip())


@pytest.mark.parametrize("name", NAMES)
def test_comes_back_as_it_was(tmp_path, name):
    catalog = make_catalog()
    for column in catalog.columns.values():
        column.data.flags.writeable = False
    catalog.columns["base_PsfFlux_instFlux"] = type(column)(catalog["base_PsfFlux_instFlux"], "adu", "flux " * 30 + "x")
    write_catalog(catalog, tmp_path / name)
    again = read_catalog(tmp_path / name)
    assert_same(catalog, again)
    assert again.metadata == catalog.metadata


@pytest.mark.parametrize("name", NAMES)
def test_length_and_schema(tmp_path, name):
    write_catalog(make_catalog(), tmp_path / name)
    assert catalog_length(tmp_path / name) == 3
    schema = catalog_schema(tmp_path / name)
    assert len(schema) == 0
    assert schema.metadata == make_catalog().metadata
    assert schema.schema.names == make_catalog().schema.names
    assert schema.columns["coord_ra"].unit == "deg"
    assert schema["base_PixelFlags_flag_edge"].dtype == bool
    assert schema["tensor"].shape == (0, 3, 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("catalog", [make_catalog().select([]), Catalog()], ids=["no rows", "no columns"])
def test_empty(tmp_path, name, catalog):
    write_catalog(catalog, tmp_path / name)
    again = read_catalog(tmp_path / name)
    assert (len(again), again.schema.names) == (0, catalog.schema.names)


COLUMNS = st.sampled_from(["b1", "u1", "i2", "i4", "i8", "f4", "f8", "c16", "U5"])


@settings(max_examples=40, deadline=None)
@given(data=st.data(), rows=st.integers(0, 5), types=st.lists(COLUMNS, min_size=1, max_size=4))
def test_any_column_round_trips(tmp_path_factory, data, rows, types):
    catalog = Catalog()
    for number, kind in enumerate(types):
        letters = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=5) if kind == "U5" else None
        catalog.add(f"c{number}", data.draw(hnp.arrays(np.dtype(kind), rows, elements=letters)), "m", "thing")
    path = tmp_path_factory.mktemp("catalog") / "x.fits"
    write_catalog(catalog, path)
    assert_same(catalog, read_catalog(path))


# -- what others see ----------------------------------------------------------------------------------------------


def test_astropy_table_reads_fits(tmp_path):
    write_catalog(make_catalog(), tmp_path / "src.fits")
    table = Table.read(tmp_path / "src.fits", hdu=1)
    assert table.colnames == make_catalog().schema.names
    assert str(table["coord_ra"].unit) == "deg"
    assert str(table["base_SdssShape_xx"].unit) == "pix2"
    assert table.meta["TCOMM2"] == "right ascension"
    assert table["base_PixelFlags_flag_edge"].dtype == bool
    assert table["base_PixelFlags_flag_edge"].tolist() == [True, False, True]
    assert table["band"].tolist() == ["g", "ri", ""]
    assert table["tensor"].shape == (3, 3, 2)
    assert table.meta["MAGZERO"] == 25.5
    with fits.open(tmp_path / "src.fits") as hdus:
        hdus.verify("exception")
        header = hdus[1].header
        assert hdus[1].name == "CATALOG"
        assert all(f"TUNIT{i}" in header and f"TCOMM{i}" in header for i in range(1, header["TFIELDS"] + 1))


def test_astropy_table_reads_parquet(tmp_path):
    write_catalog(make_catalog(), tmp_path / "src.parq")
    from pyarrow import parquet  # noqa: PLC0415 - only this test needs it

    table = parquet.read_table(tmp_path / "src.parq")
    assert table.column("id").to_pylist() == make_catalog()["id"].tolist()
    assert table.schema.field("coord_ra").metadata == {b"unit": b"deg", b"description": b"right ascension"}
    assert json.loads(table.schema.metadata[b"obs"])["FILTER"] == "r"


def test_catalog_to_table_and_back():
    catalog = make_catalog()
    table = catalog.to_table()
    assert str(table["coord_ra"].unit) == "deg"
    again = Catalog.from_table(table)
    assert again.schema.names == catalog.schema.names
    assert again.metadata == catalog.metadata
    np.testing.assert_array_equal(again["coord_ra"], catalog["coord_ra"])
    assert again.columns["base_SdssShape_xx"].unit == "pix2"


# -- files of others ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flagcol", [True, False])
def test_lsst_flag_bits_become_columns(tmp_path, flagcol):
    bits = np.zeros((4, 10), bool)
    bits[1, 0] = bits[2, 9] = True
    columns = [
        fits.Column("flags", "10X", array=bits),
        fits.Column("id", "K", array=np.arange(4)),
        fits.Column("coord_ra", "D", unit="rad", array=np.arange(4.0)),
    ]
    hdu = fits.BinTableHDU.from_columns(columns)
    for i in range(10):
        hdu.header[f"TFLAG{i + 1}"] = "calib_psf_used" if i == 0 else f"base_flag_{i}"
        hdu.header[f"TFDOC{i + 1}"] = f"meaning {i}"
    hdu.header["TDOC3"], hdu.header["TCCLS3"], hdu.header["AFW_TYPE"] = "position", "Angle", "SOURCE"
    hdu.header["ALIAS1"] = "slot_Centroid:base_SdssCentroid"
    if flagcol:
        hdu.header["FLAGCOL"] = 1
    hdu.writeto(tmp_path / "src.fits")
    catalog = read_catalog(tmp_path / "src.fits")
    assert catalog.schema.names == ["calib_psf_used", *(f"base_flag_{i}" for i in range(1, 10)), "id", "coord_ra"]
    assert catalog["calib_psf_used"].tolist() == [False, True, False, False]
    assert catalog["base_flag_9"].tolist() == [False, False, True, False]
    assert catalog["base_flag_9"].dtype == bool
    assert catalog.columns["base_flag_9"].description == "meaning 9"
    assert (catalog.columns["coord_ra"].unit, catalog.columns["coord_ra"].description) == ("rad", "position")
    assert catalog.metadata == {}
    assert catalog.aliases == {"slot_Centroid": "base_SdssCentroid"}
    assert catalog_schema(tmp_path / "src.fits").schema.names == catalog.schema.names


def test_reads_scaled_columns(tmp_path):
    columns = [fits.Column("n", "I", bzero=32768, array=np.array([1, 65535], np.uint16))]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "x.fits")
    assert read_catalog(tmp_path / "x.fits")["n"].tolist() == [1, 65535]


def test_reads_a_parquet_file_with_gaps(tmp_path):
    import pyarrow  # noqa: PLC0415 - only this test needs it
    from pyarrow import parquet  # noqa: PLC0415

    parquet.write_table(pyarrow.table({"a": [1.0, None], "s": ["x", None]}), tmp_path / "x.parq")
    catalog = read_catalog(tmp_path / "x.parq")
    assert math.isnan(catalog["a"][1])
    assert catalog["s"].tolist() == ["x", ""]


def test_reads_a_real_reference_catalog(shared_data):
    path = shared_data / "sdss_stripe82/ref_cats/sdss_demo_ref_cat/188488.fits"
    catalog = read_catalog(path)
    assert len(catalog) == catalog_length(path) == 753
    assert catalog.columns["r_flux"].unit == "nJy"
    assert catalog.columns["coord_ra"].unit == "rad"
    assert catalog.columns["r_flux"].description == "flux in filter r"


# -- wrong input --------------------------------------------------------------------------------------------------


def test_a_column_without_a_place(tmp_path):
    catalog = Catalog()
    catalog.add("when", np.array(["2020-01-01"], "datetime64[D]"))
    with pytest.raises(ValueError, match=r"column 'when' of type datetime64\[D\] has no place in a FITS table"):
        write_catalog(catalog, tmp_path / "x.fits")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("read", [read_catalog, catalog_schema, catalog_length])
def test_truncated(tmp_path, name, read):
    path = tmp_path / name
    catalog = make_catalog()
    write_catalog(catalog.select(np.arange(3000) % 3), path)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(
        FileFormatError, match=f"{name}: (HDU 1: the file was truncated|cannot be read as (FITS|Parquet)): \\S"
    ):
        read(path)


@pytest.mark.parametrize("name", NAMES)
def test_no_such_file(tmp_path, name):
    with pytest.raises(DatasetNotFoundError, match=f"{name} does not exist"):
        read_catalog(tmp_path / name)


def test_a_column_whose_name_is_a_number(tmp_path):
    path = tmp_path / "a.fits"
    fits.BinTableHDU.from_columns([fits.Column("seeing", "D", array=[1.0])]).writeto(path)
    path.write_bytes(path.read_bytes().replace(b"TTYPE1  = 'seeing  '", b"TTYPE1  =        3.7"))
    with pytest.raises(FileFormatError, match=r"column 1 of the table has no name: TTYPE1 is 3.7"):
        read_catalog(path)


def test_no_table(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "x.fits")
    with pytest.raises(FileFormatError, match=r"x.fits: no binary table in it"):
        read_catalog(tmp_path / "x.fits")


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_can_be_written(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=f"cannot write .*{name}: "):
        write_catalog(make_catalog(), tmp_path / "file" / name)


def stack_table(path, columns, *aliases, **cards):
    made = fits.BinTableHDU.from_columns(
        [fits.Column(name, form, array=np.array(values)) for name, form, values in columns]
    )
    made.header.update({"AFW_TYPE": "SOURCE", **cards})
    for alias in aliases:
        made.header.append(("ALIAS", alias), end=True)
    fits.HDUList([fits.PrimaryHDU(), made]).writeto(path)
    return path


def test_aliases_of_the_stack_are_other_names_of_columns(tmp_path):
    columns = [
        ("id", "K", [1, 2]),
        ("base_NaiveCentroid_x", "D", [3.0, 4.0]),
        ("base_PsfFlux_instFlux", "D", [5.0, 6.0]),
    ]
    aliases = "slot_Centroid:base_NaiveCentroid", "calib_flux:slot_PsfFlux", "slot_PsfFlux:base_PsfFlux"
    read = read_catalog(stack_table(tmp_path / "src.fits", columns, *aliases))
    assert read["slot_Centroid_x"].tolist() == [3.0, 4.0]
    assert read[read["id"] == 2]["calib_flux_instFlux"].tolist() == [6.0]
    assert "ALIAS" not in read.metadata
    write_catalog(read, tmp_path / "again.fits")
    assert read_catalog(tmp_path / "again.fits").aliases == read.aliases
    with pytest.raises(KeyError, match="no column 'slot_Shape_xx'"):
        read["slot_Shape_xx"]


def test_slots_of_the_first_tables_of_the_stack(tmp_path):
    columns = [("id", "K", [1]), ("flux_sinc", "D", [7.0])]
    read = read_catalog(stack_table(tmp_path / "src.fits", columns, **{"HIERARCH AP_FLUX_SLOT": "flux.sinc"}))
    assert read["slot_ApFlux"].tolist() == [7.0]
