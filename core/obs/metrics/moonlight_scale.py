"""How bright moonlight is beside the sky of a site: a town has a sky that the Moon hardly changes."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from obs.metrics.nights import compute_night

__all__ = ["DARK", "MoonlightScale", "moon_over_dark"]

#: Expected moonlight over the dark sky of the model, below which a frame counts as dark, and above which as moonlit.
DARK, _LIT = 0.1, 0.3
_FEWEST = 3
_NIGHT = -18.0
_LEAST, _MOST = 0.02, 3.0


class MoonlightScale:
    """Moonlight over the dark sky, relative to a model in which the sky is dark everywhere.

    It is measured in nights that have dark and moonlit frames, by filter, because moonlight and sky have different
    colors.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of detectors or of visits, with ``moon_sky`` and ``sky_rate``.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        groups: dict[tuple[Any, ...], list[tuple[float, float]]] = defaultdict(list)
        for row in rows:
            rate, sun = row.get("sky_rate"), row.get("sun_altitude")
            if row.get("moon_sky") is not None and rate is not None and rate > 0 and (sun is None or sun < _NIGHT):
                key = (row.get("filter"), compute_night(row), row.get("detector_name"))
                groups[key].append((moon_over_dark(row), float(rate)))
        found: dict[Any, list[float]] = defaultdict(list)
        for (name, *_), pairs in groups.items():
            ratio, rates = np.array(pairs, float).T
            dark, lit = ratio < DARK, ratio > _LIT
            if min(np.count_nonzero(dark), np.count_nonzero(lit)) >= _FEWEST:
                # medians, because moonlit cloud is brighter than the Moon alone
                found[name].append(float(np.median((rates[lit] / np.median(rates[dark]) - 1.0) / ratio[lit])))
        self._scales = {name: float(np.clip(np.median(values), _LEAST, _MOST)) for name, values in found.items()}

    def expect(self, row: Mapping[str, Any]) -> float | None:
        """Return by how many magnitudes the Moon brightens the sky of a frame at this site; None if nobody knows.

        Parameters
        ----------
        row : mapping
            Row of the exposure, with ``moon_sky`` and ``filter``. A filter without a scale counts with 1.
        """
        if row.get("moon_sky") is None:
            return None
        return 2.5 * math.log10(1.0 + self._scales.get(row.get("filter"), 1.0) * moon_over_dark(row))


def moon_over_dark(row: Mapping[str, Any]) -> float:
    """Return moonlight over the dark sky by the model.

    Parameters
    ----------
    row : mapping
        Row of the exposure, with ``moon_sky``, magnitudes.
    """
    return max(math.pow(10.0, 0.4 * float(row["moon_sky"])) - 1.0, 0.0)
