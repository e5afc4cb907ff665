import pytest

from obs.errors import FileFormatError
from obs.scaffold.write_cells import Cell, write_cells

TABLE = "# a comment, kept\ndetector,name,gain, read_noise\n\nccd0,A,nan, 4.5\r\nccd0, B ,1.5\n# ccd0,A,9\n"


def test_only_the_cell_changes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.encode())
    row = {"detector": "ccd0", "name": "A"}
    write_cells(path, [Cell(row, "gain", "1.4"), Cell(row, "read_noise", "5")])
    assert path.read_bytes().decode() == TABLE.replace("ccd0,A,nan, 4.5", "ccd0,A,1.4, 5")


def test_a_row_that_ends_early_gets_the_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.encode())
    write_cells(path, [Cell({"detector": "ccd0", "name": "B"}, "read_noise", "6")])
    assert "ccd0, B ,1.5,6\n" in path.read_bytes().decode()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Cell({"name": "C"}, "gain", "1"), "has 0 rows with name=C: nothing was written"),
        (Cell({"detector": "ccd0"}, "gain", "1"), "has 2 rows with detector=ccd0: nothing was written"),
        (Cell({"name": "A"}, "offset", "1"), "has no column offset: nothing was written"),
        (Cell({"name": "A"}, "gain", "1,2"), "'1,2' cannot be a cell of a table"),
    ],
)
def test_what_cannot_be_written_changes_nothing(tmp_path, cell, message):
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE.encode())
    with pytest.raises(FileFormatError, match=message):
        write_cells(path, [Cell({"name": "A"}, "gain", "7"), cell])
    assert path.read_bytes() == TABLE.encode()
