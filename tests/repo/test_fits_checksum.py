"""Checksums are written as astropy writes them, and a file whose pixels have changed is not read in silence."""

import warnings

import numpy as np
import pytest
from astropy.io import fits

from obs.errors import FileFormatError
from obs.image.catalog import Catalog, Column
from obs.image.exposure import Exposure
from obs.image.masked_image import MaskedImage
from obs.repo.fits_catalog import catalog_schema, read_catalog, write_catalog
from obs.repo.fits_checksum import checksums_compared
from obs.repo.fits_exposure import read_exposure, read_image, write_exposure, write_image
from obs.repo.fits_file import write_hdus
from obs.repo.fits_raw import read_raw


def catalog(n):
    random = np.random.default_rng(n)
    made = Catalog(metadata={"A": 1.5})
    made.add("id", np.arange(n))
    made.add("flux", random.normal(size=n))
    return made


@pytest.mark.parametrize("seed", range(20))
def test_astropy_agrees(tmp_path, seed):
    random = np.random.default_rng(seed)
    image = random.normal(size=random.integers(1, 90, 2)).astype(np.float32)
    for ending in ("", ".gz"):
        write_image(image, tmp_path / f"i.fits{ending}")
        write_catalog(catalog(int(random.integers(0, 500))), tmp_path / f"c.fits{ending}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for name in (f"i.fits{ending}", f"c.fits{ending}"):
                with fits.open(tmp_path / name, checksum=True) as hdus:
                    assert all("CHECKSUM" in hdu.header and "DATASUM" in hdu.header for hdu in hdus)
                    assert all(hdu.verify_checksum() == hdu.verify_datasum() == 1 for hdu in hdus)


@pytest.mark.parametrize("n_card", [0, 20, 26, 27, 28, 40])
def test_compressed_images_have_checksums(tmp_path, n_card):
    """Whatever place is left for the two cards in the last block of the header."""
    pixels = np.random.default_rng(n_card).integers(0, 60000, (200, 300)).astype(np.uint16)
    header = fits.Header([(f"KEY{number}", number) for number in range(n_card)])
    packed = fits.CompImageHDU(pixels, header, name="PACKED", compression_type="RICE_1")
    write_hdus(tmp_path / "x.fits", [fits.PrimaryHDU(), packed, fits.ImageHDU(pixels, name="PLAIN"), packed])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(tmp_path / "x.fits", checksum=True, disable_image_compression=True) as hdus:
            assert all(hdu.verify_checksum() == hdu.verify_datasum() == 1 for hdu in hdus)
        with fits.open(tmp_path / "x.fits") as hdus:
            assert [hdu.name for hdu in hdus] == ["PRIMARY", "PACKED", "PLAIN", "PACKED"]
            assert all(np.array_equal(hdu.data, pixels) for hdu in hdus[1:])
            assert [hdus[1].header[f"KEY{number}"] for number in range(n_card)] == list(range(n_card))


@pytest.mark.parametrize("compressed", [False, True])
def test_changed_pixels_are_an_error(tmp_path, compressed):
    """Of files of any origin, also compressed ones; and none where it is switched off."""
    path = tmp_path / "x.fits"
    pixels = np.random.default_rng(1).integers(0, 60000, (200, 300)).astype(np.uint16)
    image = fits.CompImageHDU(pixels) if compressed else fits.ImageHDU(pixels)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, checksum=True)
    with checksums_compared(True):
        assert np.array_equal(read_raw(path).images[0], pixels)
    content = bytearray(path.read_bytes())
    with fits.open(path, disable_image_compression=True) as hdus:
        place = hdus[1].fileinfo()["datLoc"] + (300 * 8 if compressed else 0)
    content[place + 50_000] ^= 1
    path.write_bytes(content)
    with checksums_compared(True), pytest.raises(FileFormatError, match=r"x.fits: HDU 1: its data do not agree with"):
        read_raw(path)
    with checksums_compared(False):
        read_raw(path)


def test_an_image_is_compared_unpacked(tmp_path):
    write_image(np.ones((50, 50), np.float32), tmp_path / "i.fits.gz")
    with checksums_compared(True):
        assert read_image(tmp_path / "i.fits.gz").sum() == 2500


@pytest.mark.parametrize("name", ["c.fits", "c.parq", "e.fits"])
def test_whole_catalogs_and_exposures_that_have_changed_are_errors_by_default(tmp_path, name):
    """Every flipped bit of the data, and not where a block says that nothing is compared."""
    path, is_catalog = tmp_path / name, name.startswith("c")
    read = read_catalog if is_catalog else read_exposure
    if is_catalog:
        write_catalog(catalog(1000), path)
    else:
        write_exposure(Exposure(MaskedImage(np.ones((50, 60), np.float32))), path)
    read(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if name == "c.parq" else -2000] ^= 4
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="do not agree with"):
        read(path)
    if name != "c.parq":
        with checksums_compared(False):
            read(path)


@pytest.mark.parametrize("value", ["", "x", "99999999999999", "-1"])
def test_a_card_that_is_no_checksum_is_passed_over(tmp_path, value):
    header = fits.Header({"DATASUM": value})
    fits.PrimaryHDU(np.ones((50, 50), np.int16), header).writeto(tmp_path / "x.fits")
    with checksums_compared(True):
        assert read_raw(tmp_path / "x.fits").images[0].sum() == 2500


def test_a_table_with_a_row_more_in_its_header_is_not_read_in_silence(tmp_path, caplog):
    path = tmp_path / "catalog.fits"
    write_catalog(Catalog({"x": Column(np.zeros(60))}), path)
    assert len(read_catalog(path)) == 60
    assert caplog.text == ""
    # the row is in the padding
    path.write_bytes(path.read_bytes().replace(b"NAXIS2  =                   60", b"NAXIS2  =                   61"))
    assert len(read_catalog(path)) == 61
    assert f"{path}: the header of HDU 1 does not agree with CHECKSUM: it was edited or damaged" in caplog.text


def test_an_edited_header_is_told_also_where_data_are_not_read(tmp_path, caplog):
    path = tmp_path / "c.fits"
    write_catalog(catalog(20), path)
    changed = path.read_bytes().replace(b"'flux ", b"'fluy ")
    path.write_bytes(changed)
    for _ in range(2):
        assert list(catalog_schema(path).columns) == ["id", "fluy"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: the header of HDU 1 does not agree with CHECKSUM: it was edited or damaged after the file was "
        "written; if nobody edited it, make or copy the file again"
    ]
