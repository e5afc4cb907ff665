"""Which exposures show the same field, so that their stars can be counted against each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.sky_vectors import sky_vectors

__all__ = ["number_fields"]

_SHARE = 0.35
"""Part of the diagonal by which pointings of one field differ at most: half of the sky is then on both."""
_USUAL = 0.5
"""Diagonal of rows that do not have it, because an earlier version wrote them, degrees."""


def number_fields(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """Return the number of the field that each exposure shows.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of metrics with ``ra`` and ``dec`` of the middle and ``field_size``, the diagonal, all in degrees.

    Returns
    -------
    ndarray of int64, shape (n,)
        From 0 in the order in which fields occur; -1 without a position.
    """
    number = np.full(len(rows), -1, np.int64)
    known = np.array([k for k, row in enumerate(rows) if None not in (row.get("ra"), row.get("dec"))], np.int64)
    vectors = sky_vectors([rows[k]["ra"] for k in known], [rows[k]["dec"] for k in known])
    left, field = np.arange(len(known)), 0
    while len(left):
        reach = np.radians(_SHARE * (rows[known[left[0]]].get("field_size") or _USUAL))
        same = np.linalg.norm(vectors[left] - vectors[left[0]], axis=1) <= 2.0 * np.sin(0.5 * reach)
        number[known[left[same]]] = field
        left, field = left[~same], field + 1
    return number
