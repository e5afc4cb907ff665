"""What a metric usually is: of the frames of the night, and of those of other nights."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from obs.frozen import frozen
from obs.metrics.nights import compute_night

__all__ = ["Reference", "References", "group_of", "known_values", "summarize"]

_BEST = 90.0
"""Percentile of the best frames."""
_SIGMA = 1.4826


@frozen
class Reference:
    """What a metric usually is.

    Attributes
    ----------
    median, scatter, best : float
        Median, robust standard deviation, and the better tenth.
    number : int
        Frames that it is of.
    source : str
        Which frames these are, in words.
    """

    median: float
    scatter: float
    best: float
    number: int
    source: str


@dataclass
class References:
    """Frames to compare with: those of the night, and those of other nights.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the night or nights that are judged.
    history : sequence of mapping
        Rows of other nights of the camera.
    night_frames, history_frames : int
        How many frames a reference needs.
    """

    rows: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]] = ()
    night_frames: int = 4
    history_frames: int = 10
    _cache: dict[tuple[Any, ...], list[Reference]] = field(default_factory=dict)
    _groups: dict[str, dict[tuple[Any, ...], list[Mapping[str, Any]]]] = field(default_factory=dict)

    def find(self, metric: str, row: Mapping[str, Any], *, low_is_best: bool = False) -> list[Reference]:
        """Return the references for a metric of a row, none if there are too few frames.

        Parameters
        ----------
        metric : str
            Name of the metric.
        row : mapping
            Row of the exposure; references are those of its group of frames and its detector.
        low_is_best : bool, default: False
            Whether the best frames are those with the lowest values.
        """
        key = (metric, low_is_best, *group_of(row), row.get("detector_name"))
        if key not in self._cache:
            self._cache[key] = list(self._references(metric, row, low_is_best))
        return self._cache[key]

    def _references(self, metric: str, row: Mapping[str, Any], low_is_best: bool) -> Iterable[Reference]:
        night, name = group_of(row), row.get("detector_name")
        same_night = self._grouped("night", self.rows, lambda r: (*group_of(r), r.get("detector_name")))
        all_night = self._grouped("nights", self.rows, group_of)
        before = self._grouped("history", self.history, lambda r: (r.get("filter"), r.get("detector_name")))
        for rows in (same_night.get((*night, name), []), all_night.get(night, [])):
            values = known_values(rows, metric)
            if len(values) >= self.night_frames:
                yield summarize(values, f"{len(values)} frames of the night", low_is_best)
                break
        values = known_values(before.get((row.get("filter"), name), []), metric)
        if len(values) >= self.history_frames:
            yield summarize(values, f"{len(values)} frames of other nights", low_is_best)

    def _grouped(
        self, name: str, rows: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
        if name not in self._groups:
            groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
            for row in rows:
                groups[key(row)].append(row)
            self._groups[name] = groups
        return self._groups[name]


def group_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the night and the filter of a row, whose frames are compared with one another.

    Parameters
    ----------
    row : mapping
        Row of an exposure.
    """
    return compute_night(row), row.get("filter")


def known_values(rows: Iterable[Mapping[str, Any]], metric: str) -> NDArray[np.float64]:
    """Return the values of a metric that rows have, float64, shape (n,).

    Parameters
    ----------
    rows : iterable of mapping
        Rows of exposures.
    metric : str
        Name of the metric.
    """
    return np.array([value for row in rows if (value := row.get(metric)) is not None], float)


def summarize(values: NDArray[np.float64], source: str, low_is_best: bool) -> Reference:
    """Return what values usually are.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Values of a metric.
    source : str
        Which frames they are of, in words.
    low_is_best : bool
        Whether the best frames are those with the lowest values.
    """
    median = float(np.median(values))
    scatter = _SIGMA * float(np.median(np.abs(values - median)))
    best = float(np.percentile(values, 100.0 - _BEST if low_is_best else _BEST))
    return Reference(median, scatter, best, len(values), source)
