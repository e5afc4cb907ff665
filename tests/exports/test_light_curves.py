"""Light curves that observers send in, read back by the published rules of the formats."""

import re

import numpy as np
import pytest

from obs.errors import OutputError
from obs.exports.light_curves import (
    AavsoWords,
    aavso_filter,
    format_aavso,
    format_etd,
    group_filters,
    name_of_place,
    plot_light_curve,
)
from obs.image.catalog import Catalog
from obs.visits.light_curve_table import unusable_magnitudes

LENGTHS = {"NAME": 30, "DATE": 16, "MAG": 8, "MERR": 6, "FILT": 5, "TRANS": 3, "MTYPE": 3, "CNAME": 20, "CMAG": 8,
           "KNAME": 20, "KMAG": 8, "AMASS": 7, "GROUP": 5, "CHART": 20, "NOTES": 2000}  # fmt: skip
CODES = re.compile("[UBVRIJHKYO]|T[GBR]|C[VR]|S[ZUGRI]|ST[UVBY]|STHB[WN]|ZS|HAC?")


def read_aavso(text):
    """Return parameters and observations of a file in the extended format; anything against its rules is an error."""
    assert text.isascii()
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    assert all(line.strip() for line in lines)
    parameters = dict(line[1:].split("=", 1) for line in lines if line.startswith("#") and "=" in line)
    assert list(parameters) == ["TYPE", "OBSCODE", "SOFTWARE", "DELIM", "DATE", "OBSTYPE"]
    assert parameters["TYPE"].upper() == "EXTENDED"
    assert re.fullmatch(r"\w{1,5}", parameters["OBSCODE"])
    assert 0 < len(parameters["SOFTWARE"]) <= 255
    assert parameters["DATE"] in ("JD", "HJD")
    assert parameters["OBSTYPE"] in ("CCD", "DSLR", "PEP", "VISDIG")
    header = next(line for line in lines if line.startswith("#NAME"))
    assert header[1:].split(parameters["DELIM"]) == list(LENGTHS)
    assert len(parameters["DELIM"]) == 1
    rows = []
    for line in lines:
        if line.startswith("#"):
            continue
        row = dict(zip(LENGTHS, line.split(parameters["DELIM"]), strict=True))
        assert all(0 < len(word) <= LENGTHS[field] and word == word.strip() for field, word in row.items())
        assert re.fullmatch(r"2\d{6}\.\d+", row["DATE"])
        assert re.fullmatch(r"<?-?\d{1,2}\.\d+", row["MAG"])
        assert (row["MERR"] == "na") == row["MAG"].startswith("<")
        assert row["MERR"] == "na" or 0 < float(row["MERR"]) < 1
        assert CODES.fullmatch(row["FILT"])
        assert row["FILT"] != "O" or "filter" in row["NOTES"]
        assert row["TRANS"] in ("YES", "NO")
        assert row["MTYPE"] == "STD" or (row["MTYPE"] == "DIF" and row["CNAME"] not in ("na", "ENSEMBLE"))
        assert row["CNAME"] != "ENSEMBLE" or row["CMAG"] == "na"
        for number in ("CMAG", "KMAG", "AMASS"):
            assert row[number] == "na" or np.isfinite(float(row[number]))
        assert (row["KNAME"] == "na") == (row["KMAG"] == "na")
        assert row["GROUP"] == "na" or int(row["GROUP"]) > 0
        rows.append(row)
    return parameters, rows


def table(**changes):
    """Return a light curve of six images, with the columns that are written."""
    columns = {
        "mjd_mid": 60310.0 + np.arange(6) / 24,
        "filter": np.array(["V"] * 6),
        "magnitude": np.array([9.12344, -1.46, 12.5, np.nan, 21.0, 12.5]),
        "magnitude_error": np.array([0.0123, 0.00001, 0.1, np.nan, 0.4, 0.01]),
        "upper_limit": np.array([9.0, -1.5, 12.2, 20.96, 19.9, 12.4]),
        "airmass": np.array([1.0, 1.5, np.nan, 1.2, 38.0, 1.0]),
        "flags": np.array(["", "CT", "", "", "", "S"]),
        "n_comparison": np.array([58, 58, 0, 3, 4, 5]),
        "check_magnitude": np.array([12.01, 12.02, np.nan, 12.0, 12.0, 12.0]),
    }
    catalog = Catalog()
    for name, values in (columns | changes).items():
        catalog.add(name, values)
    return catalog


def test_aavso_is_read_back():
    check = {"V": name_of_place(150.12291, -2.2)}
    words = AavsoWords("RR Lyr", "XYZ", {"V": ("V", "V")}, check, "Gaia,\nDR3 \u03b1 and a long name", "DSLR")
    text, left_out = format_aavso(table(), words)
    parameters, rows = read_aavso(text)
    assert left_out == 1  # the one that is saturated
    assert parameters["OBSCODE"] == "XYZ"
    assert [row["MAG"] for row in rows] == ["9.1234", "-1.4600", "12.5000", "<20.960", "<19.900"]
    assert [row["MERR"] for row in rows] == ["0.0123", "0.0001", "0.1000", "na", "na"]
    assert float(rows[1]["DATE"]) == pytest.approx(2460310.5 + 1 / 24, abs=1e-6)
    assert rows[2]["AMASS"] == "na"
    assert rows[1]["NOTES"] == "58 comparison stars; flags CT"
    assert rows[2]["NOTES"] == "zero point of the image"
    assert {row["CNAME"] for row in rows} == {"ENSEMBLE"}
    assert parameters["OBSTYPE"] == "DSLR"
    assert {row["CHART"] for row in rows} == {"Gaia DR3 ? and a lon"}
    assert [row["KNAME"] for row in rows[1:3]] == ["J100029.50-021200.0", "na"]
    assert rows[0]["KMAG"] == "12.0100"
    assert {row["GROUP"] for row in rows} == {"na"}


def test_filters_that_follow_one_another_are_a_group():
    hours = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 3.0, 3.5, 5.0])
    assert group_filters(hours / 24, list("BVRBBVRV")) == [1, 1, 1, 0, 0, 2, 2, 0]
    light = table(filter=np.array(["B", "V"] * 3), mjd_mid=60310.0 + np.array([0, 1, 30, 31, 60, 61]) / 1440)
    _, rows = read_aavso(format_aavso(light, AavsoWords("RR Lyr", "X", {"V": ("V", "V"), "B": ("B", "B")}))[0])
    assert [row["GROUP"] for row in rows] == ["1", "1", "2", "2", "na"]  # the last V is saturated


@pytest.mark.parametrize(
    ("ra", "dec", "name"),
    [(0.0, 0.0, "J000000.00+000000.0"), (359.9999999, -0.00001, "J000000.00+000000.0"),
     (150.12291, 89.999999, "J100029.50+900000.0"), (15.0, -0.5, "J010000.00-003000.0")],
)  # fmt: skip
def test_names_of_places(ra, dec, name):
    assert name_of_place(ra, dec) == name


def test_filter_without_a_code_is_named_in_the_notes():
    name = "H\u03b1, 2"
    filters = {name: ("G", aavso_filter(name, "G", is_color=False))}
    _, rows = read_aavso(format_aavso(table(filter=np.array([name] * 6)), AavsoWords("RR Lyr", "X", filters))[0])
    assert rows[0]["FILT"] == "O"
    assert "filter H? 2 with zero point of band G" in rows[0]["NOTES"]


@pytest.mark.parametrize(
    ("physical", "band", "is_color", "code"),
    [
        ("HSC-G", "g", False, "SG"), ("SDSS r", "r", False, "SR"), ("Bessell V", "V", False, "V"),
        ("R", "R", False, "R"),
        ("R", "R", True, "TR"), ("G", "V", True, "TG"), ("B", "B", True, "TB"), ("Clear", "V", False, "CV"),
        ("L", "r", False, "CR"), ("L", "G", False, "O"), ("UHC+R", "uhc", True, "O"), ("Ha", "ha", False, "HA"),
    ],
)  # fmt: skip
def test_filter_codes(physical, band, is_color, code):
    assert aavso_filter(physical, band, is_color=is_color) == code


@pytest.mark.parametrize(
    ("star", "observer", "says"),
    [
        ("351.5,0.04", "X", "has a comma"), ("#1", "X", "begins with #"), ("\u03b2 Lyr", "X", "change --star"),
        ("R" * 31, "X", "1 to 30"), ("RR\nLyr", "X", "change --star"), ("RR Lyr", "TOOLONG", "change --observer"),
        ("RR Lyr", " ", "change --observer"),
    ],
)  # fmt: skip
def test_words_that_the_format_cannot_hold(star, observer, says):
    with pytest.raises(OutputError, match=says):
        format_aavso(table(), AavsoWords(star, observer, {"V": ("V", "V")}))


def test_etd_is_read_back():
    text, left_out = format_etd(table())
    rows = np.array([[float(word) for word in line.split()] for line in text.splitlines()])
    assert left_out == 2
    assert rows.shape == (4, 3)
    assert np.all(np.diff(rows[:, 0]) > 0)
    assert rows[0] == pytest.approx([2460310.5, 9.12344, 0.0123])
    assert (rows[:, 2] > 0).all()


def test_nothing_that_can_be_sent_in():
    bad = table(flags=np.array(["B"] * 6))
    with pytest.raises(OutputError, match="no row can be sent in"):
        format_etd(bad)
    with pytest.raises(OutputError, match="no row can be sent in"):
        format_aavso(bad, AavsoWords("RR Lyr", "X", {"V": ("V", "V")}))
    with pytest.raises(OutputError, match="one filter, not V, g"):
        format_etd(table(filter=np.array(["g", "V"] * 3)))


@pytest.fixture
def drawn(monkeypatch):
    """Return the figures that are saved, which are not written."""
    figures = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, *_, **__: figures.append(figure))
    return figures


def test_points_without_a_magnitude_worth_the_name_are_limits_in_the_plot(tmp_path, drawn):
    values = table(magnitude_error=np.array([0.01, 0.01, 0.1, np.nan, 9.0, 0.34]))
    values.add("bjd_tdb", 2460310.5 + np.arange(6) / 24)
    plot_light_curve(values, "star", tmp_path / "curve.png", clobber=False)
    (axes,) = drawn[0].axes
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_ydata(), values["magnitude"][:3])
    (limits,) = (line for line in axes.lines if line.get_marker() == "v")
    np.testing.assert_array_equal(limits.get_ydata(), values["upper_limit"][3:])
    assert max(axes.get_ylim()) < 23.0


def test_filters_named_after_colors_are_drawn_in_them(tmp_path, drawn):
    values = table(filter=np.array(["L", "Red", "Green", "Blue", "R", "Ha"]))
    values.add("bjd_tdb", 2460310.5 + np.arange(6) / 24)
    plot_light_curve(values, "star", tmp_path / "curve.png", clobber=False)
    colors = [container.lines[0].get_color() for container in drawn[0].axes[0].containers]
    assert colors[1:4] == ["C3", "C2", "C0"]
    assert len(set(colors)) == 6


def test_magnitudes_that_are_not_to_be_used_are_crosses_and_a_warning(tmp_path, drawn):
    values = table(flags=np.array(["S", "CT", "SI", "", "", "P"]))
    values.add("bjd_tdb", 2460310.5 + np.arange(6) / 24)
    plot_light_curve(values, "star", tmp_path / "curve.png", clobber=False)
    (axes,) = drawn[0].axes
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_ydata(), values["magnitude"][[1]])
    (crosses,) = (line for line in axes.lines if line.get_marker() == "x")
    np.testing.assert_array_equal(crosses.get_ydata(), values["magnitude"][[0, 2, 5]])
    saturated, other = unusable_magnitudes(values)
    assert saturated.startswith("the object is saturated on 2 of 6 images")
    assert "on 1 of 6 images" in other
    assert unusable_magnitudes(table(flags=np.array(["", "CT", "E", "I", "", ""]))) == []
