"""Published catalogs become reference catalogs that are read back the same."""

import gzip
import os
import re
import shutil

import numpy as np
import pyarrow
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyarrow import parquet

from obs.errors import ConfigError, DatasetNotFoundError, FileFormatError, OutputError
from obs.htm import htm_index
from obs.ingest.reference_catalogs import ingest_reference_catalog
from obs.ingest.reference_columns import ReferenceColumnsConfig, find_columns
from obs.ingest.table_chunks import read_chunks, table_columns
from obs.repo.atomic import remove_leftovers
from obs.repo.fits_catalog import read_catalog, write_catalog
from obs.repo.leftovers import find_leftovers, remove_all
from obs.repo.reference_catalog import find_reference_catalog, load_reference_catalog

N = 2000


@pytest.fixture
def objects():
    generator = np.random.default_rng(4)
    return {
        "source_id": np.arange(N) + 10**17,
        "ra": generator.uniform(359, 361, N) % 360,
        "dec": generator.uniform(-1, 1, N),
        "g_mag": generator.uniform(14, 22, N),
        "g_mag_err": generator.uniform(0.001, 0.1, N),
        "pmra": generator.normal(0, 10, N),
        "pmdec": generator.normal(0, 10, N),
        "parallax": generator.uniform(0, 5, N),
        "ref_epoch": np.full(N, 2016.0),
    }


def write_fits(path, columns, units=()):
    formats = {"i": "K", "f": "D"}
    table = [
        fits.Column(name, formats[data.dtype.kind], dict(units).get(name), array=data) for name, data in columns.items()
    ]
    fits.BinTableHDU.from_columns(table).writeto(path)
    return path


def write_csv(path, columns, before=""):
    lines = [before + ",".join(columns)]
    lines += [",".join(repr(value.item()) for value in row) for row in zip(*columns.values(), strict=True)]
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_parquet(path, columns):
    parquet.write_table(pyarrow.table(columns), path)
    return path


def write_text(path, columns):
    Table(columns).write(path, format={".ecsv": "ascii.ecsv", ".vot": "votable"}[path.suffix])
    return path


def ingest(root, *files, name="cat", clobber=False, **settings):
    done = ingest_reference_catalog(root, name, files, ReferenceColumnsConfig(**settings), clobber=clobber, chunk=700)
    return done, load_reference_catalog(find_reference_catalog([root], name), ra=0, dec=0, radius=3)


def check(catalog, objects):
    catalog = catalog.select(np.argsort(catalog["id"]))
    assert len(catalog) == N
    np.testing.assert_array_equal(catalog["id"], objects["source_id"])
    np.testing.assert_allclose(catalog["coord_ra"], objects["ra"], atol=1e-12)
    np.testing.assert_allclose(catalog["coord_dec"], objects["dec"], atol=1e-12)
    np.testing.assert_allclose(-2.5 * np.log10(catalog["g_flux"]) + 31.4, objects["g_mag"], atol=1e-9)
    error = objects["g_mag_err"] * np.log(10) / 2.5 * catalog["g_flux"]
    np.testing.assert_allclose(catalog["g_fluxErr"], error, rtol=1e-9)
    np.testing.assert_allclose(np.degrees(catalog["pm_ra"]) * 3.6e6, objects["pmra"], rtol=1e-9)
    assert catalog.columns["pm_ra"].unit == "rad/year"
    np.testing.assert_allclose(catalog["epoch"], 57388.5)


@pytest.mark.parametrize("ending", ["fits", "csv", "csv.gz", "parquet", "ecsv", "vot", "CSV"])
def test_every_format(tmp_path, objects, ending):
    write = {"fits": write_fits, "parquet": write_parquet, "ecsv": write_text, "vot": write_text}.get(ending, write_csv)
    done, catalog = ingest(tmp_path, write(tmp_path / f"in.{ending}", objects))
    check(catalog, objects)
    assert (done.n_row, done.n_dropped) == (N, 0)
    assert not list(tmp_path.glob(".*"))


_ROWS = [("0.41", "-0.201", "12.5", "0.01"), ("0.42", "-0.202", "13.5", ""), ("0.43", "-0.203", "14.5", "0.02")]
_NAMES = ("RAJ2000", "DEJ2000", "Vmag", "e_Vmag")


def _lines(between, rows=_ROWS):
    return "".join(between.join(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.dat", "# my stars\nID," + ",".join(_NAMES) + "\n" + "".join(f"J1,{','.join(row)}\n" for row in _ROWS)),
        ("b.lst", "# " + ",".join(_NAMES) + "\n" + _lines(",")),
        (
            "vizier.tsv",
            "#\n#Column\tRAJ2000\n" + "\t".join(_NAMES) + "\ndeg\tdeg\tmag\tmag\n---\t---\t---\t---\n"
            "" + _lines("\t", [tuple(value or "    " for value in row) for row in _ROWS]) + "\n#END#\n",
        ),
        ("spreadsheet.csv", "\ufeff" + ";".join(_NAMES) + "\r\n" + _lines(";").replace(".", ",")),
        ("blanks", "# " + "  ".join(_NAMES) + "\n" + _lines("   ", [tuple(v or "nan" for v in row) for row in _ROWS])),
        (
            "sextractor.cat",
            "#   1 ALPHA_J2000  Right ascension  [deg]\n#   2 DELTA_J2000  Declination  [deg]\n#   3 Vmag  V  [mag]\n"
            "#   4 e_Vmag  error  [mag]\n" + _lines(" ", [tuple(v or "nan" for v in row) for row in _ROWS]),
        ),
        (
            "irsa.tbl",
            "\\fixlen = T\n|    ra|   dec| Vmag|e_Vmag|\n|double|double|double|double|\n|   deg|   deg|  mag|   mag|\n"
            "|  null|  null| null|  null|\n"
            + "".join(f" {a:>6} {b:>6} {c:>5} {d or 'null':>6} \n" for a, b, c, d in _ROWS),
        ),
    ],
)
def test_texts_from_anywhere(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    _, catalog = ingest(tmp_path, tmp_path / name)
    order = np.argsort(catalog["coord_ra"])
    np.testing.assert_allclose(catalog["coord_ra"][order], [0.41, 0.42, 0.43])
    np.testing.assert_allclose(catalog["coord_dec"][order], [-0.201, -0.202, -0.203])
    magnitudes = 31.4 - 2.5 * np.log10(catalog["V_flux"][order])
    np.testing.assert_allclose(magnitudes, [12.5, 13.5, 14.5], atol=1e-9)
    errors = (2.5 / np.log(10) * catalog["V_fluxErr"] / catalog["V_flux"])[order]
    np.testing.assert_allclose(errors, [0.01, np.nan, 0.02], rtol=1e-9)


def test_shards_are_in_the_lsst_layout(tmp_path, objects, shared_data):
    done, _ = ingest(tmp_path, write_fits(tmp_path / "in.fits", objects))
    numbers = htm_index(ra=objects["ra"], dec=objects["dec"], depth=7)
    names = {path.name for path in done.folder.iterdir()}
    assert names == {f"{number}.fits" for number in numbers} | {"master_schema.fits", "config.py"}
    published = next((shared_data / "sdss_stripe82" / "ref_cats").glob("*/master_schema.fits"))
    with fits.open(published) as theirs, fits.open(done.folder / "master_schema.fits") as ours:
        assert len(ours[1].data) == 0
        for name in ("id", "coord_ra", "coord_dec", "g_flux", "g_fluxErr"):
            assert ours[1].columns[name].format.strip("1") == theirs[1].columns[name].format.strip("1")
            assert ours[1].columns[name].unit == theirs[1].columns[name].unit
        for card in ("REFCAT_FORMAT_VERSION", "AFW_TABLE_VERSION", "AFW_TYPE"):
            assert ours[1].header[card] == theirs[1].header[card]
    shard = fits.getdata(done.folder / f"{numbers[0]}.fits")
    assert shard["coord_ra"].max() <= 2 * np.pi


def test_a_published_catalog_comes_back_the_same(tmp_path, shared_data):
    folder = next((shared_data / "sdss_stripe82" / "ref_cats").iterdir())
    files = sorted(path for path in folder.glob("*.fits") if path.stem.isdecimal())
    done = ingest_reference_catalog(
        tmp_path, "again", files, ReferenceColumnsConfig(extra_columns=["starnotgal"]), chunk=1000
    )
    for path in files:
        before, after = read_catalog(path), read_catalog(done.folder / path.name)
        assert set(before.columns) == set(after.columns)
        for name in before.columns:
            np.testing.assert_allclose(after[name], before[name], rtol=1e-15)


def test_memory_does_not_depend_on_where_rows_are_cut(tmp_path, objects):
    half = N // 2
    parts = [{name: data[part] for name, data in objects.items()} for part in (slice(half), slice(half, None))]
    files = [write_csv(tmp_path / f"{i}.csv", part) for i, part in enumerate(parts)]
    check(ingest(tmp_path, *files)[1], objects)


def test_columns_by_name_and_unit(tmp_path, objects):
    columns = {
        "alpha": np.radians(objects["ra"]),
        "delta": np.radians(objects["dec"]),
        "f": objects["g_mag"] * 0 + 3.0,
        "df": objects["g_mag"] * 0 + 0.5,
        "quality": np.arange(N) * 1.0,
    }
    path = write_fits(tmp_path / "in.fits", columns, {"alpha": "rad", "delta": "rad", "f": "uJy"}.items())
    _, catalog = ingest(
        tmp_path,
        path,
        ra_name="alpha",
        dec_name="delta",
        flux_columns={"r": "f"},
        flux_err_columns={"r": "df"},
        epoch=57000.0,
        extra_columns=["quality"],
    )
    assert np.allclose(np.sort(catalog["coord_dec"]), np.sort(objects["dec"]))
    assert set(catalog["r_flux"]) == {3000.0}
    assert set(catalog["r_fluxErr"]) == {500.0}
    assert set(catalog["epoch"]) == {57000.0}
    assert set(catalog["id"]) == set(range(1, N + 1))
    assert "quality" in catalog


def test_usual_names_of_bands():
    units = dict.fromkeys(["RA", "DEC", "gmag", "e_gmag", "phot_bp_mean_mag", "mag_r", "i_flux", "i_fluxErr"], "")
    found = find_columns(ReferenceColumnsConfig(), units)
    assert set(found.sources) == {
        "ra",
        "dec",
        "flux:i",
        "flux_err:i",
        "mag:g",
        "mag_err:g",
        "mag:BP",
        "mag:r",
    }


@pytest.mark.parametrize(
    ("names", "found"),
    [
        # Pan-STARRS 1's table of mean objects
        (["gMeanPSFMag", "gMeanPSFMagErr", "rMeanPSFMag"], {"mag:g": "gMeanPSFMag", "mag:r": "rMeanPSFMag"}),
        # the SDSS's
        (["psfMag_g", "psfMagErr_g"], {"mag:g": "psfMag_g"}),
        # bands alone
        (["g", "g_err", "i", "z", "flags"], {"mag:g": "g", "mag:i": "i", "mag:z": "z"}),
    ],
)
def test_usual_names_of_surveys(names, found):
    columns = find_columns(ReferenceColumnsConfig(), dict.fromkeys(["raMean", "decMean", *names], ""))
    assert {what: source.name for what, source in columns.sources.items() if what.startswith("mag:")} == found
    assert ("mag_err:g" in columns.sources) == (names[1] in ("gMeanPSFMagErr", "psfMagErr_g", "g_err"))


@pytest.mark.parametrize(
    ("ra", "dec", "first_unit"),
    [
        ("RAICRS", "DEICRS", 1.0),
        ("_RA.icrs", "_DE.icrs", 1.0),
        ("RAdeg", "DEdeg", 1.0),
        ("R.A.", "Decl.", 1.0),
        ("Right Ascension (J2000)", "Declination (J2000)", 1.0),
        ("RA_J2000_degrees", "DEC_J2000_degrees", 1.0),
        ("X_WORLD", "Y_WORLD", 1.0),
        ("ALPHAPSF_SKY", "DELTAPSF_SKY", 1.0),
        ("alpha", "delta", 1.0),
        ("ra_d", "dec_d", 1.0),
        ("RA (hours)", "Dec (deg)", 15.0),
        ("ra_hour", "dec", 15.0),
        ("RArad", "DErad", 180.0 / np.pi),
    ],
)
def test_usual_names_of_positions(ra, dec, first_unit):
    columns = find_columns(ReferenceColumnsConfig(), {"radius": "", "decay": "", ra: "", dec: "", "Vmag": ""})
    assert (columns.sources["ra"].name, columns.sources["dec"].name) == (ra, dec)
    assert np.degrees(columns.sources["ra"].factor) == pytest.approx(first_unit)
    assert np.degrees(columns.sources["dec"].factor) == pytest.approx(first_unit if "rad" in ra else 1.0)


@pytest.mark.parametrize("names", [("rad", "dec"), ("RAB1950", "DEB1950"), ("RAh", "RAm", "RAs", "DEd", "DEm", "DEs")])
def test_names_that_are_no_positions(names):
    with pytest.raises(ConfigError, match="no column with the coordinate ra"):
        find_columns(ReferenceColumnsConfig(), dict.fromkeys([*names, "Vmag"], ""))


@pytest.fixture
def gaia():
    generator = np.random.default_rng(5)
    color = np.append(generator.uniform(0.0, 2.5, 99), np.nan)
    g = generator.uniform(10, 19, 100)
    return {
        "RA_ICRS": generator.uniform(0, 1, 100),
        "DE_ICRS": generator.uniform(-1, 1, 100),
        "Gmag": g,
        "e_Gmag": np.full(100, 0.01),
        "BPmag": g + 0.4 * color,
        "RPmag": g - 0.6 * color,
        "pmRA": np.full(100, 10.0),
        "pmDE": np.full(100, 10.0),
    }


def test_bands_are_estimated_from_those_of_gaia(tmp_path, gaia):
    done, catalog = ingest(tmp_path, write_csv(tmp_path / "gaia.csv", gaia))
    assert (set(done.bands), done.estimated) == ({"G", "BP", "RP"}, ("B", "V", "R", "I", "g", "r", "i"))
    systems = {"Vega": ("G", "BP", "RP", "B", "V", "R", "I"), "AB": ("g", "r", "i")}
    assert {(band, system) for system, bands in systems.items() for band in bands} == {
        tuple(word.split("=")) for word in catalog.metadata["MAGSYS"].split()
    }
    catalog = catalog.select(np.argsort(catalog["id"]))
    color = gaia["BPmag"] - gaia["RPmag"]
    expected = gaia["Gmag"] + 0.02704 - 0.01424 * color + 0.2156 * color**2 - 0.01426 * color**3
    np.testing.assert_allclose(31.4 - 2.5 * np.log10(catalog["V_flux"]), expected, atol=1e-9)
    error = 2.5 / np.log(10) * catalog["V_fluxErr"] / catalog["V_flux"]
    np.testing.assert_allclose(error[:99], np.hypot(0.03017, 0.01))
    assert (np.isnan(catalog["i_flux"]) == ~((color >= 0.5) & (color <= 2.0))).all()


def test_a_band_of_the_file_is_not_estimated(tmp_path, gaia):
    path = write_csv(tmp_path / "gaia.csv", {**gaia, "Vmag": gaia["Gmag"] + 3.0})
    done, catalog = ingest(tmp_path, path)
    assert "V" in done.bands
    assert "V" not in done.estimated
    assert np.nanmax(catalog["V_flux"] / catalog["G_flux"]) < 0.1
    assert ingest(tmp_path, path, name="plain", estimate_bands=False)[0].estimated == ()


def test_thousands_of_columns_are_looked_through_at_once_and_not_listed():
    names = dict.fromkeys(["ra", "dec", *(f"c{number}" for number in range(20_000))], "")
    with pytest.raises(
        ConfigError, match=r"no column with magnitudes .*, the file has ra, dec, c0, .* c37 and 19962 more"
    ):
        find_columns(ReferenceColumnsConfig(), names)


def test_a_sparse_catalog_of_many_files_is_read_as_a_whole_and_once(tmp_path):
    ra, dec = (part.ravel() for part in np.meshgrid(np.arange(0.0, 60.0, 2.5), np.arange(-25.0, 25.0, 2.5)))
    objects = {"RAICRS": ra, "DEICRS": dec, "VTmag": np.full(ra.size, 8.0)}
    ingest(tmp_path, write_csv(tmp_path / "tycho.csv", objects), name="tycho")
    folder = find_reference_catalog([tmp_path], "tycho")
    assert len(list(folder.glob("[0-9]*.fits"))) > 400
    everything = load_reference_catalog(folder, ra=0, dec=0, radius=180)
    np.testing.assert_allclose(np.sort(everything["coord_ra"]), np.sort(ra), atol=1e-9)
    everything["VT_flux"][:] = 0.0  # what a caller does with its catalog is not in the next one
    first = sorted(folder.glob("[0-9]*.fits"))[0]
    changed = read_catalog(first)
    changed["VT_flux"][:] *= 2.0
    write_catalog(changed, first)
    flux = load_reference_catalog(folder, ra=0, dec=0, radius=180)["VT_flux"]
    assert (flux > 1.5 * np.median(flux)).sum() == len(changed)
    assert np.median(flux) == pytest.approx(10 ** (0.4 * (31.4 - 8.0)))


def test_a_redshift_is_no_magnitude():
    with pytest.raises(ConfigError, match="no column with magnitudes or fluxes is found"):
        find_columns(ReferenceColumnsConfig(), {"ra": "", "dec": "", "z": ""})


@pytest.mark.parametrize("ending", ["ecsv", "vot"])
def test_missing_values_of_text_tables(tmp_path, ending):
    table = Table({"ra": [1.0, 2.0], "dec": [0.0, 0.0], "g_mag": [15, 16], "what": ["a", "b"]}, masked=True)
    table["g_mag"].mask[1] = table["what"].mask[0] = True
    table["ra"].unit = "deg"
    path = write_text(tmp_path / f"in.{ending}", table)
    assert table_columns(path) == {"ra": "deg", "dec": "", "g_mag": "", "what": ""}
    (chunk,) = read_chunks(path, {"ra": float, "g_mag": float})
    np.testing.assert_array_equal(chunk["g_mag"], [15.0, np.nan])
    with pytest.raises(FileFormatError, match="column 'what' does not hold numbers"):
        list(read_chunks(path, {"what": float}))


def test_catalogs_of_scamp(tmp_path, objects):
    """The first table of a FITS_LDAC is the header of an image."""
    path = write_fits(tmp_path / "in.cat", objects)
    with fits.open(path) as hdus:
        head = fits.BinTableHDU.from_columns([fits.Column("Field Header Card", "80A", array=["END"])])
        head.name, hdus[1].name = "LDAC_IMHEAD", "LDAC_OBJECTS"
        fits.HDUList([hdus[0], head, hdus[1]]).writeto(tmp_path / "ldac.cat")
    check(ingest(tmp_path, tmp_path / "ldac.cat")[1], objects)


def test_missing_values_are_nan(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("# id,ra,dec,g_mag\n1,0.1,0.2,18\n2,0.1,0.2,\n3,0.1,0.2,99.0\n4,0.1,0.2,-999\n5,,0.2,18\n")
    done, catalog = ingest(tmp_path, path)
    assert done.n_dropped == 1
    catalog = catalog.select(np.argsort(catalog["id"]))
    np.testing.assert_array_equal(np.isfinite(catalog["g_flux"]), [True, False, False, False])


def test_a_catalog_is_replaced_only_if_that_is_wanted(tmp_path, objects):
    path = write_fits(tmp_path / "in.fits", objects)
    ingest(tmp_path, path)
    with pytest.raises(OutputError, match=r"there is a reference catalog .*cat already; --clobber replaces it"):
        ingest(tmp_path, path)
    few = write_fits(tmp_path / "few.fits", {name: data[:3] for name, data in objects.items()})
    assert len(ingest(tmp_path, few, clobber=True)[1]) == 3


def test_a_catalog_that_another_run_made_meanwhile_is_not_replaced(tmp_path, objects):
    few, many = (write_fits(tmp_path / f"{n}.fits", {key: data[:n] for key, data in objects.items()}) for n in (3, 5))
    columns = ReferenceColumnsConfig()
    with pytest.raises(OutputError, match=r"there is a reference catalog .* already; --clobber replaces it"):
        ingest_reference_catalog(tmp_path, "cat", [few], columns, on_rows=lambda count: ingest(tmp_path, many))
    shards = (tmp_path / "ref_cats" / "cat").glob("[0-9]*.fits")
    assert sum(len(read_catalog(shard)) for shard in shards) == 5
    assert find_leftovers(tmp_path) == []


@pytest.mark.parametrize("by", ["the next run", "verify"])
@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_run_that_is_killed_while_it_replaces_a_catalog_loses_neither(
    tmp_path, objects, monkeypatch, can_exchange, by
):
    path = write_fits(tmp_path / "in.fits", {name: data[:3] for name, data in objects.items()})
    ingest(tmp_path, path)
    pid = os.fork()
    if pid == 0:
        if not can_exchange:
            monkeypatch.setattr("obs.repo.folder_exchange._exchange", lambda one, other: False)
        rename = os.replace

        def replace(source, target):
            rename(source, target)
            if not can_exchange and "before-cat" in str(target):
                os._exit(9)

        monkeypatch.setattr(os, "replace", replace)
        monkeypatch.setattr(shutil, "rmtree", lambda *args, **kwargs: os._exit(9))
        ingest(tmp_path, path, clobber=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert (tmp_path / "ref_cats" / "cat").exists() == can_exchange
    leftovers = find_leftovers(tmp_path)
    assert len(leftovers) == 1
    if by == "verify":
        remove_all(leftovers)
    else:
        remove_leftovers.cache_clear()
        ingest(tmp_path, path, name="other")
    assert sum(len(read_catalog(shard)) for shard in (tmp_path / "ref_cats" / "cat").glob("[0-9]*.fits")) == 3
    assert find_leftovers(tmp_path) == []


def test_a_fault_leaves_nothing(tmp_path, objects):
    good = write_csv(tmp_path / "good.csv", objects)
    bad = write_csv(tmp_path / "bad.csv", {name: data[:3] for name, data in objects.items() if name != "parallax"})
    with pytest.raises(FileFormatError, match=r"bad.csv: has other columns than the first file: parallax"):
        ingest(tmp_path, good, bad)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ra_name": "raa"}, r"ra_name: the file has no column 'raa'; did you mean 'ra'\?; it has"),
        ({"mag_columns": {"g": "gg"}}, "mag_columns: the file has no column 'gg'"),
        ({"extra_columns": ["no"]}, "extra_columns: the file has no column 'no'"),
        ({"coordinate_unit": "gon"}, "column 'ra' has the unit 'gon', which is not known; set it to one of rad, deg"),
    ],
)
def test_columns_that_are_not_there(tmp_path, objects, settings, message):
    with pytest.raises(ConfigError, match=message):
        ingest(tmp_path, write_fits(tmp_path / "in.fits", objects), **settings)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "ra,g_mag\n1,2\n", "no column with the coordinate dec is found; name it with -c dec_name=COLUMN"),
        ("b.csv", "ra,dec\n1,2\n", "no column with magnitudes or fluxes is found"),
        ("c.csv", "ra,dec,g_mag\n1,200,3\n", "a declination of 200 deg is not on the sky; is its unit right"),
        ("d.csv", "ra,dec,g_mag\n1,x,3\n", r"d\.csv: column 'dec' holds 'x', which is not an angle"),
        ("s.csv", "ra,dec,g_mag\n1,1,13:20:24\n", r"s\.csv: cannot be read as a table: .*invalid value '13:20:24'"),
        ("t.csv", "RAmdeg,decl,x\n1,2,3\n", "no column with magnitudes or fluxes is found"),
        ("e.parquet", "nothing", r"e\.parquet: cannot be read as Parquet"),
        ("f.fits", "SIMPLE", r"f\.fits: cannot be read as FITS"),
        (
            "f.dat",
            "nothing",
            r"f\.dat: is neither FITS nor a text with a line of names .*; other tables end in \.parquet",
        ),
        ("f.txt", "", r"f\.txt: is neither FITS nor a text"),
        ("f.lst", "1.5 2.5 12.1\n1.6 2.5 12.2\n", r"f\.lst: no line names the 3 columns; write one above"),
        ("f.cat", "here are four words\n1 2 3\n", r"f\.cat: is not a table: .*header columns \(4\)"),
        ("f.ecsv", "nothing", r"f\.ecsv: is not a table"),
        ("l.vot", "nothing", r"l\.vot: cannot be read as a VOTable: syntax error"),
        ("m.vot", "<V:TABLE nrows='99999'/>", "TABLE of 99999 values, more than the file has bytes"),
        (
            "n.vot",
            "<a><STREAM href='file:///x'/></a>",
            "data are in another file .*, which is not followed",
        ),
        ("h.csv", "ra,dec,g_mag\n", "no object with a position in the files given"),
        ("j.csv", "ra,dec,g_mag\nnan,nan,3\n", "no object with a position in the files given"),
        ("k.csv", "ra,ra,dec,g_mag\n1,1,2,3\n", "there are 2 columns 'ra'; rename them"),
        ("i.csv", "id,ra,dec,g_mag\n1.5,1,2,3\n", r"cannot be read as a table: .*invalid value '1\.5'"),
    ],
)
def test_files_that_are_no_catalogs(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises((FileFormatError, ConfigError), match=message):
        ingest(tmp_path, tmp_path / name)


def test_what_else_can_be_wrong(tmp_path, objects):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "g.fits")
    with pytest.raises(FileFormatError, match="no table in it"):
        ingest(tmp_path, tmp_path / "g.fits")
    with pytest.raises(DatasetNotFoundError, match=r"none\.csv does not exist"):
        ingest(tmp_path, tmp_path / "none.csv")
    with pytest.raises(OutputError, match=r"'\.\./x' cannot be the name of a reference catalog"):
        ingest(tmp_path, name="../x")
    path = write_parquet(tmp_path / "i.parquet", objects | {"source_id": objects["ra"]})
    with pytest.raises(FileFormatError, match=r"column 'source_id' holds .*, expected an integer"):
        ingest(tmp_path, path)


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e9, 1e9) | st.just(np.nan)),
    st.sampled_from(["fits", "csv", "parquet"]),
    st.integers(1, 50),
)
def test_chunks_put_together_are_the_table(tmp_path_factory, values, ending, rows):
    folder = tmp_path_factory.mktemp("chunks")
    columns = {"x": values, "n": np.arange(len(values))}
    path = {"fits": write_fits, "csv": write_csv, "parquet": write_parquet}[ending](folder / f"t.{ending}", columns)
    assert list(table_columns(path)) == ["x", "n"]
    chunks = list(read_chunks(path, {"n": int, "x": float}, rows))
    np.testing.assert_array_equal(np.concatenate([chunk["x"] for chunk in chunks]), values)
    np.testing.assert_array_equal(np.concatenate([chunk["n"] for chunk in chunks]), columns["n"])


def test_the_command(repository, objects, obs, tmp_path):
    path = write_csv(tmp_path / "in.csv", {"RA": objects["ra"], "DEC": objects["dec"], "brightness": objects["g_mag"]})
    status, out, err = obs("ingest-refcat", repository, "ps1", path, "-c", "mag_columns.g=brightness")
    assert (status, err) == (0, "")
    assert re.search(r"ref_cats/ps1: 2000 objects in \d+ files, with id, coord_ra, coord_dec, g_flux", out)
    status, out, _ = obs("ingest-refcat", repository, "ps1", path, "--show-config")
    assert status == 0
    assert "ra_name=null" in out
    status, _, err = obs("ingest-refcat", repository, "ps1", path)
    assert status == 1
    assert "already; --clobber replaces it" in err


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        ".",
        "a/b",
        "a\\b",
        "/a/b",
        "-x",
        "a b",
        "x'\nimport os\n'",
        "x\ny",
        "x'",
        "é",
        "a" * 101,
        "a\0b",
        ".x",
    ],
)
def test_names_that_could_be_code_or_another_folder(tmp_path, objects, name):
    with pytest.raises(OutputError, match="cannot be the name of a reference catalog"):
        ingest_reference_catalog(tmp_path, name, [], ReferenceColumnsConfig())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "texts", "settings", "degrees"),
    [
        ("ra", ["12:30:49", "00:00:01.5"], {}, [187.70416667, 0.00625]),  # whole seconds look like times of a day
        ("ra", ["12 30 49.4", "--"], {}, [187.70583333]),
        ("RA_deg", ["12h30m49.4s", "187d42m21s"], {}, [187.70583333, 187.70583333]),
        ("ra", ["187:42:21", "1:00:00"], {"coordinate_unit": "deg"}, [187.70583333, 1.0]),
        ("RA_deg", ["12:30:49.4", "1:00:00"], {"coordinate_unit": "hour"}, [187.70583333, 15.0]),
        ("ra", ["12.5", "1"], {"coordinate_unit": "hour"}, [187.5, 15.0]),
        ("ra_hours", ["12.5", "1"], {}, [187.5, 15.0]),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "fits", "vot"])
def test_sexagesimal_positions(tmp_path, ending, name, texts, settings, degrees):
    dec = ["-00:30:00", "+12:23:28.1"]
    path = tmp_path / f"in.{ending}"
    table = Table({"id": [1, 2], name: texts, "dec": dec, "V": [10.0, 11.0]})
    table.write(path, format={"csv": "ascii.csv", "fits": "fits", "vot": "votable"}[ending])
    folder = ingest_reference_catalog(tmp_path, "cat", [path], ReferenceColumnsConfig(**settings)).folder
    rows = [
        row
        for file in sorted(folder.glob("*.fits"))
        for row in zip(*(read_catalog(file)[n] for n in ("id", "coord_ra", "coord_dec")), strict=True)
    ]
    found = sorted((int(number), np.degrees(ra), np.degrees(de)) for number, ra, de in rows)
    np.testing.assert_allclose([ra for _, ra, _ in found], degrees, atol=1e-7)
    np.testing.assert_allclose([de for _, _, de in found], [-0.5, 12.39113889][: len(found)], atol=1e-7)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "RA_deg",
            "12:30:49",
            r"may be hours or degrees; say which by -c coordinate_unit=hour or -c coordinate_unit=deg",
        ),
        (
            "ra",
            "187:42:21",
            r"'187:42:21', which is not an angle in hours .*; if these are degrees, .* coordinate_unit=deg",
        ),
        ("ra", "12:61:00", "'12:61:00', which is not an angle in hours or degrees"),
        ("ra", "M 87", "'M 87', which is not an angle such as 12:30:49.4"),
    ],
)
def test_sexagesimal_positions_that_cannot_be_told(tmp_path, name, text, message):
    path = tmp_path / "in.csv"
    path.write_text(f"{name},dec,V\n{text},1:00:00,10\n")
    with pytest.raises(FileFormatError, match=message):
        ingest(tmp_path, path)


def test_short_rows_come_a_limited_number_at_a_time(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("ra,dec\n" + "".join(f"{row},2\n" for row in range(25)))
    parts = [part["ra"].tolist() for part in read_chunks(path, {"ra": float}, rows=10)]
    assert [len(part) for part in parts] == [10, 10, 5]
    assert [row for part in parts for row in part] == list(range(25))
