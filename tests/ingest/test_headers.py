"""Headers read without pixels are those that astropy reads."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from toy_camera import hdu_bytes, write_raw

from obs.errors import FileFormatError
from obs.ingest.headers import read_headers
from obs.instrument.header import EDITED
from obs.repo.fits_file import header_to_dict


def first(path):
    return next(iter(read_headers(path)))[1]


@pytest.mark.parametrize("name", ["hsc", "hsc-HSCA04090107", "sdss-fpC-006377-g4-0399"])
def test_real_headers(shared_data, tmp_path, name):
    header = fits.Header.fromtextfile(shared_data / "headers" / f"{name}.hdr")
    text = header.tostring().encode("ascii")
    (tmp_path / "header.fits").write_bytes(text)
    with (tmp_path / "header.fits").open("ab") as file:
        file.truncate(len(text) + 10**9)  # a hole stands for the pixels
    wanted = header_to_dict(header)
    found = first(tmp_path / "header.fits")
    # EDITED, as its text is not that of the file of which it has the CHECKSUM, and units of comments are no cards
    found = {name: value for name, value in found.items() if not name.startswith("(")}
    assert found.keys() == wanted.keys()
    assert [name for name in found if str(found[name]) != str(wanted[name])] == []


values = (
    st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
)


@given(st.dictionaries(st.from_regex(r"[A-Z]{1,4}[0-9]{1,3}", fullmatch=True), values, max_size=40))
def test_any_header_reads_as_astropy_reads_it(tmp_path_factory, cards):
    path = tmp_path_factory.mktemp("header") / "h.fits"
    fits.PrimaryHDU(header=fits.Header({k: v.rstrip() if isinstance(v, str) else v for k, v in cards.items()})).writeto(
        path
    )
    assert first(path) == header_to_dict(fits.getheader(path))


def test_long_and_hierarchical_cards(tmp_path):
    header = fits.Header({"LONG": "x" * 200, "HIERARCH ESO DET ID": 3, "NONE": None})
    fits.PrimaryHDU(header=header).writeto(tmp_path / "h.fits")
    found = first(tmp_path / "h.fits")
    assert (found["LONG"], found["ESO DET ID"]) == ("x" * 200, 3)
    assert np.isnan(found["NONE"])


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_extensions(tmp_path, ending):
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(np.zeros((30, 70), np.int16), name=name) for name in "AB")]
    path = tmp_path / f"m.fits{ending}"
    fits.HDUList(hdus).writeto(path)
    found = list(read_headers(path))
    assert [number for number, _ in found] == [0, 1, 2]
    assert [header.get("EXTNAME") for _, header in found] == [None, "A", "B"]


def test_a_compressed_image_has_the_header_of_the_image(tmp_path):
    image = np.arange(3000, dtype=np.int16).reshape(30, 100)
    header = fits.Header({"DETECTOR": 4})
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image, header)]).writeto(tmp_path / "c.fits.fz")
    _, (number, found) = read_headers(tmp_path / "c.fits.fz")
    assert number == 1
    assert (found["NAXIS1"], found["NAXIS2"], found["DETECTOR"]) == (100, 30, 4)
    assert not [name for name in found if name.startswith("Z") or name.startswith("TFORM")]


def test_a_zipped_file_is_not_unpacked_whole(tmp_path):
    content = hdu_bytes({"BITPIX": 8, "NAXIS": 1, "NAXIS1": 10**6, "RUN": 3}, bytes(10**6))
    (tmp_path / "h.fits.gz").write_bytes(gzip.compress(content)[:-500])
    assert first(tmp_path / "h.fits.gz")["RUN"] == 3


def break_file(path, change):
    write_raw(path)
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: b"GIF89a" + data, "is not a FITS file: it does not begin with SIMPLE"),
        (lambda data: data[:3000], "is cut short: it has 3000 bytes, its headers promise 7360"),
        (lambda data: data + b"A" * 5760, f"has 5760 bytes behind its last HDU .* head -c {3 * 2880} FILE > NEW"),
        (lambda data: data[:500], "ends within a header"),
        (lambda data: data.replace(b"END     ", b"NOEND   "), "ends within a header"),
        (lambda data: data[:80] + b"HISTORY ".ljust(80) * 36_001 + data[80:], "has a header of more than 36000 cards"),
        (lambda data: data.replace(b"NAXIS1 ", b"NOAXIS1"), "is not a FITS file: NAXIS1 is missing"),
        (lambda data: gzip.compress(data)[:40], "cannot be read: Compressed file ended"),
        (lambda data: b"\x1f\x8bnonsense", "cannot be read: "),
    ],
)
def test_broken_files(tmp_path, change, message):
    break_file(tmp_path / "b.fits", change)
    with pytest.raises(FileFormatError, match=f"b.fits: {message}"):
        list(read_headers(tmp_path / "b.fits"))


def test_no_file(tmp_path):
    with pytest.raises(FileFormatError, match=r"none\.fits: does not exist"):
        list(read_headers(tmp_path / "none.fits"))
    with pytest.raises(FileFormatError, match="is a folder without FITS files; name the files"):
        list(read_headers(tmp_path))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("edit", [None, b"EXPTIME =                 10.0", b"FILTER  = 'g       '"])
def test_an_edited_header_is_known(tmp_path, compressed, edit):
    header = fits.Header({"EXPTIME": 30.0, "FILTER": "r"})
    image = (fits.CompImageHDU if compressed else fits.ImageHDU)(np.arange(600, dtype=np.int16).reshape(20, 30), header)
    path = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, checksum=True)
    if edit is not None:
        content = path.read_bytes()
        at = content.index(edit[:9])
        path.write_bytes(content[:at] + edit.ljust(80) + content[at + 80 :])
    assert [EDITED in cards for _, cards in read_headers(path)] == [False, edit is not None]
