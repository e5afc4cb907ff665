"""Tables of crosstalk and linearity, by day: which counts, and what is wrong with one."""

from datetime import date

import numpy as np
import pytest

from obs.camera.dated_tables import find_dated_tables, read_crosstalk, read_linearity, table_of
from obs.errors import FileFormatError
from obs.instrument.discovery import load_instrument


@pytest.fixture(scope="module")
def detector():
    """A detector of four amplifiers."""
    return next(iter(load_instrument("hsc").load_camera()))


def names_of(detector):
    return [amp.name for amp in detector.amplifiers]


def write(tmp_path, text):
    path = tmp_path / "2024-03-01.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("day", "stem"),
    [("2023-12-31", None), ("2024-01-01", "2024-01-01"), ("2024-08-31", "2024-01-01"), ("2025-01-01", "2024-09-01")],
)
def test_the_latest_table_that_has_begun_counts(tmp_path, detector, day, stem):
    folder = tmp_path / "crosstalk" / detector.name
    folder.mkdir(parents=True)
    for name in ("2024-09-01", "2024-01-01"):
        (folder / f"{name}.csv").touch()
    table = table_of(find_dated_tables(tmp_path, "crosstalk", detector), date.fromisoformat(day))
    assert (table and table.path.stem) == stem
    assert find_dated_tables(tmp_path, "linearity", detector) == []
    (folder / "March.csv").touch()
    with pytest.raises(FileFormatError, match=r"March\.csv: 'March' is not a date: name the table after the first day"):
        find_dated_tables(tmp_path, "crosstalk", detector)


def test_crosstalk(tmp_path, detector):
    first, *others = names = names_of(detector)
    row = ",".join(["0", *("1e-3" for _ in others)])
    matrix = read_crosstalk(write(tmp_path, f"source,{','.join(names)}\n{first},{row}\n"), detector)
    expected = np.zeros((len(names), len(names)))
    expected[0, 1:] = 1e-3
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1e-3"], "line 2, column '.*': 0.001 cannot be: an amplifier has no crosstalk with itself"),
        (["0", "3"], "line 2, column '.*': 3 cannot be: above 0.1"),
        (["0", "x"], "line 2, column '.*': 'x' is not a number"),
    ],
)
def test_crosstalk_that_cannot_be(tmp_path, detector, cells, message):
    names = names_of(detector)
    row = ",".join([*cells, *["0"] * (len(names) - len(cells))])
    with pytest.raises(FileFormatError, match=message):
        read_crosstalk(write(tmp_path, f"source,{','.join(names)}\n{names[0]},{row}\n"), detector)


def test_linearity(tmp_path, detector):
    first, second, *_ = names_of(detector)
    text = f"amplifier,linearity_type,linearity_c0,linearity_c1\n{first},Polynomial,1e-7,2e-12\n{second},None,,\n"
    found = read_linearity(write(tmp_path, text), detector)
    assert found == {first: ("Polynomial", (1e-7, 2e-12)), second: ("None", ())}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("nobody,None,", "line 2, column 'amplifier': 'nobody' is not an amplifier of the detector"),
        ("{0},Squared,", "line 2, column 'linearity_c0': Squared needs 1 coefficients or more"),
        ("{0},LookupTable,0", "line 2, column 'linearity_type': 'LookupTable' is none of None, Squared"),
        ("{0},None,\n{0},None,", "line 3, column 'amplifier': .* is on line 2 already"),
    ],
)
def test_linearity_that_cannot_be(tmp_path, detector, row, message):
    text = f"amplifier,linearity_type,linearity_c0\n{row.format(names_of(detector)[0])}\n"
    with pytest.raises(FileFormatError, match=message):
        read_linearity(write(tmp_path, text), detector)
