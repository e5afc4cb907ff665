"""Headers as text."""

import gzip
import mmap
import tracemalloc

import pytest
from astropy.io import fits

from obs.errors import FileFormatError
from obs.ingest.text_headers import is_text_header, read_content, read_text_headers
from obs.ingest.translation import read_frames
from obs.inspection.raw_file import read_raw_file
from obs.instrument.translator import Translator

PRIMARY = ["SIMPLE  =                    T", "RUN     =                    7 / number", "EMPTY   =", "END"]
EXTENSION = ["XTENSION= 'IMAGE   '", "CCD     =                    2", "END"]


class TextTranslator(Translator):
    columns = {"run": int, "ccd": int}
    unique = ("run", "ccd")
    translation = {"run": "RUN", "ccd": "CCD"}


@pytest.mark.parametrize("layout", ["lines", "windows", "stream", "gzip"])
def test_lines_and_streams(tmp_path, layout):
    path = tmp_path / "a.hdr"
    text = "".join(card.ljust(80) for card in PRIMARY)
    text = {"lines": "\n".join(PRIMARY), "windows": "\r\n".join(PRIMARY)}.get(layout, text)
    path.write_bytes(gzip.compress(text.encode()) if layout == "gzip" else text.encode())
    assert is_text_header(path)
    ((number, header),) = read_text_headers(path)
    assert (number, header["RUN"]) == (0, 7)
    assert header["EMPTY"] != header["EMPTY"]


HEAD = ["SIMPLE  =                    T", "NAXIS   =                    0", "RUN     =                    7 / number"]


@pytest.mark.parametrize(
    "lines",
    [
        ["Filename: a.fits", "", "--- HDU 0 ---", *HEAD, "", "--- HDU 1 ---", *EXTENSION],
        ["# HDU 0 in a.fits:", *HEAD, "# HDU 1 in a.fits:", *EXTENSION],
        [f"   {line}" for line in (*HEAD, *EXTENSION)],
        [" ".join(line.split()) for line in (*HEAD, *EXTENSION)],
    ],
    ids=["between", "comments", "indented", "squeezed"],
)
def test_what_programs_print_around_the_cards_is_left_out(tmp_path, lines):
    path = tmp_path / "a.hdr"
    path.write_text("\n".join(lines))
    assert [(number, header.get("RUN"), header.get("CCD")) for number, header in read_text_headers(path)] == [
        (0, 7, None),
        (1, None, 2),
    ]


def test_cards_without_the_first_are_a_header_where_there_are_many(tmp_path):
    path = tmp_path / "a.hdr"
    path.write_text("\n".join(["r7[1][10,10]", *(f"CARD{n}   = {n:20d} / number" for n in range(9))]))
    ((_, header),) = read_text_headers(path)
    assert header["CARD3"] == 3
    path.write_text("A = 1\nNAME = 'x'\n")
    assert not is_text_header(path)


def test_extensions_have_the_primary_beneath(tmp_path):
    path = tmp_path / "a.hdr"
    path.write_text("\n".join(PRIMARY[:-1] + EXTENSION + [line.replace(" 2", " 3") for line in EXTENSION]))
    assert [number for number, _ in read_text_headers(path)] == [0, 1, 2]
    frames = list(read_frames(path, TextTranslator(), text=True))
    assert [frame.row for frame in frames] == [{"run": 7, "ccd": 2}, {"run": 7, "ccd": 3}]


def test_an_extension_alone_is_number_one(tmp_path):
    path = tmp_path / "a.hdr"
    path.write_text("\n".join(EXTENSION))
    assert [number for number, _ in read_text_headers(path)] == [1]


def test_fits_files_are_none(tmp_path):
    path = tmp_path / "a.fits"
    fits.PrimaryHDU().writeto(path)
    assert not is_text_header(path)
    assert not is_text_header(tmp_path / "nothing.hdr")


def test_ingest_takes_no_text(tmp_path):
    path = tmp_path / "a.hdr"
    path.write_text("\n".join(PRIMARY))
    with pytest.raises(FileFormatError):
        list(read_frames(path, TextTranslator()))


@pytest.mark.parametrize(("content", "message"), [(b"", "is empty"), (b"hello", "is neither a FITS file nor the text")])
def test_what_is_no_header_is_told(tmp_path, content, message):
    path = tmp_path / "a.hdr"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message):
        list(read_text_headers(path))


def test_folders_and_missing_files_are_told(tmp_path):
    with pytest.raises(FileFormatError, match="does not exist"):
        list(read_text_headers(tmp_path / "nothing"))
    with pytest.raises(FileFormatError, match="is a folder without FITS files; name the files"):
        list(read_text_headers(tmp_path))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_large_fits_files_stay_on_the_disk(tmp_path, ending):
    path = tmp_path / f"large.fits{ending}"
    header = "".join(
        card.ljust(80)
        for card in ("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 5000", "NAXIS2  = 4000", "END")
    ).ljust(2880)
    content = header.encode() + bytes(20_001_600)
    path.write_bytes(gzip.compress(content, 1) if ending else content)
    tracemalloc.start()
    try:
        found = read_raw_file(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.shapes == ((4000, 5000),)
    # one buffer of the longest text, and what it grows through
    assert peak < 60e6
    assert isinstance(read_content(path), mmap.mmap)


def test_a_large_file_of_another_kind_is_not_read_whole(tmp_path):
    path = tmp_path / "film.fits"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(FileFormatError, match=r"film\.fits: is neither a FITS file nor the text of a header"):
        read_raw_file(path)
