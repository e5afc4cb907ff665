import numpy as np
import pytest
from astropy.io import fits

from obs.repo.fits_file import card_text, card_value, header_to_dict, stored_cards, table_bytes

TEXTS = [
    "x",
    "it's",
    "''",
    "a" * 8,
    "a" * 67,
    "a" * 68,
    "a" * 69,
    "it's " * 13,
    "a long text " * 12,
    "",
    "µm",
    " b ",
    "T",
]


@pytest.mark.parametrize("value", [*TEXTS, None, 3, 2.5, True, float("nan")])
@pytest.mark.parametrize("name", ["TTYPE1", "TCOMM123", "X"])
def test_cards_are_those_of_astropy(name, value):
    assert card_text(name, value) == str(fits.Card(name, card_value(value)))


def test_table_with_cards_of_columns(tmp_path):
    rows = np.zeros(3, [("f1", ">f4")])
    columns = card_text("TTYPE1", "flux") + card_text("TFORM1", "E") + card_text("TCOMM1", "its meaning " * 9)
    (tmp_path / "t.fits").write_bytes(
        bytes(fits.PrimaryHDU().header.tostring(), "ascii") + table_bytes(rows, [fits.Card("A", 1)], "T", columns)
    )
    with fits.open(tmp_path / "t.fits") as hdus:
        assert hdus[1].columns.names == ["flux"]
        assert hdus[1].header["TCOMM1"] == ("its meaning " * 9).rstrip()
        assert (hdus[1].header["A"], hdus[1].name, len(hdus[1].data)) == (1, "T", 3)


def test_stored_cards_are_read_as_by_astropy():
    header = fits.Header([(f"TTYPE{number}", text) for number, text in enumerate(TEXTS[:-3], start=1)])
    for number, value in enumerate([3, -2.5, 1e300, 1e-5, True, False, None, "a: 2.5", "a:b", "2.5", "T", "/"]):
        header[f"V{number}"] = value
    header["REMARKED"] = ("x", "its / 'comment'")
    header["HIERARCH ESO DET NAME"] = "long"
    header["COMMENT"] = "said beside"
    header["HISTORY"] = "='3'"
    stored = header.tostring().encode()
    for odd in (
        "D       =              2.5D+03",
        "C       = (1.0, 2.0)",
        "N       = 12 34",
        "M-1_    =                   1.",
        "END",
    ):
        stored = stored.rstrip()[:-3] if stored.rstrip().endswith(b"END") else stored
        stored += odd.ljust(80).encode()
    expected = header_to_dict(fits.Header.fromstring(stored))
    found = dict(stored_cards(stored + b"A       = 'beyond the end'".ljust(80)))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert type(found[name]) is type(value)
        assert found[name] == value or value != value
