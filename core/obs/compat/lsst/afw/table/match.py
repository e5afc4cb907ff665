"""Pairs of sources that stand at the same place."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from obs.compat.lsst.afw.geom.angle import Angle
from obs.compat.lsst.afw.table.catalog import SourceCatalog
from obs.compat.lsst.afw.table.record import SourceRecord
from obs.frozen import frozen

__all__ = ["Match", "MatchControl", "MatchList", "matchRaDec", "matchXy"]

MatchList = list["Match"]


@frozen
class Match:
    """A pair; it can be taken apart into its two sources and their distance.

    Parameters
    ----------
    first, second : SourceRecord
        The sources.
    distance : float
        Their distance: radians on the sky, pixels on the detector.
    """

    first: SourceRecord
    second: SourceRecord
    distance: float

    def __iter__(self) -> Iterator[SourceRecord | float]:
        return iter((self.first, self.second, self.distance))

    def __getitem__(self, index: int) -> SourceRecord | float:
        return (self.first, self.second, self.distance)[index]


class MatchControl:
    """How sources are matched, as in the LSST stack."""

    def __init__(self) -> None:
        self.findOnlyClosest = True


def matchRaDec(
    first: SourceCatalog, second: SourceCatalog, radius: Angle, closest: bool | MatchControl = True
) -> MatchList:
    """Return pairs of sources of two catalogs, by their place on the sky.

    Parameters
    ----------
    first, second : SourceCatalog
        The catalogs.
    radius : Angle
        Largest distance.
    closest : bool, optional
        For each source of the first catalog only the closest of the second; else all. A `MatchControl` says it, too.
    """
    closest = closest.findOnlyClosest if isinstance(closest, MatchControl) else closest

    def vectors(catalog: SourceCatalog) -> NDArray[np.float64]:
        ra, dec = catalog.getRa(), catalog.getDec()
        return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)

    chord = 2.0 * np.sin(0.5 * float(radius))
    pairs = _pairs(vectors(first), vectors(second), chord, closest)
    return [Match(first[i], second[j], 2.0 * float(np.arcsin(0.5 * length))) for i, j, length in pairs]


def matchXy(first: SourceCatalog, second: SourceCatalog, radius: float, closest: bool = True) -> MatchList:
    """Return pairs of sources of two catalogs, by their place on the detector; arguments as of `matchRaDec`, pixels."""

    def places(catalog: SourceCatalog) -> NDArray[np.float64]:
        return np.stack([catalog.getX(), catalog.getY()], axis=1)

    pairs = _pairs(places(first), places(second), radius, closest)
    return [Match(first[i], second[j], length) for i, j, length in pairs]


def _pairs(
    first: NDArray[np.float64], second: NDArray[np.float64], radius: float, closest: bool
) -> list[tuple[int, int, float]]:
    """Return rows and distances of pairs; places that are not finite have none."""
    rows = [np.flatnonzero(np.isfinite(places).all(axis=1)) for places in (first, second)]
    if not len(rows[0]) or not len(rows[1]):
        return []
    tree = cKDTree(second[rows[1]])
    if closest:
        distances, found = tree.query(first[rows[0]], distance_upper_bound=radius)
        near = np.isfinite(distances)
        pairs = zip(rows[0][near], rows[1][found[near]], distances[near], strict=True)
        return [(int(i), int(j), float(d)) for i, j, d in pairs]
    groups = tree.query_ball_point(first[rows[0]], radius)
    whole = [(int(i), int(rows[1][j])) for i, group in zip(rows[0], groups, strict=True) for j in sorted(group)]
    return [(i, j, float(np.linalg.norm(first[i] - second[j]))) for i, j in whole]
