"""Reference catalogs in shards."""

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import DatasetNotFoundError, FileFormatError
from obs.htm import htm_index
from obs.repo.reference_catalog import DEPTH, find_reference_catalog, load_reference_catalog
from obs.sky_vectors import sky_vectors


def write(folder, ra, dec, flux, *, unit="nJy", version=1, name="r_flux"):
    folder.mkdir(parents=True, exist_ok=True)
    numbers = htm_index(ra=ra, dec=dec, depth=DEPTH)
    for number in np.unique(numbers):
        rows = numbers == number
        columns = [
            fits.Column("id", "K", array=np.flatnonzero(rows)),
            fits.Column("coord_ra", "D", unit="rad", array=np.radians(ra[rows])),
            fits.Column("coord_dec", "D", unit="rad", array=np.radians(dec[rows])),
            fits.Column(name, "D", unit=unit, array=flux[rows]),
        ]
        table = fits.BinTableHDU.from_columns(columns)
        if version:
            table.header["HIERARCH REFCAT_FORMAT_VERSION"] = version
        table.writeto(folder / f"{number}.fits")
    return folder


@pytest.fixture
def sky():
    rng = np.random.default_rng(5)
    return (359.0 + rng.uniform(0, 2, 4000)) % 360, rng.uniform(-1, 1, 4000), rng.uniform(1, 100, 4000)


def test_objects_in_a_circle(tmp_path, sky):
    ra, dec, flux = sky
    folder = write(tmp_path / "ref_cats" / "mine", ra, dec, flux)
    found = load_reference_catalog(folder, ra=0.1, dec=0.05, radius=0.4)
    away = np.degrees(np.arccos(sky_vectors(ra, dec) @ sky_vectors(0.1, 0.05)[0]))
    assert found.metadata["REFERENCE_NAME"] == "mine"
    assert set(found["id"]) == set(np.flatnonzero(away <= 0.4))
    order = np.argsort(found["id"])
    rows = found["id"][order]
    np.testing.assert_allclose(found["coord_ra"][order], ra[rows])
    np.testing.assert_allclose(found["coord_dec"][order], dec[rows])
    np.testing.assert_allclose(found["r_flux"][order], flux[rows])
    assert {name: column.unit for name, column in found.columns.items()} == {
        "id": "",
        "coord_ra": "deg",
        "coord_dec": "deg",
        "r_flux": "nJy",
    }


def test_only_shards_that_the_circle_touches_are_opened(tmp_path, sky):
    folder = write(tmp_path / "mine", *sky)
    here = htm_index(ra=0.1, dec=0.3, depth=DEPTH)[0]
    for path in folder.iterdir():
        if path.stem != str(here):
            path.write_text("no FITS file")
    assert len(load_reference_catalog(folder, ra=0.1, dec=0.3, radius=1e-6)) == 0


@pytest.mark.parametrize(("unit", "version", "factor"), [("nJy", 1, 1), ("Jy", 0, 1e9), ("", 0, 1e9), ("", 1, 1)])
def test_fluxes_are_in_nanojansky(tmp_path, sky, unit, version, factor):
    ra, dec, flux = sky
    folder = write(tmp_path / "mine", ra, dec, flux, unit=unit, version=version)
    found = load_reference_catalog(folder, ra=0, dec=0, radius=3)
    np.testing.assert_allclose(np.sort(found["r_flux"]), np.sort(flux) * factor)
    assert found.columns["r_flux"].unit == "nJy"


def test_a_catalog_that_does_not_reach_gives_no_rows(tmp_path, sky):
    folder = write(tmp_path / "mine", *sky)
    assert len(load_reference_catalog(folder, ra=180, dec=60, radius=1)) == 0


def test_a_catalog_that_is_not_there(tmp_path, sky):
    folder = write(tmp_path / "ref_cats" / "mine", *sky)
    assert find_reference_catalog([tmp_path / "none", tmp_path], "mine") == folder
    message = r"no reference catalog 'mime' in .*ref_cats; did you mean 'mine'\?; there are: mine"
    with pytest.raises(DatasetNotFoundError, match=message):
        find_reference_catalog([tmp_path], "mime")
    with pytest.raises(DatasetNotFoundError, match=message):
        load_reference_catalog(folder.with_name("mime"), ra=0, dec=0, radius=1)
    for name in ("", ".", "../ref_cats/mine", "mine/../mine", "/"):
        with pytest.raises(DatasetNotFoundError, match="no reference catalog '"):
            find_reference_catalog([tmp_path], name)
    with pytest.raises(DatasetNotFoundError, match="there are: none"):
        find_reference_catalog([tmp_path / "none"], "mine")


def test_a_table_that_is_no_reference_catalog(tmp_path):
    number = htm_index(ra=10.0, dec=10.0, depth=DEPTH)[0]
    fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.zeros(2))]).writeto(tmp_path / f"{number}.fits")
    with pytest.raises(FileFormatError, match=r"fits: no reference catalog: it has no column 'coord_ra'"):
        load_reference_catalog(tmp_path, ra=10, dec=10, radius=0.1)


def test_a_real_catalog(shared_data):
    folder = find_reference_catalog([shared_data / "sdss_stripe82"], "sdss_demo_ref_cat")
    count = 0
    for path in folder.glob("[0-9]*.fits"):
        rows = fits.getdata(path)
        place = {"ra": np.degrees(rows["coord_ra"]), "dec": np.degrees(rows["coord_dec"])}
        assert (htm_index(**place, depth=DEPTH) == int(path.stem)).all()
        count += len(rows)
    assert count == 20022
    frame = load_reference_catalog(folder, ra=351.642, dec=0.1036, radius=0.14)
    assert len(frame) == 170
    assert frame.columns["r_flux"].unit == "nJy"


def test_a_folder_that_is_no_catalog_is_told_with_the_catalogs_in_it(tmp_path):
    with pytest.raises(
        DatasetNotFoundError, match=r"is not a reference catalog: .*; name the folder of one catalog, such as"
    ):
        load_reference_catalog(tmp_path, ra=10.0, dec=5.0, radius=0.1)
    (tmp_path / "ref_cats" / "stars").mkdir(parents=True)
    with pytest.raises(DatasetNotFoundError, match=f"did you mean {tmp_path}/ref_cats/stars\\?"):
        load_reference_catalog(tmp_path, ra=10.0, dec=5.0, radius=0.1)
