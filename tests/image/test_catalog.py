"""Catalogs in memory."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from obs.image.catalog import Catalog, Column


def make_catalog():
    return Catalog({"id": Column(np.arange(3), "", "number"), "x": Column(np.array([1.0, 2.0, 3.0]), "pix")}, {"A": 1})


def test_looks_like_a_mapping():
    catalog = make_catalog()
    assert (len(catalog), catalog.schema.names) == (3, ["id", "x"])
    assert "x" in catalog
    assert "y" not in catalog
    assert catalog["x"].tolist() == [1, 2, 3]
    assert len(Catalog()) == 0


@pytest.mark.parametrize(
    ("rows", "ids"),
    [([True, False, True], [0, 2]), ([2, 0], [2, 0]), (slice(1, None), [1, 2]), ([], []), (np.array([], bool), [])],
)
def test_select(rows, ids):
    part = make_catalog().select(rows)
    assert part["id"].tolist() == ids
    assert part.columns["x"].unit == "pix"
    assert part.metadata == {"A": 1}


def test_add_replaces():
    catalog = make_catalog()
    catalog.add("x", [4, 5, 6], "mm", "place")
    assert catalog["x"].tolist() == [4, 5, 6]
    catalog = Catalog({"x": Column(np.zeros(3))})
    catalog.add("x", [1, 2])
    assert len(catalog) == 2


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="column 'y' has 2 rows, 'id' has 3"):
        make_catalog().add("y", [1, 2])


def test_one_value_is_no_column():
    with pytest.raises(ValueError, match=r"column 'y' needs one value a row, got the single value 3.5"):
        make_catalog().add("y", 3.5)


def test_unknown_column():
    with pytest.raises(KeyError, match=r"no column 'idd'; did you mean 'id'\?"):
        make_catalog()["idd"]
    with pytest.raises(KeyError, match="no column 'flux'; there are id, x"):
        make_catalog()["flux"]


def test_masked_values_of_a_table():
    table = Table([MaskedColumn([1.0, 2.0], "x", mask=[False, True], unit="deg")])
    catalog = Catalog.from_table(table)
    assert catalog.columns["x"].unit == "deg"
    assert np.isnan(catalog["x"]).tolist() == [False, True]
    with pytest.raises(ValueError, match="column 'n' of int64 has masked values"):
        Catalog.from_table(Table([MaskedColumn([1, 2], "n", mask=[False, True])]))
