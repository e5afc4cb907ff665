"""Rows of metrics as a catalog, with the unit and the definition of each metric."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from obs.image.catalog import Catalog
from obs.metrics.definitions import find_metric

__all__ = ["as_catalog"]


def as_catalog(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> Catalog:
    """Return rows as a catalog.

    Parameters
    ----------
    rows : sequence of mapping
        Column to value; None where it was not measured.
    columns : mapping of str to type
        Names of the columns, in order, with int, float or str; those of a query, whatever rows it found.

    Returns
    -------
    Catalog
        Texts, empty where there is none, and numbers as float64, NaN where one was not measured.
    """
    catalog = Catalog()
    for name, kind in columns.items():
        values = [row.get(name) for row in rows]
        if kind is str:
            data: Any = np.array(["" if value is None else str(value) for value in values], str)
        else:
            data = np.array([math.nan if value is None else value for value in values], np.float64)
        metric = find_metric(name)
        unit, text = (metric.unit, metric.definition) if metric is not None else ("", "")
        catalog.add(name, data, unit, text)
    return catalog
